/** The queries of what each module is set to, a part of all methods. */
import * as derivatives from "@keel/proto/gen/keel/derivatives/v1/query";
import * as insurance from "@keel/proto/gen/keel/insurance/v1/query";
import * as oracle from "@keel/proto/gen/keel/oracle/v1/query";
import * as vault from "@keel/proto/gen/keel/vault/v1/query";
import type { Method } from "./method.ts";

export interface ParamsMethods {
  readonly derivativesParams: Method<
    derivatives.QueryParamsRequest,
    derivatives.QueryParamsResponse
  >;
  readonly insuranceParams: Method<insurance.QueryParamsRequest, insurance.QueryParamsResponse>;
  readonly oracleParams: Method<oracle.QueryParamsRequest, oracle.QueryParamsResponse>;
  readonly feeds: Method<oracle.QueryFeedsRequest, oracle.QueryFeedsResponse>;
  readonly vaultParams: Method<vault.QueryParamsRequest, vault.QueryParamsResponse>;
}

export const paramsMethods: ParamsMethods = {
  derivativesParams: {
    path: "/keel.derivatives.v1.Query/Params",
    request: derivatives.QueryParamsRequest,
    answer: derivatives.QueryParamsResponse,
  },
  insuranceParams: {
    path: "/keel.insurance.v1.Query/Params",
    request: insurance.QueryParamsRequest,
    answer: insurance.QueryParamsResponse,
  },
  oracleParams: {
    path: "/keel.oracle.v1.Query/Params",
    request: oracle.QueryParamsRequest,
    answer: oracle.QueryParamsResponse,
  },
  feeds: {
    path: "/keel.oracle.v1.Query/Feeds",
    request: oracle.QueryFeedsRequest,
    answer: oracle.QueryFeedsResponse,
  },
  vaultParams: {
    path: "/keel.vault.v1.Query/Params",
    request: vault.QueryParamsRequest,
    answer: vault.QueryParamsResponse,
  },
};
