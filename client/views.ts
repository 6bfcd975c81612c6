/** What queries answer, for people: money as bigint quanta, sizes and prices as decimal text, names instead of numbers. */
import type {
  BookLevel,
  MarketView,
  OrderView,
  WaitingOrderView,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import {
  MarketStatus,
  OrderType,
  Side,
  TriggerKind,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountView, PositionView } from "@keel/proto/gen/keel/margin/v1/query";
import { timesStep } from "./decimal.ts";
import { KeelConnectionError } from "./errors.ts";
import { type Contract, contractOf } from "./instruments.ts";
import type { MarketSteps } from "./order-parts.ts";
import type { OrderSide } from "./orders.ts";

/** Finds a market's steps by its id. */
export type StepsOf = (marketId: number) => MarketSteps;

export interface Position {
  readonly market: string;
  /** Decimal in base units, long positive. */
  readonly size: string;
  /** -quote / size at the market's tick, to nearest: what the position was opened at, funding included. */
  readonly entryPrice: string;
  readonly markPrice: string;
  readonly notional: bigint;
  readonly unrealisedPnl: bigint;
  readonly initialRequirement: bigint;
  readonly maintenanceRequirement: bigint;
  /** Mark at which the account would be liquidated if only this market moved. */
  readonly liquidationPrice: string | undefined;
  readonly openBuySize: string;
  readonly openSellSize: string;
  /** By which its tiers are chosen: sizes without sign of all the owner's sub-accounts in the market; and the maintenance rate that follows, of notional. */
  readonly ownerSize: string;
  readonly maintenanceRatePpm: bigint;
  /** The mark is fresh. */
  readonly fresh: boolean;
}

/** One sub-account at present marks. Money in quanta. */
export interface AccountHealth {
  readonly owner: string;
  readonly subaccount: number;
  readonly collateral: bigint;
  readonly equity: bigint;
  readonly initialRequirement: bigint;
  readonly maintenanceRequirement: bigint;
  readonly freeCollateral: bigint;
  readonly feeReserve: bigint;
  /** What insurance funds have paid for the account and take back of what it comes to be worth: above zero nothing goes in or out meanwhile. */
  readonly owedToFunds: bigint;
  /** Equity / maintenance requirement in ppm; undefined without positions. Below 1,000,000 the account is liquidated. */
  readonly healthPpm: bigint | undefined;
  readonly fresh: boolean;
  readonly positions: readonly Position[];
}

export interface OpenOrder {
  readonly market: string;
  readonly orderId: bigint;
  readonly owner: string;
  readonly subaccount: number;
  readonly side: OrderSide;
  readonly price: string;
  readonly size: string;
  readonly remainingSize: string;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  readonly clientId: string;
  readonly goodTilMs: bigint;
  readonly placedHeight: bigint;
  /** Last block in which it may trade; 0: no bound. */
  readonly goodTilHeight: bigint;
  /** Iceberg: what of the remaining size does not show; empty: nothing. */
  readonly hiddenSize: string;
  /** The other order of its pair; 0: none. */
  readonly ocoId: bigint;
}

export type WaitingKind = "stop" | "take-profit" | "trailing-stop" | "twap";

/** A conditional order or TWAP. Prices are empty where they do not apply. */
export interface WaitingOrder extends Omit<WaitingOrderView, "side" | "kind" | "type"> {
  readonly side: OrderSide;
  readonly kind: WaitingKind;
  readonly type: "limit" | "market";
}

export interface OrderBook {
  readonly market: string;
  /** Best first. */
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
  readonly sequence: bigint;
  readonly height: bigint;
  /** CRC-32 of the best levels, as `bookChecksum` of `@keel/proto/bytes/book-checksum` makes it. */
  readonly checksum: number;
}

export type MarketState =
  | "proposed"
  | "active"
  | "close-only"
  | "halted"
  | "quarantined"
  | "settling"
  | "settled";

export interface MarketInfo extends MarketSteps {
  readonly id: number;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly feedId: number;
  readonly status: MarketState;
  /** Undefined before the first price. */
  readonly markPrice: string | undefined;
  readonly markFresh: boolean;
  readonly bestBid: string | undefined;
  readonly bestAsk: string | undefined;
  readonly lastPrice: string | undefined;
  /** Base units. */
  readonly openInterest: string;
  /** Of perpetuals. */
  readonly fundingRate8hPpm: bigint;
  readonly contract: Contract;
  /** Of dated contracts: the price expected at settlement, and that price once it is known. */
  readonly forwardPrice: string | undefined;
  readonly settlementPrice: string | undefined;
  /** Annual, of options. */
  readonly volatility: string | undefined;
  readonly takerFeePpm: number;
  readonly makerFeePpm: number;
  /** Requirement schedule, first tier at 0. Options have none: their requirement is per lot. */
  readonly tiers: readonly {
    readonly aboveQuanta: bigint;
    readonly initialPpm: bigint;
    readonly maintenancePpm: bigint;
  }[];
  readonly openOrdersMax: number;
}

const states: Readonly<Record<number, MarketState>> = {
  [MarketStatus.MARKET_STATUS_ACTIVE]: "active",
  [MarketStatus.MARKET_STATUS_CLOSE_ONLY]: "close-only",
  [MarketStatus.MARKET_STATUS_HALTED]: "halted",
  [MarketStatus.MARKET_STATUS_QUARANTINED]: "quarantined",
  [MarketStatus.MARKET_STATUS_PROPOSED]: "proposed",
  [MarketStatus.MARKET_STATUS_SETTLING]: "settling",
  [MarketStatus.MARKET_STATUS_SETTLED]: "settled",
};

const orUndefined = (text: string): string | undefined => (text === "" ? undefined : text);

/** An integer in text; empty is zero. */
export function integer(where: string, text: string): bigint {
  if (text === "") return 0n;
  if (!/^-?[0-9]{1,60}$/.test(text))
    throw new KeelConnectionError(
      "bad-answer",
      `${where}: expected an integer, got ${text.slice(0, 80)}`,
    );
  return BigInt(text);
}

export function marketInfo(view: MarketView): MarketInfo {
  const { market } = view;
  const status = states[market?.status ?? 0];
  const contract = market === undefined ? undefined : contractOf(market);
  if (market === undefined || status === undefined || contract === undefined)
    throw new KeelConnectionError("bad-answer", "expected a market of a known kind and status");
  return {
    id: market.id,
    symbol: market.symbol,
    baseAsset: market.baseAsset,
    quoteAsset: market.quoteAsset,
    feedId: market.feedId,
    tickSize: market.tickSize,
    lotSize: market.lotSize,
    status,
    markPrice: orUndefined(view.markPrice),
    markFresh: view.markFresh,
    bestBid: orUndefined(view.bestBid),
    bestAsk: orUndefined(view.bestAsk),
    lastPrice: orUndefined(view.lastPrice),
    openInterest: view.openInterest,
    fundingRate8hPpm: view.fundingRate8hPpm,
    contract,
    forwardPrice: orUndefined(view.forwardPrice),
    settlementPrice: orUndefined(view.settlementPrice),
    volatility: orUndefined(view.volatility),
    takerFeePpm: market.terms?.takerFeePpm ?? 0,
    makerFeePpm: market.terms?.makerFeePpm ?? 0,
    tiers: (market.terms?.tiers ?? []).map((tier) => ({
      aboveQuanta: integer("tier", tier.aboveQuanta),
      initialPpm: tier.initialPpm,
      maintenancePpm: tier.maintenancePpm,
    })),
    openOrdersMax: market.terms?.openOrdersMax ?? 0,
  };
}

export function openOrder(view: OrderView): OpenOrder {
  const { side, ...rest } = view;
  return { ...rest, side: side === Side.SIDE_BUY ? "buy" : "sell" };
}

const waitingKinds: Readonly<Record<number, WaitingKind>> = {
  [TriggerKind.TRIGGER_KIND_STOP]: "stop",
  [TriggerKind.TRIGGER_KIND_TAKE_PROFIT]: "take-profit",
  [TriggerKind.TRIGGER_KIND_TRAILING_STOP]: "trailing-stop",
  [TriggerKind.TRIGGER_KIND_TWAP]: "twap",
};

export function waitingOrder(view: WaitingOrderView): WaitingOrder {
  const { kind: wireKind, side, type, ...rest } = view;
  const kind = waitingKinds[wireKind];
  if (kind === undefined)
    throw new KeelConnectionError("bad-answer", `unknown kind of waiting order ${wireKind}`);
  return {
    ...rest,
    kind,
    side: side === Side.SIDE_BUY ? "buy" : "sell",
    type: type === OrderType.ORDER_TYPE_LIMIT ? "limit" : "market",
  };
}

export function accountHealth(view: AccountView, stepsOf: StepsOf): AccountHealth {
  const money = (text: string): bigint => integer("account", text);
  return {
    owner: view.owner,
    subaccount: view.subaccount,
    collateral: money(view.collateral),
    equity: money(view.equity),
    initialRequirement: money(view.initialRequirement),
    maintenanceRequirement: money(view.maintenanceRequirement),
    freeCollateral: money(view.freeCollateral),
    feeReserve: money(view.feeReserve),
    owedToFunds: money(view.owedToFunds),
    healthPpm: view.healthPpm === "" ? undefined : money(view.healthPpm),
    fresh: view.fresh,
    positions: view.positions.map((each) => position(each, stepsOf(each.marketId))),
  };
}

export function position(view: PositionView, steps: MarketSteps): Position {
  const lots = integer("lots", view.lots);
  return {
    market: view.market,
    size: timesStep(lots, steps.lotSize),
    entryPrice: timesStep(entryTicks(view, lots), steps.tickSize),
    markPrice: timesStep(integer("mark", view.markTicks), steps.tickSize),
    notional: integer("notional", view.notional),
    unrealisedPnl: integer("unrealised PnL", view.unrealisedPnl),
    initialRequirement: integer("initial requirement", view.initialRequirement),
    maintenanceRequirement: integer("maintenance requirement", view.maintenanceRequirement),
    liquidationPrice:
      view.liquidationTicks === ""
        ? undefined
        : timesStep(integer("liquidation price", view.liquidationTicks), steps.tickSize),
    openBuySize: timesStep(integer("open buys", view.openBuyLots), steps.lotSize),
    openSellSize: timesStep(integer("open sells", view.openSellLots), steps.lotSize),
    ownerSize: timesStep(integer("owner lots", view.ownerLots), steps.lotSize),
    maintenanceRatePpm: view.maintenanceRatePpm,
    fresh: view.fresh,
  };
}

/** quote = -lots × entry ticks × quanta per tick-lot, and notional = |lots| × mark ticks × the same: so the ratio gives the entry. */
function entryTicks(view: PositionView, lots: bigint): bigint {
  const notional = integer("notional", view.notional);
  const mark = integer("mark", view.markTicks);
  if (lots === 0n || notional === 0n) return 0n;
  const cost = lots > 0n ? -integer("quote", view.quote) : integer("quote", view.quote);
  return cost <= 0n ? 0n : (cost * mark + notional / 2n) / notional;
}
