/** Methods of the guard's query service. */
import * as guard from "@keel/proto/gen/keel/guard/v1/query";
import type { Method } from "./method.ts";

export interface GuardMethods {
  readonly guardParams: Method<guard.QueryParamsRequest, guard.QueryParamsResponse>;
  readonly guardRestrictions: Method<
    guard.QueryRestrictionsRequest,
    guard.QueryRestrictionsResponse
  >;
  readonly guardRules: Method<guard.QueryRulesRequest, guard.QueryRulesResponse>;
  readonly withdrawalLimits: Method<
    guard.QueryWithdrawalLimitsRequest,
    guard.QueryWithdrawalLimitsResponse
  >;
  readonly guardMoves: Method<guard.QueryMovesRequest, guard.QueryMovesResponse>;
}

export const guardMethods: GuardMethods = {
  guardParams: {
    path: "/keel.guard.v1.Query/Params",
    request: guard.QueryParamsRequest,
    answer: guard.QueryParamsResponse,
  },
  guardRestrictions: {
    path: "/keel.guard.v1.Query/Restrictions",
    request: guard.QueryRestrictionsRequest,
    answer: guard.QueryRestrictionsResponse,
  },
  guardRules: {
    path: "/keel.guard.v1.Query/Rules",
    request: guard.QueryRulesRequest,
    answer: guard.QueryRulesResponse,
  },
  withdrawalLimits: {
    path: "/keel.guard.v1.Query/WithdrawalLimits",
    request: guard.QueryWithdrawalLimitsRequest,
    answer: guard.QueryWithdrawalLimitsResponse,
  },
  guardMoves: {
    path: "/keel.guard.v1.Query/Moves",
    request: guard.QueryMovesRequest,
    answer: guard.QueryMovesResponse,
  },
};
