/** Query routes of oracle. */
import type { PriceView } from "@keel/proto/gen/keel/oracle/v1/query";
import {
  QueryFeedsRequest,
  QueryFeedsResponse,
  QueryParamsRequest,
  QueryParamsResponse,
  QueryPriceRequest,
  QueryPriceResponse,
  QueryPricesRequest,
  QueryPricesResponse,
  QueryValidatorReportsRequest,
  QueryValidatorReportsResponse,
} from "@keel/proto/gen/keel/oracle/v1/query";
import type { Feed } from "@keel/proto/gen/keel/oracle/v1/types";
import type { ReadContext } from "../kit/context.ts";
import { divTrunc } from "../kit/math/mul-div.ts";
import type { QueryRoute } from "../kit/module.ts";
import { onQuery } from "../kit/module.ts";
import { guardQueries } from "./guard/queries.ts";
import type { OracleKeeper } from "./keeper.ts";
import { priceText } from "./price-text.ts";
import { surfaceQueries } from "./surface/queries.ts";

function view(ctx: ReadContext, keeper: OracleKeeper, feed: Feed): PriceView | undefined {
  const price = keeper.price(ctx, feed.id);
  if (price === undefined) return undefined;
  return {
    feedId: feed.id,
    symbol: feed.symbol,
    price: priceText(price.mantissa, feed.exponent),
    confidence: priceText(price.confidence, feed.exponent),
    ema: priceText(price.emaMantissa, feed.exponent),
    fresh: price.fresh,
    ageMs: divTrunc(ctx.header.timeNs - price.timeNs, 1_000_000n),
    reportingPowerPpm: price.reportingPowerPpm,
    height: BigInt(price.height),
    timeNs: price.timeNs,
  };
}

export function oracleQueries(keeper: OracleKeeper): readonly QueryRoute[] {
  return [
    onQuery({
      path: "/keel.oracle.v1.Query/Prices",
      request: QueryPricesRequest,
      response: QueryPricesResponse,
      handle: (ctx) => ({
        prices: keeper.feeds(ctx).flatMap((feed) => view(ctx, keeper, feed) ?? []),
      }),
    }),
    onQuery({
      path: "/keel.oracle.v1.Query/Price",
      request: QueryPriceRequest,
      response: QueryPriceResponse,
      handle: (ctx, named) => ({ price: view(ctx, keeper, keeper.requireFeed(ctx, named)) }),
    }),
    onQuery({
      path: "/keel.oracle.v1.Query/Feeds",
      request: QueryFeedsRequest,
      response: QueryFeedsResponse,
      handle: (ctx) => ({ feeds: [...keeper.feeds(ctx)] }),
    }),
    onQuery({
      path: "/keel.oracle.v1.Query/Params",
      request: QueryParamsRequest,
      response: QueryParamsResponse,
      handle: (ctx) => ({ params: keeper.params(ctx) }),
    }),
    onQuery({
      path: "/keel.oracle.v1.Query/ValidatorReports",
      request: QueryValidatorReportsRequest,
      response: QueryValidatorReportsResponse,
      handle: (ctx) => ({ reports: keeper.reports(ctx) }),
    }),
    ...surfaceQueries(keeper),
    ...guardQueries(keeper),
  ];
}
