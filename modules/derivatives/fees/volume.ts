/** What an owner trades, by days. One record per owner; reading it at a later day rolls it, writing keeps it rolled. */
import type { TraderRecord } from "@keel/proto/gen/keel/derivatives/v1/fees";
import type { OwnerKey } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { divFloor, minimum } from "../../kit/math/mul-div.ts";
import { TRADED_QUANTA_MAX, VOLUME_DAYS } from "../limits.ts";
import type { Venue } from "../venue.ts";

const DAY_NS = 86_400_000_000_000n;

export const NO_TRADER: TraderRecord = {
  day: 0,
  today: 0n,
  window: 0n,
  before: [],
  lifetime: 0n,
  actions: 0n,
  trickleMs: 0n,
  referrer: new Uint8Array(0),
  referralCode: "",
};

/** Days since the Unix epoch. */
export function dayOf(ctx: ReadContext): number {
  return Number(divFloor(ctx.header.timeNs, DAY_NS));
}

/** The owner's record as of today. */
export function traderOf(ctx: ReadContext, { state }: Venue, owner: OwnerKey): TraderRecord {
  return rolled(state.fees.traders.get(ctx, owner) ?? NO_TRADER, dayOf(ctx));
}

/** The same record on a later day: what was today is among the days before, the oldest are forgotten. */
export function rolled(record: TraderRecord, day: number): TraderRecord {
  const gap = day - record.day;
  if (gap <= 0) return record;
  const before: bigint[] = [];
  if (gap <= VOLUME_DAYS) {
    for (let i = 1; i < gap; i++) before.push(0n);
    for (const volume of [record.today, ...record.before]) {
      if (before.length < VOLUME_DAYS) before.push(volume);
    }
    while (before.length > 0 && before[before.length - 1] === 0n) before.pop();
  }
  return { ...record, day, today: 0n, window: windowOf(before), before };
}

export function windowOf(before: readonly bigint[]): bigint {
  return capped(before.reduce((sum, volume) => sum + volume, 0n));
}

function capped(quanta: bigint): bigint {
  return minimum(quanta, TRADED_QUANTA_MAX);
}

/** Adds to what the owner trades today. */
export function addVolume(ctx: WriteContext, venue: Venue, owner: OwnerKey, quanta: bigint): void {
  const record = traderOf(ctx, venue, owner);
  venue.state.fees.traders.set(ctx, owner, {
    day: record.day,
    today: capped(record.today + quanta),
    window: record.window,
    before: record.before,
    lifetime: capped(record.lifetime + quanta),
    actions: record.actions,
    trickleMs: record.trickleMs,
    referrer: record.referrer,
    referralCode: record.referralCode,
  });
}
