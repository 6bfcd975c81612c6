/** Resting orders: the stored record, the book, the reserve in margin and the expiry queue always change together here. */
import type { RestingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import { Side as WireSide } from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, numberOf } from "../kit/account-id.ts";
import { AssertionError } from "../kit/errors.ts";
import { absolute } from "../kit/math/mul-div.ts";
import type { OrderTerms } from "./book.ts";
import * as events from "./events.ts";
import { feeReserve } from "./fees.ts";
import type { OrderKey } from "./state.ts";
import type { Turn } from "./venue.ts";

export interface NewRestingOrder extends OrderTerms {
  readonly sizeLots: number;
  readonly postOnly: boolean;
  /** Share of the rest's notional that margin already holds back for fees. */
  readonly feeReservePpm: number;
}

function keyOf(turn: Turn, order: OrderTerms): OrderKey {
  return { market: turn.instrument.id, side: order.side, ticks: order.ticks, id: order.id };
}

function recordOf(turn: Turn, order: OrderTerms): RestingOrder {
  const record = turn.venue.state.orders.get(turn.ctx, keyOf(turn, order));
  // The text of an assert is made even when nothing is wrong.
  if (record === undefined)
    throw new AssertionError(`order ${order.id} is in the book but not in state`);
  return record;
}

/** Puts an order whose reserve is already made into the book. */
export function rest(turn: Turn, order: NewRestingOrder): void {
  const { ctx, venue, instrument } = turn;
  turn.book.insert(order, ctx.state);
  venue.state.orders.set(ctx, keyOf(turn, order), {
    market: instrument.id,
    id: BigInt(order.id),
    owner: venue.accounts.owner(order.account),
    subaccount: numberOf(order.account),
    side: order.side === "buy" ? WireSide.SIDE_BUY : WireSide.SIDE_SELL,
    priceTicks: BigInt(order.ticks),
    sizeLots: BigInt(order.sizeLots),
    remainingLots: BigInt(order.lots),
    postOnly: order.postOnly,
    reduceOnly: order.reduceOnly,
    clientId: order.clientId,
    goodTilMs: BigInt(order.goodTilMs),
    feeReservePpm: order.feeReservePpm,
    placedHeight: BigInt(ctx.header.height),
  });
  if (order.goodTilMs !== 0) {
    venue.state.expiries.set(ctx, [instrument.id, order.goodTilMs, order.id], true);
  }
  turn.changes += 1;
  events.orderPlaced(turn, order);
}

function forgetRecord(turn: Turn, order: OrderTerms): void {
  const { ctx, venue, instrument } = turn;
  venue.state.orders.delete(ctx, keyOf(turn, order));
  if (order.goodTilMs !== 0) {
    venue.state.expiries.delete(ctx, [instrument.id, order.goodTilMs, order.id]);
  }
  turn.changes += 1;
}

/** Cancels an order everywhere but in the book, which the caller (or the matching kernel) takes it out of. */
export function release(turn: Turn, order: OrderTerms, reason: string): void {
  const { ctx, venue, instrument } = turn;
  const { feeReservePpm } = recordOf(turn, order);
  if (!order.reduceOnly) {
    const reserve = feeReserve(instrument, order.ticks, order.lots, feeReservePpm);
    const lots = -BigInt(order.lots);
    venue.clearing.adjustOpenOrders(ctx, order.account, instrument.id, order.side, lots, -reserve);
  }
  forgetRecord(turn, order);
  events.orderCancelled(turn, order, reason);
}

export function cancel(turn: Turn, slot: number, reason: string): OrderTerms {
  const order = turn.book.read(slot);
  release(turn, order, reason);
  turn.book.remove(slot, turn.ctx.state);
  return order;
}

/** What a fill of `lots` takes off the maker's reserve; undefined for reduce-only orders, which reserve nothing. */
export function makerRelease(
  turn: Turn,
  maker: OrderTerms,
  lots: number,
): { readonly lots: bigint; readonly feeReserveQuanta: bigint } | undefined {
  if (maker.reduceOnly) return undefined;
  const { feeReservePpm } = recordOf(turn, maker);
  const before = feeReserve(turn.instrument, maker.ticks, maker.lots, feeReservePpm);
  const after = feeReserve(turn.instrument, maker.ticks, maker.lots - lots, feeReservePpm);
  return { lots: BigInt(lots), feeReserveQuanta: before - after };
}

/** Records a fill of a maker whose reserve was released by clearing. The kernel changes the book. */
export function recordFill(turn: Turn, maker: OrderTerms, lots: number): void {
  if (lots === maker.lots) {
    forgetRecord(turn, maker);
    events.orderFilled(turn, maker);
    return;
  }
  const remainingLots = BigInt(maker.lots - lots);
  const record = recordOf(turn, maker);
  turn.venue.state.orders.set(turn.ctx, keyOf(turn, maker), { ...record, remainingLots });
  turn.changes += 1;
}

/** A reduce-only order keeps `lots` of what it had. */
function shrink(turn: Turn, slot: number, order: OrderTerms, lots: number): void {
  const remainingLots = BigInt(lots);
  const record = recordOf(turn, order);
  turn.venue.state.orders.set(turn.ctx, keyOf(turn, order), { ...record, remainingLots });
  turn.book.reduce(slot, order.lots - lots, turn.ctx.state);
  turn.changes += 1;
  events.orderReduced(turn, order, lots);
}

/** Leaves `lots` of an open order and gives back what margin held for the rest. */
export function trim(turn: Turn, slot: number, lots: number): void {
  const { ctx, venue, instrument } = turn;
  const order = turn.book.read(slot);
  if (!order.reduceOnly) {
    const { feeReservePpm } = recordOf(turn, order);
    const held = feeReserve(instrument, order.ticks, order.lots, feeReservePpm);
    const needed = feeReserve(instrument, order.ticks, lots, feeReservePpm);
    const change = BigInt(lots - order.lots);
    const { clearing } = venue;
    clearing.adjustOpenOrders(ctx, order.account, instrument.id, order.side, change, needed - held);
  }
  shrink(turn, slot, order, lots);
}

/** After a position changed: its resting reduce-only orders never add up to more than it, the oldest keep their size. */
export function enforceReduceOnly(turn: Turn, account: AccountId): void {
  const { book, ctx, venue, instrument } = turn;
  if (book.openReduceOnly(account) === 0) return;
  const position = venue.clearing.positionLots(ctx, account, instrument.id);
  let left = absolute(position);
  const closing = position > 0n ? "sell" : "buy";
  for (const slot of book.ordersOf(account)) {
    const order = book.read(slot);
    if (!order.reduceOnly) continue;
    const lots = BigInt(order.lots);
    if (order.side !== closing || left === 0n) cancel(turn, slot, "reduce_only");
    else if (lots <= left) left -= lots;
    else {
      shrink(turn, slot, order, Number(left));
      left = 0n;
    }
  }
}
