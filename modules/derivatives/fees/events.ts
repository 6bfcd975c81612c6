/** Events of fees, as listed in keel/derivatives/v1/events.proto. */
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { formatMoney, type Instrument } from "../instruments.ts";
import type { Venue } from "../venue.ts";

/** A part of a fee that is someone else's. */
export interface Share {
  readonly kind: "referral" | "builder";
  readonly payer: AccountId;
  /** Address. */
  readonly recipient: Uint8Array;
  readonly quanta: bigint;
}

export function feeShared(
  ctx: WriteContext,
  { accounts, addresses }: Venue,
  instrument: Instrument,
  { kind, payer, recipient, quanta }: Share,
): void {
  ctx.emit("fee_shared", {
    market: instrument.symbol,
    kind,
    payer: accounts.text(payer),
    recipient: addresses.format(recipient),
    amount: formatMoney(quanta),
  });
}

export function referralCodeRegistered(ctx: WriteContext, owner: string, code: string): void {
  ctx.emit("referral_code_registered", { owner, code });
}

export function referrerSet(
  ctx: WriteContext,
  names: { readonly owner: string; readonly referrer: string; readonly code: string },
): void {
  ctx.emit("referrer_set", { ...names });
}

export function builderApproved(
  ctx: WriteContext,
  approval: { readonly owner: string; readonly builder: string; readonly feeMaxPpm: number },
): void {
  const { owner, builder, feeMaxPpm } = approval;
  ctx.emit("builder_approved", { owner, builder, fee_max_ppm: feeMaxPpm.toString() });
}

export function feeParamsUpdated(ctx: WriteContext): void {
  ctx.emit("fee_params_updated", {});
}
