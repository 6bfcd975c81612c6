/** Query routes of margin. */
import {
  QueryAccountRequest,
  QueryAccountResponse,
  QueryAccountsRequest,
  QueryAccountsResponse,
  QueryDeficitQueueRequest,
  QueryDeficitQueueResponse,
  QueryParamsRequest,
  QueryParamsResponse,
  QueryPortfolioModelRequest,
  QueryPortfolioModelResponse,
  QueryPositionsRequest,
  QueryPositionsResponse,
  QueryRequirementRequest,
  QueryRequirementResponse,
  QueryTotalsRequest,
  QueryTotalsResponse,
} from "@keel/proto/gen/keel/margin/v1/query";
import type { AccountId } from "../kit/account-id.ts";
import { accountId, numberOf, ownerOf } from "../kit/account-id.ts";
import { bytesToKey, keyToBytes } from "../kit/collections/codecs.ts";
import type { QueryRoute } from "../kit/module.ts";
import { onQuery } from "../kit/module.ts";
import {
  deficitToMessage,
  EMPTY_ACCOUNT,
  ledgerToMessage,
  totalsToMessage,
} from "./account-codec.ts";
import { assetQueries } from "./collateral-assets/queries.ts";
import { refuse } from "./errors.ts";
import { evaluate } from "./health/health.ts";
import { marketViews } from "./health/market-view.ts";
import type { MarginParts } from "./keeper.ts";
import { ACCOUNTS_PER_ANSWER_MAX, POSITIONS_PAGE_DEFAULT, POSITIONS_PAGE_MAX } from "./limits.ts";
import { beside } from "./owners/beside.ts";
import { requirementView } from "./portfolio/requirement-view.ts";
import type { MarginState } from "./state.ts";
import { COLLATERAL_VAULT } from "./state.ts";
import { accountView, positionView } from "./views.ts";
import { owedToFunds } from "./waterfall/advances.ts";

export function marginQueries(state: MarginState, ports: MarginParts): readonly QueryRoute[] {
  const { addresses, markets, bank, insurance } = ports;
  return [
    onQuery({
      path: "/keel.margin.v1.Query/Account",
      request: QueryAccountRequest,
      response: QueryAccountResponse,
      handle(ctx, request) {
        const id = accountId(addresses.parse(request.owner), request.subaccount);
        const account = state.accounts.get(ctx, id) ?? EMPTY_ACCOUNT;
        const denom = state.params.require(ctx).settlementDenom;
        const views = marketViews(ctx, markets);
        return {
          account: accountView(id, account, views, {
            addresses,
            denom,
            owedToFunds: owedToFunds(ctx, state.waterfall, id),
          }),
        };
      },
    }),
    onQuery({
      path: "/keel.margin.v1.Query/Accounts",
      request: QueryAccountsRequest,
      response: QueryAccountsResponse,
      handle(ctx, request) {
        const owner = bytesToKey(addresses.parse(request.owner));
        const denom = state.params.require(ctx).settlementDenom;
        const views = marketViews(ctx, markets);
        const found: AccountId[] = [];
        state.accounts.eachWithPrefix(ctx, owner, (id) => {
          found.push(id);
          return found.length >= ACCOUNTS_PER_ANSWER_MAX;
        });
        return {
          accounts: found.map((id) => {
            const account = state.accounts.get(ctx, id) ?? EMPTY_ACCOUNT;
            return accountView(id, account, views, {
              addresses,
              denom,
              owedToFunds: owedToFunds(ctx, state.waterfall, id),
            });
          }),
        };
      },
    }),
    onQuery({
      path: "/keel.margin.v1.Query/Positions",
      request: QueryPositionsRequest,
      response: QueryPositionsResponse,
      handle(ctx, request) {
        const { limit, after } = request;
        if (limit > POSITIONS_PAGE_MAX || (after.length !== 0 && after.length !== 24)) {
          throw refuse("invalidRequest", `expected a limit of at most ${POSITIONS_PAGE_MAX}`);
        }
        const most = limit === 0 ? POSITIONS_PAGE_DEFAULT : limit;
        const from = after.length === 0 ? "" : `${bytesToKey(after)}\0`;
        const views = marketViews(ctx, markets);
        const positions: QueryPositionsResponse["positions"] = [];
        let last: AccountId | undefined;
        let full = false;
        state.active.eachBetween(ctx, from, undefined, (id) => {
          // A page ends between accounts.
          if (positions.length >= most) {
            full = true;
            return true;
          }
          last = id;
          const account = state.accounts.get(ctx, id) ?? EMPTY_ACCOUNT;
          const health = evaluate(account, views);
          for (const held of account.positions) {
            if (held.lots === 0n) continue;
            const position = positionView(account, held, views(held.market), health);
            if (request.market !== "" && position.market !== request.market) continue;
            const owner = addresses.format(ownerOf(id));
            positions.push({ owner, subaccount: numberOf(id), position });
          }
          return false;
        });
        return {
          positions,
          next: full && last !== undefined ? keyToBytes(last) : new Uint8Array(0),
        };
      },
    }),
    onQuery({
      path: "/keel.margin.v1.Query/Params",
      request: QueryParamsRequest,
      response: QueryParamsResponse,
      handle: (ctx) => ({ params: state.params.require(ctx) }),
    }),
    onQuery({
      path: "/keel.margin.v1.Query/Totals",
      request: QueryTotalsRequest,
      response: QueryTotalsResponse,
      handle(ctx) {
        const denom = state.params.require(ctx).settlementDenom;
        const ledgers: QueryTotalsResponse["markets"] = [];
        state.ledgers.each(ctx, (_market, ledger) => {
          ledgers.push(ledgerToMessage(ledger));
        });
        return {
          totals: totalsToMessage(state.totals.require(ctx)),
          markets: ledgers,
          vault: bank.balance(ctx, COLLATERAL_VAULT, denom).toString(),
          insurance: insurance.balance(ctx, denom).toString(),
          gate: state.gate.get(ctx),
        };
      },
    }),
    onQuery({
      path: "/keel.margin.v1.Query/DeficitQueue",
      request: QueryDeficitQueueRequest,
      response: QueryDeficitQueueResponse,
      handle(ctx) {
        const deficits: QueryDeficitQueueResponse["deficits"] = [];
        state.deficits.each(ctx, (_id, deficit) => {
          deficits.push(deficitToMessage(deficit));
        });
        return { deficits };
      },
    }),
    onQuery({
      path: "/keel.margin.v1.Query/Requirement",
      request: QueryRequirementRequest,
      response: QueryRequirementResponse,
      handle(ctx, request) {
        const id = accountId(addresses.parse(request.owner), request.subaccount);
        const account = state.accounts.get(ctx, id) ?? EMPTY_ACCOUNT;
        // As if it were one: so a holder can see before it chooses.
        const judged = beside(ctx, state, id, { ...account, portfolio: true });
        return requirementView(judged, account.portfolio, marketViews(ctx, markets));
      },
    }),
    onQuery({
      path: "/keel.margin.v1.Query/PortfolioModel",
      request: QueryPortfolioModelRequest,
      response: QueryPortfolioModelResponse,
      handle: (ctx) => ({ model: state.portfolioModel.get(ctx) }),
    }),
    ...assetQueries(state, markets, addresses),
  ];
}
