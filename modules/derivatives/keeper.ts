/** What derivatives offers to the rest of the chain: markets and marks for margin, and the operations behind the messages. */
import type {
  MsgAmendOrderResponse,
  MsgCancelOrderResponse,
  MsgPlaceComboResponse,
  MsgPlaceOcoResponse,
  MsgPlaceOrderResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type {
  Market,
  MarketStatus,
  MarketTerms,
  Params,
  Series,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import {
  callAuction,
  collects,
  isBatch,
  openAfterHalt,
  outsideOpenings,
} from "./auction/opening.ts";
import { collectOrder } from "./auction/orders.ts";
import { beginBlock, endBlock, endRound } from "./blocks.ts";
import { depthLots, thinnerDepthLots } from "./book/depth.ts";
import { pruneDocuments } from "./external/records.ts";
import { takeActions } from "./fees/budget.ts";
import { type MarketRisk, marketRisk } from "./instruments/market-risk.ts";
import { settlementValueOf } from "./instruments/valuation.ts";
import type { Instrument } from "./instruments.ts";
import { pruneGrants } from "./keys/grants.ts";
import { listByAnyone } from "./listing/listing.ts";
import { createMarket, forfeit, quarantineMarket, updateMarket } from "./listing/markets.ts";
import { createSeries, updateSeries } from "./listing/series.ts";
import type { Mark } from "./marking/mark.ts";
import { booklessMarkOf, markOf } from "./marks.ts";
import { type Amendment, amendOrder } from "./orders/amending.ts";
import { cancelAll, cancelAllFor, cancelOrder, type OrderName } from "./orders/cancelling.ts";
import { type Combo, placeCombo } from "./orders/combos.ts";
import { type LiquidationOrder, liquidateAtBook } from "./orders/liquidation.ts";
import { placeOrder } from "./orders/placing.ts";
import {
  cancelForProtocol,
  type OpenProtocolOrder,
  openProtocolOrders,
  type ProtocolOrder,
  placeForProtocol,
} from "./orders/protocol.ts";
import type { OrderRequest } from "./orders/requests.ts";
import type { MarketId, Side } from "./ports.ts";
import { settleable, settled } from "./settlement/settling.ts";
import { endMarket, stopMarket } from "./settlement/stops.ts";
import { findMarketId, instrumentById, requireInstrument, type Venue } from "./venue.ts";
import { setDeadMan } from "./waiting/dead-man.ts";
import { placeOco } from "./waiting/pairs.ts";

export interface DerivativesKeeper {
  marketIds(ctx: ReadContext): readonly MarketId[];
  /** Scales, tiers, status (halted while it collects for an opening) and bands; undefined for an unknown market. */
  terms(ctx: ReadContext, market: MarketId): Instrument | undefined;
  /** undefined before the first price, and never after. Throws on a bug in computing it, unless the market is quarantined. */
  mark(ctx: ReadContext, market: MarketId): Mark | undefined;
  /** The same without the market's own book: what somebody quotes at whose quotes are a part of that book. */
  booklessMark(ctx: ReadContext, market: MarketId): Mark | undefined;
  /** What a margin model prices it by; undefined without a price, and once settled. */
  risk(ctx: ReadContext, market: MarketId): MarketRisk | undefined;
  /** Whole quanta per lot paid by longs since listing. */
  fundingIndex(ctx: ReadContext, market: MarketId): bigint;
  /** Cancels every open order of the account, in every market. */
  cancelOrders(ctx: WriteContext, account: AccountId, reason: string): void;
  /** Immediate-or-cancel without taker fee; returns the filled lots. */
  liquidateAtBook(ctx: WriteContext, order: LiquidationOrder): bigint;
  /** Lots resting on `side` at `limitTicks` or better. */
  depthLots(
    ctx: ReadContext,
    at: { readonly market: MarketId; readonly side: Side; readonly limitTicks: bigint },
  ): bigint;
  quarantine(ctx: WriteContext, market: MarketId, reason: string): void;
  /** Expired markets without orders whose value is known: margin pays their positions now. */
  settleable(ctx: ReadContext): readonly MarketId[];
  /** Quanta per lot at which an expired market settles; undefined for all others, and before it is known. */
  settlementValue(ctx: ReadContext, market: MarketId): bigint | undefined;
  /** No position of the market is left. */
  settled(ctx: WriteContext, market: MarketId): void;
  /** A loss that nobody bears stops the market, or stops it no longer. */
  stop(ctx: WriteContext, market: MarketId, stopped: boolean): void;
  /** Ends it at its mark: it settles as an expired market does. Null: its price does not allow it now. */
  end(
    ctx: WriteContext,
    market: MarketId,
  ): { readonly quantaPerLot: bigint; readonly markTicks: bigint } | null;

  /** A call auction of at least this length; false where the market does not trade or has no auction terms. */
  callAuction(ctx: WriteContext, market: MarketId, lengthMs: number, reason: string): boolean;
  /** What the guard had halted trades again: an opening where the market has one. */
  openAfterHalt(ctx: WriteContext, market: MarketId): void;
  /** Lots of the thinner side of the book within this of the mark; undefined without a fresh mark. */
  thinnerDepthLots(ctx: ReadContext, market: MarketId, rangePpm: bigint): bigint | undefined;

  marketId(ctx: ReadContext, symbol: string): MarketId | undefined;
  /** Of one of the protocol's own accounts: resting orders, oldest first, then those collected for an auction. */
  openOrders(ctx: ReadContext, account: AccountId, market: MarketId): readonly OpenProtocolOrder[];
  /** As an order of anyone; throws ModuleError to refuse and leaves reverting to the caller. */
  placeForProtocol(ctx: WriteContext, order: ProtocolOrder): void;
  cancelForProtocol(
    ctx: WriteContext,
    order: { readonly account: AccountId; readonly market: MarketId; readonly clientId: string },
  ): void;

  params(ctx: ReadContext): Params;
  /** All below throw ModuleError to refuse and leave reverting to the caller. */
  place(ctx: WriteContext, account: AccountId, request: OrderRequest): MsgPlaceOrderResponse;
  cancel(ctx: WriteContext, account: AccountId, name: OrderName): MsgCancelOrderResponse;
  amend(ctx: WriteContext, account: AccountId, amendment: Amendment): MsgAmendOrderResponse;
  placeOco(
    ctx: WriteContext,
    account: AccountId,
    legs: readonly [OrderRequest, OrderRequest],
  ): MsgPlaceOcoResponse;
  placeCombo(ctx: WriteContext, account: AccountId, combo: Combo): MsgPlaceComboResponse;
  /** Unix milliseconds; 0: off. */
  setDeadMan(ctx: WriteContext, account: AccountId, deadlineMs: bigint): void;
  /** Empty symbol: in every market. Returns how many. */
  cancelAll(ctx: WriteContext, account: AccountId, symbol: string): number;
  createMarket(ctx: WriteContext, listing: Market): MarketId;
  updateMarket(
    ctx: WriteContext,
    symbol: string,
    change: { readonly status: MarketStatus; readonly terms: MarketTerms | undefined },
  ): void;
  /** Anyone's listing against a bond. */
  listMarket(ctx: WriteContext, sender: string, wanted: Market): Market;
  createSeries(ctx: WriteContext, series: Series): number;
  updateSeries(ctx: WriteContext, series: Series): void;
  /** The bond of the market goes to the authority. */
  forfeitBond(ctx: WriteContext, symbol: string, authority: string): void;
  beginBlock(ctx: WriteContext): void;
  endBlock(ctx: WriteContext): void;
  /** After the block's listed transactions, before all others, or at the begin of the next block in the context of this one: its round. */
  endRound(ctx: WriteContext): void;
}

export function createKeeper(venue: Venue): DerivativesKeeper {
  const { state } = venue;
  return {
    marketIds(ctx) {
      const ids: MarketId[] = [];
      state.markets.each(ctx, (id) => void ids.push(id));
      return ids;
    },
    terms(ctx, market) {
      const instrument = instrumentById(ctx, venue, market);
      return instrument === undefined ? undefined : outsideOpenings(ctx, venue, instrument);
    },
    mark(ctx, market) {
      const instrument = instrumentById(ctx, venue, market);
      return instrument === undefined ? undefined : markOf(ctx, venue, instrument);
    },
    booklessMark(ctx, market) {
      const instrument = instrumentById(ctx, venue, market);
      return instrument === undefined ? undefined : booklessMarkOf(ctx, venue, instrument);
    },
    risk(ctx, market) {
      const instrument = instrumentById(ctx, venue, market);
      return instrument === undefined ? undefined : marketRisk(ctx, venue, instrument);
    },
    fundingIndex: (ctx, market) => state.funding.get(ctx, market)?.index ?? 0n,
    cancelOrders: (ctx, account, reason) => void cancelAll(ctx, venue, account, reason),
    liquidateAtBook: (ctx, order) => liquidateAtBook(ctx, venue, order),
    depthLots: (ctx, at) => depthLots(ctx, venue, at),
    quarantine: (ctx, market, reason) => quarantineMarket(ctx, venue, market, reason),
    settleable: (ctx) => settleable(ctx, venue),
    settlementValue(ctx, market) {
      const instrument = instrumentById(ctx, venue, market);
      return instrument === undefined ? undefined : settlementValueOf(ctx, venue, instrument);
    },
    settled: (ctx, market) => settled(ctx, venue, market),
    stop: (ctx, market, stopped) => stopMarket(ctx, venue, market, stopped),
    end: (ctx, market) => endMarket(ctx, venue, market),

    callAuction(ctx, market, delayMs, reason) {
      const instrument = instrumentById(ctx, venue, market);
      if (instrument === undefined) return false;
      return callAuction(ctx, venue, instrument, { delayMs, reason });
    },
    openAfterHalt(ctx, market) {
      const instrument = instrumentById(ctx, venue, market);
      if (instrument !== undefined) openAfterHalt(ctx, venue, instrument);
    },
    thinnerDepthLots(ctx, market, rangePpm) {
      const instrument = instrumentById(ctx, venue, market);
      const mark = instrument === undefined ? undefined : markOf(ctx, venue, instrument);
      if (instrument === undefined || mark?.fresh !== true) return undefined;
      return thinnerDepthLots(instrument, venue.books.of(ctx, market), mark, rangePpm);
    },

    marketId: (ctx, symbol) => findMarketId(ctx, venue, symbol),
    openOrders: (ctx, account, market) => openProtocolOrders(ctx, venue, account, market),
    placeForProtocol: (ctx, order) => placeForProtocol(ctx, venue, order),
    cancelForProtocol: (ctx, order) => cancelForProtocol(ctx, venue, order),

    params: (ctx) => state.params.require(ctx),
    place(ctx, account, request) {
      const { reduceOnly, twap } = request;
      takeActions(ctx, venue, account, { actions: twap?.slices ?? 1, reduceOnly });
      const instrument = requireInstrument(ctx, venue, request.market);
      // An order that waits for its trigger or time enters no auction; where all matching is by auction it could never be placed.
      const waits = !isBatch(instrument) && (request.trigger !== null || request.twap !== null);
      const route = !waits && collects(ctx, venue, instrument) ? collectOrder : placeOrder;
      return route(ctx, venue, instrument, account, request);
    },
    cancel: (ctx, account, name) => cancelOrder(ctx, venue, account, name),
    amend(ctx, account, amendment) {
      takeActions(ctx, venue, account, { actions: 1, reduceOnly: false });
      return amendOrder(ctx, venue, account, amendment);
    },
    placeOco(ctx, account, legs) {
      const reduceOnly = legs.every((leg) => leg.reduceOnly);
      takeActions(ctx, venue, account, { actions: legs.length, reduceOnly });
      return placeOco(ctx, venue, account, legs);
    },
    placeCombo(ctx, account, combo) {
      takeActions(ctx, venue, account, { actions: combo.legs.length, reduceOnly: false });
      return placeCombo(ctx, venue, account, combo);
    },
    setDeadMan: (ctx, account, deadlineMs) => setDeadMan(ctx, venue, account, deadlineMs),
    cancelAll(ctx, account, symbol) {
      if (symbol === "") return cancelAll(ctx, venue, account);
      return cancelAllFor(ctx, venue, requireInstrument(ctx, venue, symbol), account);
    },
    createMarket: (ctx, listing) => createMarket(ctx, venue, listing),
    updateMarket: (ctx, symbol, change) => updateMarket(ctx, venue, symbol, change),
    listMarket: (ctx, sender, wanted) => listByAnyone(ctx, venue, sender, wanted),
    createSeries: (ctx, series) => createSeries(ctx, venue, series),
    updateSeries: (ctx, series) => updateSeries(ctx, venue, series),
    forfeitBond: (ctx, symbol, authority) => forfeit(ctx, venue, symbol, authority),
    beginBlock(ctx) {
      beginBlock(ctx, venue);
      pruneDocuments(ctx, venue);
      pruneGrants(ctx, venue);
    },
    endBlock: (ctx) => endBlock(ctx, venue),
    endRound: (ctx) => endRound(ctx, venue),
  };
}
