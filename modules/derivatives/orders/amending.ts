/**
 * Amendments: one open order changes in one step, or nothing does. Its id and client id stay. A resting order that only shrinks keeps its
 * priority (and may do so whenever it could be cancelled at once); any other change takes it out and places it anew, at the end of its level,
 * with every check and the execution of a new order.
 */
import type { MsgAmendOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  OrderStatus,
  type SelfTradePrevention,
  TriggerKind,
  type WaitingOrder,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import { roundOf } from "../auction/rounds.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import { parsePrice, parseSize } from "../instruments.ts";
import { uncounted } from "../keys/reach.ts";
import { ICEBERG_PARTS_MAX } from "../limits.ts";
import { closeTurn, nowMs, openTurn, requireInstrument, type Turn, type Venue } from "../venue.ts";
import { requireSlices } from "../waiting/conditional.ts";
import { sliceAt, sliceLots } from "../waiting/twap.ts";
import { moveWaiting } from "../waiting/waiting.ts";
import { waitingHolder, waitingKeyOf } from "../waiting/waiting-index.ts";
import { requireContinuous, requireNotional, requireTradable } from "./admission.ts";
import { checkOrderName, findOpen, type OrderName } from "./cancelling.ts";
import { nothingMet } from "./execution.ts";
import { intentOfResting, intentOfWaiting } from "./intents.ts";
import { placeIntent } from "./placing.ts";
import { selfTradeOf } from "./requests.ts";
import { respond } from "./responses.ts";
import { changeRecord, recordOf, takeOff, withdraw } from "./resting.ts";

export interface Amendment extends OrderName {
  /** Empty: as it is. */
  readonly price: string;
  /** Total, with what was filled or taken off before. */
  readonly size: string;
  readonly triggerPrice: string;
  readonly selfTradePrevention: SelfTradePrevention;
  /** Address of the trading key that sends it; absent: the owner. */
  readonly trader?: Uint8Array;
}

export function checkAmendment(amendment: Amendment): void {
  checkOrderName(amendment);
  selfTradeOf(amendment.selfTradePrevention);
  if (amendment.price === "" && amendment.size === "" && amendment.triggerPrice === "") {
    throw refuse("notAmendable", "expected another price, size or trigger price");
  }
}

/** From `before` open lots to `after` and nothing else: what the order could do it still can, in part. */
export function onlyShrinks(
  { price, triggerPrice }: Amendment,
  before: number,
  after: number,
): boolean {
  return price === "" && triggerPrice === "" && after <= before;
}

/** The named order as it is now, with all lots that rest or wait, hidden ones too. Throws ModuleError when there is none. */
export function openOrderOf(
  turn: Turn,
  account: AccountId,
  name: OrderName,
): { readonly lots: number; readonly reduceOnly: boolean } {
  const { slot, waiting } = findOpen(turn, account, name);
  if (waiting !== undefined) {
    return { lots: Number(waiting.remainingLots), reduceOnly: waiting.reduceOnly };
  }
  const order = turn.book.read(slot);
  const { hiddenLots } = recordOf(turn, order);
  return { lots: order.lots + Number(hiddenLots), reduceOnly: order.reduceOnly };
}

/** Throws ModuleError to refuse; the caller reverts what was done until then. */
export function amendOrder(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  amendment: Amendment,
): MsgAmendOrderResponse {
  checkAmendment(amendment);
  const turn = openTurn(ctx, venue, requireInstrument(ctx, venue, amendment.market));
  const { slot, waiting } = findOpen(turn, account, amendment);
  // A smaller order at once would be a cancel that waits for no round.
  if (roundOf(ctx, turn.instrument) !== 0) {
    throw refuse(
      "notInAuction",
      `orders of ${turn.instrument.symbol} are not amended: cancel it and place another in one batch`,
    );
  }
  const response =
    waiting === undefined
      ? amendResting(turn, slot, amendment)
      : amendWaiting(turn, waiting, amendment);
  closeTurn(turn);
  return response;
}

function amendResting(turn: Turn, slot: number, amendment: Amendment): MsgAmendOrderResponse {
  const { instrument } = turn;
  if (amendment.triggerPrice !== "") throw refuse("notAmendable", "the order waits for no trigger");
  const order = turn.book.read(slot);
  const { displayLots, hiddenLots, sizeLots } = recordOf(turn, order);
  const ticks = amendment.price === "" ? order.ticks : parsePrice(instrument, amendment.price);
  const open = order.lots + Number(hiddenLots);
  const { size, left } = resized(turn, amendment, Number(sizeLots), open);
  if (ticks === order.ticks && left === open) {
    throw refuse("notAmendable", "the order is as asked for already");
  }
  requireParts(displayLots, size);
  const { account, clientId, id } = order;
  const keptPriority = ticks === order.ticks && left < open;
  const named = { id, account, clientId, priceTicks: BigInt(ticks), triggerTicks: 0n };
  const amended = { ...named, sizeLots: size, openLots: left, keptPriority };
  if (keptPriority) {
    takeOff(turn, slot, open - left, "amended");
    changeRecord(turn, turn.book.read(slot), { sizeLots: BigInt(size) });
    events.orderAmended(turn, amended);
    return { order: unfilled(turn, id, OrderStatus.ORDER_STATUS_OPEN, left), keptPriority };
  }
  requireContinuous(turn);
  const mark = requireTradable(turn, order.reduceOnly);
  const record = withdraw(turn, slot);
  events.orderAmended(turn, amended);
  const intent = intentOfResting(record, {
    priceTicks: ticks,
    sizeLots: size,
    lots: left,
    selfTrade: selfTradeOf(amendment.selfTradePrevention),
    trader: amendment.trader,
  });
  return { order: placeIntent(turn, intent, mark), keptPriority };
}

/** What shows stays as it is, so a larger size has more parts. `displayLots` 0: all of it shows. */
function requireParts(displayLots: bigint, size: number): void {
  if (displayLots > 0n && Number(displayLots) * ICEBERG_PARTS_MAX < size) {
    throw refuse("invalidDisplaySize", `expected at most ${ICEBERG_PARTS_MAX} parts`);
  }
}

/** Total and open size after the amendment. */
function resized(
  turn: Turn,
  amendment: Amendment,
  sizeLots: number,
  open: number,
): { readonly size: number; readonly left: number } {
  const size = amendment.size === "" ? sizeLots : parseSize(turn.instrument, amendment.size);
  const left = size - (sizeLots - open);
  if (left <= 0) {
    throw refuse("invalidSize", "expected a size above what was filled or taken off already");
  }
  return { size, left };
}

function amendWaiting(
  turn: Turn,
  order: WaitingOrder,
  amendment: Amendment,
): MsgAmendOrderResponse {
  const { ctx, instrument, venue } = turn;
  const { kind } = order;
  const triggered =
    kind === TriggerKind.TRIGGER_KIND_STOP || kind === TriggerKind.TRIGGER_KIND_TAKE_PROFIT;
  if (order.dueSequence !== 0n) throw refuse("notAmendable", "the order is due already");
  if (amendment.triggerPrice !== "" && !triggered) {
    throw refuse("notAmendable", "the order has no trigger price");
  }
  const mark = requireTradable(turn, order.reduceOnly);
  const open = Number(order.remainingLots);
  const { size, left } = resized(turn, amendment, Number(order.sizeLots), open);
  requireParts(order.displayLots, size);
  const { price, triggerPrice } = amendment;
  const priceTicks = price === "" ? order.priceTicks : BigInt(parsePrice(instrument, price));
  const triggerTicks =
    triggerPrice === "" ? order.triggerTicks : BigInt(parsePrice(instrument, triggerPrice));
  const valueTicks = priceTicks || triggerTicks || mark.ticks;
  const next: WaitingOrder = {
    ...order,
    priceTicks,
    triggerTicks,
    sizeLots: BigInt(size),
    remainingLots: BigInt(left),
    reserveTicks: order.reduceOnly ? 0n : valueTicks,
    // Otherwise it is the order of who amends it; a key's hand says so when it has counted it anew.
    keyCount: onlyShrinks(amendment, open, left) ? order.keyCount : uncounted(amendment.trader),
  };
  const placed = { ...intentOfWaiting(next), triggered: false };
  requireNotional(turn, placed, mark, Number(valueTicks));
  if (kind === TriggerKind.TRIGGER_KIND_TWAP) {
    // The next one: what was due by now may have been placed.
    const slice = sliceAt(order, Number(maximum(order.nextMs, BigInt(nowMs(ctx)))));
    const slices = order.slices - slice;
    const share = sliceLots(next, slice);
    requireSlices(turn, placed, mark, { slices, share, ticks: Number(valueTicks) });
  }
  const account = waitingHolder(order);
  const grew = moveWaiting(turn, order, next);
  if (grew || order.reserveTicks < next.reserveTicks) {
    if (!order.reduceOnly) venue.clearing.requireInitial(ctx, account);
  }
  const keptPriority = waitingKeyOf(order).rank === waitingKeyOf(next).rank;
  const { clientId } = order;
  const id = Number(order.id);
  const named = { id, account, clientId, priceTicks, triggerTicks };
  events.orderAmended(turn, { ...named, sizeLots: size, openLots: left, keptPriority });
  return { order: unfilled(turn, id, OrderStatus.ORDER_STATUS_WAITING, left), keptPriority };
}

function unfilled(turn: Turn, orderId: number, status: OrderStatus, resting: number) {
  const execution = nothingMet(resting);
  const done = { orderId, execution, protection: undefined };
  return respond(turn, done, { status, reason: "", resting });
}
