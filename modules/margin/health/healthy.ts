/** Changes of terms that may not close anyone: accounts that are healthy before them must be healthy after them. */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext } from "../../kit/context.ts";
import type { Account } from "../account-codec.ts";
import type { MarginState } from "../state.ts";
import { isLiquidatable, maintenanceHealth } from "./health.ts";
import { type ModelledMarkets, marketViews } from "./market-view.ts";

/** An account that the change has put under water. */
export interface Sunk {
  readonly id: AccountId;
  readonly account: Account;
  readonly equity: bigint;
  readonly maintenance: bigint;
}

/** Accounts with positions that are not under water as things stand, in order. A full scan: for rare messages. */
export function healthyAccounts(
  ctx: ReadContext,
  state: MarginState,
  markets: ModelledMarkets,
  concerns: (account: Account) => boolean,
): AccountId[] {
  const views = marketViews(ctx, markets);
  const out: AccountId[] = [];
  state.active.each(ctx, (id) => {
    const account = state.accounts.get(ctx, id);
    if (account === undefined || !concerns(account)) return;
    const health = maintenanceHealth(account, views);
    if (health !== null && !isLiquidatable(health)) out.push(id);
  });
  return out;
}

/** Those of the accounts that are under water now, in their order. */
export function sunkOf(
  ctx: ReadContext,
  state: MarginState,
  markets: ModelledMarkets,
  ids: readonly AccountId[],
): Sunk[] {
  const views = marketViews(ctx, markets);
  return ids.flatMap((id) => {
    const account = state.accounts.get(ctx, id);
    const health = account === undefined ? null : maintenanceHealth(account, views);
    if (account === undefined || health === null || !isLiquidatable(health)) return [];
    return [{ id, account, ...health }];
  });
}
