/**
 * What happens to an expired market. Its value is fixed and it takes no orders: those that rest are cancelled, a bounded number per block
 * over all markets; when none is left and the settlement price is known, margin pays its positions and says so.
 */

import { atomically } from "../../kit/atomically.ts";
import { u32Key } from "../../kit/collections/codecs.ts";
import { prefixEnd } from "../../kit/collections/schema.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { formatDecimal } from "../../kit/math/decimal.ts";
import { collectedOf, releaseCollected } from "../auction/collected.ts";
import { takeCancels } from "../auction/rounds.ts";
import { PRICE_PLACES } from "../instruments/contract.ts";
import * as events from "../instruments/events.ts";
import { instrumentParams } from "../instruments/params.ts";
import { settlementValueOf } from "../instruments/valuation.ts";
import { formatPrice, type Instrument, instrumentOf } from "../instruments.ts";
import { returnBond } from "../listing/bonds.ts";
import { markSettled } from "../listing/life-cycle.ts";
import { cancelSlot, cancelWaitingToo } from "../orders/cancelling.ts";
import type { MarketId } from "../ports.ts";
import { closeTurn, instrumentById, openTurn, type Venue } from "../venue.ts";
import { waitingById } from "../waiting/waiting.ts";
import { endOf } from "./ended.ts";

function settlingIds(ctx: ReadContext, { state }: Venue): MarketId[] {
  const ids: MarketId[] = [];
  state.settling.each(ctx, (id) => void ids.push(id));
  return ids;
}

/** Resting, waiting, or collected for an auction. */
function hasOrders(ctx: ReadContext, { state }: Venue, id: MarketId): boolean {
  const prefix = u32Key.encode(id);
  let found = false;
  const { collected, collectedCancels, orders, waiting } = state;
  for (const collection of [orders.id, waiting.id, collected.id, collectedCancels.id]) {
    ctx.state.range(collection, prefix, prefixEnd(prefix), () => {
      found = true;
      return true;
    });
  }
  return found;
}

/** End of a block: cancels resting orders of expired markets, by market id. */
export function cancelExpired(
  ctx: WriteContext,
  venue: Venue,
  quarantine: (id: MarketId, reason: string) => void,
): void {
  if (venue.state.settling.size(ctx) === 0) return;
  let left = instrumentParams(ctx, venue).cancelsPerBlockMax;
  for (const id of settlingIds(ctx, venue)) {
    if (left === 0) return;
    if (!hasOrders(ctx, venue, id)) continue;
    try {
      left -= atomically(ctx, (inner) => cancelSome(inner, venue, id, left));
    } catch (error) {
      if (error instanceof RangeError) throw error;
      quarantine(id, error instanceof Error ? error.message : "unknown fault");
    }
  }
}

function cancelSome(ctx: WriteContext, venue: Venue, id: MarketId, most: number): number {
  const instrument = instrumentById(ctx, venue, id);
  assert(instrument !== undefined, `market ${id} is settling but not listed`);
  // Each names orders that go now.
  takeCancels(ctx, venue, id, Number.MAX_SAFE_INTEGER);
  const collected = collectedOf(ctx, venue, id).slice(0, most);
  for (const order of collected) releaseCollected(ctx, venue, instrument, order, "expired");
  const left = most - collected.length;
  if (left === 0) return most;
  const turn = openTurn(ctx, venue, instrument);
  // By id, since an order may go with its pair before its turn.
  const ids: number[] = [];
  for (const side of ["buy", "sell"] as const) {
    turn.book.each(side, (slot) => ids.length >= left || ids.push(turn.book.idOf(slot)) >= left);
  }
  if (ids.length < left) {
    venue.state.waiting.eachWithPrefix(ctx, u32Key.encode(id), (key) => ids.push(key.id) >= left);
  }
  for (const order of ids) {
    const slot = turn.book.find(order);
    const waiting = slot === 0 ? waitingById(turn, order) : undefined;
    if (slot !== 0) cancelSlot(turn, slot, "expired");
    else if (waiting !== undefined) cancelWaitingToo(turn, waiting, "expired");
  }
  closeTurn(turn);
  return collected.length + ids.length;
}

/** Expired markets whose positions can be paid now: no order reserves anything in them and their value is known. */
export function settleable(ctx: ReadContext, venue: Venue): MarketId[] {
  if (venue.state.settling.size(ctx) === 0) return [];
  return settlingIds(ctx, venue).filter((id) => {
    if (hasOrders(ctx, venue, id)) return false;
    const instrument = instrumentById(ctx, venue, id);
    return instrument !== undefined && settlementValueOf(ctx, venue, instrument) !== undefined;
  });
}

/** Margin paid the last position of the market. */
export function settled(ctx: WriteContext, venue: Venue, id: MarketId): void {
  const market = venue.state.markets.get(ctx, id);
  assert(market !== undefined, `market ${id} was settled but is not listed`);
  const instrument = instrumentOf(market);
  const value = settlementValueOf(ctx, venue, instrument);
  const price = settlementPriceText(ctx, venue, instrument);
  assert(price !== undefined && value !== undefined, `${market.symbol} has no settlement value`);
  returnBond(ctx, venue, market, "settled");
  markSettled(ctx, venue, market);
  events.marketSettled(ctx, market.symbol, price, value);
}

/** The settlement price of the underlying, or the mark at which clearing ended the market. */
function settlementPriceText(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): string | undefined {
  const end = endOf(ctx, venue, instrument);
  if (end !== undefined) return formatPrice(instrument, end.markTicks);
  const key = instrument.settlementKey;
  const price = key === null ? undefined : venue.state.settlements.get(ctx, key)?.price;
  return price === undefined ? undefined : formatDecimal(BigInt(price), PRICE_PLACES);
}
