/** An order in the market's own numbers, whether it comes from a message, a trigger or an amendment. */
import type { BuilderTerms } from "@keel/proto/gen/keel/derivatives/v1/fees";
import type {
  AttachedTerms,
  BracketTerms,
  RestingOrder,
  WaitingOrder,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { OrderType } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import { holderOf } from "../book/books.ts";
import { refuse } from "../errors.ts";
import { type Instrument, parsePrice, parseSize } from "../instruments.ts";
import { ICEBERG_PARTS_MAX } from "../limits.ts";
import type { Side } from "../ports.ts";
import { waitingHolder, waitingSide } from "../waiting/waiting-index.ts";
import {
  type AttachedRequest,
  forceOfWire,
  type OrderRequest,
  selfTradeOf,
  sideOf,
} from "./requests.ts";
import type { Force, SelfTrade } from "./wire.ts";

export interface Intent {
  /** 0: it gets the next one. An order keeps its id when it is triggered or amended. */
  readonly id: number;
  readonly account: AccountId;
  readonly side: Side;
  readonly type: "limit" | "market";
  /** Limit, or the worst price of a market order; 0: none. */
  readonly priceTicks: number;
  /** Total, with what an amended order has behind it. */
  readonly sizeLots: number;
  /** What may execute and rest now. */
  readonly lots: number;
  readonly force: Force;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  readonly clientId: string;
  readonly goodTilMs: number;
  readonly goodTilHeight: number;
  readonly selfTrade: SelfTrade;
  /** Market orders: worst distance from mark; 0: the band. */
  readonly slippagePpm: number;
  /** Iceberg: what shows; 0: all. */
  readonly displayLots: number;
  readonly ocoId: number;
  readonly bracket: BracketTerms | undefined;
  readonly builder: BuilderTerms | undefined;
  /** Address of the trading key that sends it; undefined: the owner. */
  readonly trader: Uint8Array | undefined;
  /** Waited for this: a limit beyond the band stops at the band instead of being refused, and small orders are taken. */
  readonly triggered: boolean;
}

/** What orders have that come from no message of their own: a new id, and nothing beside the order itself. */
export const PLAIN_INTENT: Pick<
  Intent,
  | "id"
  | "goodTilHeight"
  | "slippagePpm"
  | "displayLots"
  | "ocoId"
  | "bracket"
  | "builder"
  | "trader"
  | "triggered"
> = {
  id: 0,
  goodTilHeight: 0,
  slippagePpm: 0,
  displayLots: 0,
  ocoId: 0,
  bracket: undefined,
  builder: undefined,
  trader: undefined,
  triggered: false,
};

export function intentOf(
  instrument: Instrument,
  account: AccountId,
  request: OrderRequest,
  given: {
    readonly id: number;
    readonly ocoId: number;
    readonly lots?: number | undefined;
    readonly builder: BuilderTerms | undefined;
  },
): Intent {
  const { side, type, force, postOnly, reduceOnly, clientId } = request;
  const { goodTilMs, goodTilHeight, selfTrade, slippagePpm } = request;
  const sizeLots = parseSize(instrument, request.size);
  return {
    id: given.id,
    ocoId: given.ocoId,
    account,
    side,
    type,
    priceTicks: request.price === "" ? 0 : parsePrice(instrument, request.price),
    sizeLots,
    lots: given.lots ?? sizeLots,
    force,
    postOnly,
    reduceOnly,
    clientId,
    goodTilMs,
    goodTilHeight,
    selfTrade,
    slippagePpm,
    displayLots: displayLotsOf(instrument, request.displaySize, sizeLots),
    bracket: bracketOf(instrument, request),
    builder: given.builder,
    trader: request.trader,
    triggered: false,
  };
}

function displayLotsOf(instrument: Instrument, text: string, sizeLots: number): number {
  if (text === "") return 0;
  const lots = parseSize(instrument, text);
  if (lots >= sizeLots || lots * ICEBERG_PARTS_MAX < sizeLots) {
    throw refuse(
      "invalidDisplaySize",
      `expected a display size below the size and at least 1/${ICEBERG_PARTS_MAX} of it`,
    );
  }
  return lots;
}

function bracketOf(
  instrument: Instrument,
  { bracket, side }: OrderRequest,
): BracketTerms | undefined {
  if (bracket === null) return undefined;
  const takeProfit = attachedOf(instrument, bracket.takeProfit);
  const stopLoss = attachedOf(instrument, bracket.stopLoss);
  if (takeProfit !== undefined && stopLoss !== undefined) {
    const above = takeProfit.triggerTicks > stopLoss.triggerTicks;
    if (takeProfit.triggerTicks === stopLoss.triggerTicks || above !== (side === "buy")) {
      const where = side === "buy" ? "above" : "below";
      throw refuse("invalidLink", `expected the take-profit of a ${side} ${where} its stop`);
    }
  }
  return { takeProfit, stopLoss };
}

function attachedOf(
  instrument: Instrument,
  request: AttachedRequest | null,
): AttachedTerms | undefined {
  if (request === null) return undefined;
  return {
    triggerTicks: BigInt(parsePrice(instrument, request.triggerPrice)),
    priceTicks: request.price === "" ? 0n : BigInt(parsePrice(instrument, request.price)),
    maxSlippagePpm: request.slippagePpm,
    clientId: request.clientId,
    orderId: 0n,
  };
}

/** What is placed when a waiting order's time has come. */
export function intentOfWaiting(order: WaitingOrder): Intent {
  const limit = order.type === OrderType.ORDER_TYPE_LIMIT;
  return {
    id: Number(order.id),
    account: waitingHolder(order),
    side: waitingSide(order),
    type: limit ? "limit" : "market",
    priceTicks: Number(order.priceTicks),
    sizeLots: Number(order.sizeLots),
    lots: Number(order.remainingLots),
    force: forceOfWire(order.timeInForce),
    postOnly: order.postOnly,
    reduceOnly: order.reduceOnly,
    clientId: order.clientId,
    goodTilMs: Number(order.goodTilMs),
    goodTilHeight: Number(order.goodTilHeight),
    selfTrade: selfTradeOf(order.selfTradePrevention),
    slippagePpm: order.maxSlippagePpm,
    displayLots: Number(order.displayLots),
    ocoId: Number(order.ocoId),
    bracket: order.bracket,
    builder: order.builder,
    trader: order.keyCount?.trader,
    triggered: true,
  };
}

/** A resting order as if it came now, with `sizeLots` in all and `lots` of them open. */
export function intentOfResting(
  order: RestingOrder,
  change: Pick<Intent, "priceTicks" | "sizeLots" | "lots" | "selfTrade" | "trader">,
): Intent {
  return {
    ...change,
    id: Number(order.id),
    account: holderOf(order),
    side: sideOf(order.side) === "buy" ? "buy" : "sell",
    type: "limit",
    force: "gtc",
    postOnly: order.postOnly,
    reduceOnly: order.reduceOnly,
    clientId: order.clientId,
    goodTilMs: Number(order.goodTilMs),
    goodTilHeight: Number(order.goodTilHeight),
    slippagePpm: 0,
    displayLots: Number(order.displayLots),
    ocoId: Number(order.ocoId),
    bracket: order.bracket,
    builder: order.builder,
    triggered: false,
  };
}
