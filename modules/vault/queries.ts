/** Query routes of the vault. */
import {
  QueryMarketsRequest,
  QueryMarketsResponse,
  QueryParamsRequest,
  QueryParamsResponse,
  QueryQuotesRequest,
  QueryQuotesResponse,
  QuerySharesRequest,
  QuerySharesResponse,
  QueryVaultRequest,
  QueryVaultResponse,
  QueryWithdrawalsRequest,
  QueryWithdrawalsResponse,
} from "@keel/proto/gen/keel/vault/v1/query";
import { bytesToKey, u64Key } from "../kit/collections/codecs.ts";
import type { ReadContext } from "../kit/context.ts";
import { mulDivDown, mulDivTrunc, PPM } from "../kit/math/mul-div.ts";
import type { QueryRoute } from "../kit/module.ts";
import { onQuery } from "../kit/module.ts";
import { nowMs } from "./deposits.ts";
import { refuse } from "./errors.ts";
import { unlockedShares } from "./holders.ts";
import type { VaultKeeper } from "./keeper.ts";
import {
  FIRST_SHARES_PER_QUANTUM,
  WITHDRAWALS_PAGE_DEFAULT,
  WITHDRAWALS_PAGE_MAX,
} from "./limits.ts";
import type { VaultPorts } from "./ports.ts";
import { lockToMessage, marketToMessage, NO_HOLDER } from "./records.ts";
import { marketAccount, VAULT_ADDRESS, type VaultState } from "./state.ts";
import type { MarketValuation } from "./valuation.ts";

/** What a price is said for: a unit at the first price. */
const PRICED_SHARES = PPM * FIRST_SHARES_PER_QUANTUM;

export function vaultQueries(
  state: VaultState,
  { valuer }: Pick<VaultKeeper, "valuer">,
  { addresses, ledger, venue }: VaultPorts,
): readonly QueryRoute[] {
  const symbolOf = (ctx: ReadContext, market: number): string =>
    venue.terms(ctx, market)?.symbol ?? "";

  function marketView(
    ctx: ReadContext,
    market: MarketValuation,
  ): QueryMarketsResponse["markets"][number] {
    const { account, equity, lots, notional, record } = market;
    return {
      market: symbolOf(ctx, record.market),
      record: marketToMessage(record),
      subaccount: record.market,
      equity: equity.toString(),
      freeCollateral: ledger.freeCollateral(ctx, account).toString(),
      lots: lots.toString(),
      leveragePpm: equity > 0n ? mulDivTrunc(notional, PPM, equity).toString() : "",
      volatilityPpm: valuer.volatility(ctx, record).toString(),
      spreadPpm: valuer.spread(ctx, record).toString(),
    };
  }

  return [
    onQuery({
      path: "/keel.vault.v1.Query/Vault",
      request: QueryVaultRequest,
      response: QueryVaultResponse,
      handle(ctx) {
        const { equity, idle, priced } = valuer.all(ctx);
        const { queuedShares, shares, short } = state.totals.require(ctx);
        return {
          address: addresses.format(VAULT_ADDRESS),
          denom: ledger.params(ctx).settlementDenom,
          shares: shares.toString(),
          queuedShares: queuedShares.toString(),
          equity: equity.toString(),
          price: shares > 0n ? mulDivDown(equity, PRICED_SHARES, shares).toString() : "",
          priced,
          shortOfCollateral: short,
          idle: idle.toString(),
        };
      },
    }),
    onQuery({
      path: "/keel.vault.v1.Query/Shares",
      request: QuerySharesRequest,
      response: QuerySharesResponse,
      handle(ctx, { owner }) {
        const holder = state.holders.get(ctx, addresses.parse(owner)) ?? NO_HOLDER;
        const { shares: total } = state.totals.require(ctx);
        const all = holder.shares + holder.queuedShares;
        const value = total > 0n ? mulDivDown(valuer.all(ctx).equity, all, total) : 0n;
        return {
          shares: holder.shares.toString(),
          queuedShares: holder.queuedShares.toString(),
          unlockedShares: unlockedShares(holder, nowMs(ctx)).toString(),
          locks: holder.locks.map(lockToMessage),
          value: value.toString(),
        };
      },
    }),
    onQuery({
      path: "/keel.vault.v1.Query/Withdrawals",
      request: QueryWithdrawalsRequest,
      response: QueryWithdrawalsResponse,
      handle(ctx, { afterId, limit, owner }) {
        const most = limit === 0 ? WITHDRAWALS_PAGE_DEFAULT : limit;
        if (most > WITHDRAWALS_PAGE_MAX) {
          throw refuse("invalidRequest", `expected a limit of at most ${WITHDRAWALS_PAGE_MAX}`);
        }
        const of = owner === "" ? null : bytesToKey(addresses.parse(owner));
        const withdrawals: QueryWithdrawalsResponse["withdrawals"] = [];
        state.withdrawals.eachBetween(ctx, u64Key.encode(afterId + 1n), undefined, (id, entry) => {
          if (of !== null && bytesToKey(entry.owner) !== of) return false;
          withdrawals.push({
            id,
            owner: addresses.format(entry.owner),
            shares: entry.shares.toString(),
            dueMs: entry.dueMs,
          });
          return withdrawals.length >= most;
        });
        return { withdrawals };
      },
    }),
    onQuery({
      path: "/keel.vault.v1.Query/Quotes",
      request: QueryQuotesRequest,
      response: QueryQuotesResponse,
      derives: true,
      handle(ctx, { market: symbol }) {
        const quotes: QueryQuotesResponse["quotes"] = [];
        state.markets.each(ctx, (id) => {
          const market = symbolOf(ctx, id);
          if (symbol !== "" && market !== symbol) return;
          for (const order of venue.openOrders(ctx, marketAccount(id), id)) {
            quotes.push({
              market,
              orderId: BigInt(order.id),
              side: order.side,
              priceTicks: order.ticks.toString(),
              lots: order.lots.toString(),
              reduceOnly: order.reduceOnly,
              goodTilMs: BigInt(order.goodTilMs),
            });
          }
        });
        return { quotes };
      },
    }),
    onQuery({
      path: "/keel.vault.v1.Query/Markets",
      request: QueryMarketsRequest,
      response: QueryMarketsResponse,
      handle: (ctx) => ({
        markets: valuer.all(ctx).markets.map((market) => marketView(ctx, market)),
      }),
    }),
    onQuery({
      path: "/keel.vault.v1.Query/Params",
      request: QueryParamsRequest,
      response: QueryParamsResponse,
      handle: (ctx) => ({ params: state.params.require(ctx) }),
    }),
  ];
}
