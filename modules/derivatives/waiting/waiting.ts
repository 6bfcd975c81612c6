/**
 * Orders that wait outside the book (conditional orders, TWAPs): the stored record, the index, the reserve in margin, the expiry queues
 * and the best marks of trailing stops always change together here.
 */
import type { WaitingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import * as events from "../events.ts";
import { feeReserve } from "../fees/rates.ts";
import type { Instrument } from "../instruments.ts";
import { wireSide } from "../orders/wire.ts";
import type { MarketId, Side } from "../ports.ts";
import type { Turn, Venue } from "../venue.ts";
import type { ClassMark } from "./trails.ts";
import {
  stopOf,
  trailSide,
  trails,
  waitingHolder,
  waitingKeyOf,
  waitingSide,
} from "./waiting-index.ts";

export function waitingById(turn: Turn, id: number): WaitingOrder | undefined {
  const key = turn.waiting.keyOf(id);
  if (key === undefined) return undefined;
  const order = turn.venue.state.waiting.get(turn.ctx, key);
  assert(order !== undefined, `order ${id} is in the index but not in state`);
  return order;
}

/** What margin holds for an order's fees; it holds the lots themselves as for a resting order. */
export function waitingFees(instrument: Instrument, order: WaitingOrder | null): bigint {
  if (order === null) return 0n;
  const { feeReservePpm, remainingLots, reserveTicks } = order;
  return feeReserve(instrument, Number(reserveTicks), Number(remainingLots), feeReservePpm);
}

/** Moves the reserve from what one version of an order needs to what another needs. True when the worst case grew. */
function moveReserve(
  turn: Turn,
  order: WaitingOrder,
  before: WaitingOrder | null,
  after: WaitingOrder | null,
): boolean {
  if (order.reduceOnly) return false;
  const { ctx, instrument, venue } = turn;
  const account = waitingHolder(order);
  const side = waitingSide(order);
  const lots = (after?.remainingLots ?? 0n) - (before?.remainingLots ?? 0n);
  const fees = waitingFees(instrument, after) - waitingFees(instrument, before);
  return venue.clearing.adjustOpenOrders(ctx, account, instrument.id, side, lots, fees);
}

function store(turn: Turn, order: WaitingOrder): void {
  turn.venue.state.waiting.set(turn.ctx, waitingKeyOf(order), order);
  turn.waiting.add(order, turn.ctx.state);
}

function unstore(turn: Turn, order: WaitingOrder): void {
  turn.venue.state.waiting.delete(turn.ctx, waitingKeyOf(order));
  turn.waiting.remove(Number(order.id), turn.ctx.state);
}

function queueExpiry(turn: Turn, order: WaitingOrder, present: boolean): void {
  const { ctx, instrument, venue } = turn;
  const { expiries, heightExpiries } = venue.state;
  const id = Number(order.id);
  const byTime = [instrument.id, Number(order.goodTilMs), id] as const;
  const byHeight = [instrument.id, Number(order.goodTilHeight), id] as const;
  if (order.goodTilMs !== 0n) {
    if (present) expiries.set(ctx, byTime, true);
    else expiries.delete(ctx, byTime);
  }
  if (order.goodTilHeight !== 0n) {
    if (present) heightExpiries.set(ctx, byHeight, true);
    else heightExpiries.delete(ctx, byHeight);
  }
}

/** `markTicks`: what a trailing stop starts from. True when margin must be checked. */
export function wait(turn: Turn, order: WaitingOrder, markTicks: number): boolean {
  waitReserved(turn, order, markTicks);
  return moveReserve(turn, order, null, order);
}

/** As `wait`, of an order whose reserve margin holds already. */
export function waitReserved(turn: Turn, order: WaitingOrder, markTicks: number): void {
  store(turn, order);
  queueExpiry(turn, order, true);
  if (trails(order)) beginTrail(turn, order, markTicks);
  events.orderWaiting(turn, order);
}

function beginTrail(turn: Turn, order: WaitingOrder, markTicks: number): void {
  const { ctx, instrument, venue } = turn;
  const side = waitingSide(order);
  const begun = turn.waiting.trails[side].insert(stopOf(order), markTicks, ctx.state);
  if (begun !== null) setTrailMark(ctx, venue, { market: instrument.id, side }, begun);
}

function endTrail(turn: Turn, order: WaitingOrder): void {
  const { ctx, instrument, venue } = turn;
  const { trailMarks } = venue.state;
  const side = waitingSide(order);
  const change = turn.waiting.trails[side].remove(stopOf(order), ctx.state);
  if (change === null) return;
  const { gone, inherits } = change;
  trailMarks.delete(ctx, [instrument.id, trailSide(side), gone]);
  if (inherits !== null) setTrailMark(ctx, venue, { market: instrument.id, side }, inherits);
}

export function setTrailMark(
  ctx: WriteContext,
  venue: Venue,
  { market, side }: { readonly market: MarketId; readonly side: Side },
  { best, firstId }: ClassMark,
): void {
  venue.state.trailMarks.set(ctx, [market, trailSide(side), firstId], {
    market,
    side: wireSide(side),
    firstId: BigInt(firstId),
    ticks: BigInt(best),
  });
}

/** Takes an order out without a word: cancelled, triggered, or to be put in anew. */
export function takeOut(turn: Turn, order: WaitingOrder): void {
  moveReserve(turn, order, order, null);
  queueExpiry(turn, order, false);
  if (trails(order)) endTrail(turn, order);
  unstore(turn, order);
}

export function cancelWaiting(turn: Turn, order: WaitingOrder, reason: string): void {
  takeOut(turn, order);
  const { clientId, id, remainingLots } = order;
  events.orderCancelled(
    turn,
    { id: Number(id), account: waitingHolder(order), clientId, lots: Number(remainingLots) },
    reason,
  );
}

/** The same order with other fields that change neither its queue nor what it reserves. */
export function changeWaiting(turn: Turn, order: WaitingOrder): void {
  turn.venue.state.waiting.set(turn.ctx, waitingKeyOf(order), order);
}

/** Becomes another version of itself, in another place of the queues and with another reserve. True when the worst case grew. */
export function moveWaiting(turn: Turn, before: WaitingOrder, after: WaitingOrder): boolean {
  const grew = moveReserve(turn, before, before, after);
  if (trails(before) && !trails(after)) endTrail(turn, before);
  unstore(turn, before);
  store(turn, after);
  return grew;
}

/** Takes lots off; off all of it cancels it. */
export function reduceWaiting(turn: Turn, order: WaitingOrder, lots: number, reason: string): void {
  const remainingLots = order.remainingLots - BigInt(lots);
  if (remainingLots <= 0n) {
    cancelWaiting(turn, order, reason);
    return;
  }
  const next = { ...order, remainingLots };
  moveReserve(turn, order, order, next);
  changeWaiting(turn, next);
  const named = { id: Number(order.id), account: waitingHolder(order) };
  events.orderReduced(turn, named, Number(remainingLots), reason);
}

/** A bracket's order, reduce-only, grows with the next fill. */
export function growWaiting(turn: Turn, order: WaitingOrder, lots: number): void {
  const more = BigInt(lots);
  const next = {
    ...order,
    sizeLots: order.sizeLots + more,
    remainingLots: order.remainingLots + more,
  };
  changeWaiting(turn, next);
  events.orderWaiting(turn, next);
}

/** Nothing of it may trade any more. */
export function isOver(turn: Turn, order: WaitingOrder, nowMs: number): boolean {
  const { goodTilMs, goodTilHeight } = order;
  if (goodTilMs !== 0n && Number(goodTilMs) <= nowMs) return true;
  return goodTilHeight !== 0n && Number(goodTilHeight) < turn.ctx.header.height;
}
