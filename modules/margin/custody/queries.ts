/** Query routes of custody. */
import {
  type MarketSolvencyView,
  QueryCustodyRequest,
  QueryCustodyResponse,
  QueryMarketSolvencyRequest,
  QueryMarketSolvencyResponse,
} from "@keel/proto/gen/keel/margin/v1/custody";
import { accountId } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { QueryRoute } from "../../kit/module.ts";
import { onQuery } from "../../kit/module.ts";
import { emptyLedger } from "../account-codec.ts";
import { marketBalance } from "../solvency.ts";
import type { MarginState } from "../state.ts";
import { spentToday } from "./guard.ts";
import { proposalsOf } from "./proposals.ts";

export function custodyQueries(state: MarginState, addresses: Addresses): readonly QueryRoute[] {
  const { custody } = state;
  return [
    onQuery({
      path: "/keel.margin.v1.Query/Custody",
      request: QueryCustodyRequest,
      response: QueryCustodyResponse,
      handle(ctx, { owner, subaccount }) {
        const id = accountId(addresses.parse(owner), subaccount);
        const policy = custody.policies.get(ctx, id);
        return {
          policy,
          proposals: proposalsOf(ctx, custody, id),
          spent: policy === undefined ? undefined : spentToday(ctx, custody, id),
          topUp: custody.topUps.get(ctx, id),
          toppedUp: custody.toppedUp.get(ctx, id),
        };
      },
    }),
    onQuery({
      path: "/keel.margin.v1.Query/MarketSolvency",
      request: QueryMarketSolvencyRequest,
      response: QueryMarketSolvencyResponse,
      handle(ctx, request) {
        const markets: MarketSolvencyView[] = [];
        custody.solvency.each(ctx, (market, solvency) => {
          if (request.market !== 0 && request.market !== market) return;
          const ledger = state.ledgers.get(ctx, market) ?? emptyLedger(market);
          const balance = BigInt(solvency.backing) - BigInt(solvency.shortfall);
          markets.push({
            solvency,
            cash: marketBalance(ledger).toString(),
            balance: balance.toString(),
          });
        });
        return { markets };
      },
    }),
  ];
}
