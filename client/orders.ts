/** Orders as people write them, checked against the market before anything is signed, and turned into wire messages. */
import type { MarketView } from "@keel/proto/gen/keel/derivatives/v1/query";
import {
  MsgCancelOrder,
  MsgPlaceOrder,
  NewOrder,
  OrderRef,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  OrderType,
  SelfTradePrevention,
  Side,
  TimeInForce,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { formatDecimal, isMultiple, readDecimal, roundToStep } from "./decimal.ts";
import { KeelInputError } from "./errors.ts";
import { CLIENT_ID_BYTES_MAX } from "./limits.ts";

const SUBACCOUNT_MAX = 0xffff_ffff;

export type OrderSide = "buy" | "sell";

export interface OrderRequest {
  /** Symbol: "BTC-USD-PERP". */
  readonly market: string;
  readonly side: OrderSide;
  /** Default "limit" when a price is given, else "market". */
  readonly type?: "limit" | "market";
  /** Decimal. For a market order the worst acceptable price, or absent. */
  readonly price?: string;
  /** Decimal, in units of the base asset. */
  readonly size: string;
  /** Default: "gtc" for limit, "ioc" for market orders. */
  readonly timeInForce?: "gtc" | "ioc" | "fok";
  readonly postOnly?: boolean;
  readonly reduceOnly?: boolean;
  /** At most 32 bytes of printable ASCII, unique among the sub-account's open orders of the market. */
  readonly clientId?: string;
  /** Unix milliseconds of chain time at which a resting order is cancelled. */
  readonly goodTilMs?: bigint | number;
  readonly selfTradePrevention?: "cancel-maker" | "cancel-taker" | "cancel-both";
}

/** An open order, by the chain's id or by ours. */
export interface CancelRequest {
  readonly market: string;
  readonly orderId?: bigint;
  readonly clientId?: string;
}

const timesInForce = {
  gtc: TimeInForce.TIME_IN_FORCE_GTC,
  ioc: TimeInForce.TIME_IN_FORCE_IOC,
  fok: TimeInForce.TIME_IN_FORCE_FOK,
} as const;

const preventions = {
  "cancel-maker": SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_MAKER,
  "cancel-taker": SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_TAKER,
  "cancel-both": SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_BOTH,
} as const;

/** Who signs, and whose sub-account is traded: an empty owner is the sender. */
export interface TradingSender {
  readonly sender: string;
  readonly owner: string;
  readonly subaccount: number;
}

/** The part of a listed market that an order is checked against; neither ever changes. */
export interface MarketSteps {
  readonly symbol: string;
  readonly tickSize: string;
  readonly lotSize: string;
}

/** The steps of a market as the chain lists it. */
export function marketSteps(view: MarketView): MarketSteps {
  if (view.market === undefined)
    throw new KeelInputError("unknown-market", "market", "expected a listed market");
  const { symbol, tickSize, lotSize } = view.market;
  return { symbol, tickSize, lotSize };
}

/** Checks an order's form, tick and lot; answers its wire form. Throws KeelInputError. */
export function newOrder(request: OrderRequest, steps: MarketSteps): NewOrder {
  const type = request.type ?? (request.price === undefined ? "market" : "limit");
  if (type !== "limit" && type !== "market")
    throw new KeelInputError("invalid-order", "type", `expected "limit" or "market", got ${type}`);
  if (request.side !== "buy" && request.side !== "sell")
    throw new KeelInputError(
      "invalid-order",
      "side",
      `expected "buy" or "sell", got ${request.side}`,
    );
  if (type === "limit" && request.price === undefined)
    throw new KeelInputError("invalid-order", "price", "expected a price for a limit order");
  if (request.postOnly === true && (type === "market" || (request.timeInForce ?? "gtc") !== "gtc"))
    throw new KeelInputError(
      "invalid-order",
      "postOnly",
      "expected a good-til-cancelled limit order",
    );
  if (type === "market" && request.timeInForce === "gtc")
    throw new KeelInputError(
      "invalid-order",
      "timeInForce",
      "expected ioc or fok for a market order",
    );
  if (request.price !== undefined) requireStep("price", request.price, steps);
  requireStep("size", request.size, steps);
  return NewOrder.fromPartial({
    market: request.market,
    side: request.side === "buy" ? Side.SIDE_BUY : Side.SIDE_SELL,
    type: type === "limit" ? OrderType.ORDER_TYPE_LIMIT : OrderType.ORDER_TYPE_MARKET,
    price: request.price === undefined ? "" : formatDecimal(readDecimal("price", request.price)),
    size: formatDecimal(readDecimal("size", request.size)),
    timeInForce:
      request.timeInForce === undefined
        ? TimeInForce.TIME_IN_FORCE_UNSPECIFIED
        : timesInForce[request.timeInForce],
    postOnly: request.postOnly ?? false,
    reduceOnly: request.reduceOnly ?? false,
    clientId: checkedClientId(request.clientId),
    goodTilMs: goodTil(request.goodTilMs),
    selfTradePrevention: preventions[request.selfTradePrevention ?? "cancel-maker"],
  });
}

/** The same order as a message of its own. */
export function placeOrderMessage(from: TradingSender, order: NewOrder): MsgPlaceOrder {
  return MsgPlaceOrder.fromPartial({ ...order, ...from });
}

/** Which order to cancel; exactly one of the two ids. */
export function orderRef(request: CancelRequest): OrderRef {
  if ((request.orderId === undefined) === (request.clientId === undefined))
    throw new KeelInputError(
      "invalid-order",
      "orderId",
      "expected either an order id or a client id",
    );
  if (request.orderId !== undefined && request.orderId <= 0n)
    throw new KeelInputError(
      "invalid-order",
      "orderId",
      `expected above 0, got ${request.orderId}`,
    );
  if (request.clientId === "")
    throw new KeelInputError("invalid-order", "clientId", "expected a non-empty client id");
  return OrderRef.fromPartial({
    market: request.market,
    orderId: request.orderId ?? 0n,
    clientId: checkedClientId(request.clientId),
  });
}

export function cancelOrderMessage(from: TradingSender, ref: OrderRef): MsgCancelOrder {
  return MsgCancelOrder.fromPartial({ ...ref, ...from });
}

/** Throws KeelInputError unless `text` is a positive multiple of the market's step. */
export function requireStep(field: "price" | "size", text: string, steps: MarketSteps): void {
  const step = field === "price" ? steps.tickSize : steps.lotSize;
  if (isMultiple(field, text, step)) return;
  const name = field === "price" ? "tick" : "lot";
  const down = roundToStep(text, step, "down");
  const up = roundToStep(text, step, "up");
  const near = down === "0" || down === up ? step : `${down} or ${up}`;
  throw new KeelInputError(
    field === "price" ? "price-off-tick" : "size-off-lot",
    field,
    `expected a positive multiple of ${steps.symbol}'s ${name} ${step}, such as ${near}, got ${text}`,
  );
}

function checkedClientId(id: string | undefined): string {
  if (id === undefined) return "";
  if (!/^[\x20-\x7e]*$/.test(id) || id.length > CLIENT_ID_BYTES_MAX)
    throw new KeelInputError(
      "invalid-order",
      "clientId",
      `expected at most ${CLIENT_ID_BYTES_MAX} printable ASCII characters, got ${JSON.stringify(id.slice(0, 80))}`,
    );
  return id;
}

function goodTil(timeMs: bigint | number | undefined): bigint {
  if (timeMs === undefined) return 0n;
  if (typeof timeMs === "number" && !Number.isSafeInteger(timeMs))
    throw new KeelInputError(
      "invalid-order",
      "goodTilMs",
      `expected whole milliseconds, got ${timeMs}`,
    );
  if (timeMs <= 0)
    throw new KeelInputError("invalid-order", "goodTilMs", `expected above 0, got ${timeMs}`);
  return BigInt(timeMs);
}

export function checkedSubaccount(number: number = 0): number {
  if (!Number.isSafeInteger(number) || number < 0 || number > SUBACCOUNT_MAX)
    throw new KeelInputError(
      "invalid-option",
      "subaccount",
      `expected a whole number of 0 to ${SUBACCOUNT_MAX}, got ${number}`,
    );
  return number;
}
