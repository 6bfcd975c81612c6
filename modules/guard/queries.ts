/** Query routes of the guard. */
import {
  QueryMovesRequest,
  QueryMovesResponse,
  QueryParamsRequest,
  QueryParamsResponse,
  QueryRestrictionsRequest,
  QueryRestrictionsResponse,
  QueryRulesRequest,
  QueryRulesResponse,
  QueryWithdrawalLimitsRequest,
  QueryWithdrawalLimitsResponse,
} from "@keel/proto/gen/keel/guard/v1/query";
import type { MarketRules, Restrictions } from "@keel/proto/gen/keel/guard/v1/types";
import { u64Key } from "../kit/collections/codecs.ts";
import type { ReadContext } from "../kit/context.ts";
import { maximum } from "../kit/math/mul-div.ts";
import type { QueryRoute } from "../kit/module.ts";
import { onQuery } from "../kit/module.ts";
import { refuse } from "./errors.ts";
import { nowMs } from "./events.ts";
import type { GuardKeeper } from "./keeper.ts";
import { MOVES_MAX, MOVES_PAGE_DEFAULT } from "./limits.ts";
import type { GuardPorts, MarketId } from "./ports.ts";
import { inForce, withdrawalsClosed } from "./restrictions.ts";
import { ALL_MARKETS, type GuardState } from "./state.ts";
import { flowOf } from "./velocity.ts";

export function guardQueries(
  state: GuardState,
  keeper: GuardKeeper,
  { venue }: GuardPorts,
): readonly QueryRoute[] {
  const symbolOf = (ctx: ReadContext, market: MarketId): string =>
    venue.terms(ctx, market)?.symbol ?? "";

  function rulesView(
    ctx: ReadContext,
    market: MarketId,
    rules: MarketRules,
  ): QueryRulesResponse["markets"][number] {
    return {
      market: symbolOf(ctx, market),
      rules,
      measures: state.measures.get(ctx, market),
      ...inForce(ctx, state, market),
    };
  }

  return [
    onQuery({
      path: "/keel.guard.v1.Query/Params",
      request: QueryParamsRequest,
      response: QueryParamsResponse,
      handle: (ctx) => ({
        params: state.params.require(ctx),
        emergencyUse: state.emergencyUse.get(ctx),
      }),
    }),
    onQuery({
      path: "/keel.guard.v1.Query/Restrictions",
      request: QueryRestrictionsRequest,
      response: QueryRestrictionsResponse,
      handle(ctx, { market: symbol }) {
        const restrictions: QueryRestrictionsResponse["restrictions"] = [];
        const add = (_id: MarketId, { items, market }: Restrictions): void => {
          for (const restriction of items) {
            restrictions.push({ market: symbolOf(ctx, market), restriction });
          }
        };
        if (symbol === "") {
          state.restrictions.each(ctx, add);
          return { restrictions };
        }
        for (const id of [ALL_MARKETS, keeper.marketOf(ctx, symbol)]) {
          const record = state.restrictions.get(ctx, id);
          if (record !== undefined) add(id, record);
        }
        return { restrictions };
      },
    }),
    onQuery({
      path: "/keel.guard.v1.Query/Rules",
      request: QueryRulesRequest,
      response: QueryRulesResponse,
      handle(ctx, { market: symbol }) {
        if (symbol !== "") {
          const market = keeper.marketOf(ctx, symbol);
          const rules = state.rules.get(ctx, market);
          if (rules === undefined) {
            throw refuse("nothingRestricted", `market ${symbol} has no rules`);
          }
          return { markets: [rulesView(ctx, market, rules)] };
        }
        const markets: QueryRulesResponse["markets"] = [];
        state.rules.each(ctx, (market, rules) => void markets.push(rulesView(ctx, market, rules)));
        return { markets };
      },
    }),
    onQuery({
      path: "/keel.guard.v1.Query/WithdrawalLimits",
      request: QueryWithdrawalLimitsRequest,
      response: QueryWithdrawalLimitsResponse,
      handle(ctx, { denom }) {
        const held = keeper.balance(ctx, denom);
        const limits = (state.velocities.get(ctx, denom)?.flows ?? []).map((flow) => {
          const { most, outflow } = flowOf(flow, held, nowMs(ctx));
          const room = maximum(most - outflow, 0n).toString();
          return { limit: flow.limit, most: most.toString(), outflow: outflow.toString(), room };
        });
        const closed = withdrawalsClosed(ctx, state);
        return { limits, closedUntilMs: closed?.untilMs ?? 0n, cause: closed?.cause ?? "" };
      },
    }),
    onQuery({
      path: "/keel.guard.v1.Query/Moves",
      request: QueryMovesRequest,
      response: QueryMovesResponse,
      handle(ctx, { beforeId, limit, market: symbol }) {
        const most = limit === 0 ? MOVES_PAGE_DEFAULT : limit;
        if (most > MOVES_MAX) {
          throw refuse("invalidRequest", `expected a limit of at most ${MOVES_MAX}`);
        }
        const wanted = symbol === "" ? null : keeper.marketOf(ctx, symbol);
        const moves: QueryMovesResponse["moves"] = [];
        const to = beforeId === 0n ? undefined : u64Key.encode(beforeId);
        state.moves.eachBetween(
          ctx,
          "",
          to,
          (_id, move) => {
            if (wanted === null || move.market === wanted) moves.push(move);
            return moves.length >= most;
          },
          { descending: true },
        );
        return { moves };
      },
    }),
  ];
}
