/** The cosmos.bank.v1beta1.Query service. */
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import {
  QueryAllBalancesRequest,
  QueryAllBalancesResponse,
  QueryBalanceRequest,
  QueryBalanceResponse,
  QueryDenomMetadataRequest,
  QueryDenomMetadataResponse,
  QueryDenomsMetadataRequest,
  QueryDenomsMetadataResponse,
  QueryParamsRequest,
  QueryParamsResponse,
  QuerySpendableBalancesRequest,
  QuerySpendableBalancesResponse,
  QuerySupplyOfRequest,
  QuerySupplyOfResponse,
  QueryTotalSupplyRequest,
  QueryTotalSupplyResponse,
} from "cosmjs-types/cosmos/bank/v1beta1/query";
import type { Addresses } from "../kit/addresses.ts";
import type { QueryRoute } from "../kit/module.ts";
import { onQuery } from "../kit/module.ts";
import { paginate } from "../kit/pagination.ts";
import { sdkError } from "../kit/sdk-errors.ts";
import type { Amount } from "./coins.ts";
import { isDenom } from "./coins.ts";
import type { BankKeeper } from "./keeper.ts";
import type { BankState } from "./state.ts";
import type { DenomMetadata } from "./types.ts";

const SERVICE = "/cosmos.bank.v1beta1.Query";
const denomBytes = (coin: { readonly denom: string }): Uint8Array => utf8ToBytes(coin.denom);
const toWire = (coin: Amount): { denom: string; amount: string } => ({
  denom: coin.denom,
  amount: coin.amount.toString(),
});

export function bankQueries(
  state: BankState,
  keeper: BankKeeper,
  addresses: Addresses,
): QueryRoute[] {
  return [
    onQuery({
      path: `${SERVICE}/Balance`,
      request: QueryBalanceRequest,
      response: QueryBalanceResponse,
      handle(ctx, { address, denom }) {
        if (!isDenom(denom)) throw sdkError("invalidRequest", `invalid denom: ${denom}`);
        const amount = keeper.balance(ctx, addresses.parse(address), denom);
        return QueryBalanceResponse.fromPartial({ balance: toWire({ denom, amount }) });
      },
    }),
    onQuery({
      path: `${SERVICE}/AllBalances`,
      request: QueryAllBalancesRequest,
      response: QueryAllBalancesResponse,
      handle(ctx, request) {
        const page = paginate(
          keeper.balances(ctx, addresses.parse(request.address)),
          denomBytes,
          request.pagination,
        );
        return QueryAllBalancesResponse.fromPartial({
          balances: page.items.map(toWire),
          pagination: page.pagination,
        });
      },
    }),
    onQuery({
      path: `${SERVICE}/SpendableBalances`,
      request: QuerySpendableBalancesRequest,
      response: QuerySpendableBalancesResponse,
      handle(ctx, request) {
        const page = paginate(
          keeper.balances(ctx, addresses.parse(request.address)),
          denomBytes,
          request.pagination,
        );
        return QuerySpendableBalancesResponse.fromPartial({
          balances: page.items.map(toWire),
          pagination: page.pagination,
        });
      },
    }),
    onQuery({
      path: `${SERVICE}/TotalSupply`,
      request: QueryTotalSupplyRequest,
      response: QueryTotalSupplyResponse,
      handle(ctx, request) {
        const supply: Amount[] = [];
        state.supply.each(ctx, (denom, amount) => void supply.push({ denom, amount }));
        const page = paginate(supply, denomBytes, request.pagination);
        return QueryTotalSupplyResponse.fromPartial({
          supply: page.items.map(toWire),
          pagination: page.pagination,
        });
      },
    }),
    onQuery({
      path: `${SERVICE}/SupplyOf`,
      request: QuerySupplyOfRequest,
      response: QuerySupplyOfResponse,
      handle(ctx, { denom }) {
        if (!isDenom(denom)) throw sdkError("invalidRequest", `invalid denom: ${denom}`);
        return QuerySupplyOfResponse.fromPartial({
          amount: toWire({ denom, amount: keeper.supply(ctx, denom) }),
        });
      },
    }),
    onQuery({
      path: `${SERVICE}/DenomMetadata`,
      request: QueryDenomMetadataRequest,
      response: QueryDenomMetadataResponse,
      handle(ctx, { denom }) {
        const metadata = state.metadata.get(ctx, denom);
        if (metadata === undefined)
          throw sdkError("keyNotFound", `client metadata for denom ${denom}`);
        return QueryDenomMetadataResponse.fromPartial({ metadata });
      },
    }),
    onQuery({
      path: `${SERVICE}/DenomsMetadata`,
      request: QueryDenomsMetadataRequest,
      response: QueryDenomsMetadataResponse,
      handle(ctx, request) {
        const all: DenomMetadata[] = [];
        state.metadata.each(ctx, (_denom, metadata) => void all.push(metadata));
        const page = paginate(all, (metadata) => utf8ToBytes(metadata.base), request.pagination);
        return QueryDenomsMetadataResponse.fromPartial({
          metadatas: page.items,
          pagination: page.pagination,
        });
      },
    }),
    onQuery({
      path: `${SERVICE}/Params`,
      request: QueryParamsRequest,
      response: QueryParamsResponse,
      handle: (ctx) => QueryParamsResponse.fromPartial({ params: state.params.require(ctx) }),
    }),
  ];
}
