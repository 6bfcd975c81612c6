/** Query routes of guards: how far a price may be relied on and why, its time-weighted mean, and the standing of validators. */
import {
  QueryStandingsRequest,
  QueryStandingsResponse,
  QueryTwapRequest,
  QueryTwapResponse,
  QueryWatchRequest,
  QueryWatchResponse,
  PriceLevel as WireLevel,
} from "@keel/proto/gen/keel/oracle/v1/guard";
import type { QueryRoute } from "../../kit/module.ts";
import { onQuery } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import type { OracleKeeper } from "../keeper.ts";
import { MAX_AGE_MS_CEILING } from "../limits.ts";
import { priceText } from "../price-text.ts";
import { minuteSigmaPpm } from "./keeper.ts";
import type { PriceLevel } from "./ladder.ts";

const LEVELS: Readonly<Record<PriceLevel, WireLevel>> = {
  stale: WireLevel.PRICE_LEVEL_STALE,
  noWithdrawals: WireLevel.PRICE_LEVEL_NO_WITHDRAWALS,
  reduceOnly: WireLevel.PRICE_LEVEL_REDUCE_ONLY,
  fresh: WireLevel.PRICE_LEVEL_FRESH,
};

export function guardQueries(keeper: OracleKeeper): readonly QueryRoute[] {
  return [
    onQuery({
      path: "/keel.oracle.v1.Query/Watch",
      request: QueryWatchRequest,
      response: QueryWatchResponse,
      handle(ctx, named) {
        const feed = keeper.requireFeed(ctx, named);
        const watch = keeper.watch(ctx, feed.id);
        const stage = keeper.price(ctx, feed.id)?.stage;
        if (watch === undefined || stage === undefined) {
          throw refuse("notGuarded", `feed ${feed.symbol} has no guard, or no price under it yet`);
        }
        const text = (mantissa: bigint): string =>
          mantissa === 0n ? "" : priceText(mantissa, feed.exponent);
        const { refused } = watch;
        return {
          level: LEVELS[stage.level],
          liquidates: stage.liquidates,
          mean: text(watch.meanMantissa),
          confirmed: text(watch.confirmedMantissa),
          pending: text(watch.pendingMantissa),
          confirmations: watch.confirmations,
          slow: watch.slow,
          refused,
          refusedPrice: refused === undefined ? "" : text(refused.mantissa),
          minuteSigmaPpm: minuteSigmaPpm(watch),
        };
      },
    }),
    onQuery({
      path: "/keel.oracle.v1.Query/Twap",
      request: QueryTwapRequest,
      response: QueryTwapResponse,
      handle(ctx, named) {
        const feed = keeper.requireFeed(ctx, named);
        if (named.windowMs < 1n || named.windowMs > 128n * MAX_AGE_MS_CEILING) {
          throw refuse("invalidRequest", "expected a window of 1 ms to 128 days");
        }
        const twap = keeper.twap(ctx, feed.id, named.windowMs);
        if (twap === undefined) {
          throw refuse("notGuarded", `feed ${feed.symbol} keeps no time-weighted mean`);
        }
        const { coveredMs, fromMs, toMs } = twap;
        return { price: priceText(twap.mantissa, feed.exponent), fromMs, toMs, coveredMs };
      },
    }),
    onQuery({
      path: "/keel.oracle.v1.Query/Standings",
      request: QueryStandingsRequest,
      response: QueryStandingsResponse,
      handle: (ctx) => ({ standings: [...keeper.standings(ctx)] }),
    }),
  ];
}
