/**
 * Markets that clearing stops because of a loss nobody bears. A stopped market takes cancels only, like a halted one; when clearing ends it, every lot of it is
 * worth what it was marked at in that moment, and it settles as an expired one does: orders leave, margin pays, the market is remembered for a while.
 */
import type { MarketStop } from "@keel/proto/gen/keel/derivatives/v1/stops";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { WriteContext } from "../../kit/context.ts";
import { openAfterHalt } from "../auction/opening.ts";
import * as events from "../events.ts";
import { storeMarket } from "../listing/life-cycle.ts";
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
  const mark = markOf(ctx, venue, instrument);
  if (mark === undefined || !mark.fresh || mark.stage?.liquidates === false) return null;
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
