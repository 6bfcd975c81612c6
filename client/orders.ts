/** Orders as people write them, checked against the market before anything is signed, and turned into wire messages. */
import type { MarketView } from "@keel/proto/gen/keel/derivatives/v1/query";
import {
  Amendment,
  MsgCancelOrder,
  MsgPlaceCombo,
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
import { formatDecimal, readDecimal } from "./decimal.ts";
import { KeelInputError } from "./errors.ts";
import {
  type BracketRequest,
  type BuilderRequest,
  bracketPart,
  builderPart,
  canonicalStep,
  checkedClientId,
  type MarketSteps,
  slippagePart,
  type TriggerRequest,
  type TwapRequest,
  triggerPart,
  twapPart,
} from "./order-parts.ts";

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
  /** Last block in which a resting or waiting order may trade. */
  readonly goodTilHeight?: bigint | number;
  readonly selfTradePrevention?: SelfTradePolicy;
  /** Market orders: worst distance from mark, within the market's band. */
  readonly maxSlippagePpm?: number;
  /** Iceberg: what shows in the book at a time. */
  readonly displaySize?: string;
  /** Waits outside the book. */
  readonly trigger?: TriggerRequest;
  /** Activated by each fill, of its size; one cancels the other. */
  readonly bracket?: BracketRequest;
  /** Executes in slices at fixed times. */
  readonly twap?: TwapRequest;
  /** Paid on top of the trading fee to who brought the order; needs the owner's approval (`fees.ts`). */
  readonly builder?: BuilderRequest;
}

export type SelfTradePolicy = "cancel-maker" | "cancel-taker" | "cancel-both" | "decrement";

/** Another price, size or trigger price of an open order; its id stays. */
export interface AmendRequest extends CancelRequest {
  readonly price?: string;
  /** Total, with what was filled already. */
  readonly size?: string;
  readonly triggerPrice?: string;
  readonly selfTradePrevention?: SelfTradePolicy;
}

export interface ComboLegRequest {
  readonly market: string;
  readonly side: OrderSide;
  readonly size: string;
}

/** Legs in 2 to 8 markets, filled at once and completely, or not at all. */
export interface ComboRequest {
  readonly legs: readonly ComboLegRequest[];
  /** Whole units in text: most that buying may cost less what selling brings, without fees; negative: least received. */
  readonly netLimit: string;
  readonly clientId?: string;
  readonly selfTradePrevention?: SelfTradePolicy;
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
  decrement: SelfTradePrevention.SELF_TRADE_PREVENTION_DECREMENT,
} as const;

/** Who signs, and whose sub-account is traded: an empty owner is the sender. */
export interface TradingSender {
  readonly sender: string;
  readonly owner: string;
  readonly subaccount: number;
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
  const side = wireSide(request.side);
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
  const price = request.price === undefined ? "" : canonicalStep("price", request.price, steps);
  const { bracket, builder, displaySize, trigger, twap } = request;
  return NewOrder.fromPartial({
    market: request.market,
    side,
    type: type === "limit" ? OrderType.ORDER_TYPE_LIMIT : OrderType.ORDER_TYPE_MARKET,
    price,
    size: canonicalStep("size", request.size, steps),
    timeInForce:
      request.timeInForce === undefined
        ? TimeInForce.TIME_IN_FORCE_UNSPECIFIED
        : timesInForce[request.timeInForce],
    postOnly: request.postOnly ?? false,
    reduceOnly: request.reduceOnly ?? false,
    clientId: checkedClientId(request.clientId),
    goodTilMs: goodTil("goodTilMs", request.goodTilMs),
    goodTilHeight: goodTil("goodTilHeight", request.goodTilHeight),
    selfTradePrevention: preventions[request.selfTradePrevention ?? "cancel-maker"],
    maxSlippagePpm: slippagePart(request.maxSlippagePpm),
    displaySize: displaySize === undefined ? "" : canonicalStep("size", displaySize, steps),
    ...(trigger === undefined ? {} : { trigger: triggerPart(trigger, steps) }),
    ...(bracket === undefined ? {} : { bracket: bracketPart(bracket, steps) }),
    ...(twap === undefined ? {} : { twap: twapPart(twap) }),
    ...(builder === undefined ? {} : { builder: builderPart(builder) }),
  });
}

function wireSide(side: OrderSide): Side {
  if (side === "buy") return Side.SIDE_BUY;
  if (side === "sell") return Side.SIDE_SELL;
  throw new KeelInputError("invalid-order", "side", `expected "buy" or "sell", got ${side}`);
}

/** Checks an amendment's form, tick and lot; answers its wire form. Throws KeelInputError. */
export function amendmentOf(request: AmendRequest, steps: MarketSteps): Amendment {
  const { price, size, triggerPrice } = request;
  if (price === undefined && size === undefined && triggerPrice === undefined)
    throw new KeelInputError("invalid-order", "price", "expected another price, size or trigger");
  return Amendment.fromPartial({
    ...orderRef(request),
    price: price === undefined ? "" : canonicalStep("price", price, steps),
    size: size === undefined ? "" : canonicalStep("size", size, steps),
    triggerPrice: triggerPrice === undefined ? "" : canonicalStep("price", triggerPrice, steps),
    selfTradePrevention: preventions[request.selfTradePrevention ?? "cancel-maker"],
  });
}

/** `steps`: of each leg's market, in order. */
export function comboMessage(
  from: { readonly sender: string; readonly subaccount: number },
  request: ComboRequest,
  steps: readonly MarketSteps[],
): MsgPlaceCombo {
  const { clientId, legs, netLimit, selfTradePrevention } = request;
  const negative = netLimit.startsWith("-");
  const size = formatDecimal(readDecimal("netLimit", negative ? netLimit.slice(1) : netLimit));
  return MsgPlaceCombo.fromPartial({
    ...from,
    legs: legs.map(({ market, side, size: legSize }, at) => ({
      market,
      side: wireSide(side),
      size: canonicalStep("size", legSize, steps[at] as MarketSteps),
    })),
    netLimit: negative && size !== "0" ? `-${size}` : size,
    clientId: checkedClientId(clientId),
    selfTradePrevention: preventions[selfTradePrevention ?? "cancel-maker"],
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

function goodTil(field: "goodTilMs" | "goodTilHeight", value: bigint | number | undefined): bigint {
  if (value === undefined) return 0n;
  const unit = field === "goodTilMs" ? "milliseconds" : "blocks";
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw new KeelInputError("invalid-order", field, `expected whole ${unit}, got ${value}`);
  if (value <= 0)
    throw new KeelInputError("invalid-order", field, `expected above 0, got ${value}`);
  return BigInt(value);
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
