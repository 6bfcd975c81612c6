/** An order as asked for, checked as far as that goes without state. */

import type { BuilderFee } from "@keel/proto/gen/keel/derivatives/v1/fees";
import type { AttachedOrder, NewOrder } from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  OrderType,
  SelfTradePrevention,
  TimeInForce,
  TriggerKind,
  Side as WireSide,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { PPM } from "../../kit/math/mul-div.ts";
import { refuse } from "../errors.ts";
import {
  CLIENT_ID_BYTES_MAX,
  TWAP_INTERVAL_MAX_MS,
  TWAP_INTERVAL_MIN_MS,
  TWAP_SLICES_MAX,
} from "../limits.ts";
import type { Side } from "../ports.ts";
import type { Force, SelfTrade } from "./wire.ts";

export interface TriggerRequest {
  readonly kind: TriggerKind;
  /** Stop, take-profit. */
  readonly price: string;
  /** Trailing stop: one of the two. */
  readonly trail: string;
  readonly trailPpm: number;
}

export interface AttachedRequest {
  readonly triggerPrice: string;
  readonly price: string;
  readonly slippagePpm: number;
  readonly clientId: string;
}

export interface BracketRequest {
  readonly takeProfit: AttachedRequest | null;
  readonly stopLoss: AttachedRequest | null;
}

export interface OrderRequest {
  readonly market: string;
  readonly side: Side;
  readonly type: "limit" | "market";
  /** Empty: a market order without a worst price. */
  readonly price: string;
  readonly size: string;
  readonly force: Force;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  readonly clientId: string;
  readonly goodTilMs: number;
  readonly goodTilHeight: number;
  readonly selfTrade: SelfTrade;
  readonly slippagePpm: number;
  readonly displaySize: string;
  readonly trigger: TriggerRequest | null;
  readonly twap: { readonly slices: number; readonly intervalMs: number } | null;
  readonly bracket: BracketRequest | null;
  /** Its address is read where the owner's approval is. */
  readonly builder: BuilderFee | undefined;
  /** Address of the trading key that sends it; absent: the owner. */
  readonly trader?: Uint8Array;
}

const FORCES: Readonly<Partial<Record<TimeInForce, Force>>> = {
  [TimeInForce.TIME_IN_FORCE_GTC]: "gtc",
  [TimeInForce.TIME_IN_FORCE_IOC]: "ioc",
  [TimeInForce.TIME_IN_FORCE_FOK]: "fok",
};

const SELF_TRADES: Readonly<Partial<Record<SelfTradePrevention, SelfTrade>>> = {
  [SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_MAKER]: "cancelMaker",
  [SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_TAKER]: "cancelTaker",
  [SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_BOTH]: "cancelBoth",
  [SelfTradePrevention.SELF_TRADE_PREVENTION_DECREMENT]: "decrement",
};

const TRIGGERS: readonly TriggerKind[] = [
  TriggerKind.TRIGGER_KIND_STOP,
  TriggerKind.TRIGGER_KIND_TAKE_PROFIT,
  TriggerKind.TRIGGER_KIND_TRAILING_STOP,
];

export function sideOf(wire: WireSide): Side | null {
  if (wire === WireSide.SIDE_BUY) return "buy";
  return wire === WireSide.SIDE_SELL ? "sell" : null;
}

export function requireSide(wire: WireSide): Side {
  const side = sideOf(wire);
  if (side === null) throw refuse("invalidRequest", `expected side buy or sell, got ${wire}`);
  return side;
}

export function forceOfWire(wire: TimeInForce): Force {
  const force = FORCES[wire];
  if (force === undefined) {
    throw refuse("invalidRequest", `expected a known time in force, got ${wire}`);
  }
  return force;
}

export function selfTradeOf(wire: SelfTradePrevention): SelfTrade {
  const selfTrade = SELF_TRADES[wire];
  if (selfTrade === undefined) {
    throw refuse("invalidRequest", `unknown self-trade prevention ${wire}`);
  }
  return selfTrade;
}

/** Empty is allowed: no client id. */
export function checkClientId(clientId: string): void {
  if (clientId.length > CLIENT_ID_BYTES_MAX || !/^[\x21-\x7e]*$/.test(clientId)) {
    throw refuse(
      "invalidRequest",
      `expected a client id of at most ${CLIENT_ID_BYTES_MAX} printable ASCII characters`,
    );
  }
}

export function parseRequest(order: NewOrder): OrderRequest {
  const side = requireSide(order.side);
  const limit = order.type === OrderType.ORDER_TYPE_LIMIT;
  if (!limit && order.type !== OrderType.ORDER_TYPE_MARKET) {
    throw refuse("invalidRequest", `expected a limit or market order, got ${order.type}`);
  }
  const twap = parseTwap(order);
  const trigger = parseTrigger(order);
  const force = forceOf(order, limit && twap === null);
  const rests = force === "gtc";
  if (order.postOnly && !rests) {
    throw refuse("invalidRequest", "a post-only order rests: expected a limit order, GTC");
  }
  const goodTilMs = safe(order.goodTilMs);
  const goodTilHeight = safe(order.goodTilHeight);
  if ((goodTilMs !== 0 || goodTilHeight !== 0) && !rests && trigger === null && twap === null) {
    throw refuse("invalidRequest", "only a resting or waiting order has a good-til time");
  }
  if (order.displaySize !== "" && !rests) {
    throw refuse("invalidDisplaySize", "only a resting order has a display size");
  }
  if (limit && order.price === "") throw refuse("invalidPrice", "a limit order needs a price");
  const slippagePpm = checkSlippage(order.maxSlippagePpm, limit);
  checkClientId(order.clientId);
  return {
    market: order.market,
    side,
    type: limit ? "limit" : "market",
    price: order.price,
    size: order.size,
    force,
    postOnly: order.postOnly,
    reduceOnly: order.reduceOnly,
    clientId: order.clientId,
    goodTilMs,
    goodTilHeight,
    selfTrade: selfTradeOf(order.selfTradePrevention),
    slippagePpm,
    displaySize: order.displaySize,
    trigger,
    twap,
    bracket: parseBracket(order),
    builder: order.builder,
  };
}

/** `restsByDefault`: what an unspecified time in force means. */
function forceOf(order: NewOrder, restsByDefault: boolean): Force {
  const unspecified = order.timeInForce === TimeInForce.TIME_IN_FORCE_UNSPECIFIED;
  const force = unspecified ? (restsByDefault ? "gtc" : "ioc") : forceOfWire(order.timeInForce);
  if (!restsByDefault && force === "gtc") {
    throw refuse("invalidRequest", "a market order or slice never rests: expected IOC or FOK");
  }
  return force;
}

function safe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw refuse("invalidGoodTil", `good-til time or block out of range: ${value}`);
  }
  return number;
}

export function checkSlippage(ppm: number, limit: boolean): number {
  if (ppm === 0) return 0;
  if (limit) throw refuse("invalidSlippage", "a limit order is bounded by its limit");
  if (BigInt(ppm) >= PPM) {
    throw refuse("invalidSlippage", `expected a slippage bound below ${PPM} ppm, got ${ppm}`);
  }
  return ppm;
}

function parseTrigger(order: NewOrder): TriggerRequest | null {
  const { trigger } = order;
  if (trigger === undefined) return null;
  const { kind, price, trail, trailPpm } = trigger;
  if (!TRIGGERS.includes(kind)) {
    throw refuse("invalidTrigger", `expected stop, take-profit or trailing stop, got ${kind}`);
  }
  const trailing = kind === TriggerKind.TRIGGER_KIND_TRAILING_STOP;
  if (trailing && (price !== "" || (trail === "") === (trailPpm === 0))) {
    throw refuse("invalidTrigger", "a trailing stop has a distance, as a price or in ppm");
  }
  if (BigInt(trailPpm) >= PPM) {
    throw refuse("invalidTrigger", `expected a distance below ${PPM} ppm, got ${trailPpm}`);
  }
  if (!trailing && (price === "" || trail !== "" || trailPpm !== 0)) {
    throw refuse("invalidTrigger", "a stop or take-profit has a trigger price and no distance");
  }
  return { kind, price, trail, trailPpm };
}

function parseTwap(order: NewOrder): OrderRequest["twap"] {
  const { twap } = order;
  if (twap === undefined) return null;
  const intervalMs = safe(twap.intervalMs);
  const { slices } = twap;
  if (slices < 2 || slices > TWAP_SLICES_MAX) {
    throw refuse("invalidTwap", `expected 2 to ${TWAP_SLICES_MAX} slices, got ${slices}`);
  }
  if (intervalMs < TWAP_INTERVAL_MIN_MS || intervalMs > TWAP_INTERVAL_MAX_MS) {
    throw refuse(
      "invalidTwap",
      `expected ${TWAP_INTERVAL_MIN_MS} to ${TWAP_INTERVAL_MAX_MS} ms between slices, got ${intervalMs}`,
    );
  }
  const plain =
    order.trigger === undefined && order.bracket === undefined && order.displaySize === "";
  const sliced = order.timeInForce !== TimeInForce.TIME_IN_FORCE_FOK && !order.postOnly;
  if (!plain || !sliced) {
    throw refuse("invalidTwap", "slices are immediate-or-cancel, without trigger or bracket");
  }
  return { slices, intervalMs };
}

function parseBracket(order: NewOrder): BracketRequest | null {
  const { bracket } = order;
  if (bracket === undefined) return null;
  if (order.reduceOnly) {
    throw refuse("invalidLink", "a reduce-only order opens nothing that a bracket could protect");
  }
  const takeProfit = parseAttached(bracket.takeProfit);
  const stopLoss = parseAttached(bracket.stopLoss);
  if (takeProfit === null && stopLoss === null) {
    throw refuse("invalidLink", "expected a take-profit or a stop in the bracket");
  }
  const names = [order.clientId, takeProfit?.clientId ?? "", stopLoss?.clientId ?? ""];
  const given = names.filter((name) => name !== "");
  if (new Set(given).size < given.length) {
    throw refuse("invalidLink", "expected different client ids within a bracket");
  }
  return { takeProfit, stopLoss };
}

function parseAttached(attached: AttachedOrder | undefined): AttachedRequest | null {
  if (attached === undefined) return null;
  const { clientId, maxSlippagePpm, price, triggerPrice } = attached;
  checkClientId(clientId);
  if (triggerPrice === "")
    throw refuse("invalidTrigger", "expected a trigger price in the bracket");
  const slippagePpm = checkSlippage(maxSlippagePpm, price !== "");
  return { triggerPrice, price, slippagePpm, clientId };
}
