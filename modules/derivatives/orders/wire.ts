/** Names of the code as numbers of the wire, for stored orders. */
import {
  OrderType,
  SelfTradePrevention,
  TimeInForce,
  Side as WireSide,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import type { Side } from "../ports.ts";

export type Force = "gtc" | "ioc" | "fok";

export type SelfTrade = "cancelMaker" | "cancelTaker" | "cancelBoth" | "decrement";

const FORCES: Readonly<Record<Force, TimeInForce>> = {
  gtc: TimeInForce.TIME_IN_FORCE_GTC,
  ioc: TimeInForce.TIME_IN_FORCE_IOC,
  fok: TimeInForce.TIME_IN_FORCE_FOK,
};

const SELF_TRADES: Readonly<Record<SelfTrade, SelfTradePrevention>> = {
  cancelMaker: SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_MAKER,
  cancelTaker: SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_TAKER,
  cancelBoth: SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_BOTH,
  decrement: SelfTradePrevention.SELF_TRADE_PREVENTION_DECREMENT,
};

export function wireSide(side: Side): WireSide {
  return side === "buy" ? WireSide.SIDE_BUY : WireSide.SIDE_SELL;
}

export function wireType(type: "limit" | "market"): OrderType {
  return type === "limit" ? OrderType.ORDER_TYPE_LIMIT : OrderType.ORDER_TYPE_MARKET;
}

export function wireForce(force: Force): TimeInForce {
  return FORCES[force];
}

export function wireSelfTrade(selfTrade: SelfTrade): SelfTradePrevention {
  return SELF_TRADES[selfTrade];
}
