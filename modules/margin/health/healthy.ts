/** Changes of terms that may not close anyone: accounts that are healthy before them must be healthy after them. */
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import type { Account } from "../account-codec.ts";
import { backingOf } from "../collateral-assets/backing.ts";
import { type MarginCode, refuse } from "../errors.ts";
import { owesText, sunkText } from "../portfolio/refusals.ts";
import type { MarginState } from "../state.ts";
import { isLiquidatable, maintenanceHealth } from "./health.ts";
import { type MarketViews, type ModelledMarkets, marketViews } from "./market-view.ts";

export interface TermsChange {
  /** Of the refusal. */
  readonly code: MarginCode;
  /** Accounts that hold something; those whose health the change can touch are among them. */
  readonly each: (visit: (id: AccountId) => void) => void;
  readonly concerns: (account: Account) => boolean;
  readonly name: (id: AccountId) => string;
  readonly apply: () => void;
}

/** What the end of a block does to an account, and why; null: nothing. */
interface Fate {
  /** Owing: more than it may, of which nothing can be sold now; it is converted when something can. */
  readonly name: "liquidatable" | "converted" | "owing";
  readonly why: () => string;
}

function fateOf(account: Account, views: MarketViews): Fate | "unknown" | null {
  const health = maintenanceHealth(account, views);
  if (health === null) return "unknown";
  if (isLiquidatable(health)) {
    return { name: "liquidatable", why: () => sunkText(account, views, health) };
  }
  const { debtMax } = backingOf(account.assets, views.asset);
  const sells = account.assets.some(({ denom }) => views.asset?.(denom)?.usable === true);
  if (health.cash >= -debtMax) return null;
  const why = () => owesText({ cash: health.cash, debtMax });
  return { name: sells ? "converted" : "owing", why };
}

/**
 * Applies the change. Throws ModuleError when an account that is healthy would be liquidatable at once, naming the first in order with its requirement, equity and what
 * is missing, or when one that owes no more than it may would be sold assets of; the caller reverts. A full scan: for rare messages.
 */
export function keepingHealthy(
  ctx: WriteContext,
  parts: { readonly state: MarginState; readonly markets: ModelledMarkets },
  change: TermsChange,
): void {
  const { markets, state } = parts;
  const healthy: { readonly id: AccountId; readonly owed: boolean }[] = [];
  const before = marketViews(ctx, markets);
  change.each((id) => {
    const account = state.accounts.get(ctx, id);
    if (account === undefined || !change.concerns(account)) return;
    const fate = fateOf(account, before);
    if (fate === "unknown" || fate?.name === "liquidatable") return;
    healthy.push({ id, owed: fate !== null });
  });
  change.apply();
  const views = marketViews(ctx, markets);
  let first: string | null = null;
  let count = 0;
  for (const { id, owed } of healthy) {
    const account = state.accounts.get(ctx, id);
    const fate = account === undefined ? null : fateOf(account, views);
    if (fate === null || fate === "unknown" || fate.name === "owing") continue;
    if (owed && fate.name === "converted") continue;
    count += 1;
    first ??= `${fate.name} at once; the first is ${change.name(id)}: ${fate.why()}`;
  }
  if (first === null) return;
  throw refuse(change.code, `${count} healthy accounts would be ${first}`);
}
