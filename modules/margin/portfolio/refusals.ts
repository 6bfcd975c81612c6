/** What an account is told that has too little: the requirement, its equity, what is missing, and of a portfolio the scenario that decides. */
import type { Account } from "../account-codec.ts";
import type { Health } from "../health/health.ts";
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

/** Of who owes more in cash than assets allow. */
export function owesText({ cash, debtMax }: Pick<Health, "cash" | "debtMax">): string {
  return `it owes ${money(-cash)}, and may owe ${money(debtMax)}: short of ${money(-cash - debtMax)}`;
}

/** Of the initial requirement, the fees of resting orders included; where it is met, of the cash that is owed. */
export function shortText(account: Account, views: MarketViews, health: Health): string {
  const { cash, debtMax, equity, initial } = health;
  if (equity >= initial + account.feeReserve && cash < -debtMax) return owesText(health);
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
