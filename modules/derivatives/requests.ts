/** An order as asked for, checked as far as that goes without state. */
import type { NewOrder } from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  OrderType,
  SelfTradePrevention,
  TimeInForce,
  Side as WireSide,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { refuse } from "./errors.ts";
import type { SelfTrade } from "./execution.ts";
import { CLIENT_ID_BYTES_MAX } from "./limits.ts";
import type { Side } from "./ports.ts";

export type Force = "gtc" | "ioc" | "fok";

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
  readonly selfTrade: SelfTrade;
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
};

export function sideOf(wire: WireSide): Side | null {
  if (wire === WireSide.SIDE_BUY) return "buy";
  return wire === WireSide.SIDE_SELL ? "sell" : null;
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
  const side = sideOf(order.side);
  if (side === null) throw refuse("invalidRequest", `expected side buy or sell, got ${order.side}`);
  const limit = order.type === OrderType.ORDER_TYPE_LIMIT;
  if (!limit && order.type !== OrderType.ORDER_TYPE_MARKET) {
    throw refuse("invalidRequest", `expected order type limit or market, got ${order.type}`);
  }
  const unset = order.timeInForce === TimeInForce.TIME_IN_FORCE_UNSPECIFIED;
  const force = unset ? (limit ? "gtc" : "ioc") : FORCES[order.timeInForce];
  if (force === undefined) {
    throw refuse("invalidRequest", `expected a known time in force, got ${order.timeInForce}`);
  }
  if (!limit && force === "gtc") {
    throw refuse("invalidRequest", "a market order never rests: expected IOC or FOK");
  }
  if (order.postOnly && force !== "gtc") {
    throw refuse("invalidRequest", "a post-only order rests: expected a limit order, GTC");
  }
  const goodTilMs = Number(order.goodTilMs);
  if (!Number.isSafeInteger(goodTilMs)) {
    throw refuse("invalidGoodTil", `good-til time out of range: ${order.goodTilMs}`);
  }
  if (goodTilMs !== 0 && force !== "gtc") {
    throw refuse("invalidRequest", "only a resting order has a good-til time");
  }
  const selfTrade = SELF_TRADES[order.selfTradePrevention];
  if (selfTrade === undefined) {
    throw refuse("invalidRequest", `unknown self-trade prevention ${order.selfTradePrevention}`);
  }
  if (limit && order.price === "") throw refuse("invalidPrice", "a limit order needs a price");
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
    selfTrade,
  };
}
