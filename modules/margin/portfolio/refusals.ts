/** What an account is told that has too little: the requirement, its equity, what is missing, and of a portfolio the scenario that decides. */
import type { Account } from "../account-codec.ts";
import type { MarketViews } from "../health/market-view.ts";
import { portfolioInitial, portfolioRisk } from "./account.ts";
import type { PortfolioRequirement } from "./requirement.ts";
import { money, refusalText } from "./verdict.ts";

interface Short {
  readonly equity: bigint;
  readonly needed: bigint;
}

function text(found: PortfolioRequirement | null, { equity, needed }: Short): string {
  const model = found?.scan.underlyings[0]?.underlying.model;
  if (found !== null && model !== undefined) return refusalText(model, found, equity, needed);
  const missing = needed - equity;
  return (
    `expected equity of at least ${money(needed)} (requirement), got ${money(equity)}: ` +
    `short of ${money(missing > 0n ? missing : 0n)}`
  );
}

/** Of the initial requirement, the fees of resting orders included. */
export function shortText(
  account: Account,
  views: MarketViews,
  { equity, initial }: { readonly equity: bigint; readonly initial: bigint },
): string {
  const found = account.portfolio ? portfolioInitial(account, views).requirement : null;
  return text(found, { equity, needed: initial + account.feeReserve });
}

/** Of the maintenance requirement. */
export function sunkText(
  account: Account,
  views: MarketViews,
  { equity, maintenance }: { readonly equity: bigint; readonly maintenance: bigint },
): string {
  const found = account.portfolio ? portfolioRisk(account, views).requirement : null;
  return text(found, { equity, needed: maintenance });
}
