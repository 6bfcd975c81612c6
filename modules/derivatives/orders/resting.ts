/** Resting orders: the stored record, the book, the reserve in margin and the expiry queues always change together here. */
import type { BuilderTerms } from "@keel/proto/gen/keel/derivatives/v1/fees";
import type { BracketTerms, RestingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, numberOf } from "../../kit/account-id.ts";
import { AssertionError } from "../../kit/errors.ts";
import { absolute } from "../../kit/math/mul-div.ts";
import { isBatch } from "../auction/opening.ts";
import { isHooked } from "../book/books.ts";
import type { OrderTerms } from "../book/order-terms.ts";
import * as events from "../events.ts";
import { feeReserve } from "../fees/rates.ts";
import type { OrderKey } from "../state.ts";
import { nextNumber, type Turn } from "../venue.ts";
import { requeued } from "./matching.ts";
import { wireSide } from "./wire.ts";

/** `lots` of it show in the book. */
export interface NewRestingOrder extends Omit<OrderTerms, "hooked"> {
  readonly sizeLots: number;
  readonly postOnly: boolean;
  /** Share of the rest's notional that margin already holds back for fees. */
  readonly feeReservePpm: number;
  readonly displayLots: number;
  readonly hiddenLots: number;
  readonly ocoId: number;
  readonly bracket: BracketTerms | undefined;
  readonly builder: BuilderTerms | undefined;
  /** Address of the trading key that sent it; undefined: the owner. */
  readonly trader: Uint8Array | undefined;
}

const NO_TRADER = new Uint8Array(0);

function keyOf(turn: Turn, order: OrderTerms): OrderKey {
  const { side, ticks, priority } = order;
  return { market: turn.instrument.id, side, ticks, priority };
}

export function recordOf(turn: Turn, order: OrderTerms): RestingOrder {
  const record = turn.venue.state.orders.get(turn.ctx, keyOf(turn, order));
  // The text of an assert is made even when nothing is wrong.
  if (record === undefined)
    throw new AssertionError(`order ${order.id} is in the book but not in state`);
  return record;
}

/** Changes what does not show in the book. */
export function changeRecord(turn: Turn, order: OrderTerms, change: Partial<RestingOrder>): void {
  const record = recordOf(turn, order);
  turn.venue.state.orders.set(turn.ctx, keyOf(turn, order), { ...record, ...change });
}

/** Puts an order whose reserve is already made into the book. */
export function rest(turn: Turn, order: NewRestingOrder): void {
  const { ctx, venue, instrument } = turn;
  const record: RestingOrder = {
    market: instrument.id,
    id: BigInt(order.id),
    owner: venue.accounts.owner(order.account),
    subaccount: numberOf(order.account),
    side: wireSide(order.side),
    priceTicks: BigInt(order.ticks),
    sizeLots: BigInt(order.sizeLots),
    remainingLots: BigInt(order.lots),
    postOnly: order.postOnly,
    reduceOnly: order.reduceOnly,
    clientId: order.clientId,
    goodTilMs: BigInt(order.goodTilMs),
    feeReservePpm: order.feeReservePpm,
    placedHeight: BigInt(ctx.header.height),
    priority: order.priority === order.id ? 0n : BigInt(order.priority),
    goodTilHeight: BigInt(order.goodTilHeight),
    displayLots: BigInt(order.displayLots),
    hiddenLots: BigInt(order.hiddenLots),
    ocoId: BigInt(order.ocoId),
    bracket: order.bracket,
    builder: order.builder,
    trader: order.trader ?? NO_TRADER,
  };
  // Spelled out: a spread that adds a field costs more than everything else here.
  const terms: OrderTerms = {
    id: order.id,
    account: order.account,
    side: order.side,
    ticks: order.ticks,
    lots: order.lots,
    reduceOnly: order.reduceOnly,
    clientId: order.clientId,
    goodTilMs: order.goodTilMs,
    goodTilHeight: order.goodTilHeight,
    priority: order.priority,
    hooked: isHooked(record),
  };
  turn.book.insert(terms, ctx.state);
  if (!venue.state.orders.add(ctx, keyOf(turn, terms), record))
    throw new AssertionError(`order ${order.id} has a record already`);
  if (order.goodTilMs !== 0) {
    venue.state.expiries.set(ctx, [instrument.id, order.goodTilMs, order.id], true);
  }
  if (order.goodTilHeight !== 0) {
    venue.state.heightExpiries.set(ctx, [instrument.id, order.goodTilHeight, order.id], true);
  }
  turn.changes += 1;
  events.orderPlaced(turn, terms);
}

function forgetRecord(turn: Turn, order: OrderTerms): void {
  const { ctx, venue, instrument } = turn;
  venue.state.orders.delete(ctx, keyOf(turn, order));
  if (order.goodTilMs !== 0) {
    venue.state.expiries.delete(ctx, [instrument.id, order.goodTilMs, order.id]);
  }
  if (order.goodTilHeight !== 0) {
    venue.state.heightExpiries.delete(ctx, [instrument.id, order.goodTilHeight, order.id]);
  }
  turn.changes += 1;
}

/** Gives back what margin holds for `lots` of an order, shown or hidden. */
function unreserve(turn: Turn, order: OrderTerms, record: RestingOrder, lots: number): void {
  if (order.reduceOnly) return;
  const { ctx, venue, instrument } = turn;
  const { feeReserveQuanta } = releaseOf(turn, order, record, lots);
  const { account, side } = order;
  const { clearing } = venue;
  clearing.adjustOpenOrders(ctx, account, instrument.id, side, -BigInt(lots), -feeReserveQuanta);
}

/** The rest of the order leaves the ledger of reserves and the store, and its record is returned. */
function leave(turn: Turn, order: OrderTerms): RestingOrder {
  const record = recordOf(turn, order);
  unreserve(turn, order, record, order.lots + Number(record.hiddenLots));
  forgetRecord(turn, order);
  return record;
}

/** Cancels an order everywhere but in the book, which the caller (or the matching kernel) takes it out of. */
export function release(turn: Turn, order: OrderTerms, reason: string): void {
  const { hiddenLots } = leave(turn, order);
  const lots = order.lots + Number(hiddenLots);
  events.orderCancelled(turn, { ...order, lots }, reason);
}

/** Returns the order with all that was left of it, hidden or not. */
export function cancel(turn: Turn, slot: number, reason: string): OrderTerms {
  const order = turn.book.read(slot);
  const { hiddenLots } = leave(turn, order);
  turn.book.remove(slot, turn.ctx.state);
  const cancelled = { ...order, lots: order.lots + Number(hiddenLots) };
  events.orderCancelled(turn, cancelled, reason);
  return cancelled;
}

/** Takes an order out without a word, to be placed anew: an amendment. */
export function withdraw(turn: Turn, slot: number): RestingOrder {
  const record = leave(turn, turn.book.read(slot));
  turn.book.remove(slot, turn.ctx.state);
  return record;
}

function releaseOf(
  turn: Turn,
  order: OrderTerms,
  record: RestingOrder,
  lots: number,
): { readonly lots: bigint; readonly feeReserveQuanta: bigint } {
  const { feeReservePpm, hiddenLots } = record;
  const all = order.lots + Number(hiddenLots);
  const before = feeReserve(turn.instrument, order.ticks, all, feeReservePpm);
  const after = feeReserve(turn.instrument, order.ticks, all - lots, feeReservePpm);
  return { lots: BigInt(lots), feeReserveQuanta: before - after };
}

/** What a fill of `lots` takes off the maker's reserve; undefined for reduce-only orders, which reserve nothing. */
export function makerRelease(
  turn: Turn,
  maker: OrderTerms,
  lots: number,
): { readonly lots: bigint; readonly feeReserveQuanta: bigint } | undefined {
  if (maker.reduceOnly) return undefined;
  return releaseOf(turn, maker, recordOf(turn, maker), lots);
}

/** Records a fill of a maker whose reserve was released by clearing. Returns what the kernel is to be told. */
export function recordFill(turn: Turn, slot: number, maker: OrderTerms, lots: number): number {
  if (takeShown(turn, slot, maker, lots)) return requeued(lots);
  if (lots === maker.lots) events.orderFilled(turn, maker);
  return lots;
}

/** Takes lots off a maker without a trade. Returns what the kernel is to be told. */
export function decrement(turn: Turn, slot: number, maker: OrderTerms, lots: number): number {
  const record = recordOf(turn, maker);
  unreserve(turn, maker, record, lots);
  const again = takeShown(turn, slot, maker, lots);
  const left = maker.lots + Number(record.hiddenLots) - lots;
  if (left === 0) events.orderCancelled(turn, { ...maker, lots }, "self_trade");
  else events.orderReduced(turn, maker, left, "self_trade");
  return again ? requeued(lots) : lots;
}

/** The record without `lots` of what shows. True: a hidden part took their place, in the book too, which the kernel otherwise changes. */
function takeShown(turn: Turn, slot: number, maker: OrderTerms, lots: number): boolean {
  const { ctx, venue } = turn;
  if (lots < maker.lots) {
    const record = recordOf(turn, maker);
    const remainingLots = BigInt(maker.lots - lots);
    venue.state.orders.set(ctx, keyOf(turn, maker), { ...record, remainingLots });
    turn.changes += 1;
    return false;
  }
  const record = maker.hooked ? recordOf(turn, maker) : undefined;
  if (record === undefined || record.hiddenLots === 0n) {
    forgetRecord(turn, maker);
    return false;
  }
  const { displayLots, hiddenLots } = record;
  const shown = displayLots < hiddenLots ? displayLots : hiddenLots;
  const next = { ...maker, lots: Number(shown), priority: nextNumber(turn) };
  venue.state.orders.delete(ctx, keyOf(turn, maker));
  venue.state.orders.set(ctx, keyOf(turn, next), {
    ...record,
    remainingLots: shown,
    hiddenLots: hiddenLots - shown,
    priority: BigInt(next.priority),
  });
  turn.book.remove(slot, ctx.state);
  turn.book.insert(next, ctx.state);
  turn.changes += 1;
  events.orderRefilled(turn, next, next.lots);
  return true;
}

/** Takes lots off an open order that nobody is trading with now, hidden ones first; off all of it cancels it. */
export function takeOff(turn: Turn, slot: number, lots: number, reason: string): void {
  const order = turn.book.read(slot);
  const record = recordOf(turn, order);
  const hidden = Number(record.hiddenLots);
  const left = order.lots + hidden - lots;
  if (left <= 0) {
    cancel(turn, slot, reason);
    return;
  }
  unreserve(turn, order, record, lots);
  const fromHidden = lots < hidden ? lots : hidden;
  const fromShown = lots - fromHidden;
  turn.venue.state.orders.set(turn.ctx, keyOf(turn, order), {
    ...record,
    hiddenLots: BigInt(hidden - fromHidden),
    remainingLots: BigInt(order.lots - fromShown),
  });
  if (fromShown > 0) turn.book.reduce(slot, fromShown, turn.ctx.state);
  turn.changes += 1;
  events.orderReduced(turn, order, left, reason);
}

/** Leaves `lots` of what shows of an open order, at least one, and gives back what margin held for the rest. */
export function trim(turn: Turn, slot: number, lots: number, reason: string): void {
  const order = turn.book.read(slot);
  const record = recordOf(turn, order);
  const gone = order.lots - lots;
  unreserve(turn, order, record, gone);
  takeShown(turn, slot, order, gone);
  turn.book.reduce(slot, gone, turn.ctx.state);
  events.orderReduced(turn, order, lots + Number(record.hiddenLots), reason);
}

/**
 * After a position changed: its resting reduce-only orders never add up to more than it, the oldest keep their size. A pair that waits for auctions counts
 * once, as much as the larger of the two: otherwise a stop that fires would make room for the take-profit that rests.
 */
export function enforceReduceOnly(turn: Turn, account: AccountId): void {
  const { book, ctx, venue, instrument } = turn;
  if (book.openReduceOnly(account) === 0) return;
  const position = venue.clearing.positionLots(ctx, account, instrument.id);
  let left = absolute(position);
  const closing = position > 0n ? "sell" : "buy";
  const kept = isBatch(instrument) ? new Map<bigint, bigint>() : null;
  for (const slot of book.ordersOf(account)) {
    const order = book.read(slot);
    if (!order.reduceOnly) continue;
    const record = order.hooked ? recordOf(turn, order) : undefined;
    const lots = BigInt(order.lots) + (record?.hiddenLots ?? 0n);
    const ocoId = record?.ocoId ?? 0n;
    const pair = (ocoId === 0n ? undefined : kept?.get(ocoId)) ?? 0n;
    const shared = pair < lots ? pair : lots;
    const most = left + shared;
    if (order.side !== closing || most === 0n) {
      cancel(turn, slot, "reduce_only");
      continue;
    }
    const stays = lots < most ? lots : most;
    if (stays < lots) takeOff(turn, slot, Number(lots - stays), "reduce_only");
    left -= stays - shared;
    if (ocoId !== 0n) kept?.set(BigInt(order.id), stays);
  }
}
