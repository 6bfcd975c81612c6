/**
 * The end of a block for orders that wait: which are due at its mark and time, in which order they are placed, and how many. The order is
 * total: those found due in earlier blocks, as they were found; then falling triggers, highest first; rising ones, lowest first; trailing
 * sells, then trailing buys, earliest reached first; then TWAP slices, earliest time first; within each by order id. What is due and goes
 * beyond the block's bound keeps its turn, whatever the mark does next: it has been reached, and who is late is chosen by how many others
 * were due, not by the owner. What counts is what was placed. Refused orders have a bound of their own, and so have reduce-only ones without
 * a position: those cost their owner nothing and keep nobody waiting.
 */
import type { MsgPlaceOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { BracketTerms, WaitingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import { OrderStatus, TriggerKind } from "@keel/proto/gen/keel/derivatives/v1/types";
import { atomically } from "../../kit/atomically.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { ModuleError } from "../../kit/errors.ts";
import { collectFired, firesInAuctions } from "../auction/conditional.ts";
import { isBatch, isOpening, trades } from "../auction/opening.ts";
import { markSlice } from "../auction/slices.ts";
import * as events from "../events.ts";
import type { Instrument } from "../instruments.ts";
import { countFired, lotsOf, placedWorth } from "../keys/counting.ts";
import {
  TICKS_MAX,
  TRAIL_MERGES_PER_BLOCK_MAX,
  TRIGGER_REFUSALS_PER_BLOCK_MAX,
  TRIGGERS_PER_BLOCK_MAX,
  TURNS_KEPT_PER_BLOCK_MAX,
} from "../limits.ts";
import type { Mark } from "../marking/mark.ts";
import { markOf } from "../marks.ts";
import { requireTradable } from "../orders/admission.ts";
import { intentOfWaiting } from "../orders/intents.ts";
import { placeIntent } from "../orders/placing.ts";
import type { Side } from "../ports.ts";
import { waitingPast, waitingPrefix } from "../state.ts";
import { closeTurn, nextNumber, nowMs, openTurn, type Turn, type Venue } from "../venue.ts";
import { reducesNothing } from "./reducing.ts";
import { runSlice } from "./twap.ts";
import {
  cancelWaiting,
  isOver,
  moveWaiting,
  setTrailMark,
  takeOut,
  wait,
  waitingById,
} from "./waiting.ts";
import { QUEUE, trailSide, waitingHolder } from "./waiting-index.ts";

/** Of those with something to do: what is tried takes a place or a refusal. */
const DUE_TRIED_PER_BLOCK_MAX = TRIGGERS_PER_BLOCK_MAX + TRIGGER_REFUSALS_PER_BLOCK_MAX;

/** Places what is due in one market. Without a fresh price, while it does not trade or collects for its opening, everything goes on waiting. */
export function runTriggers(ctx: WriteContext, venue: Venue, instrument: Instrument): void {
  if (!trades(instrument) || isOpening(ctx, venue, instrument)) return;
  const index = venue.waiting.of(ctx, instrument.id);
  if (index.size === 0) return;
  const mark = markOf(ctx, venue, instrument);
  if (mark === undefined || !mark.fresh) return;
  advanceTrails(ctx, venue, instrument, mark);
  const room = {
    places: TRIGGERS_PER_BLOCK_MAX,
    refusals: TRIGGER_REFUSALS_PER_BLOCK_MAX,
    idle: TRIGGER_REFUSALS_PER_BLOCK_MAX,
    turns: TURNS_KEPT_PER_BLOCK_MAX,
  };
  const { due, more } = findDue(ctx, venue, instrument, mark);
  for (const id of due) {
    const idle = reducesNothing(ctx, venue, instrument, id);
    const turned = index.keyOf(id)?.queue === QUEUE.due;
    const next = room.places > 0 && room.refusals > 0 && (turned || !more);
    const places = idle ? room.idle > 0 : next;
    // One with nothing to reduce needs no turn: it is refused when there is room, or goes on waiting.
    if (!places && (idle || turned || room.turns === 0)) continue;
    const turn = openTurn(ctx, venue, instrument);
    const order = waitingById(turn, id);
    // It may have gone with one placed before it; one whose time has passed is left to expire.
    if (order === undefined || isOver(turn, order, nowMs(ctx))) continue;
    if (places) {
      const placed = attempt(ctx, venue, instrument, order, mark);
      room[idle ? "idle" : placed ? "places" : "refusals"] -= 1;
    } else if (order.dueSequence === 0n && order.kind !== TriggerKind.TRIGGER_KIND_TWAP) {
      room.turns -= 1;
      keepTurn(turn, order);
    }
  }
}

/** Each side's best marks move with the mark. */
function advanceTrails(ctx: WriteContext, venue: Venue, { id }: Instrument, { ticks }: Mark): void {
  const { trailMarks } = venue.state;
  for (const side of ["sell", "buy"] as const) {
    const trail = venue.waiting.of(ctx, id).trails[side];
    const { gone, joined } = trail.advance(Number(ticks), TRAIL_MERGES_PER_BLOCK_MAX, ctx.state);
    for (const firstId of gone) trailMarks.delete(ctx, [id, trailSide(side), firstId]);
    if (joined !== null) setTrailMark(ctx, venue, { market: id, side }, joined);
  }
}

/**
 * Ids in the order of the file's head, no more than this block can use: of those with a turn as many as it may place or refuse, then as many
 * more as may get one. Those with nothing to reduce are counted by themselves, so that however many there are, the others are found. `more`:
 * there may be others with a turn, who come before those without.
 */
function findDue(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
  { ticks }: Mark,
): { readonly due: readonly number[]; readonly more: boolean } {
  const { id } = instrument;
  const mark = Number(ticks);
  const due: number[] = [];
  let [most, idle, others] = [DUE_TRIED_PER_BLOCK_MAX, 0, 0];
  const auctions = isBatch(instrument);
  /** True: enough. */
  const add = (order: number): boolean => {
    if (auctions && !firesInAuctions(ctx, venue, id, order)) return false;
    if (!reducesNothing(ctx, venue, instrument, order)) others = due.push(order) - idle;
    else if (idle < TRIGGER_REFUSALS_PER_BLOCK_MAX) idle = due.push(order) - others;
    return others >= most;
  };
  const take = (queue: number, throughRank: number | null): void => {
    if (others >= most) return;
    const from = waitingPrefix(id, queue);
    const to =
      throughRank === null ? waitingPrefix(id, queue + 1) : waitingPast(id, queue, throughRank);
    venue.state.waiting.eachBetween(ctx, from, to, (key) => add(key.id));
  };
  const takeTrailing = (side: Side): void => {
    if (others < most) venue.waiting.of(ctx, id).trails[side].due(mark).some(add);
  };
  take(QUEUE.due, null);
  const more = others >= most;
  most += TURNS_KEPT_PER_BLOCK_MAX;
  take(QUEUE.falling, TICKS_MAX - mark);
  take(QUEUE.rising, mark);
  takeTrailing("sell");
  takeTrailing("buy");
  take(QUEUE.timed, nowMs(ctx));
  return { due, more };
}

/** Due, but this block has placed enough: first in the next ones. */
function keepTurn(turn: Turn, order: WaitingOrder): void {
  moveWaiting(turn, order, { ...order, dueSequence: BigInt(nextNumber(turn)) });
  closeTurn(turn);
}

/** Places it (true), or cancels it and says why it was refused. */
function attempt(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  order: WaitingOrder,
  mark: Mark,
): boolean {
  const inTurn = (work: (turn: Turn) => void): void =>
    atomically(ctx, (inner) => {
      const turn = openTurn(inner, venue, instrument);
      work(turn);
      closeTurn(turn);
    });
  try {
    inTurn((turn) => place(turn, order, mark));
    return true;
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    const { code, codespace, message: log } = error;
    inTurn((turn) => {
      cancelWaiting(turn, order, "trigger_refused");
      const { clientId } = order;
      const account = waitingHolder(order);
      const market = instrument.symbol;
      events.orderRefused(turn.ctx, venue, { market, account, clientId, codespace, code, log });
    });
    return false;
  }
}

function place(turn: Turn, order: WaitingOrder, mark: Mark): void {
  if (order.kind === TriggerKind.TRIGGER_KIND_TWAP) {
    if (isBatch(turn.instrument)) markSlice(turn, order, mark);
    else runSlice(turn, order);
    return;
  }
  takeOut(turn, order);
  events.orderTriggered(turn, order, mark.ticks);
  requireTradable(turn, order.reduceOnly);
  if (isBatch(turn.instrument)) {
    collectFired(turn, order, mark);
    return;
  }
  const placed = placeIntent(turn, intentOfWaiting(order), mark);
  const left = placed.status === OrderStatus.ORDER_STATUS_WAITING ? placed.remainingSize : "0";
  // What is left counts when it fires.
  const done = left === "0" ? placed : { ...placed, remainingSize: "0" };
  countFired(turn, order, placedWorth(turn, mark, done));
  if (left !== "0") goOn(turn, order, placed);
}

/**
 * It met as many orders as one may, and there are more: what is left of it goes on in the next block, before those that find their turn then. Otherwise a
 * few small orders at the best price would take the stop away from a position of any size.
 */
function goOn(turn: Turn, order: WaitingOrder, placed: MsgPlaceOrderResponse): void {
  const next: WaitingOrder = {
    ...order,
    remainingLots: BigInt(lotsOf(turn.instrument, placed.remainingSize)),
    dueSequence: BigInt(nextNumber(turn)),
    bracket: protectedBy(order.bracket, placed),
  };
  wait(turn, next, 0);
}

/** With the orders that fills have made of it. */
function protectedBy(
  bracket: BracketTerms | undefined,
  { stopLossId, takeProfitId }: MsgPlaceOrderResponse,
): BracketTerms | undefined {
  if (bracket === undefined) return undefined;
  const { stopLoss, takeProfit } = bracket;
  return {
    takeProfit: takeProfit === undefined ? undefined : { ...takeProfit, orderId: takeProfitId },
    stopLoss: stopLoss === undefined ? undefined : { ...stopLoss, orderId: stopLossId },
  };
}
