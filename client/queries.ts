/** gRPC queries over `abci_query`: methods of Keel's query services, with the generated types. */
import type { Comet38Client } from "@cosmjs/tendermint-rpc";
import * as marks from "@keel/proto/gen/keel/derivatives/v1/marks";
import * as derivatives from "@keel/proto/gen/keel/derivatives/v1/query";
import * as insurance from "@keel/proto/gen/keel/insurance/v1/query";
import * as margin from "@keel/proto/gen/keel/margin/v1/query";
import * as guard from "@keel/proto/gen/keel/oracle/v1/guard";
import * as oracle from "@keel/proto/gen/keel/oracle/v1/query";
import * as vault from "@keel/proto/gen/keel/vault/v1/query";
import { type CollateralMethods, collateralMethods } from "./collateral-methods.ts";
import { KeelQueryError } from "./errors.ts";
import { type GuardMethods, guardMethods } from "./guard-methods.ts";
import type { Method } from "./method.ts";
import { type ParamsMethods, paramsMethods } from "./params-methods.ts";
import { type WaterfallMethods, waterfallMethods } from "./waterfall-methods.ts";

interface Methods extends CollateralMethods, GuardMethods, ParamsMethods, WaterfallMethods {
  readonly markets: Method<derivatives.QueryMarketsRequest, derivatives.QueryMarketsResponse>;
  readonly market: Method<derivatives.QueryMarketRequest, derivatives.QueryMarketResponse>;
  readonly orderBook: Method<derivatives.QueryOrderBookRequest, derivatives.QueryOrderBookResponse>;
  readonly bookOrders: Method<
    derivatives.QueryBookOrdersRequest,
    derivatives.QueryBookOrdersResponse
  >;
  readonly orders: Method<derivatives.QueryOrdersRequest, derivatives.QueryOrdersResponse>;
  readonly order: Method<derivatives.QueryOrderRequest, derivatives.QueryOrderResponse>;
  readonly auction: Method<derivatives.QueryAuctionRequest, derivatives.QueryAuctionResponse>;
  readonly waitingOrders: Method<
    derivatives.QueryWaitingOrdersRequest,
    derivatives.QueryWaitingOrdersResponse
  >;
  readonly deadMan: Method<derivatives.QueryDeadManRequest, derivatives.QueryDeadManResponse>;
  readonly funding: Method<derivatives.QueryFundingRequest, derivatives.QueryFundingResponse>;
  readonly series: Method<derivatives.QuerySeriesRequest, derivatives.QuerySeriesResponse>;
  readonly optionChain: Method<
    derivatives.QueryOptionChainRequest,
    derivatives.QueryOptionChainResponse
  >;
  readonly settlementPrices: Method<
    derivatives.QuerySettlementPricesRequest,
    derivatives.QuerySettlementPricesResponse
  >;
  readonly bonds: Method<derivatives.QueryBondsRequest, derivatives.QueryBondsResponse>;
  readonly document: Method<derivatives.QueryDocumentRequest, derivatives.QueryDocumentResponse>;
  readonly saltFloor: Method<derivatives.QuerySaltFloorRequest, derivatives.QuerySaltFloorResponse>;
  readonly tradingKeys: Method<
    derivatives.QueryTradingKeysRequest,
    derivatives.QueryTradingKeysResponse
  >;
  readonly feeParams: Method<derivatives.QueryFeeParamsRequest, derivatives.QueryFeeParamsResponse>;
  readonly trader: Method<derivatives.QueryTraderRequest, derivatives.QueryTraderResponse>;
  readonly referralCode: Method<
    derivatives.QueryReferralCodeRequest,
    derivatives.QueryReferralCodeResponse
  >;
  readonly builderApprovals: Method<
    derivatives.QueryBuilderApprovalsRequest,
    derivatives.QueryBuilderApprovalsResponse
  >;
  readonly account: Method<margin.QueryAccountRequest, margin.QueryAccountResponse>;
  readonly accounts: Method<margin.QueryAccountsRequest, margin.QueryAccountsResponse>;
  readonly positions: Method<margin.QueryPositionsRequest, margin.QueryPositionsResponse>;
  readonly marginParams: Method<margin.QueryParamsRequest, margin.QueryParamsResponse>;
  readonly totals: Method<margin.QueryTotalsRequest, margin.QueryTotalsResponse>;
  readonly deficits: Method<margin.QueryDeficitQueueRequest, margin.QueryDeficitQueueResponse>;
  readonly dynamicMargin: Method<
    margin.QueryDynamicMarginRequest,
    margin.QueryDynamicMarginResponse
  >;
  readonly requirement: Method<margin.QueryRequirementRequest, margin.QueryRequirementResponse>;
  readonly portfolioModel: Method<
    margin.QueryPortfolioModelRequest,
    margin.QueryPortfolioModelResponse
  >;
  readonly prices: Method<oracle.QueryPricesRequest, oracle.QueryPricesResponse>;
  readonly price: Method<oracle.QueryPriceRequest, oracle.QueryPriceResponse>;
  readonly watch: Method<guard.QueryWatchRequest, guard.QueryWatchResponse>;
  readonly twap: Method<guard.QueryTwapRequest, guard.QueryTwapResponse>;
  readonly standings: Method<guard.QueryStandingsRequest, guard.QueryStandingsResponse>;
  readonly mark: Method<marks.QueryMarkRequest, marks.QueryMarkResponse>;
  readonly surfaces: Method<oracle.QuerySurfacesRequest, oracle.QuerySurfacesResponse>;
  readonly surface: Method<oracle.QuerySurfaceRequest, oracle.QuerySurfaceResponse>;
  readonly smile: Method<oracle.QuerySmileRequest, oracle.QuerySmileResponse>;
  readonly greeks: Method<derivatives.QueryGreeksRequest, derivatives.QueryGreeksResponse>;
  readonly accountGreeks: Method<
    derivatives.QueryAccountGreeksRequest,
    derivatives.QueryAccountGreeksResponse
  >;
  readonly validatorReports: Method<
    oracle.QueryValidatorReportsRequest,
    oracle.QueryValidatorReportsResponse
  >;
  readonly fund: Method<insurance.QueryFundRequest, insurance.QueryFundResponse>;
  readonly funds: Method<insurance.QueryFundsRequest, insurance.QueryFundsResponse>;
  readonly underwriter: Method<
    insurance.QueryUnderwriterRequest,
    insurance.QueryUnderwriterResponse
  >;
  readonly vault: Method<vault.QueryVaultRequest, vault.QueryVaultResponse>;
  readonly vaultShares: Method<vault.QuerySharesRequest, vault.QuerySharesResponse>;
  readonly vaultWithdrawals: Method<vault.QueryWithdrawalsRequest, vault.QueryWithdrawalsResponse>;
  readonly vaultQuotes: Method<vault.QueryQuotesRequest, vault.QueryQuotesResponse>;
  readonly vaultMarkets: Method<vault.QueryMarketsRequest, vault.QueryMarketsResponse>;
}

/** Every query a wallet makes, by name. */
export const methods: Methods = {
  ...guardMethods,
  ...collateralMethods,
  ...paramsMethods,
  markets: {
    path: "/keel.derivatives.v1.Query/Markets",
    request: derivatives.QueryMarketsRequest,
    answer: derivatives.QueryMarketsResponse,
  },
  market: {
    path: "/keel.derivatives.v1.Query/Market",
    request: derivatives.QueryMarketRequest,
    answer: derivatives.QueryMarketResponse,
  },
  orderBook: {
    path: "/keel.derivatives.v1.Query/OrderBook",
    request: derivatives.QueryOrderBookRequest,
    answer: derivatives.QueryOrderBookResponse,
  },
  bookOrders: {
    path: "/keel.derivatives.v1.Query/BookOrders",
    request: derivatives.QueryBookOrdersRequest,
    answer: derivatives.QueryBookOrdersResponse,
  },
  orders: {
    path: "/keel.derivatives.v1.Query/Orders",
    request: derivatives.QueryOrdersRequest,
    answer: derivatives.QueryOrdersResponse,
  },
  order: {
    path: "/keel.derivatives.v1.Query/Order",
    request: derivatives.QueryOrderRequest,
    answer: derivatives.QueryOrderResponse,
  },
  auction: {
    path: "/keel.derivatives.v1.Query/Auction",
    request: derivatives.QueryAuctionRequest,
    answer: derivatives.QueryAuctionResponse,
  },
  waitingOrders: {
    path: "/keel.derivatives.v1.Query/WaitingOrders",
    request: derivatives.QueryWaitingOrdersRequest,
    answer: derivatives.QueryWaitingOrdersResponse,
  },
  deadMan: {
    path: "/keel.derivatives.v1.Query/DeadMan",
    request: derivatives.QueryDeadManRequest,
    answer: derivatives.QueryDeadManResponse,
  },
  funding: {
    path: "/keel.derivatives.v1.Query/Funding",
    request: derivatives.QueryFundingRequest,
    answer: derivatives.QueryFundingResponse,
  },
  series: {
    path: "/keel.derivatives.v1.Query/Series",
    request: derivatives.QuerySeriesRequest,
    answer: derivatives.QuerySeriesResponse,
  },
  optionChain: {
    path: "/keel.derivatives.v1.Query/OptionChain",
    request: derivatives.QueryOptionChainRequest,
    answer: derivatives.QueryOptionChainResponse,
  },
  settlementPrices: {
    path: "/keel.derivatives.v1.Query/SettlementPrices",
    request: derivatives.QuerySettlementPricesRequest,
    answer: derivatives.QuerySettlementPricesResponse,
  },
  bonds: {
    path: "/keel.derivatives.v1.Query/Bonds",
    request: derivatives.QueryBondsRequest,
    answer: derivatives.QueryBondsResponse,
  },
  document: {
    path: "/keel.derivatives.v1.Query/Document",
    request: derivatives.QueryDocumentRequest,
    answer: derivatives.QueryDocumentResponse,
  },
  saltFloor: {
    path: "/keel.derivatives.v1.Query/SaltFloor",
    request: derivatives.QuerySaltFloorRequest,
    answer: derivatives.QuerySaltFloorResponse,
  },
  tradingKeys: {
    path: "/keel.derivatives.v1.Query/TradingKeys",
    request: derivatives.QueryTradingKeysRequest,
    answer: derivatives.QueryTradingKeysResponse,
  },
  feeParams: {
    path: "/keel.derivatives.v1.Query/FeeParams",
    request: derivatives.QueryFeeParamsRequest,
    answer: derivatives.QueryFeeParamsResponse,
  },
  trader: {
    path: "/keel.derivatives.v1.Query/Trader",
    request: derivatives.QueryTraderRequest,
    answer: derivatives.QueryTraderResponse,
  },
  referralCode: {
    path: "/keel.derivatives.v1.Query/ReferralCode",
    request: derivatives.QueryReferralCodeRequest,
    answer: derivatives.QueryReferralCodeResponse,
  },
  builderApprovals: {
    path: "/keel.derivatives.v1.Query/BuilderApprovals",
    request: derivatives.QueryBuilderApprovalsRequest,
    answer: derivatives.QueryBuilderApprovalsResponse,
  },
  account: {
    path: "/keel.margin.v1.Query/Account",
    request: margin.QueryAccountRequest,
    answer: margin.QueryAccountResponse,
  },
  accounts: {
    path: "/keel.margin.v1.Query/Accounts",
    request: margin.QueryAccountsRequest,
    answer: margin.QueryAccountsResponse,
  },
  positions: {
    path: "/keel.margin.v1.Query/Positions",
    request: margin.QueryPositionsRequest,
    answer: margin.QueryPositionsResponse,
  },
  marginParams: {
    path: "/keel.margin.v1.Query/Params",
    request: margin.QueryParamsRequest,
    answer: margin.QueryParamsResponse,
  },
  totals: {
    path: "/keel.margin.v1.Query/Totals",
    request: margin.QueryTotalsRequest,
    answer: margin.QueryTotalsResponse,
  },
  deficits: {
    path: "/keel.margin.v1.Query/DeficitQueue",
    request: margin.QueryDeficitQueueRequest,
    answer: margin.QueryDeficitQueueResponse,
  },
  dynamicMargin: {
    path: "/keel.margin.v1.Query/DynamicMargin",
    request: margin.QueryDynamicMarginRequest,
    answer: margin.QueryDynamicMarginResponse,
  },
  requirement: {
    path: "/keel.margin.v1.Query/Requirement",
    request: margin.QueryRequirementRequest,
    answer: margin.QueryRequirementResponse,
  },
  portfolioModel: {
    path: "/keel.margin.v1.Query/PortfolioModel",
    request: margin.QueryPortfolioModelRequest,
    answer: margin.QueryPortfolioModelResponse,
  },
  prices: {
    path: "/keel.oracle.v1.Query/Prices",
    request: oracle.QueryPricesRequest,
    answer: oracle.QueryPricesResponse,
  },
  price: {
    path: "/keel.oracle.v1.Query/Price",
    request: oracle.QueryPriceRequest,
    answer: oracle.QueryPriceResponse,
  },
  watch: {
    path: "/keel.oracle.v1.Query/Watch",
    request: guard.QueryWatchRequest,
    answer: guard.QueryWatchResponse,
  },
  twap: {
    path: "/keel.oracle.v1.Query/Twap",
    request: guard.QueryTwapRequest,
    answer: guard.QueryTwapResponse,
  },
  standings: {
    path: "/keel.oracle.v1.Query/Standings",
    request: guard.QueryStandingsRequest,
    answer: guard.QueryStandingsResponse,
  },
  mark: {
    path: "/keel.derivatives.v1.Query/Mark",
    request: marks.QueryMarkRequest,
    answer: marks.QueryMarkResponse,
  },
  surfaces: {
    path: "/keel.oracle.v1.Query/Surfaces",
    request: oracle.QuerySurfacesRequest,
    answer: oracle.QuerySurfacesResponse,
  },
  surface: {
    path: "/keel.oracle.v1.Query/Surface",
    request: oracle.QuerySurfaceRequest,
    answer: oracle.QuerySurfaceResponse,
  },
  smile: {
    path: "/keel.oracle.v1.Query/Smile",
    request: oracle.QuerySmileRequest,
    answer: oracle.QuerySmileResponse,
  },
  greeks: {
    path: "/keel.derivatives.v1.Query/Greeks",
    request: derivatives.QueryGreeksRequest,
    answer: derivatives.QueryGreeksResponse,
  },
  accountGreeks: {
    path: "/keel.derivatives.v1.Query/AccountGreeks",
    request: derivatives.QueryAccountGreeksRequest,
    answer: derivatives.QueryAccountGreeksResponse,
  },
  validatorReports: {
    path: "/keel.oracle.v1.Query/ValidatorReports",
    request: oracle.QueryValidatorReportsRequest,
    answer: oracle.QueryValidatorReportsResponse,
  },
  ...waterfallMethods,
  fund: {
    path: "/keel.insurance.v1.Query/Fund",
    request: insurance.QueryFundRequest,
    answer: insurance.QueryFundResponse,
  },
  funds: {
    path: "/keel.insurance.v1.Query/Funds",
    request: insurance.QueryFundsRequest,
    answer: insurance.QueryFundsResponse,
  },
  underwriter: {
    path: "/keel.insurance.v1.Query/Underwriter",
    request: insurance.QueryUnderwriterRequest,
    answer: insurance.QueryUnderwriterResponse,
  },
  vault: {
    path: "/keel.vault.v1.Query/Vault",
    request: vault.QueryVaultRequest,
    answer: vault.QueryVaultResponse,
  },
  vaultShares: {
    path: "/keel.vault.v1.Query/Shares",
    request: vault.QuerySharesRequest,
    answer: vault.QuerySharesResponse,
  },
  vaultWithdrawals: {
    path: "/keel.vault.v1.Query/Withdrawals",
    request: vault.QueryWithdrawalsRequest,
    answer: vault.QueryWithdrawalsResponse,
  },
  vaultQuotes: {
    path: "/keel.vault.v1.Query/Quotes",
    request: vault.QueryQuotesRequest,
    answer: vault.QueryQuotesResponse,
  },
  vaultMarkets: {
    path: "/keel.vault.v1.Query/Markets",
    request: vault.QueryMarketsRequest,
    answer: vault.QueryMarketsResponse,
  },
};

/** Asks one method, at the latest height unless one is given. Throws KeelQueryError when the application refuses. */
export async function ask<Q, A>(
  comet: Comet38Client,
  { path, request, answer }: Method<Q, A>,
  query: Q,
  height?: number,
): Promise<A> {
  const response = await comet.abciQuery({
    path,
    data: request.encode(query).finish(),
    prove: false,
    ...(height === undefined ? {} : { height }),
  });
  const code = response.code ?? 0;
  if (code !== 0)
    throw new KeelQueryError(path, {
      codespace: response.codespace,
      code,
      log: response.log ?? "",
    });
  return answer.decode(response.value);
}
