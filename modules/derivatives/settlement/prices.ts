/**
 * Settlement prices: the time-weighted mean of an index over the window before an expiry, kept once per (feed, expiry, window) however
 * many markets end so. While a window is open, one running integral per feed is advanced at the start of every block with the price
 * that was in force since the block before: nothing reported after the expiry counts. A price that was not fresh, or an interval
 * beyond the longest that counts, leaves a gap; a window with too many gaps goes on after its expiry until it is covered.
 */
import type { FeedAggregate, Settlement } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { divHalfEven, PPM } from "../../kit/math/mul-div.ts";
import { powerOfTen } from "../../kit/math/powers.ts";
import { PRICE_PLACES } from "../instruments/contract.ts";
import * as events from "../instruments/events.ts";
import { instrumentParams } from "../instruments/params.ts";
import type { OraclePrice } from "../ports.ts";
import type { SettlementKey } from "../state.ts";
import { nowMs, type Venue } from "../venue.ts";

/** mantissa × 10^exponent in 1e-18 of the quote, half to even below that. */
export function toPrice(mantissa: bigint, exponent: number): bigint {
  const power = PRICE_PLACES + exponent;
  return power >= 0 ? mantissa * powerOfTen(power) : divHalfEven(mantissa, powerOfTen(-power));
}

export function keyOfSettlement(settlement: Settlement): SettlementKey {
  const { feedId, expiryMs, windowMs } = settlement;
  return [feedId, Number(expiryMs), Number(windowMs)];
}

/** When the next thing happens to it: its window opens, or ends. */
export function windowTime(settlement: Settlement): number {
  const { expiryMs, windowMs, open } = settlement;
  return Number(open ? expiryMs : expiryMs - windowMs);
}

/** One more market ends so. */
export function holdSettlement(ctx: WriteContext, { state }: Venue, key: SettlementKey): void {
  const known = state.settlements.get(ctx, key);
  if (known !== undefined) {
    state.settlements.set(ctx, key, { ...known, markets: known.markets + 1 });
    return;
  }
  const [feedId, expiryMs, windowMs] = key;
  const settlement: Settlement = {
    feedId,
    expiryMs: BigInt(expiryMs),
    windowMs: BigInt(windowMs),
    markets: 1,
    open: false,
    startSum: "",
    startCoveredMs: 0n,
    price: "",
    coveredMs: 0n,
  };
  state.settlements.set(ctx, key, settlement);
  state.windows.set(ctx, [windowTime(settlement), key], true);
}

/** One market fewer; the last takes the record with it. */
export function releaseSettlement(ctx: WriteContext, { state }: Venue, key: SettlementKey): void {
  const settlement = state.settlements.get(ctx, key);
  assert(settlement !== undefined, "a market without its settlement record");
  if (settlement.markets > 1) {
    state.settlements.set(ctx, key, { ...settlement, markets: settlement.markets - 1 });
    return;
  }
  state.settlements.delete(ctx, key);
  if (settlement.price !== "") return;
  state.windows.delete(ctx, [windowTime(settlement), key]);
  if (settlement.open) closeWindow(ctx, state, settlement.feedId);
}

function closeWindow(ctx: WriteContext, state: Venue["state"], feedId: number): void {
  const aggregate = state.aggregates.get(ctx, feedId);
  assert(aggregate !== undefined, "an open window without its feed's integral");
  if (aggregate.windows > 1) {
    state.aggregates.set(ctx, feedId, { ...aggregate, windows: aggregate.windows - 1 });
  } else state.aggregates.delete(ctx, feedId);
}

/** The integral at a time between its last step and now. */
function integralAt(
  aggregate: FeedAggregate,
  timeMs: bigint,
  stepMaxMs: bigint,
): { readonly sum: bigint; readonly coveredMs: bigint } {
  const sum = BigInt(aggregate.sum);
  const elapsed = timeMs - aggregate.atMs;
  if (aggregate.mantissa === 0n || elapsed <= 0n) return { sum, coveredMs: aggregate.coveredMs };
  const counted = elapsed < stepMaxMs ? elapsed : stepMaxMs;
  return {
    sum: sum + aggregate.mantissa * counted,
    coveredMs: aggregate.coveredMs + counted,
  };
}

/** Begin of a block: ends the windows whose expiry has come, advances the integrals to now, opens the windows that are due. */
export function advanceSettlementPrices(ctx: WriteContext, venue: Venue): void {
  const { state } = venue;
  if (state.windows.size(ctx) === 0) return;
  const due: SettlementKey[] = [];
  const now = nowMs(ctx);
  state.windows.each(ctx, ([timeMs, key]) => {
    if (timeMs > now) return true;
    due.push(key);
    return false;
  });
  const stepMaxMs = state.params.require(ctx).fundingStepMaxMs;
  const settlements = due.map((key) => {
    const settlement = state.settlements.get(ctx, key);
    assert(settlement !== undefined, "a window without its settlement record");
    return settlement;
  });
  // At the expiry itself, with the price in force before this block's.
  const waiting: Settlement[] = [];
  for (const settlement of settlements) {
    if (settlement.open && !finish(ctx, venue, settlement, settlement.expiryMs)) {
      waiting.push(settlement);
    }
  }
  advanceIntegrals(ctx, venue, BigInt(now), stepMaxMs);
  for (const settlement of waiting) finish(ctx, venue, settlement, BigInt(now));
  for (const settlement of settlements) if (!settlement.open) open(ctx, venue, settlement);
}

/** Fixes the price when enough of the window is covered at `timeMs`. */
function finish(ctx: WriteContext, venue: Venue, settlement: Settlement, timeMs: bigint): boolean {
  const { state } = venue;
  const aggregate = state.aggregates.get(ctx, settlement.feedId);
  assert(aggregate !== undefined, "an open window without its feed's integral");
  const { fundingStepMaxMs } = state.params.require(ctx);
  const { sum, coveredMs } = integralAt(aggregate, timeMs, fundingStepMaxMs);
  const covered = coveredMs - settlement.startCoveredMs;
  const { coverageMinPpm } = instrumentParams(ctx, venue);
  if (covered <= 0n || covered * PPM < settlement.windowMs * coverageMinPpm) return false;
  const exponent = venue.oracle.price(ctx, settlement.feedId)?.exponent;
  assert(exponent !== undefined, "an averaged feed has no price");
  const price = mean(sum - BigInt(settlement.startSum), covered, exponent);
  const key = keyOfSettlement(settlement);
  state.settlements.set(ctx, key, {
    ...settlement,
    open: false,
    price: price.toString(),
    coveredMs: covered,
  });
  state.windows.delete(ctx, [windowTime(settlement), key]);
  closeWindow(ctx, state, settlement.feedId);
  events.settlementPrice(ctx, settlement, price, covered);
  return true;
}

/** sum / covered × 10^exponent in 1e-18, half to even. */
function mean(sum: bigint, coveredMs: bigint, exponent: number): bigint {
  const power = PRICE_PLACES + exponent;
  return power >= 0
    ? divHalfEven(sum * 10n ** BigInt(power), coveredMs)
    : divHalfEven(sum, coveredMs * 10n ** BigInt(-power));
}

function advanceIntegrals(ctx: WriteContext, venue: Venue, now: bigint, stepMaxMs: bigint): void {
  const { state } = venue;
  const all: FeedAggregate[] = [];
  state.aggregates.each(ctx, (_feed, aggregate) => void all.push(aggregate));
  for (const aggregate of all) {
    const { sum, coveredMs } = integralAt(aggregate, now, stepMaxMs);
    state.aggregates.set(ctx, aggregate.feedId, {
      ...aggregate,
      sum: sum.toString(),
      coveredMs,
      atMs: now,
      mantissa: freshMantissa(ctx, venue, aggregate.feedId),
    });
  }
}

function freshMantissa(ctx: ReadContext, venue: Venue, feedId: number): bigint {
  const price = venue.oracle.price(ctx, feedId);
  return price?.fresh === true ? price.mantissa : 0n;
}

/** The window begins with the first block at or after its start. */
function open(ctx: WriteContext, venue: Venue, settlement: Settlement): void {
  const { state } = venue;
  const { feedId } = settlement;
  const known = state.aggregates.get(ctx, feedId);
  const aggregate: FeedAggregate =
    known === undefined
      ? {
          feedId,
          sum: "0",
          coveredMs: 0n,
          atMs: BigInt(nowMs(ctx)),
          mantissa: freshMantissa(ctx, venue, feedId),
          windows: 1,
        }
      : { ...known, windows: known.windows + 1 };
  state.aggregates.set(ctx, feedId, aggregate);
  const key = keyOfSettlement(settlement);
  const opened: Settlement = {
    ...settlement,
    open: true,
    startSum: aggregate.sum,
    startCoveredMs: aggregate.coveredMs,
  };
  state.windows.delete(ctx, [windowTime(settlement), key]);
  state.settlements.set(ctx, key, opened);
  state.windows.set(ctx, [windowTime(opened), key], true);
}

/** What is known of a settlement price now. */
export interface Outlook {
  /** The settlement price once it is known, before that the price expected: the mean so far for the time gone, spot for the rest. */
  readonly forward: bigint;
  readonly spot: bigint;
  readonly final: boolean;
  /** Mean and length of the part of the window that is averaged; 0 before it opens. */
  readonly mean: bigint;
  readonly averagedMs: bigint;
  readonly remainingMs: bigint;
  readonly fresh: boolean;
}

interface Known {
  readonly index: OraclePrice;
  readonly aggregate: FeedAggregate | undefined;
  readonly now: number;
  readonly outlook: Outlook;
}

// All marks of an expiry ask for one and the same in a block. Records of state are immutable values, as are prices.
const known = new WeakMap<Settlement, Known>();

/** undefined without a price of the feed. */
export function outlookOf(ctx: ReadContext, venue: Venue, key: SettlementKey): Outlook | undefined {
  const { state, oracle } = venue;
  const [feedId, expiryMs] = key;
  const settlement = state.settlements.get(ctx, key);
  const now = nowMs(ctx);
  if (settlement !== undefined && settlement.price !== "") {
    const price = BigInt(settlement.price);
    const averagedMs = settlement.coveredMs;
    const remainingMs = timeLeft(expiryMs, now);
    const settled = { forward: price, spot: price, mean: price, averagedMs, remainingMs };
    return { ...settled, final: true, fresh: true };
  }
  const index = oracle.price(ctx, feedId);
  if (index === undefined) return undefined;
  const aggregate = settlement?.open === true ? state.aggregates.get(ctx, feedId) : undefined;
  if (settlement === undefined) return expected(index, undefined, timeLeft(expiryMs, now));
  const last = known.get(settlement);
  if (last?.index === index && last.aggregate === aggregate && last.now === now) {
    return last.outlook;
  }
  const averaged = aggregate === undefined ? undefined : { aggregate, settlement };
  const outlook = expected(index, averaged, timeLeft(expiryMs, now));
  known.set(settlement, { index, aggregate, now, outlook });
  return outlook;
}

function timeLeft(expiryMs: number, now: number): bigint {
  return BigInt(expiryMs > now ? expiryMs - now : 0);
}

/** Before the settlement price is known; with an open window what is averaged counts. */
function expected(
  index: OraclePrice,
  open: { readonly aggregate: FeedAggregate; readonly settlement: Settlement } | undefined,
  remainingMs: bigint,
): Outlook {
  const spot = toPrice(index.mantissa, index.exponent);
  const fresh = index.fresh && remainingMs > 0n;
  const averagedMs =
    open === undefined ? 0n : open.aggregate.coveredMs - open.settlement.startCoveredMs;
  if (open === undefined || averagedMs === 0n) {
    return { forward: spot, spot, final: false, mean: 0n, averagedMs, remainingMs, fresh };
  }
  const { aggregate, settlement } = open;
  const so = mean(BigInt(aggregate.sum) - BigInt(settlement.startSum), averagedMs, index.exponent);
  const whole = averagedMs + remainingMs;
  const forward = divHalfEven(so * averagedMs + spot * remainingMs, whole);
  return { forward, spot, final: false, mean: so, averagedMs, remainingMs, fresh };
}
