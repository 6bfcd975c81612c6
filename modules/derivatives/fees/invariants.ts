/** What holds of fees: volumes add up, codes and referrers are each other's, approvals are bounded. */
import type { TraderRecord } from "@keel/proto/gen/keel/derivatives/v1/fees";
import { accountId, type OwnerKey, ownerKeyOf } from "../../kit/account-id.ts";
import { bytesToKey } from "../../kit/collections/codecs.ts";
import type { ReadContext } from "../../kit/context.ts";
import type { Invariant } from "../../kit/module.ts";
import {
  BUILDER_FEE_CEILING_PPM,
  BUILDERS_PER_OWNER_MAX,
  TRADED_QUANTA_MAX,
  VOLUME_DAYS,
} from "../limits.ts";
import type { Venue } from "../venue.ts";
import { dayOf, windowOf } from "./volume.ts";

function volumeFault(record: TraderRecord, today: number): string | null {
  const { before, day, lifetime, window } = record;
  if (day > today) return "of a later day";
  if (before.length > VOLUME_DAYS || before[before.length - 1] === 0n) return "with days too many";
  if (window !== windowOf(before)) return `whose days sum to ${windowOf(before)}, not ${window}`;
  const volumes = [record.today, window, lifetime, ...before];
  if (volumes.some((volume) => volume > TRADED_QUANTA_MAX)) return "out of range";
  if (lifetime < TRADED_QUANTA_MAX && lifetime < window + record.today) {
    return `that traded ${lifetime} in all and more within the window`;
  }
  return null;
}

/** Volume, and both directions of referral. */
export function traderFault(ctx: ReadContext, venue: Venue): string | null {
  const { codes, traders } = venue.state.fees;
  const today = dayOf(ctx);
  let fault: string | null = null;
  let coded = 0;
  traders.each(ctx, (owner, record) => {
    const problem = volumeFault(record, today) ?? referralFault(ctx, venue, owner, record);
    if (problem !== null) fault = `a trader ${problem}`;
    if (record.referralCode !== "") coded += 1;
    return fault !== null;
  });
  if (fault !== null) return fault;
  const registered = codes.size(ctx);
  return coded === registered ? null : `${registered} referral codes for ${coded} owners of one`;
}

function referralFault(
  ctx: ReadContext,
  { state }: Venue,
  owner: OwnerKey,
  { referralCode, referrer }: TraderRecord,
): string | null {
  const { codes, traders } = state.fees;
  if (referralCode !== "") {
    const registered = codes.get(ctx, referralCode);
    if (registered === undefined || bytesToKey(registered) !== owner) {
      return `whose code ${referralCode} is not its own`;
    }
  }
  if (referrer.length === 0) return null;
  if (referralCode !== "") return "with a code and a referrer";
  if (referrer.length !== 20) return "whose referrer has no address";
  const of = traders.get(ctx, ownerKeyOf(accountId(referrer, 0)));
  return of === undefined || of.referralCode === "" ? "whose referrer has no code" : null;
}

export function approvalFaults(ctx: ReadContext, venue: Venue): string | null {
  let fault: string | null = null;
  const counts = new Map<OwnerKey, number>();
  venue.state.fees.approvals.each(ctx, ([owner], { feeMaxPpm }) => {
    const count = (counts.get(owner) ?? 0) + 1;
    counts.set(owner, count);
    if (feeMaxPpm === 0 || feeMaxPpm > BUILDER_FEE_CEILING_PPM) {
      fault = `a builder is approved of for ${feeMaxPpm} ppm`;
    }
    if (count > BUILDERS_PER_OWNER_MAX) fault = `an owner approves of ${count} builders`;
    return fault !== null;
  });
  return fault;
}

export function feeInvariants(venue: Venue): Readonly<Record<string, Invariant>> {
  return {
    "traders-add-up": (ctx) => traderFault(ctx, venue),
    "approvals-bounded": (ctx) => approvalFaults(ctx, venue),
  };
}
