/** Changes of terms that may not close anyone: accounts that are healthy before them must be healthy after them. */
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import type { Account } from "../account-codec.ts";
import { type MarginCode, refuse } from "../errors.ts";
import { sunkText } from "../portfolio/refusals.ts";
import type { MarginState } from "../state.ts";
import { isLiquidatable, maintenanceHealth } from "./health.ts";
import { type ModelledMarkets, marketViews } from "./market-view.ts";

export interface TermsChange {
  /** Of the refusal. */
  readonly code: MarginCode;
  /** Accounts that hold something; those whose health the change can touch are among them. */
  readonly each: (visit: (id: AccountId) => void) => void;
  readonly concerns: (account: Account) => boolean;
  readonly name: (id: AccountId) => string;
  readonly apply: () => void;
}

/**
 * Applies the change. Throws ModuleError when an account that is healthy would be liquidatable at once, naming the first in order with its requirement, equity and what
 * is missing; the caller reverts. A full scan: for rare messages.
 */
export function keepingHealthy(
  ctx: WriteContext,
  parts: { readonly state: MarginState; readonly markets: ModelledMarkets },
  change: TermsChange,
): void {
  const { markets, state } = parts;
  const healthy: AccountId[] = [];
  const before = marketViews(ctx, markets);
  change.each((id) => {
    const account = state.accounts.get(ctx, id);
    if (account === undefined || !change.concerns(account)) return;
    const health = maintenanceHealth(account, before);
    if (health !== null && !isLiquidatable(health)) healthy.push(id);
  });
  change.apply();
  const views = marketViews(ctx, markets);
  let first: string | null = null;
  let count = 0;
  for (const id of healthy) {
    const account = state.accounts.get(ctx, id);
    const health = account === undefined ? null : maintenanceHealth(account, views);
    if (account === undefined || health === null || !isLiquidatable(health)) continue;
    count += 1;
    first ??= `${change.name(id)}: ${sunkText(account, views, health)}`;
  }
  if (first === null) return;
  throw refuse(
    change.code,
    `${count} healthy accounts would be liquidatable at once; the first is ${first}`,
  );
}
