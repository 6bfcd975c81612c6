/**
 * TWAPs of a market that is matched by auction. A slice whose time has come is marked at the end of a block; in the next auction it is an order of the book under a
 * number of its own, and what it did not fill goes back before the auction's step ends. So between blocks there is only the TWAP, with all of its lots and its reserve.
 */
import { TriggerKind, type WaitingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext } from "../../kit/context.ts";
import { divFloor, minimum } from "../../kit/math/mul-div.ts";
import * as events from "../events.ts";
import { feeReserve } from "../fees/rates.ts";
import { countFired, lotsWorth } from "../keys/counting.ts";
import { OPEN_ORDERS_PER_MARKET_MAX } from "../limits.ts";
import type { Mark } from "../marking/mark.ts";
import { bandLimit } from "../marks.ts";
import { limitOf, requireTradable } from "../orders/admission.ts";
import { reducible } from "../orders/execution.ts";
import { intentOfWaiting } from "../orders/intents.ts";
import { cancel, enforceReduceOnly, rest } from "../orders/resting.ts";
import { waitingPrefix } from "../state.ts";
import { nextNumber, nowMs, type Turn } from "../venue.ts";
import { endTwap, sliceAt, sliceLots } from "../waiting/twap.ts";
import { cancelWaiting, isOver, moveWaiting, waitingById } from "../waiting/waiting.ts";
import { QUEUE } from "../waiting/waiting-index.ts";
import type { Held } from "./run.ts";

/** Its times run from its entry, not from its place in a block, and its first slice is of the auction that it came for: it was counted when it was accepted. */
export function begunTwap(ctx: ReadContext, order: WaitingOrder): WaitingOrder {
  const startedMs = BigInt(nowMs(ctx));
  return { ...order, startedMs, nextMs: startedMs + order.intervalMs, dueSequence: order.id };
}

/** Of the next auction. Which slice it is, is settled now, by the time of this block. Throws ModuleError when the market takes no such order, or its key may not. */
export function markSlice(turn: Turn, order: WaitingOrder, mark: Mark): void {
  requireTradable(turn, order.reduceOnly);
  const { instrument } = turn;
  const slice = sliceAt(order, nowMs(turn.ctx));
  const lots = sliceLots(order, slice);
  const intent = intentOfWaiting(order);
  // As of any order of an auction: a sale may fill up to the end of the band.
  const limit = limitOf(turn, intent, mark);
  const highest = bandLimit(instrument, mark, "buy");
  const ticks = intent.side === "sell" && highest > limit ? highest : limit;
  countFired(turn, order, { quanta: lotsWorth({ instrument, mark }, ticks, lots), lots });
  moveWaiting(turn, order, {
    ...order,
    nextMs: order.startedMs + BigInt(slice + 1) * order.intervalMs,
    dueSequence: BigInt(nextNumber(turn)),
  });
}

/** A slice in the book: of which TWAP, and with how many lots it went in. */
export interface Slice {
  readonly id: number;
  readonly twapId: number;
  readonly lots: number;
}

/** What is marked enters, in the order in which it was marked. */
export function enterSlices(turn: Turn, mark: Mark): readonly Slice[] {
  const { ctx, instrument, venue } = turn;
  if (turn.waiting.size === 0) return [];
  const marked: WaitingOrder[] = [];
  const from = waitingPrefix(instrument.id, QUEUE.due);
  const to = waitingPrefix(instrument.id, QUEUE.due + 1);
  venue.state.waiting.eachBetween(ctx, from, to, (_key, order) => {
    if (order.kind === TriggerKind.TRIGGER_KIND_TWAP) marked.push(order);
    return false;
  });
  const slices: Slice[] = [];
  for (const order of marked) {
    // One whose time has passed is left to expire.
    if (isOver(turn, order, nowMs(ctx))) continue;
    const slice = enterSlice(turn, order, mark);
    if (slice !== null) slices.push(slice);
  }
  return slices;
}

function enterSlice(turn: Turn, order: WaitingOrder, mark: Mark): Slice | null {
  const { book, ctx, instrument, venue } = turn;
  const intent = intentOfWaiting(order);
  const { account, builder, reduceOnly, side } = intent;
  let lots = sliceLots(order, numberOf(order));
  if (reduceOnly) {
    const most = reducible(venue.clearing.positionLots(ctx, account, instrument.id), side);
    if (most === 0n) {
      cancelWaiting(turn, order, "reduce_only");
      return null;
    }
    lots = Number(minimum(most, BigInt(lots)));
  }
  if (book.size >= OPEN_ORDERS_PER_MARKET_MAX) {
    const after = { ...order, dueSequence: 0n };
    moveWaiting(turn, order, after);
    tell(turn, after, { lots, filled: 0, reason: "book_full" });
    return null;
  }
  const remainingLots = order.remainingLots - BigInt(lots);
  moveWaiting(turn, order, { ...order, dueSequence: 0n, remainingLots });
  const ticks = limitOf(turn, intent, mark);
  const feePpm = (instrument.terms.auction?.feePpm ?? 0) + (builder?.feePpm ?? 0);
  const feeReservePpm = reduceOnly ? 0 : feePpm;
  // Whether the account bears it is asked of what it fills.
  if (!reduceOnly) {
    const fees = feeReserve(instrument, ticks, lots, feeReservePpm);
    venue.clearing.adjustOpenOrders(ctx, account, instrument.id, side, BigInt(lots), fees);
  }
  const id = nextNumber(turn);
  rest(turn, {
    id,
    priority: id,
    account,
    side,
    ticks,
    lots,
    sizeLots: lots,
    reduceOnly,
    postOnly: false,
    clientId: "",
    goodTilMs: 0,
    goodTilHeight: 0,
    displayLots: 0,
    hiddenLots: 0,
    ocoId: 0,
    bracket: undefined,
    builder,
    trader: intent.trader,
    feeReservePpm,
  });
  if (reduceOnly) enforceReduceOnly(turn, account);
  return { id, twapId: Number(order.id), lots };
}

/** From 0: the one before the next. */
function numberOf({ intervalMs, nextMs, startedMs }: WaitingOrder): number {
  return Number(divFloor(nextMs - startedMs, intervalMs)) - 1;
}

/**
 * After the auction: the slices leave the book, and what they did not fill goes back to their TWAPs. What an own order cancelled out is gone, as of any order;
 * of one that only reduces it goes back, as it cannot be told from what its position had no use for.
 */
export function returnSlices(turn: Turn, slices: readonly Slice[], held: Held): void {
  if (slices.length === 0) return;
  const filledOf = new Map<number, number>();
  for (const { order, lots } of held.fills) filledOf.set(order.id, lots);
  const goneOf = new Map<number, { readonly lots: number; readonly reason: string }>();
  for (const { id, lots, reason } of held.gone)
    goneOf.set(id, { lots: lots + (goneOf.get(id)?.lots ?? 0), reason });
  for (const { id, lots, twapId } of slices) {
    const slot = turn.book.find(id);
    const rested = slot === 0 ? 0 : cancel(turn, slot, "immediate").lots;
    const order = waitingById(turn, twapId);
    if (order === undefined) continue;
    const filled = filledOf.get(id) ?? 0;
    const gone = goneOf.get(id);
    const back = order.reduceOnly ? lots - filled : rested + (gone?.lots ?? 0);
    const after = { ...order, remainingLots: order.remainingLots + BigInt(back) };
    moveWaiting(turn, order, after);
    const crossed = filled + back < lots ? "self_trade" : "immediate";
    const reason = gone?.reason ?? crossed;
    tell(turn, after, { orderId: id, lots, filled, reason: filled < lots ? reason : "" });
  }
}

function tell(
  turn: Turn,
  order: WaitingOrder,
  slice: {
    readonly orderId?: number;
    readonly lots: number;
    readonly filled: number;
    readonly reason: string;
  },
): void {
  const number = numberOf(order) + 1;
  events.twapSlice(turn, order, { ...slice, number, remaining: order.remainingLots });
  endTwap(turn, order, { ...slice, last: number === order.slices });
}
