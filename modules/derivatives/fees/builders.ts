/** Builder fees: what an order pays to whoever brought it, within the parameter and its owner's own approval. */
import type { BuilderFee, BuilderTerms } from "@keel/proto/gen/keel/derivatives/v1/fees";
import { type AccountId, accountId, ownerKeyOf } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import { BUILDERS_PER_OWNER_MAX } from "../limits.ts";
import type { Venue } from "../venue.ts";
import { builderApproved } from "./events.ts";
import { feeParams } from "./params.ts";

/** Throws ModuleError unless the order may pay this to that builder. */
export function requireBuilder(
  { ctx, venue }: { readonly ctx: ReadContext; readonly venue: Venue },
  account: AccountId,
  wanted: BuilderFee | undefined,
): BuilderTerms | undefined {
  if (wanted === undefined) return undefined;
  const { builder, feePpm } = wanted;
  const recipient = venue.accounts.of(builder, 0);
  const most = feeParams(ctx, venue).builderFeeMaxPpm;
  if (feePpm > most) {
    throw refuse(
      "builderFeeTooHigh",
      `expected a builder fee of at most ${most} ppm, got ${feePpm}`,
    );
  }
  const at = [ownerKeyOf(account), ownerKeyOf(recipient)] as const;
  const approved = venue.state.fees.approvals.get(ctx, at)?.feeMaxPpm ?? 0;
  if (feePpm > approved) {
    throw refuse(
      "builderNotApproved",
      `the owner has approved ${approved} ppm for ${builder}, got ${feePpm}`,
    );
  }
  return { builder: venue.accounts.owner(recipient), feePpm };
}

/** 0 ends the approval; open orders keep the fee they were placed with. */
export function approveBuilder(
  ctx: WriteContext,
  venue: Venue,
  message: { readonly sender: string; readonly builder: string; readonly feeMaxPpm: number },
): void {
  const { feeMaxPpm } = message;
  const { addresses, state } = venue;
  const { approvals } = state.fees;
  const owner = ownerKeyOf(accountId(addresses.parse(message.sender), 0));
  const builder = ownerKeyOf(accountId(addresses.parse(message.builder), 0));
  const at = [owner, builder] as const;
  if (feeMaxPpm === 0) approvals.delete(ctx, at);
  else {
    if (!approvals.has(ctx, at)) {
      let present = 0;
      approvals.eachWithPrefix(ctx, owner, () => void (present += 1));
      if (present >= BUILDERS_PER_OWNER_MAX) {
        throw refuse(
          "tooManyApprovals",
          `expected at most ${BUILDERS_PER_OWNER_MAX} builders approved by one owner`,
        );
      }
    }
    approvals.set(ctx, at, { feeMaxPpm });
  }
  builderApproved(ctx, { owner: message.sender, builder: message.builder, feeMaxPpm });
}
