/** The queries of liquidation and of who bears its losses, a part of all methods. */
import * as ladder from "@keel/proto/gen/keel/margin/v1/ladder";
import * as settlement from "@keel/proto/gen/keel/margin/v1/settlement";
import * as waterfall from "@keel/proto/gen/keel/margin/v1/waterfall";
import type { Method } from "./method.ts";

export interface WaterfallMethods {
  readonly marketEndings: Method<
    settlement.QueryMarketEndingsRequest,
    settlement.QueryMarketEndingsResponse
  >;
  readonly liquidationOffers: Method<
    ladder.QueryLiquidationOffersRequest,
    ladder.QueryLiquidationOffersResponse
  >;
  readonly liquidationFlow: Method<
    ladder.QueryLiquidationFlowRequest,
    ladder.QueryLiquidationFlowResponse
  >;
  readonly waterfall: Method<waterfall.QueryWaterfallRequest, waterfall.QueryWaterfallResponse>;
  readonly deleverageRank: Method<
    waterfall.QueryDeleverageRankRequest,
    waterfall.QueryDeleverageRankResponse
  >;
  readonly resilience: Method<waterfall.QueryResilienceRequest, waterfall.QueryResilienceResponse>;
  readonly fundTargets: Method<
    waterfall.QueryFundTargetsRequest,
    waterfall.QueryFundTargetsResponse
  >;
}

export const waterfallMethods: WaterfallMethods = {
  marketEndings: {
    path: "/keel.margin.v1.Query/MarketEndings",
    request: settlement.QueryMarketEndingsRequest,
    answer: settlement.QueryMarketEndingsResponse,
  },
  liquidationOffers: {
    path: "/keel.margin.v1.Query/LiquidationOffers",
    request: ladder.QueryLiquidationOffersRequest,
    answer: ladder.QueryLiquidationOffersResponse,
  },
  liquidationFlow: {
    path: "/keel.margin.v1.Query/LiquidationFlow",
    request: ladder.QueryLiquidationFlowRequest,
    answer: ladder.QueryLiquidationFlowResponse,
  },
  waterfall: {
    path: "/keel.margin.v1.Query/Waterfall",
    request: waterfall.QueryWaterfallRequest,
    answer: waterfall.QueryWaterfallResponse,
  },
  deleverageRank: {
    path: "/keel.margin.v1.Query/DeleverageRank",
    request: waterfall.QueryDeleverageRankRequest,
    answer: waterfall.QueryDeleverageRankResponse,
  },
  resilience: {
    path: "/keel.margin.v1.Query/Resilience",
    request: waterfall.QueryResilienceRequest,
    answer: waterfall.QueryResilienceResponse,
  },
  fundTargets: {
    path: "/keel.margin.v1.Query/FundTargets",
    request: waterfall.QueryFundTargetsRequest,
    answer: waterfall.QueryFundTargetsResponse,
  },
};
