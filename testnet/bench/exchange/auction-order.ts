/** An order for one auction, which it leaves filled or not. */
import { MsgPlaceOrder } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderType, Side, TimeInForce } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { Trader } from "../trader.ts";
import type { Message } from "../tx-bytes.ts";

/** `ticks` of 0.1. */
export function auctionOrder(
  trader: Trader,
  clientId: string,
  buys: boolean,
  ticks: number,
): Message {
  const value = MsgPlaceOrder.fromPartial({
    sender: trader.address,
    market: "BTC-PERP",
    side: buys ? Side.SIDE_BUY : Side.SIDE_SELL,
    type: OrderType.ORDER_TYPE_LIMIT,
    price: ticks % 10 === 0 ? `${ticks / 10}` : `${Math.trunc(ticks / 10)}.${ticks % 10}`,
    size: "0.002",
    timeInForce: TimeInForce.TIME_IN_FORCE_IOC,
    clientId,
  });
  return {
    typeUrl: "/keel.derivatives.v1.MsgPlaceOrder",
    value: MsgPlaceOrder.encode(value).finish(),
  };
}
