/**
 * Placing an order in a market that collects. Every check and the reserve look at the order, its own account and what the block began with, never
 * at other accounts' orders of the block: so what is accepted does not depend on the order of transactions.
 */
import type { MsgPlaceOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  type CollectedOrder,
  OrderStatus,
  type WaitingOrder,
  Side as WireSide,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, numberOf } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import { requireBuilder } from "../fees/builders.ts";
import { feeReserve } from "../fees/rates.ts";
import { formatSize, type Instrument } from "../instruments.ts";
import { COLLECTED_CANCEL_GAS, COLLECTED_ORDER_GAS } from "../limits.ts";
import type { Mark } from "../marking/mark.ts";
import {
  limitOf,
  requireClientId,
  requireGoodTil,
  requireNotional,
  requireReducible,
  requireTradable,
} from "../orders/admission.ts";
import { type Intent, intentOf } from "../orders/intents.ts";
import type { OrderRequest } from "../orders/requests.ts";
import { openTurn, type Turn, type Venue } from "../venue.ts";
import { valueTicksOf, waitingRecord } from "../waiting/conditional.ts";
import { requireReason } from "../waiting/reducing.ts";
import { collectedKey, countCollected, hasFired } from "./collected.ts";
import { isOpening } from "./opening.ts";
import { roundOf } from "./rounds.ts";

const NO_TRADER = new Uint8Array(0);
const UNPAIRED = { pair: "" };

/** Throws ModuleError to refuse; the caller reverts what was done until then. */
export function collectOrder(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  account: AccountId,
  request: OrderRequest,
): MsgPlaceOrderResponse {
  return collectRequest(openTurn(ctx, venue, instrument), account, request, "");
}

/** Both orders of a pair, for the same auction. */
export function collectPair(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  account: AccountId,
  [first, second]: readonly [OrderRequest, OrderRequest],
): MsgPlaceOrderResponse[] {
  // Whatever cancels one takes the other as well, and pays for one.
  if (roundOf(ctx, instrument) !== 0) ctx.gas.consume(COLLECTED_CANCEL_GAS, "collected pair");
  const turn = openTurn(ctx, venue, instrument);
  return [
    collectRequest(turn, account, first, second.clientId),
    collectRequest(turn, account, second, first.clientId),
  ];
}

function collectRequest(
  turn: Turn,
  account: AccountId,
  request: OrderRequest,
  pair: string,
): MsgPlaceOrderResponse {
  const { ctx, instrument } = turn;
  requireAuctionOrder(turn, request);
  const mark = requireTradable(turn, request.reduceOnly);
  const builder = requireBuilder(turn, account, request.builder);
  const intent = intentOf(instrument, account, request, { id: 0, ocoId: 0, builder });
  const round = roundOf(ctx, instrument);
  if (request.trigger === null && request.twap === null)
    return collectIntent(turn, intent, mark, round, { pair });
  requireCollectable(turn, intent, mark, round);
  requireOwnRoom(turn, intent);
  // In rounds it is not known yet what else has come by then: it waits though it may have nothing to reduce.
  if (intent.reduceOnly && round === 0) requireReason(turn, intent, mark);
  const waiting = waitingRecord(turn, intent, request, mark);
  const ticks = valueTicksOf(waiting, mark);
  const { feeReservePpm } = waiting;
  return collect(turn, intent, { ticks, lots: intent.lots, feeReservePpm, round, waiting, pair });
}

/**
 * As `collectOrder`, from what the order comes to in the market's own numbers: of a kind that auctions take. Round 0: the next that is held. `pair`: the client id of its pair; `fired`:
 * what it was while it waited, and paid for its entry.
 */
export function collectIntent(
  turn: Turn,
  intent: Intent,
  mark: Mark,
  round: number,
  { fired, pair }: { readonly fired?: WaitingOrder; readonly pair: string } = UNPAIRED,
): MsgPlaceOrderResponse {
  const { instrument } = turn;
  const { builder, reduceOnly, type } = intent;
  requireCollectable(turn, intent, mark, round);
  // One that fires has a place already: it waited in it.
  if (fired === undefined) requireOwnRoom(turn, intent);
  const ticks = limitOf(turn, intent, mark);
  // Of a round to come it is cut when it enters: what it may reduce then, it does not have to now.
  const lots = reduceOnly && round === 0 ? requireReducible(turn, intent) : intent.lots;
  requireNotional(turn, intent, mark, type === "limit" ? ticks : Number(mark.ticks));
  const feePpm = (instrument.terms.auction?.feePpm ?? 0) + (builder?.feePpm ?? 0);
  const feeReservePpm = reduceOnly ? 0 : feePpm;
  return collect(turn, intent, { ticks, lots, feeReservePpm, round, waiting: fired, pair });
}

/** Whatever else it is: there is a price for it. */
function requireCollectable(turn: Turn, intent: Intent, mark: Mark, round: number): void {
  const { ctx, instrument, venue } = turn;
  // One that only reduces, too: no auction is held at a late price, so it would wait, with any number of others, for one that had to take in all of them.
  if (round !== 0 && !mark.fresh)
    throw refuse("stalePrice", `the price of ${instrument.symbol} is late: cancels only`);
  requireGoodTil(turn, intent);
  if (intent.reduceOnly && round !== 0 && !venue.clearing.exists(ctx, intent.account))
    throw refuse("unknownAccount", "the sub-account holds no collateral");
}

function collect(
  turn: Turn,
  intent: Intent,
  order: {
    /** Limit; of a conditional order that has not fired what its reserve is reckoned at. */
    readonly ticks: number;
    readonly lots: number;
    readonly feeReservePpm: number;
    readonly round: number;
    readonly waiting: WaitingOrder | undefined;
    readonly pair: string;
  },
): MsgPlaceOrderResponse {
  const { ctx, instrument, venue } = turn;
  const { account, builder, clientId, goodTilMs, reduceOnly, side, sizeLots } = intent;
  const { feeReservePpm, lots, pair, round, ticks, waiting } = order;
  if (!reduceOnly) {
    const fees = feeReserve(instrument, ticks, lots, feeReservePpm);
    const { clearing } = venue;
    if (clearing.adjustOpenOrders(ctx, account, instrument.id, side, BigInt(lots), fees)) {
      clearing.requireInitial(ctx, account);
    }
  }
  if (round !== 0 && !hasFired(waiting)) {
    // The orders of its bracket enter one day, too.
    const orders = 1 + attachedOrders(intent);
    ctx.gas.consume(orders * COLLECTED_ORDER_GAS, "collected order");
  }
  const record: CollectedOrder = {
    market: instrument.id,
    owner: venue.accounts.owner(account),
    subaccount: numberOf(account),
    clientId,
    side: side === "buy" ? WireSide.SIDE_BUY : WireSide.SIDE_SELL,
    priceTicks: BigInt(ticks),
    sizeLots: BigInt(sizeLots),
    lots: BigInt(lots),
    reduceOnly,
    immediate: intent.force === "ioc",
    goodTilMs: BigInt(goodTilMs),
    feeReservePpm,
    builder,
    trader: intent.trader ?? NO_TRADER,
    round: BigInt(round),
    waiting,
    displayLots: waiting === undefined ? BigInt(intent.displayLots) : 0n,
    bracket: waiting === undefined ? intent.bracket : undefined,
    pairClientId: pair,
  };
  venue.state.collected.set(ctx, collectedKey(record), record);
  events.orderAccepted(ctx, venue, instrument, { account, clientId, side, ticks, lots }, round);
  return accepted(formatSize(instrument, lots), round);
}

/** Kinds of order that have a meaning at one price for all. */
function requireAuctionOrder({ ctx, venue, instrument }: Turn, request: OrderRequest): void {
  if (request.clientId === "") {
    throw refuse("clientIdRequired", "an order of an auction is named by its client id");
  }
  if (request.force === "fok") {
    throw refuse("notInAuction", "fill-or-kill has no meaning at a uniform price");
  }
  if (request.postOnly) {
    throw refuse("notInAuction", "post-only has no meaning where all pay the same");
  }
  if (request.goodTilHeight !== 0) {
    throw refuse("notInAuction", "an order of an auction has no last block");
  }
  if (request.force === "ioc" && isOpening(ctx, venue, instrument)) {
    throw refuse("opening", `${instrument.symbol} collects for its opening: only orders that rest`);
  }
}

/** The book's own bound is applied when the block's orders enter it, in the order of their ids. */
function requireOwnRoom(turn: Turn, intent: Intent): void {
  const { book, ctx, instrument, venue, waiting } = turn;
  const { account, clientId } = intent;
  const most = instrument.terms.openOrdersMax;
  const collected = countCollected(ctx, venue, instrument.id, account);
  const open = book.openOrders(account) + waiting.openOrders(account) + collected;
  if (open + attachedOrders(intent) >= most) {
    throw refuse(
      "tooManyOpenOrders",
      `expected at most ${most} open orders in ${instrument.symbol}`,
    );
  }
  requireClientId(turn, account, clientId);
}

function attachedOrders({ bracket }: Intent): number {
  if (bracket === undefined) return 0;
  return (bracket.takeProfit === undefined ? 0 : 1) + (bracket.stopLoss === undefined ? 0 : 1);
}

function accepted(remainingSize: string, round: number): MsgPlaceOrderResponse {
  return {
    orderId: 0n,
    status: OrderStatus.ORDER_STATUS_COLLECTED,
    filledSize: "0",
    remainingSize,
    averagePrice: "",
    filledQuote: "0",
    fills: 0,
    fee: "0",
    reason: "",
    takeProfitId: 0n,
    stopLossId: 0n,
    round: BigInt(round),
  };
}
