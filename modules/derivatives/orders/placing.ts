/** Placing an order: the checks (admission), the reserve, matching, and what becomes of the rest. */
import type { MsgPlaceOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { type BracketTerms, OrderStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import { requireBuilder } from "../fees/builders.ts";
import { feeReserve } from "../fees/rates.ts";
import type { Instrument } from "../instruments.ts";
import type { Mark } from "../marking/mark.ts";
import { closeTurn, nextNumber, openTurn, type Turn, type Venue } from "../venue.ts";
import { placeWaiting } from "../waiting/conditional.ts";
import { afterFill } from "../waiting/links.ts";
import { type Admitted, admit, requireTradable } from "./admission.ts";
import { type Execution, execute, nothingMet } from "./execution.ts";
import { type Intent, intentOf } from "./intents.ts";
import type { OrderRequest } from "./requests.ts";
import { respond } from "./responses.ts";
import { enforceReduceOnly, recordOf, rest } from "./resting.ts";

const OPEN: OrderStatus = OrderStatus.ORDER_STATUS_OPEN;
const FILLED: OrderStatus = OrderStatus.ORDER_STATUS_FILLED;
const CANCELLED: OrderStatus = OrderStatus.ORDER_STATUS_CANCELLED;
const WAITING: OrderStatus = OrderStatus.ORDER_STATUS_WAITING;

/** Throws ModuleError to refuse; the caller reverts what was done until then. */
export function placeOrder(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  account: AccountId,
  request: OrderRequest,
): MsgPlaceOrderResponse {
  const turn = openTurn(ctx, venue, instrument);
  const response = placeRequest(turn, account, request, { id: 0, ocoId: 0 });
  closeTurn(turn);
  return response;
}

/** As placeOrder, within a turn. */
export function placeRequest(
  turn: Turn,
  account: AccountId,
  request: OrderRequest,
  given: { readonly id: number; readonly ocoId: number; readonly lots?: number },
): MsgPlaceOrderResponse {
  const mark = requireTradable(turn, request.reduceOnly);
  const builder = requireBuilder(turn, account, request.builder);
  // Spelled out: a spread that adds a field is slow.
  const { id, lots, ocoId } = given;
  const intent = intentOf(turn.instrument, account, request, { id, ocoId, lots, builder });
  if (request.trigger !== null || request.twap !== null) {
    return placeWaiting(turn, intent, request, mark);
  }
  return placeIntent(turn, intent, mark);
}

/** Executes and rests an order whose market is known to be tradable at this mark. */
export function placeIntent(turn: Turn, intent: Intent, mark: Mark): MsgPlaceOrderResponse {
  const order = admit(turn, intent, mark);
  const reservePpm = reserve(turn, order);
  const priority = nextNumber(turn);
  const orderId = intent.id === 0 ? priority : intent.id;
  const { account, builder, side, selfTrade, trader } = intent;
  const { limitTicks, lots } = order;
  const execution = order.crosses
    ? execute(turn, {
        account,
        side,
        limitTicks,
        lots,
        orderId,
        selfTrade,
        reservePpm,
        builder,
        trader,
      })
    : nothingMet(lots);
  refuseUnfilled(order, execution);
  const { bracket, ocoId } = intent;
  const filled = execution.filledLots;
  const protection =
    filled === 0
      ? bracket
      : afterFill(turn, { id: orderId, account, side, ocoId, bracket, builder, trader }, filled);
  return settle(turn, order, { orderId, priority, execution, reservePpm, protection });
}

/**
 * A good-til-cancelled order reserves its worst case before anything executes: an order beyond margin is refused whole. The others
 * never rest, so each fill is checked as it clears. Returns the fee rate reserved, or null without a reserve.
 */
function reserve(turn: Turn, order: Admitted): number | null {
  const { ctx, instrument, venue } = turn;
  const { account, force, reduceOnly, side } = order.intent;
  if (reduceOnly || force !== "gtc") return null;
  const taker = instrument.terms.takerFeePpm + builderPpm(order);
  const maker = restingFeePpm(turn, order);
  const ppm = order.crosses && taker > maker ? taker : maker;
  const fees = feeReserve(instrument, order.limitTicks, order.lots, ppm);
  const lots = BigInt(order.lots);
  if (venue.clearing.adjustOpenOrders(ctx, account, instrument.id, side, lots, fees)) {
    venue.clearing.requireInitial(ctx, account);
  }
  return ppm;
}

function restingFeePpm(turn: Turn, order: Admitted): number {
  if (order.intent.reduceOnly) return 0;
  const { makerFeePpm } = turn.instrument.terms;
  return (makerFeePpm < 0 ? 0 : makerFeePpm) + builderPpm(order);
}

function builderPpm({ intent }: Admitted): number {
  return intent.builder?.feePpm ?? 0;
}

/** Outcomes that refuse the whole order. */
function refuseUnfilled({ intent }: Admitted, execution: Execution): void {
  const { stop, fills, filledLots } = execution;
  if (fills === 0 && stop?.refusal != null) throw stop.refusal;
  if (intent.force === "fok" && filledLots < intent.lots) {
    throw (
      stop?.refusal ?? refuse("notFilled", "fill-or-kill: the book cannot fill the order at once")
    );
  }
}

interface Done {
  readonly orderId: number;
  readonly priority: number;
  readonly execution: Execution;
  readonly reservePpm: number | null;
  /** The bracket, with what fills have activated of it. */
  readonly protection: BracketTerms | undefined;
}

function settle(turn: Turn, order: Admitted, done: Done): MsgPlaceOrderResponse {
  const { intent } = order;
  const { execution } = done;
  const { decrementedLots, filledLots } = execution;
  const remaining = order.lots - filledLots - decrementedLots;
  const leaves = reasonNotToRest(intent, execution);
  if (remaining > 0 && leaves === "") {
    const resting = restRemainder(turn, order, done, remaining);
    if (resting > 0) return respond(turn, done, { status: OPEN, reason: "", resting });
    // Older reduce-only orders cover the position already: it left again, and its event said so.
    return respond(turn, done, { status: CANCELLED, reason: "reduce_only", resting });
  }
  if (remaining > 0) releaseRemainder(turn, order, remaining, done.reservePpm);
  if (remaining > 0 && intent.triggered && leaves === FILLS_BOUND) {
    // Whoever asked for it is not there to ask again: the caller lets it wait for its next turn.
    return respond(turn, done, { status: WAITING, reason: leaves, resting: remaining });
  }
  const lots = intent.lots - filledLots;
  if (lots === 0) return respond(turn, done, { status: FILLED, reason: "", resting: 0 });
  // Nothing remains but lots do: taken off against own orders, or the part of a reduce-only order beyond the position.
  const gone = decrementedLots > 0 ? "self_trade" : "reduce_only";
  const reason = remaining > 0 ? leaves : gone;
  const { account, clientId } = intent;
  events.orderCancelled(turn, { id: done.orderId, account, clientId, lots }, reason);
  return respond(turn, done, { status: CANCELLED, reason, resting: 0 });
}

/** It has met as many orders as one may at a time. */
const FILLS_BOUND = "fills_bound";

/** Empty: what is left rests in the book. */
function reasonNotToRest({ force }: Intent, execution: Execution): string {
  if (execution.stop !== null) return execution.stop.reason;
  if (execution.matched.end === "steps") return FILLS_BOUND;
  return force === "gtc" ? "" : "immediate";
}

/** Returns the lots that rest: fewer than remain when other reduce-only orders already cover the position. */
function restRemainder(turn: Turn, order: Admitted, done: Done, remaining: number): number {
  const { ctx, instrument, venue, book } = turn;
  const { intent, limitTicks } = order;
  const { account, displayLots, side } = intent;
  const { orderId, reservePpm } = done;
  const feeReservePpm = restingFeePpm(turn, order);
  if (reservePpm !== null && reservePpm !== feeReservePpm) {
    const held = feeReserve(instrument, limitTicks, remaining, reservePpm);
    const needed = feeReserve(instrument, limitTicks, remaining, feeReservePpm);
    const { clearing } = venue;
    clearing.adjustOpenOrders(ctx, account, instrument.id, side, 0n, needed - held);
  }
  const shown = displayLots > 0 && displayLots < remaining ? displayLots : remaining;
  rest(turn, {
    id: orderId,
    priority: done.priority,
    account,
    side,
    ticks: limitTicks,
    lots: shown,
    hiddenLots: remaining - shown,
    displayLots,
    sizeLots: intent.sizeLots,
    reduceOnly: intent.reduceOnly,
    postOnly: intent.postOnly,
    clientId: intent.clientId,
    goodTilMs: intent.goodTilMs,
    goodTilHeight: intent.goodTilHeight,
    feeReservePpm,
    ocoId: intent.ocoId,
    bracket: done.protection,
    trader: intent.trader,
    builder: intent.builder,
  });
  if (!intent.reduceOnly) return remaining;
  enforceReduceOnly(turn, account);
  const slot = book.find(orderId);
  if (slot === 0) return 0;
  return book.lotsOf(slot) + (displayLots > 0 ? hiddenLots(turn, slot) : 0);
}

function hiddenLots(turn: Turn, slot: number): number {
  return Number(recordOf(turn, turn.book.read(slot)).hiddenLots);
}

function releaseRemainder(
  turn: Turn,
  order: Admitted,
  remaining: number,
  reservePpm: number | null,
): void {
  if (reservePpm === null) return;
  const { ctx, instrument, venue } = turn;
  const { account, side } = order.intent;
  const held = feeReserve(instrument, order.limitTicks, remaining, reservePpm);
  const lots = -BigInt(remaining);
  venue.clearing.adjustOpenOrders(ctx, account, instrument.id, side, lots, -held);
}
