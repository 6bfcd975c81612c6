/** Query routes of the liquidation ladder: what may be bid for, and how much the books are given. */
import {
  type LiquidationBid,
  type LiquidationOfferView,
  type MarketFlowView,
  QueryLiquidationFlowRequest,
  QueryLiquidationFlowResponse,
  QueryLiquidationOffersRequest,
  QueryLiquidationOffersResponse,
} from "@keel/proto/gen/keel/margin/v1/ladder";
import type { ReadContext } from "../../kit/context.ts";
import { WAD } from "../../kit/math/fixed-point.ts";
import { integerSqrt } from "../../kit/math/square-root.ts";
import { onQuery, type QueryRoute } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import { type ModelledMarkets, marketViews } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { Ladder } from "./ladder.ts";
import { VARIANCE_BITS } from "./ladder-math.ts";
import { nowMs } from "./measures.ts";
import { closingSide } from "./throttle.ts";

const ANSWER_MAX = 1_000;

export function ladderQueries(
  state: MarginState,
  markets: ModelledMarkets,
  { auction, measures }: Ladder,
): readonly QueryRoute[] {
  /** Null: all. */
  function wanted(ctx: ReadContext, symbol: string): MarketId | null {
    if (symbol === "") return null;
    const market = markets.marketId(ctx, symbol);
    if (market === undefined) throw refuse("unknownMarket", `no market "${symbol.slice(0, 40)}"`);
    return market;
  }

  const offers = onQuery({
    path: "/keel.margin.v1.Query/LiquidationOffers",
    request: QueryLiquidationOffersRequest,
    response: QueryLiquidationOffersResponse,
    handle(ctx, request) {
      const only = wanted(ctx, request.market);
      const views = marketViews(ctx, markets);
      const found: LiquidationOfferView[] = [];
      state.ladder.offers.each(ctx, ([id, market], offer) => {
        if (only !== null && market !== only) return false;
        const view = views(market);
        const reserve = state.accounts.has(ctx, id) ? auction.reserve(ctx, offer, id) : null;
        found.push({
          offer,
          market: view?.terms.symbol ?? "",
          side: closingSide(offer.lots) === "sell" ? "buy" : "sell",
          markTicks: view?.markTicks.toString() ?? "",
          reserveTicks: reserve?.toString() ?? "",
        });
        return found.length >= ANSWER_MAX;
      });
      const bids: LiquidationBid[] = [];
      const now = nowMs(ctx);
      state.ladder.bids.each(ctx, ([market], bid) => {
        if ((only === null || market === only) && bid.goodTilMs > now) bids.push(bid);
        return bids.length >= ANSWER_MAX;
      });
      return { offers: found, bids };
    },
  });

  const flow = onQuery({
    path: "/keel.margin.v1.Query/LiquidationFlow",
    request: QueryLiquidationFlowRequest,
    response: QueryLiquidationFlowResponse,
    handle(ctx, request) {
      const terms = state.params.require(ctx).ladder;
      const only = wanted(ctx, request.market);
      const views = marketViews(ctx, markets);
      const found: MarketFlowView[] = [];
      if (terms === undefined) return { markets: found };
      state.ladder.measures.each(ctx, (market, measure) => {
        const view = views(market);
        if ((only !== null && market !== only) || view === undefined) return;
        const sell = measures.flow(ctx, view, "sell", terms);
        const buy = measures.flow(ctx, view, "buy", terms);
        const square = (BigInt(measure.variance) * WAD * WAD) >> VARIANCE_BITS;
        found.push({
          market: view.terms.symbol,
          measure,
          bidDepth: sell.depth.toString(),
          askDepth: buy.depth.toString(),
          sellCapacity: sell.capacity.toString(),
          buyCapacity: buy.capacity.toString(),
          sellLeft: sell.left.toString(),
          buyLeft: buy.left.toString(),
          hourlyVolatility: integerSqrt(square).toString(),
        });
      });
      return { markets: found };
    },
  });

  return [offers, flow];
}
