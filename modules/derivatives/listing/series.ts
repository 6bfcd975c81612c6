/**
 * Series: rules by which markets list themselves, some per block. What an expiry has listed is one range of strikes without a hole, so that
 * knowing what is missing costs a comparison and not a search. A listing that fails pauses its series, and nothing else.
 */
import type {
  ListedExpiry,
  Market,
  OptionRight,
  Series,
  StoredSeries,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { atomically } from "../../kit/atomically.ts";
import type { WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { parseDecimal } from "../../kit/math/decimal.ts";
import { refuse } from "../errors.ts";
import { PRICE_PLACES } from "../instruments/contract.ts";
import * as events from "../instruments/events.ts";
import { instrumentParams } from "../instruments/params.ts";
import { SERIES_MAX } from "../limits.ts";
import { toPrice } from "../settlement/prices.ts";
import { nowMs, type Venue } from "../venue.ts";
import { listMarket } from "./markets.ts";
import { marketOf, RIGHTS } from "./series-markets.ts";
import { expiriesAhead, type StrikeRange, strikesAround, strikesMissing } from "./series-rules.ts";
import { validateSeries } from "./series-terms.ts";

export function createSeries(ctx: WriteContext, { state }: Venue, series: Series): number {
  validateSeries(series);
  state.series.each(ctx, (_id, known) => {
    if (known.series?.name === series.name) {
      throw refuse("seriesExists", `series ${series.name} exists`);
    }
  });
  if (state.series.size(ctx) >= SERIES_MAX) {
    throw refuse("invalidTerms", `expected at most ${SERIES_MAX} series`);
  }
  const ids = state.ids.get(ctx) ?? { lastMarketId: 0, lastSeriesId: 0 };
  const id = ids.lastSeriesId + 1;
  state.ids.set(ctx, { ...ids, lastSeriesId: id });
  state.series.set(ctx, id, { series: { ...series, id }, listed: [] });
  events.seriesCreated(ctx, series.name, id);
  return id;
}

/** Terms, rules and whether it is paused are replaced for what it lists from now on. Its contract and spacing stay. */
export function updateSeries(ctx: WriteContext, { state }: Venue, change: Series): void {
  let found: StoredSeries | undefined;
  state.series.each(ctx, (_id, stored) => {
    if (stored.series?.name === change.name) found = stored;
    return found !== undefined;
  });
  const known = found?.series;
  if (found === undefined || known === undefined) {
    throw refuse("unknownSeries", `no series "${change.name.slice(0, 40)}"`);
  }
  const { strikes } = change;
  if (strikes !== undefined && strikes.spacing !== known.strikes?.spacing) {
    throw refuse("invalidTerms", "the spacing of a series stays: its strikes are told by it");
  }
  const { paused, terms, expiries } = change;
  const next: Series = { ...known, paused, terms, expiries, strikes };
  validateSeries(next);
  state.series.set(ctx, known.id, { ...found, series: next });
  events.seriesUpdated(ctx, known.name, paused, "authority");
}

/** Begin of a block: lists what is missing, by series, expiry and distance from what is there, up to the block's bound. */
export function listSeries(ctx: WriteContext, venue: Venue): void {
  const { state } = venue;
  if (state.series.size(ctx) === 0) return;
  const all: StoredSeries[] = [];
  state.series.each(ctx, (_id, stored) => void all.push(stored));
  let left = instrumentParams(ctx, venue).listingsPerBlockMax;
  for (const stored of all) {
    const { series } = stored;
    if (left <= 0 || series === undefined || series.paused) continue;
    try {
      left -= atomically(ctx, (inner) => extend(inner, venue, stored, series, left));
    } catch (error) {
      if (error instanceof RangeError) throw error;
      const reason = error instanceof Error ? error.message : "unknown fault";
      state.series.set(ctx, series.id, { ...stored, series: { ...series, paused: true } });
      events.seriesUpdated(ctx, series.name, true, reason);
    }
  }
}

/** Returns how many markets it listed. */
function extend(
  ctx: WriteContext,
  venue: Venue,
  stored: StoredSeries,
  series: Series,
  most: number,
): number {
  const now = BigInt(nowMs(ctx));
  const { expiries } = series;
  const price = venue.oracle.price(ctx, series.feedId);
  assert(expiries !== undefined, "a series without expiries");
  let listed = stored.listed;
  if (listed.some(({ expiryMs }) => expiryMs <= now)) {
    listed = listed.filter(({ expiryMs }) => expiryMs > now);
  }
  let count = 0;
  if (price?.fresh === true) {
    const spot = toPrice(price.mantissa, price.exponent);
    for (const expiryMs of expiriesAhead(expiries, now)) {
      const known = listed.find((entry) => entry.expiryMs === expiryMs);
      const grown = listExpiry(ctx, venue, series, { expiryMs, known, spot, most: most - count });
      count += grown.count;
      if (grown.entry === known || grown.entry === undefined) continue;
      listed = [...listed.filter((entry) => entry !== known), grown.entry];
    }
  }
  if (listed === stored.listed) return 0;
  const sorted = [...listed].sort((a, b) => (a.expiryMs < b.expiryMs ? -1 : 1));
  venue.state.series.set(ctx, series.id, { series, listed: sorted });
  return count;
}

interface Wanted {
  readonly expiryMs: bigint;
  readonly known: ListedExpiry | undefined;
  readonly spot: bigint;
  readonly most: number;
}

function listExpiry(
  ctx: WriteContext,
  venue: Venue,
  series: Series,
  { expiryMs, known, spot, most }: Wanted,
): { readonly count: number; readonly entry: ListedExpiry | undefined } {
  const { strikes } = series;
  if (strikes === undefined) {
    if (known !== undefined || !hasRoom(ctx, venue, 1, most)) return { count: 0, entry: known };
    listOne(ctx, venue, marketOf(series, expiryMs, 0n, RIGHTS[0] as OptionRight));
    return { count: 1, entry: { expiryMs, low: 0n, high: 0n } };
  }
  const spacing = parseDecimal(strikes.spacing, PRICE_PLACES);
  assert(spacing !== null, "a series without a spacing");
  const wanted = strikesAround(strikes, spacing, spot);
  let range: StrikeRange | null = known ?? null;
  let count = 0;
  for (const multiple of strikesMissing(range, wanted, strikes.strikesMax)) {
    if (!hasRoom(ctx, venue, RIGHTS.length, most - count)) break;
    for (const right of RIGHTS) {
      listOne(ctx, venue, marketOf(series, expiryMs, multiple * spacing, right));
    }
    count += RIGHTS.length;
    const { low, high }: StrikeRange = range ?? { low: multiple, high: multiple };
    range = { low: multiple < low ? multiple : low, high: multiple > high ? multiple : high };
  }
  if (range === null || count === 0) return { count, entry: known };
  return { count, entry: { expiryMs, low: range.low, high: range.high } };
}

function hasRoom(ctx: WriteContext, venue: Venue, needed: number, most: number): boolean {
  const { marketsMax } = instrumentParams(ctx, venue);
  return needed <= most && venue.state.markets.size(ctx) + needed <= marketsMax;
}

/** The name may be taken already, by hand, by another series, or by what anyone listed before the series was: then there is nothing to do. */
function listOne(ctx: WriteContext, venue: Venue, market: Market): void {
  if (market.symbol !== "" && venue.state.symbols.has(ctx, market.symbol)) return;
  listMarket(ctx, venue, market);
}
