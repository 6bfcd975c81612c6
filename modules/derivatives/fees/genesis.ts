/** Fees in genesis. Codes are in the records of their owners. */
import type { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import { accountId, ownerKeyOf } from "../../kit/account-id.ts";
import { keyToBytes } from "../../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import type { Venue } from "../venue.ts";
import { approvalFaults, traderFault } from "./invariants.ts";
import { validateFeeParams } from "./params.ts";

type FeesGenesis = Pick<GenesisState, "feeParams" | "traders" | "builderApprovals">;

/** Returns the first problem, or null. */
export function loadFees(
  ctx: WriteContext,
  venue: Venue,
  { feeParams, traders, builderApprovals }: FeesGenesis,
): string | null {
  const { addresses, state } = venue;
  const { approvals, codes, params, traders: records } = state.fees;
  if (feeParams !== undefined) {
    validateFeeParams(feeParams);
    params.set(ctx, feeParams);
  }
  for (const { owner, trader } of traders) {
    if (trader === undefined) return "a trader without a record";
    const address = addresses.parse(owner);
    records.set(ctx, ownerKeyOf(accountId(address, 0)), trader);
    const { referralCode } = trader;
    if (referralCode === "") continue;
    if (codes.has(ctx, referralCode)) return `the referral code ${referralCode} is there twice`;
    codes.set(ctx, referralCode, address);
  }
  for (const { owner, builder, approval } of builderApprovals) {
    if (approval === undefined) return "a builder's approval without content";
    const [from, to] = [owner, builder].map((address) =>
      ownerKeyOf(accountId(addresses.parse(address), 0)),
    );
    if (from !== undefined && to !== undefined) approvals.set(ctx, [from, to], approval);
  }
  return traderFault(ctx, venue) ?? approvalFaults(ctx, venue);
}

export function exportFees(ctx: ReadContext, venue: Venue): FeesGenesis {
  const { addresses, state } = venue;
  const { approvals, params, traders: records } = state.fees;
  const traders: FeesGenesis["traders"] = [];
  records.each(ctx, (owner, trader) => {
    traders.push({ owner: addresses.format(keyToBytes(owner)), trader });
  });
  const builderApprovals: FeesGenesis["builderApprovals"] = [];
  approvals.each(ctx, ([owner, builder], approval) => {
    builderApprovals.push({
      owner: addresses.format(keyToBytes(owner)),
      builder: addresses.format(keyToBytes(builder)),
      approval,
    });
  });
  return { feeParams: params.get(ctx), traders, builderApprovals };
}
