/** Query route of dynamic margin. */
import type { DynamicMargin, DynamicMarginView } from "@keel/proto/gen/keel/margin/v1/dynamic";
import {
  QueryDynamicMarginRequest,
  QueryDynamicMarginResponse,
} from "@keel/proto/gen/keel/margin/v1/query";
import type { ReadContext } from "../../kit/context.ts";
import { onQuery, type QueryRoute } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import { betaPpm } from "./common-factor.ts";
import type { VolatilityState } from "./state.ts";
import type { Volatility } from "./volatility.ts";

export function volatilityQuery(state: VolatilityState, volatility: Volatility): QueryRoute {
  function viewOf(ctx: ReadContext, terms: DynamicMargin): DynamicMarginView {
    const { state: measured, outcome, forwardPpm } = volatility.view(ctx, terms);
    return {
      terms,
      state: measured,
      fastVolatility: outcome.fast.toString(),
      slowVolatility: outcome.slow.toString(),
      floorVolatility: outcome.floor.toString(),
      measuredRange: outcome.measuredRange.toString(),
      range: outcome.range.toString(),
      cause: outcome.cause,
      targetPpm: outcome.target,
      forwardPpm,
      betaPpm: betaPpm(terms, measured)?.toString() ?? "",
    };
  }

  return onQuery({
    path: "/keel.margin.v1.Query/DynamicMargin",
    request: QueryDynamicMarginRequest,
    response: QueryDynamicMarginResponse,
    handle(ctx, { feedId }) {
      const feeds: DynamicMarginView[] = [];
      if (feedId !== 0) {
        const terms = state.terms.get(ctx, feedId);
        if (terms === undefined) {
          throw refuse("unknownFeed", `margin does not follow the volatility of feed ${feedId}`);
        }
        return { feeds: [viewOf(ctx, terms)] };
      }
      state.terms.each(ctx, (_feedId, terms) => void feeds.push(viewOf(ctx, terms)));
      return { feeds };
    },
  });
}
