/** Listing and changing markets. */
import type { Market, MarketTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { WriteContext } from "../../kit/context.ts";
import { followUpdate, trades, watchDated } from "../auction/opening.ts";
import { carryOutPast } from "../auction/step.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import { initialFunding } from "../funding.ts";
import { instrumentParams } from "../instruments/params.ts";
import { instrumentAt, instrumentOf } from "../instruments.ts";
import { TIME_TO_EXPIRY_MAX_MS } from "../limits.ts";
import { sampleMark } from "../marking/sampling.ts";
import { markOf } from "../marks.ts";
import type { MarketId } from "../ports.ts";
import { endOf } from "../settlement/ended.ts";
import { holdSettlement } from "../settlement/prices.ts";
import { delistMarket } from "../settlement/stops.ts";
import { nowMs, type Venue } from "../venue.ts";
import { forfeitBond } from "./bonds.ts";
import { nextMarketId, removeMarket, storeMarket } from "./life-cycle.ts";
import { validateMarket, validateTermsOf } from "./terms.ts";

/** One lot is worth at least this, so that funding and settlement in whole quanta per lot are fine enough: one settlement unit. */
const LOT_VALUE_MIN = 1_000_000n;

/** Statuses that the authority may set. The others are steps of the market's life, or the chain's own. */
const SETTABLE: readonly MarketStatus[] = [
  MarketStatus.MARKET_STATUS_ACTIVE,
  MarketStatus.MARKET_STATUS_CLOSE_ONLY,
  MarketStatus.MARKET_STATUS_HALTED,
];

/** By the authority. */
export function createMarket(ctx: WriteContext, venue: Venue, listing: Market): MarketId {
  const status =
    listing.status === MarketStatus.MARKET_STATUS_UNSPECIFIED
      ? MarketStatus.MARKET_STATUS_ACTIVE
      : listing.status;
  validateMarket(listing);
  requireSettable(status);
  return listMarket(ctx, venue, {
    ...listing,
    status,
    seriesId: 0,
    activatesMs: 0n,
    closeOnlySinceMs: 0n,
  }).id;
}

/** Whoever lists: gives the market its id and everything it starts with. Throws ModuleError. */
export function listMarket(ctx: WriteContext, venue: Venue, listing: Market): Market {
  const { state } = venue;
  validateMarket(listing);
  if (state.symbols.has(ctx, listing.symbol)) {
    const known = requireMarket(ctx, venue, listing.symbol);
    if (known.status !== MarketStatus.MARKET_STATUS_SETTLED) {
      throw refuse("marketExists", `market ${listing.symbol} is already listed`);
    }
    // What is only remembered makes room: a market that a loss has ended can be listed anew.
    removeMarket(ctx, venue, known);
  }
  const { marketsMax } = instrumentParams(ctx, venue);
  if (state.markets.size(ctx) >= marketsMax) {
    throw refuse("tooManyMarkets", `expected at most ${marketsMax} markets`);
  }
  const id = nextMarketId(ctx, venue);
  const market: Market = { ...listing, id, dueMs: 0n, listedHeight: BigInt(ctx.header.height) };
  requireTime(ctx, market);
  requireSurface(ctx, venue, market);
  requireLotValue(ctx, venue, market);
  state.symbols.set(ctx, market.symbol, id);
  const key = instrumentOf(market).settlementKey;
  if (key === null) state.funding.set(ctx, id, initialFunding(ctx.header.timeNs));
  else holdSettlement(ctx, venue, key);
  const stored = storeMarket(ctx, venue, market);
  watchDated(ctx, venue, instrumentOf(stored));
  events.marketCreated(ctx, market.symbol, id);
  return stored;
}

/** The whole window and some time to open positions lie ahead, and the expiry not too far. */
function requireTime(ctx: WriteContext, market: Market): void {
  const { maturity } = instrumentOf(market).contract;
  if (maturity === null) return;
  const now = nowMs(ctx);
  const { closeOnlyMs, expiryMs, windowMs } = maturity;
  if (expiryMs - windowMs <= now || expiryMs > now + TIME_TO_EXPIRY_MAX_MS) {
    throw refuse(
      "invalidTerms",
      `expected a settlement window that opens after ${now} and ends within ${TIME_TO_EXPIRY_MAX_MS} ms of it`,
    );
  }
  if (expiryMs - closeOnlyMs <= now) {
    throw refuse("invalidTerms", `expected a time of close-only that begins after ${now}`);
  }
}

/** A surface on another index would give every strike the volatility of another place. */
function requireSurface(ctx: WriteContext, venue: Venue, market: Market): void {
  const id = instrumentOf(market).contract.option?.volatilitySurfaceId ?? 0;
  if (id === 0) return;
  if (venue.oracle.surface(ctx, id)?.feedId !== market.feedId) {
    throw refuse("invalidTerms", `surface ${id} is not one of feed ${market.feedId}`);
  }
}

/** Can only be told once there is a price; a market listed before its feed has one is judged by whoever lists it. */
function requireLotValue(ctx: WriteContext, venue: Venue, market: Market): void {
  const value = markOf(ctx, venue, instrumentOf(market))?.notionalPerLot;
  if (value !== undefined && value < LOT_VALUE_MIN) {
    throw refuse(
      "invalidTerms",
      `one lot is worth ${value} quanta, expected at least ${LOT_VALUE_MIN}`,
    );
  }
}

function requireSettable(status: MarketStatus): void {
  if (!SETTABLE.includes(status)) {
    throw refuse(
      "invalidTerms",
      `expected status active, close-only or halted, or settling of a perpetual, got ${status}`,
    );
  }
}

function requireMarket(ctx: WriteContext, { state }: Venue, symbol: string): Market {
  const id = /^[\x20-\x7e]{1,64}$/.test(symbol) ? state.symbols.get(ctx, symbol) : undefined;
  const market = id === undefined ? undefined : state.markets.get(ctx, id);
  if (market === undefined) throw refuse("unknownMarket", `no market "${symbol.slice(0, 40)}"`);
  return market;
}

export function updateMarket(
  ctx: WriteContext,
  venue: Venue,
  symbol: string,
  change: { readonly status: MarketStatus; readonly terms: MarketTerms | undefined },
): void {
  const market = requireMarket(ctx, venue, symbol);
  const ended = endOf(ctx, venue, instrumentOf(market)) !== undefined;
  if (change.status === MarketStatus.MARKET_STATUS_SETTLING && !ended) {
    if (change.terms !== undefined) throw refuse("invalidTerms", "what settles has no other terms");
    delistMarket(ctx, venue, market);
    return;
  }
  if (change.terms !== undefined) validateTermsOf(market, change.terms);
  if (change.terms?.auction === undefined && market.terms?.auction !== undefined && change.terms) {
    throw refuse("invalidTerms", "auction terms stay: set the matching to continuous instead");
  }
  const unchanged = change.status === MarketStatus.MARKET_STATUS_UNSPECIFIED;
  if (!unchanged) {
    if (!ended) requireSettable(change.status);
    const present = instrumentAt(market, nowMs(ctx)).status;
    if (present === "settling" || present === "settled") {
      throw refuse("marketExpired", `market ${symbol} has expired`);
    }
  }
  const wantedStatus = unchanged ? market.status : change.status;
  // Quarantined while it was settled: that goes on, and it never trades again.
  const status = ended && !unchanged ? MarketStatus.MARKET_STATUS_SETTLING : wantedStatus;
  if (ended && !unchanged) venue.state.settling.set(ctx, market.id, true);
  const wanted = { ...market, status, terms: change.terms ?? market.terms };
  const held = venue.clearing.openInterestLots(ctx, market.id) > 0n;
  let next = wanted;
  const store = (inner: WriteContext): void => {
    next = storeMarket(inner, venue, wanted);
    // Read now, as the next block would: accounts are judged by the mark that the terms make of the book, not by the index before it.
    if (!venue.state.markBasis.has(inner, next.id)) sampleMark(inner, venue, instrumentOf(next));
  };
  // Terms decide what positions require; those of a mark that came while the market was halted do so when its book is first read.
  const unread = wanted.terms?.mark !== undefined && !venue.state.markBasis.has(ctx, market.id);
  if ((change.terms !== undefined || unread) && held)
    venue.clearing.keepHealthy(ctx, market.id, store);
  else store(ctx);
  if (market.terms?.mark !== undefined && next.terms?.mark === undefined) {
    venue.state.markBasis.delete(ctx, market.id);
  }
  const instrument = instrumentOf(next);
  if (!trades(instrumentOf(market)) && trades(instrument)) carryOutPast(ctx, venue, instrument);
  followUpdate(ctx, venue, market, next);
  watchDated(ctx, venue, instrument);
  events.marketUpdated(ctx, symbol, instrument.status);
}

/** Stops the market: cancels only, until the authority sets another status. Idempotent. */
export function quarantineMarket(
  ctx: WriteContext,
  venue: Venue,
  id: MarketId,
  reason: string,
): void {
  const market = venue.state.markets.get(ctx, id);
  if (market === undefined || market.status === MarketStatus.MARKET_STATUS_QUARANTINED) return;
  // A settled market is only a memory: there is nothing to stop.
  if (market.status === MarketStatus.MARKET_STATUS_SETTLED) return;
  venue.state.settling.delete(ctx, id);
  storeMarket(ctx, venue, { ...market, status: MarketStatus.MARKET_STATUS_QUARANTINED });
  events.marketQuarantined(ctx, market.symbol, reason);
}

/** The authority takes the bond of a market; one that is still proposed is refused by it and removed. */
export function forfeit(ctx: WriteContext, venue: Venue, symbol: string, authority: string): void {
  const market = requireMarket(ctx, venue, symbol);
  forfeitBond(ctx, venue, market, authority);
  if (market.status === MarketStatus.MARKET_STATUS_PROPOSED) removeMarket(ctx, venue, market);
}
