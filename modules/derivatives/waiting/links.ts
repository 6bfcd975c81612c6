/**
 * What a fill sets off: the other order of a pair loses as much, and a bracket's orders begin or grow. Sizes here never exceed what was
 * filled, so no order of a pair or bracket can do more than its other half left.
 */
import type { BuilderTerms } from "@keel/proto/gen/keel/derivatives/v1/fees";
import type {
  AttachedTerms,
  BracketTerms,
  CollectedOrder,
  WaitingOrder,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import {
  OrderType,
  SelfTradePrevention,
  TimeInForce,
  TriggerKind,
  Side as WireSide,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, numberOf } from "../../kit/account-id.ts";
import { collectedNamed, reduceCollected, releaseCollected } from "../auction/collected.ts";
import { isBatch } from "../auction/opening.ts";
import type { OrderTerms } from "../book/order-terms.ts";
import { uncounted } from "../keys/reach.ts";
import { cancel, changeRecord, recordOf, takeOff } from "../orders/resting.ts";
import type { Side } from "../ports.ts";
import { nextNumber, type Turn } from "../venue.ts";
import { cancelWaiting, growWaiting, reduceWaiting, wait, waitingById } from "./waiting.ts";

export interface Filled {
  readonly id: number;
  readonly account: AccountId;
  readonly side: Side;
  readonly ocoId: number;
  readonly bracket: BracketTerms | undefined;
  readonly builder: BuilderTerms | undefined;
  /** Address of the trading key that sent it; undefined or empty: the owner. */
  readonly trader: Uint8Array | undefined;
}

/** What a fill of this order of the book sets off; null: nothing. */
export function hooksOf(turn: Turn, maker: OrderTerms): Filled | null {
  if (!maker.hooked) return null;
  const { bracket, builder, ocoId, trader } = recordOf(turn, maker);
  return { ...maker, ocoId: Number(ocoId), bracket, builder, trader };
}

/** After `lots` of an order were filled. Returns its bracket, with the orders that protect it now. */
export function afterFill(turn: Turn, order: Filled, lots: number): BracketTerms | undefined {
  if (order.ocoId !== 0) reducePartner(turn, order, lots);
  return order.bracket === undefined ? undefined : protect(turn, order, order.bracket, lots);
}

/** As afterFill, for an order of the book; when it rests on, its record learns of its new protection. */
export function afterMakerFill(turn: Turn, order: Filled, lots: number, restsOn: boolean): void {
  const bracket = afterFill(turn, order, lots);
  if (!restsOn || bracket === undefined || bracket === order.bracket) return;
  changeRecord(turn, turn.book.read(turn.book.find(order.id)), { bracket });
}

function reducePartner(turn: Turn, { account, ocoId }: Filled, lots: number): void {
  const slot = turn.book.find(ocoId);
  if (slot !== 0) {
    takeOff(turn, slot, lots, "oco");
    return;
  }
  const waiting = waitingById(turn, ocoId);
  if (waiting !== undefined) {
    reduceWaiting(turn, waiting, lots, "oco");
    return;
  }
  const fired = firedById(turn, account, ocoId);
  if (fired !== undefined) reduceCollected(turn, fired, lots, "oco");
}

/** The other order of a pair goes with one that was cancelled by its owner or by time. */
export function cancelPartner(turn: Turn, account: AccountId, id: number): void {
  if (id === 0) return;
  const slot = turn.book.find(id);
  if (slot !== 0) {
    cancel(turn, slot, "oco");
    return;
  }
  const waiting = waitingById(turn, id);
  if (waiting !== undefined) {
    cancelWaiting(turn, waiting, "oco");
    return;
  }
  const fired = firedById(turn, account, id);
  if (fired !== undefined) releaseCollected(turn.ctx, turn.venue, turn.instrument, fired, "oco");
}

/** One of the account that has fired and is collected for the next auction. */
function firedById(
  { ctx, instrument, venue }: Turn,
  account: AccountId,
  id: number,
): CollectedOrder | undefined {
  const orderId = BigInt(id);
  // A market without auction terms never collected.
  if (instrument.terms.auction === undefined) return undefined;
  return collectedNamed(ctx, venue, instrument.id, account, { clientId: "", orderId });
}

/** The other order of the pair that the order in this slot belongs to; 0: none. */
export function partnerOf(turn: Turn, slot: number): number {
  const order = turn.book.read(slot);
  return order.hooked ? Number(recordOf(turn, order).ocoId) : 0;
}

function protect(turn: Turn, order: Filled, bracket: BracketTerms, lots: number): BracketTerms {
  const { takeProfit, stopLoss } = bracket;
  const present = [takeProfit, stopLoss].flatMap((terms) => {
    const found = terms === undefined ? undefined : waitingById(turn, Number(terms.orderId));
    return found === undefined ? [] : [found];
  });
  const wanted = (takeProfit === undefined ? 0 : 1) + (stopLoss === undefined ? 0 : 1);
  if (present.length === wanted && present.every(({ dueSequence }) => dueSequence === 0n)) {
    for (const waiting of present) growWaiting(turn, waiting, lots);
    return bracket;
  }
  // The first fill, or one after a part of the earlier protection was used: a new pair for this fill.
  const profitId = takeProfit === undefined ? 0 : nextNumber(turn);
  const lossId = stopLoss === undefined ? 0 : nextNumber(turn);
  return {
    takeProfit: begin(turn, order, takeProfit, {
      kind: TriggerKind.TRIGGER_KIND_TAKE_PROFIT,
      id: profitId,
      ocoId: lossId,
      lots,
    }),
    stopLoss: begin(turn, order, stopLoss, {
      kind: TriggerKind.TRIGGER_KIND_STOP,
      id: lossId,
      ocoId: profitId,
      lots,
    }),
  };
}

function begin(
  turn: Turn,
  parent: Filled,
  terms: AttachedTerms | undefined,
  child: {
    readonly kind: TriggerKind;
    readonly id: number;
    readonly ocoId: number;
    readonly lots: number;
  },
): AttachedTerms | undefined {
  if (terms === undefined) return undefined;
  const { book, ctx, instrument, venue, waiting } = turn;
  const { account } = parent;
  const { clientId, maxSlippagePpm, priceTicks, triggerTicks } = terms;
  const limit = priceTicks !== 0n;
  // Of a later round there may be one that is in no book yet.
  const used =
    book.findByClientId(account, clientId) !== 0 ||
    waiting.findByClientId(account, clientId) !== 0 ||
    (isBatch(instrument) && venue.state.collected.has(ctx, [instrument.id, account, clientId]));
  const order: WaitingOrder = {
    market: instrument.id,
    id: BigInt(child.id),
    owner: venue.accounts.owner(account),
    subaccount: numberOf(account),
    side: parent.side === "buy" ? WireSide.SIDE_SELL : WireSide.SIDE_BUY,
    kind: child.kind,
    type: limit ? OrderType.ORDER_TYPE_LIMIT : OrderType.ORDER_TYPE_MARKET,
    priceTicks,
    sizeLots: BigInt(child.lots),
    remainingLots: BigInt(child.lots),
    timeInForce: limit ? TimeInForce.TIME_IN_FORCE_GTC : TimeInForce.TIME_IN_FORCE_IOC,
    postOnly: false,
    reduceOnly: true,
    clientId: used ? "" : clientId,
    goodTilMs: 0n,
    goodTilHeight: 0n,
    selfTradePrevention: SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_MAKER,
    maxSlippagePpm,
    displayLots: 0n,
    triggerTicks,
    trailTicks: 0n,
    trailPpm: 0,
    ocoId: BigInt(child.ocoId),
    bracket: undefined,
    reserveTicks: 0n,
    feeReservePpm: 0,
    placedHeight: BigInt(ctx.header.height),
    slices: 0,
    intervalMs: 0n,
    startedMs: 0n,
    nextMs: 0n,
    dueSequence: 0n,
    parentId: BigInt(parent.id),
    builder: parent.builder,
    // What was counted is the entry, and its protection outlives the key; what it may take off does not grow by that.
    keyCount: uncounted(parent.trader),
  };
  wait(turn, order, 0);
  return { ...terms, orderId: order.id };
}
