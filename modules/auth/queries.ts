/** The cosmos.auth.v1beta1.Query service. */
import {
  Bech32PrefixRequest,
  Bech32PrefixResponse,
  QueryAccountInfoRequest,
  QueryAccountInfoResponse,
  QueryAccountRequest,
  QueryAccountResponse,
  QueryAccountsRequest,
  QueryAccountsResponse,
  QueryModuleAccountByNameRequest,
  QueryModuleAccountByNameResponse,
  QueryModuleAccountsRequest,
  QueryModuleAccountsResponse,
  QueryParamsRequest,
  QueryParamsResponse,
} from "cosmjs-types/cosmos/auth/v1beta1/query";
import type { Addresses } from "../kit/addresses.ts";
import { moduleAddress } from "../kit/addresses.ts";
import type { ReadContext } from "../kit/context.ts";
import type { QueryRoute } from "../kit/module.ts";
import { onQuery } from "../kit/module.ts";
import { paginate } from "../kit/pagination.ts";
import { sdkError } from "../kit/sdk-errors.ts";
import type { Account } from "./account.ts";
import { accountToAny } from "./account.ts";
import type { AuthState } from "./state.ts";
import { BaseAccount } from "./types.ts";

const SERVICE = "/cosmos.auth.v1beta1.Query";

export function authQueries(state: AuthState, addresses: Addresses): QueryRoute[] {
  const find = (ctx: ReadContext, address: string): Account => {
    if (address === "") throw sdkError("invalidRequest", "Address cannot be empty");
    const account = state.accounts.get(ctx, addresses.parse(address));
    if (account === undefined) throw sdkError("keyNotFound", `account ${address} not found`);
    return account;
  };
  const all = (ctx: ReadContext): Account[] => {
    const accounts: Account[] = [];
    state.accounts.each(ctx, (_address, account) => void accounts.push(account));
    return accounts;
  };
  return [
    onQuery({
      path: `${SERVICE}/Account`,
      request: QueryAccountRequest,
      response: QueryAccountResponse,
      handle: (ctx, { address }) =>
        QueryAccountResponse.fromPartial({ account: accountToAny(find(ctx, address), addresses) }),
    }),
    onQuery({
      path: `${SERVICE}/Accounts`,
      request: QueryAccountsRequest,
      response: QueryAccountsResponse,
      handle(ctx, request) {
        const page = paginate(all(ctx), (account) => account.address, request.pagination);
        return QueryAccountsResponse.fromPartial({
          accounts: page.items.map((account) => accountToAny(account, addresses)),
          pagination: page.pagination,
        });
      },
    }),
    onQuery({
      path: `${SERVICE}/AccountInfo`,
      request: QueryAccountInfoRequest,
      response: QueryAccountInfoResponse,
      handle(ctx, { address }) {
        const account = find(ctx, address);
        const info = BaseAccount.decode(
          accountToAny({ ...account, module: null }, addresses).value,
        );
        return QueryAccountInfoResponse.fromPartial({ info });
      },
    }),
    onQuery({
      path: `${SERVICE}/ModuleAccounts`,
      request: QueryModuleAccountsRequest,
      response: QueryModuleAccountsResponse,
      handle: (ctx) =>
        QueryModuleAccountsResponse.fromPartial({
          accounts: all(ctx)
            .filter((account) => account.module !== null)
            .map((account) => accountToAny(account, addresses)),
        }),
    }),
    onQuery({
      path: `${SERVICE}/ModuleAccountByName`,
      request: QueryModuleAccountByNameRequest,
      response: QueryModuleAccountByNameResponse,
      handle(ctx, { name }) {
        const account = state.accounts.get(ctx, moduleAddress(name));
        if (account === undefined) throw sdkError("keyNotFound", `account ${name} not found`);
        return QueryModuleAccountByNameResponse.fromPartial({
          account: accountToAny(account, addresses),
        });
      },
    }),
    onQuery({
      path: `${SERVICE}/Params`,
      request: QueryParamsRequest,
      response: QueryParamsResponse,
      handle: (ctx) => QueryParamsResponse.fromPartial({ params: state.params.require(ctx) }),
    }),
    {
      ...onQuery({
        path: `${SERVICE}/Bech32Prefix`,
        request: Bech32PrefixRequest,
        response: Bech32PrefixResponse,
        handle: () => Bech32PrefixResponse.fromPartial({ bech32Prefix: addresses.prefix }),
      }),
      // Upstream named these two without the usual "Query".
      requestType: "cosmos.auth.v1beta1.Bech32PrefixRequest",
      responseType: "cosmos.auth.v1beta1.Bech32PrefixResponse",
    },
  ];
}
