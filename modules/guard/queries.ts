/** Query routes of the guard. */
import { QueryParamsRequest, QueryParamsResponse } from "@keel/proto/gen/keel/guard/v1/query";
import type { QueryRoute } from "../kit/module.ts";
import { onQuery } from "../kit/module.ts";
import type { GuardState } from "./state.ts";

export function guardQueries(state: GuardState): readonly QueryRoute[] {
  return [
    onQuery({
      path: "/keel.guard.v1.Query/Params",
      request: QueryParamsRequest,
      response: QueryParamsResponse,
      handle: (ctx) => ({ params: state.params.require(ctx) }),
    }),
  ];
}
