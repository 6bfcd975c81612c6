/** Messages of the laboratory's accounts, as a transaction holds them. */
import { formatPrice, formatSize, type Instrument } from "@keel/modules/derivatives/instruments";
import {
  MsgBatchOrders,
  MsgCancelAll,
  MsgPlaceOrder,
  NewOrder,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderType, Side, TimeInForce } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MsgBidLiquidation } from "@keel/proto/gen/keel/margin/v1/ladder";
import { MsgDeposit, MsgWithdraw } from "@keel/proto/gen/keel/margin/v1/tx";
import type { Message } from "../../bench/tx-bytes.ts";
import { DENOM } from "./markets.ts";

export interface Order {
  readonly instrument: Instrument;
  readonly side: "buy" | "sell";
  readonly ticks: number;
  readonly lots: number;
  readonly kind: "quote" | "rests" | "immediate";
  readonly reduceOnly?: boolean;
  /** Needed where a market collects for an auction. */
  readonly clientId?: string;
}

function newOrder(order: Order): NewOrder {
  const { instrument, side, ticks, lots, kind } = order;
  return NewOrder.fromPartial({
    market: instrument.symbol,
    side: side === "buy" ? Side.SIDE_BUY : Side.SIDE_SELL,
    type: OrderType.ORDER_TYPE_LIMIT,
    price: formatPrice(instrument, ticks),
    size: formatSize(instrument, lots),
    timeInForce:
      kind === "immediate" ? TimeInForce.TIME_IN_FORCE_IOC : TimeInForce.TIME_IN_FORCE_GTC,
    postOnly: kind === "quote",
    reduceOnly: order.reduceOnly ?? false,
    clientId: order.clientId ?? "",
  });
}

export function place(sender: string, order: Order): Message {
  const value = MsgPlaceOrder.fromPartial({ sender, ...newOrder(order) });
  return {
    typeUrl: "/keel.derivatives.v1.MsgPlaceOrder",
    value: MsgPlaceOrder.encode(value).finish(),
  };
}

export function quoteAll(sender: string, orders: readonly Order[]): Message {
  const value = MsgBatchOrders.fromPartial({ sender, orders: orders.map(newOrder) });
  return {
    typeUrl: "/keel.derivatives.v1.MsgBatchOrders",
    value: MsgBatchOrders.encode(value).finish(),
  };
}

export function cancelAll(sender: string): Message {
  const value = MsgCancelAll.encode(MsgCancelAll.fromPartial({ sender })).finish();
  return { typeUrl: "/keel.derivatives.v1.MsgCancelAll", value };
}

export function deposit(sender: string, quanta: bigint): Message {
  const value = MsgDeposit.fromPartial({ sender, denom: DENOM, amount: `${quanta}` });
  return { typeUrl: "/keel.margin.v1.MsgDeposit", value: MsgDeposit.encode(value).finish() };
}

export function withdraw(sender: string, quanta: bigint): Message {
  const value = MsgWithdraw.fromPartial({ sender, denom: DENOM, amount: `${quanta}` });
  return { typeUrl: "/keel.margin.v1.MsgWithdraw", value: MsgWithdraw.encode(value).finish() };
}

export function bidLiquidation(
  sender: string,
  bid: {
    readonly market: string;
    readonly side: "buy" | "sell";
    readonly lots: number;
    readonly ticks: number;
    readonly goodTilMs: number;
  },
): Message {
  const value = MsgBidLiquidation.fromPartial({
    ...{ sender, market: bid.market, side: bid.side },
    ...{ lots: BigInt(bid.lots), worstTicks: BigInt(bid.ticks), goodTilMs: BigInt(bid.goodTilMs) },
  });
  return {
    typeUrl: "/keel.margin.v1.MsgBidLiquidation",
    value: MsgBidLiquidation.encode(value).finish(),
  };
}
