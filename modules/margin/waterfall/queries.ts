/** Query routes of the waterfall. All walk over accounts and are bounded by the gas of a query. */
import {
  QueryMarketEndingsRequest,
  QueryMarketEndingsResponse,
} from "@keel/proto/gen/keel/margin/v1/settlement";
import {
  QueryDeleverageRankRequest,
  QueryDeleverageRankResponse,
  QueryFundTargetsRequest,
  QueryFundTargetsResponse,
  QueryResilienceRequest,
  QueryResilienceResponse,
  QueryWaterfallRequest,
  QueryWaterfallResponse,
} from "@keel/proto/gen/keel/margin/v1/waterfall";
import { accountId, numberOf, ownerOf } from "../../kit/account-id.ts";
import { onQuery, type QueryRoute } from "../../kit/module.ts";
import { parseMoney } from "../../kit/money.ts";
import { refuse } from "../errors.ts";
import type { MarginParts } from "../keeper.ts";
import type { MarginState } from "../state.ts";
import { knownLosses } from "./attribution.ts";
import { createRiskClasses } from "./classes.ts";
import { exportWaterfall } from "./genesis.ts";
import { originByClass, originToMessage } from "./origins.ts";
import { deleverageRanks } from "./rank.ts";
import { resilienceOf } from "./resilience.ts";
import { fundTargets } from "./targets.ts";

export function waterfallQueries(state: MarginState, ports: MarginParts): readonly QueryRoute[] {
  const { addresses, markets, insurance } = ports;
  const parts = { state, markets, insurance, classes: createRiskClasses(state.waterfall, markets) };
  return [
    onQuery({
      path: "/keel.margin.v1.Query/Waterfall",
      request: QueryWaterfallRequest,
      response: QueryWaterfallResponse,
      handle(ctx) {
        const { waterfall: terms, classFees } = exportWaterfall(ctx, state.waterfall, addresses);
        const origins: QueryWaterfallResponse["origins"] = [];
        state.custody.losses.each(ctx, (id) => {
          const lost = knownLosses(ctx, state, id);
          const origin = originByClass(lost, (market) => parts.classes.of(ctx, market));
          const classes = originToMessage(origin);
          origins.push({ owner: addresses.format(ownerOf(id)), subaccount: numberOf(id), classes });
        });
        return { params: terms, origins, fees: classFees };
      },
    }),
    onQuery({
      path: "/keel.margin.v1.Query/DeleverageRank",
      request: QueryDeleverageRankRequest,
      response: QueryDeleverageRankResponse,
      handle(ctx, { owner, subaccount, lots }) {
        const needed = lots === "" ? 0n : parseMoney(lots);
        if (needed === null || needed < 0n) {
          throw refuse("invalidRequest", `expected lots of 0 or more, got "${lots.slice(0, 50)}"`);
        }
        const id = accountId(addresses.parse(owner), subaccount);
        return { positions: deleverageRanks(ctx, parts, id, needed) };
      },
    }),
    onQuery({
      path: "/keel.margin.v1.Query/Resilience",
      request: QueryResilienceRequest,
      response: QueryResilienceResponse,
      handle: (ctx, { feedId }) => {
        const known = markets
          .marketIds(ctx)
          .some((market) => markets.terms(ctx, market)?.feedId === feedId);
        if (!known) throw refuse("unknownFeed", `no market follows feed ${feedId}`);
        return resilienceOf(ctx, parts, feedId);
      },
    }),
    onQuery({
      path: "/keel.margin.v1.Query/FundTargets",
      request: QueryFundTargetsRequest,
      response: QueryFundTargetsResponse,
      handle: (ctx) => fundTargets(ctx, parts),
    }),
    onQuery({
      path: "/keel.margin.v1.Query/MarketEndings",
      request: QueryMarketEndingsRequest,
      response: QueryMarketEndingsResponse,
      handle(ctx) {
        const { endings, endingShares: shares } = exportWaterfall(ctx, state.waterfall, addresses);
        return { terms: state.params.require(ctx).marketSettlement, endings, shares };
      },
    }),
  ];
}
