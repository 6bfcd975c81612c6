/** Placing an order: the checks in their order, the reserve, matching, and what becomes of the rest. */
import type { MsgPlaceOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../kit/account-id.ts";
import type { WriteContext } from "../kit/context.ts";
import { formatDecimal } from "../kit/math/decimal.ts";
import { divHalfEven } from "../kit/math/mul-div.ts";
import { refuse } from "./errors.ts";
import * as events from "./events.ts";
import { type Execution, execute, reducible } from "./execution.ts";
import { feeReserve } from "./fees.ts";
import { formatMoney, formatSize, type Instrument, parsePrice, parseSize } from "./instruments.ts";
import { OPEN_ORDERS_PER_MARKET_MAX } from "./limits.ts";
import { bandLimit, type Mark, markOf, sizeNotional } from "./marks.ts";
import type { OrderRequest } from "./requests.ts";
import { enforceReduceOnly, rest } from "./resting.ts";
import { closeTurn, nowMs, openTurn, type Turn, type Venue } from "./venue.ts";

const OPEN: OrderStatus = OrderStatus.ORDER_STATUS_OPEN;
const FILLED: OrderStatus = OrderStatus.ORDER_STATUS_FILLED;
const CANCELLED: OrderStatus = OrderStatus.ORDER_STATUS_CANCELLED;

/** An order with its numbers, admitted by every check that needs no margin. */
interface Checked {
  readonly request: OrderRequest;
  readonly account: AccountId;
  readonly limitTicks: number;
  /** As asked for. */
  readonly sizeLots: number;
  /** What may execute: less than the size for reduce-only orders larger than the position. */
  readonly lots: number;
  readonly crosses: boolean;
}

/** Throws ModuleError to refuse; the caller reverts what was done until then. */
export function placeOrder(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  account: AccountId,
  request: OrderRequest,
): MsgPlaceOrderResponse {
  const turn = openTurn(ctx, venue, instrument);
  const order = check(turn, account, request, requireTradable(turn, request));
  const reservePpm = reserve(turn, order);
  const orderId = turn.nextOrderId;
  turn.nextOrderId += 1;
  const execution = order.crosses
    ? execute(turn, {
        account,
        side: request.side,
        limitTicks: order.limitTicks,
        lots: order.lots,
        orderId,
        selfTrade: request.selfTrade,
        reservePpm,
      })
    : nothingMet(order.lots);
  refuseUnfilled(order, execution);
  const response = settle(turn, order, { orderId, execution, reservePpm });
  closeTurn(turn);
  return response;
}

/** The market takes this kind of order now, and has a fresh price. */
export function requireTradable(turn: Turn, request: OrderRequest): Mark {
  const { ctx, instrument, venue } = turn;
  const { status, symbol } = instrument;
  if (status === "settling" || status === "settled") {
    throw refuse("marketExpired", `market ${symbol} has expired: cancels only`);
  }
  if (status !== "active" && status !== "closeOnly") {
    throw refuse("marketNotActive", `market ${symbol} is ${status}: cancels only`);
  }
  if (status === "closeOnly" && !request.reduceOnly) {
    throw refuse("closeOnly", `market ${symbol} takes reduce-only orders only`);
  }
  const mark = markOf(ctx, venue, instrument);
  if (mark === undefined || !mark.fresh) {
    throw refuse("stalePrice", `the price of ${symbol} is stale: cancels only`);
  }
  return mark;
}

function check(turn: Turn, account: AccountId, request: OrderRequest, mark: Mark): Checked {
  const { book, instrument } = turn;
  const sizeLots = parseSize(instrument, request.size);
  const limitTicks = limitOf(turn, request, mark);
  const rests = request.force === "gtc";
  if (rests) requireRoom(turn, account, request);
  if (request.clientId !== "" && book.findByClientId(account, request.clientId) !== 0) {
    throw refuse("clientIdInUse", `client id "${request.clientId}" names an open order`);
  }
  const lots = request.reduceOnly ? requireReducible(turn, account, request, sizeLots) : sizeLots;
  if (!request.reduceOnly && !rests && !turn.venue.clearing.exists(turn.ctx, account)) {
    throw refuse("unknownAccount", "the sub-account holds no collateral");
  }
  const valueTicks = request.type === "limit" ? limitTicks : Number(mark.ticks);
  requireNotional(turn, request, mark, { valueTicks, sizeLots });
  const crosses = book.crosses(request.side, limitTicks);
  if (crosses && request.postOnly) {
    throw refuse("postOnlyWouldCross", "a post-only order would execute at once");
  }
  return { request, account, limitTicks, sizeLots, lots, crosses };
}

export function requireNotional(
  { instrument }: Turn,
  request: OrderRequest,
  mark: Mark,
  { valueTicks, sizeLots }: { readonly valueTicks: number; readonly sizeLots: number },
): void {
  const notional = sizeNotional(instrument, mark, valueTicks, sizeLots);
  if (!request.reduceOnly && notional < instrument.terms.notionalMin) {
    throw refuse(
      "notionalTooSmall",
      `expected at least ${formatMoney(instrument.terms.notionalMin)}, got ${formatMoney(notional)}`,
    );
  }
  if (notional > instrument.notionalMax) {
    throw refuse(
      "notionalTooLarge",
      `expected at most ${formatMoney(instrument.notionalMax)}, got ${formatMoney(notional)}`,
    );
  }
}

/** Worst price of execution: the limit, or for market orders the band around mark and the worst price given. */
export function limitOf(turn: Turn, request: OrderRequest, mark: Mark): number {
  const { instrument } = turn;
  const band = bandLimit(instrument, mark, request.side);
  if (request.price === "") return band;
  const ticks = parsePrice(instrument, request.price);
  const beyond = request.side === "buy" ? ticks > band : ticks < band;
  if (!beyond) return ticks;
  if (request.type === "market") return band;
  const bound = request.side === "buy" ? "at most" : "at least";
  throw refuse(
    "priceOutOfBand",
    `expected a ${request.side} limit of ${bound} ${band} ticks, got ${ticks}`,
  );
}

function requireRoom(turn: Turn, account: AccountId, request: OrderRequest): void {
  const { book, instrument } = turn;
  const most = instrument.terms.openOrdersMax;
  if (book.openOrders(account) >= most) {
    throw refuse(
      "tooManyOpenOrders",
      `expected at most ${most} open orders in ${instrument.symbol}`,
    );
  }
  if (book.size >= OPEN_ORDERS_PER_MARKET_MAX) {
    throw refuse("bookFull", `the book of ${instrument.symbol} is full`);
  }
  requireGoodTil(turn, request);
}

export function requireGoodTil({ ctx, venue }: Turn, request: OrderRequest): void {
  if (request.goodTilMs === 0) return;
  const now = nowMs(ctx);
  const latest = now + Number(venue.state.params.require(ctx).goodTilMaxMs);
  if (request.goodTilMs <= now || request.goodTilMs > latest) {
    throw refuse(
      "invalidGoodTil",
      `expected a good-til time after ${now} and up to ${latest}, got ${request.goodTilMs}`,
    );
  }
}

export function requireReducible(
  turn: Turn,
  account: AccountId,
  request: OrderRequest,
  lots: number,
): number {
  const position = turn.venue.clearing.positionLots(turn.ctx, account, turn.instrument.id);
  const most = reducible(position, request.side);
  if (most === 0n) {
    throw refuse("reduceOnlyWouldIncrease", `no position that a ${request.side} would reduce`);
  }
  return most < BigInt(lots) ? Number(most) : lots;
}

/**
 * A good-til-cancelled order reserves its worst case before anything executes: an order beyond margin is refused whole. The others
 * never rest, so each fill is checked as it clears. Returns the fee rate reserved, or null without a reserve.
 */
function reserve(turn: Turn, order: Checked): number | null {
  const { ctx, instrument, venue } = turn;
  const { request, account } = order;
  if (request.reduceOnly || request.force !== "gtc") return null;
  const { takerFeePpm } = instrument.terms;
  const maker = restingFeePpm(turn, order);
  const ppm = order.crosses && takerFeePpm > maker ? takerFeePpm : maker;
  const fees = feeReserve(instrument, order.limitTicks, order.lots, ppm);
  const lots = BigInt(order.lots);
  if (venue.clearing.adjustOpenOrders(ctx, account, instrument.id, request.side, lots, fees)) {
    venue.clearing.requireInitial(ctx, account);
  }
  return ppm;
}

function restingFeePpm(turn: Turn, order: Checked): number {
  const { makerFeePpm } = turn.instrument.terms;
  return order.request.reduceOnly || makerFeePpm < 0 ? 0 : makerFeePpm;
}

function nothingMet(lots: number): Execution {
  const matched = { remaining: lots, steps: 0, end: "limit" } as const;
  return { matched, filledLots: 0, notional: 0n, feeQuanta: 0n, fills: 0, stop: null };
}

/** Outcomes that refuse the whole order. */
function refuseUnfilled(order: Checked, execution: Execution): void {
  const { stop, fills, filledLots } = execution;
  if (fills === 0 && stop?.refusal != null) throw stop.refusal;
  if (order.request.force === "fok" && filledLots < order.sizeLots) {
    throw (
      stop?.refusal ?? refuse("notFilled", "fill-or-kill: the book cannot fill the order at once")
    );
  }
}

function settle(
  turn: Turn,
  order: Checked,
  done: {
    readonly orderId: number;
    readonly execution: Execution;
    readonly reservePpm: number | null;
  },
): MsgPlaceOrderResponse {
  const { request, account } = order;
  const { execution, orderId, reservePpm } = done;
  const remaining = order.lots - execution.filledLots;
  const leaves = reasonNotToRest(request, execution);
  if (remaining > 0 && leaves === "") {
    const resting = restRemainder(turn, order, { orderId, remaining, reservePpm });
    if (resting > 0)
      return respond(turn, { orderId, status: OPEN, reason: "", resting, execution });
    // Older reduce-only orders cover the position already: it left again, and its event said so.
    return respond(turn, { orderId, status: CANCELLED, reason: "reduce_only", resting, execution });
  }
  if (remaining > 0) releaseRemainder(turn, order, remaining, reservePpm);
  const lots = order.sizeLots - execution.filledLots;
  if (lots === 0)
    return respond(turn, { orderId, status: FILLED, reason: "", resting: 0, execution });
  // Nothing remains but lots do: the part of a reduce-only order beyond the position.
  const reason = remaining > 0 ? leaves : "reduce_only";
  events.orderCancelled(turn, { id: orderId, account, clientId: request.clientId, lots }, reason);
  return respond(turn, { orderId, status: CANCELLED, reason, resting: 0, execution });
}

/** Empty: what is left rests in the book. */
function reasonNotToRest(request: OrderRequest, execution: Execution): string {
  if (execution.stop !== null) return execution.stop.reason;
  if (execution.matched.end === "steps") return "fills_bound";
  return request.force === "gtc" ? "" : "immediate";
}

/** Returns the lots that rest: fewer than remain when other reduce-only orders already cover the position. */
function restRemainder(
  turn: Turn,
  order: Checked,
  left: {
    readonly orderId: number;
    readonly remaining: number;
    readonly reservePpm: number | null;
  },
): number {
  const { ctx, instrument, venue, book } = turn;
  const { request, account, limitTicks } = order;
  const feeReservePpm = restingFeePpm(turn, order);
  if (left.reservePpm !== null && left.reservePpm !== feeReservePpm) {
    const held = feeReserve(instrument, limitTicks, left.remaining, left.reservePpm);
    const needed = feeReserve(instrument, limitTicks, left.remaining, feeReservePpm);
    const { clearing } = venue;
    clearing.adjustOpenOrders(ctx, account, instrument.id, request.side, 0n, needed - held);
  }
  rest(turn, {
    id: left.orderId,
    account,
    side: request.side,
    ticks: limitTicks,
    lots: left.remaining,
    sizeLots: order.sizeLots,
    reduceOnly: request.reduceOnly,
    postOnly: request.postOnly,
    clientId: request.clientId,
    goodTilMs: request.goodTilMs,
    feeReservePpm,
  });
  if (!request.reduceOnly) return left.remaining;
  enforceReduceOnly(turn, account);
  const slot = book.find(left.orderId);
  return slot === 0 ? 0 : book.lotsOf(slot);
}

function releaseRemainder(
  turn: Turn,
  order: Checked,
  remaining: number,
  reservePpm: number | null,
): void {
  if (reservePpm === null) return;
  const { ctx, instrument, venue } = turn;
  const held = feeReserve(instrument, order.limitTicks, remaining, reservePpm);
  const { side } = order.request;
  const lots = -BigInt(remaining);
  venue.clearing.adjustOpenOrders(ctx, order.account, instrument.id, side, lots, -held);
}

/** Places of an average price below those of the tick. */
const AVERAGE_PLACES = 4;

function respond(
  turn: Turn,
  result: {
    readonly orderId: number;
    readonly status: OrderStatus;
    readonly reason: string;
    readonly resting: number;
    readonly execution: Execution;
  },
): MsgPlaceOrderResponse {
  const { instrument } = turn;
  const { filledLots, notional, fills, feeQuanta } = result.execution;
  const scale = 10n ** BigInt(AVERAGE_PLACES);
  const average =
    fills === 0
      ? ""
      : formatDecimal(
          divHalfEven(
            notional * instrument.tick.units * scale,
            instrument.quantaPerTickLot * BigInt(filledLots),
          ),
          instrument.tick.places + AVERAGE_PLACES,
        );
  return {
    orderId: BigInt(result.orderId),
    status: result.status,
    filledSize: formatSize(instrument, filledLots),
    remainingSize: formatSize(instrument, result.resting),
    averagePrice: average,
    filledQuote: formatMoney(notional),
    fills,
    fee: formatMoney(feeQuanta),
    reason: result.reason,
  };
}
