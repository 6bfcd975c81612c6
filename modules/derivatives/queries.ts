/** Queries of derivatives; each folder has those of its own part. */
import type { MarketView, OrderView } from "@keel/proto/gen/keel/derivatives/v1/query";
import {
  QueryFundingRequest,
  QueryFundingResponse,
  QueryMarketRequest,
  QueryMarketResponse,
  QueryMarketsRequest,
  QueryMarketsResponse,
  QueryOrderRequest,
  QueryOrderResponse,
  QueryOrdersRequest,
  QueryOrdersResponse,
  QueryParamsRequest,
  QueryParamsResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import type { AccountId } from "../kit/account-id.ts";
import { u32Key } from "../kit/collections/codecs.ts";
import type { ReadContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import type { QueryRoute } from "../kit/module.ts";
import { onQuery } from "../kit/module.ts";
import { sdkError } from "../kit/sdk-errors.ts";
import { collectedIn } from "./auction/collected.ts";
import { auctionQuery, collectedView } from "./auction/query.ts";
import { fundingTerms } from "./blocks.ts";
import { bookLevels, bookQueries } from "./book/queries.ts";
import { refuse } from "./errors.ts";
import { predictedRate } from "./funding.ts";
import { datedView, instrumentQueries } from "./instruments/queries.ts";
import { formatPrice, formatSize, type Instrument, instrumentAt } from "./instruments.ts";
import { MARKETS_PAGE_MAX } from "./limits.ts";
import { markQueries } from "./marking/queries.ts";
import { markOf } from "./marks.ts";
import { marketsWithOrders } from "./occupied.ts";
import { instrumentById, nowMs, requireInstrument, type Venue } from "./venue.ts";
import { waitingQueries, waitingView } from "./waiting/queries.ts";

/** Behind every key that begins with the one before it. */
const LAST = "\0";
const PATH = "/keel.derivatives.v1.Query";

export function derivativesQueries(venue: Venue): readonly QueryRoute[] {
  const { addresses, clearing, state } = venue;

  function view(ctx: ReadContext, instrument: Instrument): MarketView {
    const mark = markOf(ctx, venue, instrument);
    const counters = state.counters.get(ctx, instrument.id);
    const last = counters?.lastTradeTicks ?? 0n;
    return {
      market: instrument.market,
      quantaPerTickLot: instrument.quantaPerTickLot.toString(),
      markPrice: mark === undefined ? "" : formatPrice(instrument, mark.ticks),
      markFresh: mark?.fresh === true,
      bestBid: bookLevels(ctx, venue, instrument, "buy", 1)[0]?.price ?? "",
      bestAsk: bookLevels(ctx, venue, instrument, "sell", 1)[0]?.price ?? "",
      lastPrice: last === 0n ? "" : formatPrice(instrument, last),
      openInterest: formatSize(instrument, clearing.openInterestLots(ctx, instrument.id)),
      fundingRate8hPpm: state.funding.get(ctx, instrument.id)?.rate8hPpm ?? 0n,
      ...datedView(ctx, venue, instrument),
    };
  }

  /** Those with orders, or the one asked for. */
  function instruments(ctx: ReadContext, symbol: string): Instrument[] {
    if (symbol !== "") return [requireInstrument(ctx, venue, symbol)];
    return marketsWithOrders(ctx, state).flatMap((id) => instrumentById(ctx, venue, id) ?? []);
  }

  function orderView(ctx: ReadContext, instrument: Instrument, slot: number): OrderView {
    const book = venue.books.of(ctx, instrument.id);
    const { side, ticks, id, priority } = book.read(slot);
    const order = state.orders.get(ctx, { market: instrument.id, side, ticks, priority });
    assert(order !== undefined, `order ${id} is in the book but not in state`);
    return {
      market: instrument.symbol,
      orderId: order.id,
      owner: addresses.format(order.owner),
      subaccount: order.subaccount,
      side: order.side,
      price: formatPrice(instrument, order.priceTicks),
      size: formatSize(instrument, order.sizeLots),
      remainingSize: formatSize(instrument, order.remainingLots + order.hiddenLots),
      postOnly: order.postOnly,
      reduceOnly: order.reduceOnly,
      clientId: order.clientId,
      goodTilMs: order.goodTilMs,
      placedHeight: order.placedHeight,
      goodTilHeight: order.goodTilHeight,
      hiddenSize: order.hiddenLots === 0n ? "" : formatSize(instrument, order.hiddenLots),
      ocoId: order.ocoId,
    };
  }

  function accountOf(request: { readonly owner: string; readonly subaccount: number }): AccountId {
    return venue.accounts.of(request.owner, request.subaccount);
  }

  return [
    onQuery({
      path: `${PATH}/Markets`,
      request: QueryMarketsRequest,
      response: QueryMarketsResponse,
      handle(ctx, { after, limit, underlying }) {
        if (limit > MARKETS_PAGE_MAX) {
          throw refuse("invalidRequest", `expected a limit of at most ${MARKETS_PAGE_MAX}`);
        }
        const most = limit === 0 ? MARKETS_PAGE_MAX : limit;
        const page: Instrument[] = [];
        let more = false;
        state.markets.eachBetween(ctx, u32Key.encode(after) + LAST, undefined, (_id, market) => {
          if (underlying !== "" && market.baseAsset !== underlying) return false;
          more = page.length === most;
          if (!more) page.push(instrumentAt(market, nowMs(ctx)));
          return more;
        });
        const next = more ? (page[page.length - 1]?.id ?? 0) : 0;
        return { markets: page.map((instrument) => view(ctx, instrument)), next };
      },
    }),
    onQuery({
      path: `${PATH}/Market`,
      request: QueryMarketRequest,
      response: QueryMarketResponse,
      handle: (ctx, { market }) => ({ market: view(ctx, requireInstrument(ctx, venue, market)) }),
    }),
    ...bookQueries(venue),
    onQuery({
      path: `${PATH}/Orders`,
      request: QueryOrdersRequest,
      response: QueryOrdersResponse,
      derives: true,
      handle(ctx, request) {
        const account = accountOf(request);
        return {
          orders: instruments(ctx, request.market).flatMap((instrument) => [
            ...venue.books
              .of(ctx, instrument.id)
              .ordersOf(account)
              .map((slot) => orderView(ctx, instrument, slot)),
            ...collectedIn(ctx, venue, instrument, account).map((order) =>
              collectedView(venue, instrument, order),
            ),
          ]),
        };
      },
    }),
    onQuery({
      path: `${PATH}/Order`,
      request: QueryOrderRequest,
      response: QueryOrderResponse,
      derives: true,
      handle(ctx, request) {
        const instrument = requireInstrument(ctx, venue, request.market);
        const book = venue.books.of(ctx, instrument.id);
        const given = Number(request.orderId);
        const id = Number.isSafeInteger(given) ? given : 0;
        const named = request.orderId === 0n;
        const slot = named
          ? book.findByClientId(accountOf(request), request.clientId)
          : book.find(id);
        if (slot !== 0) {
          return { order: orderView(ctx, instrument, slot), waiting: undefined };
        }
        const index = venue.waiting.of(ctx, instrument.id);
        const waitingId = named ? index.findByClientId(accountOf(request), request.clientId) : id;
        const waiting = waitingView(ctx, venue, instrument, waitingId);
        if (waiting !== undefined) return { order: undefined, waiting };
        // By its client id alone: it has no other name yet.
        const own = named ? collectedIn(ctx, venue, instrument, accountOf(request)) : [];
        const collected = own.find(({ clientId }) => clientId === request.clientId);
        if (collected === undefined) throw sdkError("notFound", "no such open order");
        return { order: collectedView(venue, instrument, collected), waiting: undefined };
      },
    }),
    auctionQuery(venue),
    ...waitingQueries(venue, instruments),
    ...markQueries(venue),
    onQuery({
      path: `${PATH}/Funding`,
      request: QueryFundingRequest,
      response: QueryFundingResponse,
      handle(ctx, { market }) {
        const instrument = requireInstrument(ctx, venue, market);
        const funding = state.funding.get(ctx, instrument.id);
        if (funding === undefined) throw refuse("invalidRequest", `${market} has no funding`);
        const terms = fundingTerms(instrument, 0n);
        return {
          rate8hPpm: funding.rate8hPpm,
          predictedRate8hPpm: predictedRate(funding, terms),
          premiumPpm: funding.premiumPpm,
          index: funding.index,
          samplesPpm: funding.samplesPpm,
          nextRateAtS: (funding.hour + 1n) * 3600n,
          rateMax8hPpm: terms.rateClampPpm,
          history: state.fundingHistory.get(ctx, instrument.id)?.points ?? [],
        };
      },
    }),
    onQuery({
      path: `${PATH}/Params`,
      request: QueryParamsRequest,
      response: QueryParamsResponse,
      handle: (ctx) => ({ params: state.params.require(ctx) }),
    }),
    ...instrumentQueries(venue, view),
  ];
}
