/** Listing and changing markets. */
import type { Market, MarketTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { WriteContext } from "../kit/context.ts";
import { refuse } from "./errors.ts";
import * as events from "./events.ts";
import { initialFunding } from "./funding.ts";
import { instrumentOf } from "./instruments.ts";
import { MARKETS_MAX } from "./limits.ts";
import { markOf } from "./marks.ts";
import { followUpdate } from "./opening.ts";
import type { MarketId } from "./ports.ts";
import { validateMarket, validateTerms } from "./terms.ts";
import type { Venue } from "./venue.ts";

/** One lot is worth at least this, so that funding in whole quanta per lot is fine enough: one settlement unit. */
const LOT_VALUE_MIN = 1_000_000n;

/** Statuses that the authority may set. Quarantine is the chain's own. */
const SETTABLE: readonly MarketStatus[] = [
  MarketStatus.MARKET_STATUS_ACTIVE,
  MarketStatus.MARKET_STATUS_CLOSE_ONLY,
  MarketStatus.MARKET_STATUS_HALTED,
];

export function createMarket(ctx: WriteContext, venue: Venue, listing: Market): MarketId {
  const { state } = venue;
  validateMarket(listing);
  if (state.symbols.has(ctx, listing.symbol)) {
    throw refuse("marketExists", `market ${listing.symbol} is already listed`);
  }
  // Markets are never removed, so their number is the last id.
  const id = state.markets.size(ctx) + 1;
  if (id > MARKETS_MAX) throw refuse("tooManyMarkets", `expected at most ${MARKETS_MAX} markets`);
  const status =
    listing.status === MarketStatus.MARKET_STATUS_UNSPECIFIED
      ? MarketStatus.MARKET_STATUS_ACTIVE
      : listing.status;
  requireSettable(status);
  const market: Market = { ...listing, id, status, listedHeight: BigInt(ctx.header.height) };
  requireLotValue(ctx, venue, market);
  state.markets.set(ctx, id, market);
  state.symbols.set(ctx, market.symbol, id);
  state.funding.set(ctx, id, initialFunding(ctx.header.timeNs));
  events.marketCreated(ctx, market.symbol, id);
  return id;
}

/** Can only be told once there is a price; a market listed before its feed has one is judged by whoever lists it. */
function requireLotValue(ctx: WriteContext, venue: Venue, market: Market): void {
  const instrument = instrumentOf(market);
  const mark = markOf(ctx, venue.oracle, instrument);
  if (mark === undefined) return;
  const value = mark.ticks * instrument.quantaPerTickLot;
  if (value < LOT_VALUE_MIN) {
    throw refuse(
      "invalidTerms",
      `one lot is worth ${value} quanta, expected at least ${LOT_VALUE_MIN}`,
    );
  }
}

function requireSettable(status: MarketStatus): void {
  if (!SETTABLE.includes(status)) {
    throw refuse("invalidTerms", `expected status active, close-only or halted, got ${status}`);
  }
}

export function updateMarket(
  ctx: WriteContext,
  venue: Venue,
  symbol: string,
  change: { readonly status: MarketStatus; readonly terms: MarketTerms | undefined },
): void {
  const { state } = venue;
  const id = state.symbols.get(ctx, symbol);
  const market = id === undefined ? undefined : state.markets.get(ctx, id);
  if (id === undefined || market === undefined) {
    throw refuse("unknownMarket", `no market "${symbol.slice(0, 40)}"`);
  }
  if (change.terms !== undefined) validateTerms(change.terms);
  if (change.terms?.auction === undefined && market.terms?.auction !== undefined && change.terms) {
    throw refuse("invalidTerms", "auction terms stay: set the matching to continuous instead");
  }
  const unchanged = change.status === MarketStatus.MARKET_STATUS_UNSPECIFIED;
  if (!unchanged) requireSettable(change.status);
  const status = unchanged ? market.status : change.status;
  const next: Market = { ...market, status, terms: change.terms ?? market.terms };
  state.markets.set(ctx, id, next);
  followUpdate(ctx, venue, market, next);
  events.marketUpdated(ctx, symbol, instrumentOf(next).status);
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
  venue.state.markets.set(ctx, id, {
    ...market,
    status: MarketStatus.MARKET_STATUS_QUARANTINED,
  });
  events.marketQuarantined(ctx, market.symbol, reason);
}
