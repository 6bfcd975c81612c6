/**
 * Markets that clearing stops because of a loss nobody bears, and perpetuals that the authority delists. A stopped market takes cancels only, like a halted one; when it is
 * ended, every lot of it is worth what it was marked at in that moment, and it settles as an expired one does: orders leave, margin pays, the market is remembered for a while.
 */

import type { MarketStop } from "@keel/proto/gen/keel/derivatives/v1/stops";
import type { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { openAfterHalt } from "../auction/opening.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import { type Instrument, instrumentOf } from "../instruments.ts";
import { DELISTING_NOTICE_MS } from "../limits.ts";
import { storeMarket } from "../listing/life-cycle.ts";
import { isNamed, type Mark } from "../marking/mark.ts";
import { markOf } from "../marks.ts";
import type { MarketId } from "../ports.ts";
import { instrumentById, nowMs, type Venue } from "../venue.ts";

const STOPPED: MarketStop = { valuePerLot: "", markTicks: 0n, notionalPerLot: "" };

/** Trading stops, or goes on, with an opening where the market has one. Nothing of a market that has ended, or is gone. */
export function stopMarket(ctx: WriteContext, venue: Venue, id: MarketId, stopped: boolean): void {
  const { stops, markets } = venue.state;
  const known = stops.get(ctx, id);
  if (!markets.has(ctx, id) || (known !== undefined && known.valuePerLot !== "")) return;
  if (stopped) {
    stops.set(ctx, id, STOPPED);
    return;
  }
  if (known === undefined) return;
  stops.delete(ctx, id);
  const instrument = instrumentById(ctx, venue, id);
  if (instrument !== undefined) openAfterHalt(ctx, venue, instrument);
}

/**
 * Fresh, and good enough to liquidate at. That no order can name the price of a perpetual is no reason against it: a coin that has become worth less than half a tick is
 * traded and closed no more, and only its end lets go of whoever holds some.
 */
function endingMark(ctx: ReadContext, venue: Venue, instrument: Instrument): Mark | null {
  const mark = markOf(ctx, venue, instrument);
  if (mark === undefined) return null;
  if (mark.fresh) return mark.stage?.liquidates === false ? null : mark;
  const named = isNamed(mark, instrument.quantaPerTickLot);
  if (named || instrument.contract.maturity !== null) return null;
  const price = venue.oracle.price(ctx, instrument.market.feedId);
  return price?.fresh === true && price.stage?.liquidates !== false ? mark : null;
}

/**
 * By the authority, of a perpetual that has been close-only for the notice: whoever holds some, or hedges with it, could leave before. Throws ModuleError where it cannot be
 * ended now. A dated market ends by itself, and one whose loss nobody bears by clearing.
 */
export function delistMarket(ctx: WriteContext, venue: Venue, market: Market): void {
  const { status, symbol } = market;
  if (instrumentOf(market).contract.maturity !== null) {
    throw refuse("invalidTerms", `${symbol} settles at its expiry: expected a perpetual`);
  }
  if (status !== MarketStatus.MARKET_STATUS_CLOSE_ONLY) {
    const now = instrumentOf(market).status;
    throw refuse(
      "invalidTerms",
      `expected ${symbol} to be close-only before it settles, got ${now}`,
    );
  }
  const from = Number(market.closeOnlySinceMs) + DELISTING_NOTICE_MS;
  if (nowMs(ctx) < from) {
    throw refuse(
      "invalidTerms",
      `expected ${symbol} to settle at ${from} ms or later, got ${nowMs(ctx)}`,
    );
  }
  // Settled by the authority its winners would leave with all they have, and the loss stay where it is.
  if (venue.state.stops.has(ctx, market.id)) {
    throw refuse(
      "stalePrice",
      `${symbol} is stopped because of a loss: clearing ends it, or lets it go on`,
    );
  }
  if (endMarket(ctx, venue, market.id) === null) {
    throw refuse(
      "stalePrice",
      `${symbol} has no price to settle at: expected a fresh one that may liquidate, and no halt`,
    );
  }
}

/**
 * Ends the market at its mark; returns what a lot settles at. Null: not now. Its price must be fresh, good enough to liquidate at (where its feed is guarded), and
 * nobody but clearing may have halted or quarantined it: a breaker that holds a market says that its price is in doubt.
 */
export function endMarket(
  ctx: WriteContext,
  venue: Venue,
  id: MarketId,
): { readonly quantaPerLot: bigint; readonly markTicks: bigint } | null {
  const { state, guard } = venue;
  const market = state.markets.get(ctx, id);
  const instrument = instrumentById(ctx, venue, id);
  if (market === undefined || instrument === undefined) return null;
  const trading =
    market.status === MarketStatus.MARKET_STATUS_ACTIVE ||
    market.status === MarketStatus.MARKET_STATUS_CLOSE_ONLY;
  if (!trading || nowMs(ctx) >= instrument.expiryMs) return null;
  if (guard.restriction(ctx, id)?.level === "halted") return null;
  const mark = endingMark(ctx, venue, instrument);
  if (mark === null) return null;
  state.stops.set(ctx, id, {
    valuePerLot: mark.quantaPerLot.toString(),
    markTicks: mark.ticks,
    notionalPerLot: mark.notionalPerLot.toString(),
  });
  state.settling.set(ctx, id, true);
  storeMarket(ctx, venue, { ...market, status: MarketStatus.MARKET_STATUS_SETTLING });
  events.marketUpdated(ctx, market.symbol, "settling");
  return { quantaPerLot: mark.quantaPerLot, markTicks: mark.ticks };
}
