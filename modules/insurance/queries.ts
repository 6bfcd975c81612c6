/** Query routes of insurance. */
import {
  QueryFundRequest,
  QueryFundResponse,
  QueryFundsRequest,
  QueryFundsResponse,
  QueryParamsRequest,
  QueryParamsResponse,
} from "@keel/proto/gen/keel/insurance/v1/query";
import type { QueryRoute } from "../kit/module.ts";
import { onQuery } from "../kit/module.ts";
import { refuse } from "./errors.ts";
import { isDenom } from "./params.ts";
import type { InsuranceState } from "./state.ts";
import { fundToMessage } from "./state.ts";

export function insuranceQueries(state: InsuranceState): readonly QueryRoute[] {
  return [
    onQuery({
      path: "/keel.insurance.v1.Query/Fund",
      request: QueryFundRequest,
      response: QueryFundResponse,
      handle(ctx, { denom }) {
        const fund = isDenom(denom) ? state.funds.get(ctx, denom) : undefined;
        if (fund === undefined) {
          throw refuse("unknownDenom", `there is no fund in "${denom.slice(0, 130)}"`);
        }
        return { fund: fundToMessage(fund) };
      },
    }),
    onQuery({
      path: "/keel.insurance.v1.Query/Funds",
      request: QueryFundsRequest,
      response: QueryFundsResponse,
      handle(ctx) {
        const funds: QueryFundsResponse["funds"] = [];
        state.funds.each(ctx, (_denom, fund) => {
          funds.push(fundToMessage(fund));
        });
        return { funds };
      },
    }),
    onQuery({
      path: "/keel.insurance.v1.Query/Params",
      request: QueryParamsRequest,
      response: QueryParamsResponse,
      handle: (ctx) => ({ params: state.params.require(ctx) }),
    }),
  ];
}
