/**
 * Equity and requirements of one account at mark. Pure: account and market views in, numbers out.
 * Position value = lots × mark + quote − lots × (funding index now − index at last settlement), exact; requirements round up.
 */
import type { Account, Position } from "../account-codec.ts";
import { backingOf } from "../collateral-assets/backing.ts";
import { lotsElsewhere, worstElsewhere } from "../owners/elsewhere.ts";
import { portfolioInitial, portfolioMaintenance } from "../portfolio/account.ts";
import { isClosable, type MarketView, type MarketViews } from "./market-view.ts";
import { positionInitial, positionMaintenance } from "./position-requirement.ts";

/** Quanta throughout. */
export interface Health {
  /** Cash, and what other assets count for maintenance. */
  readonly equity: bigint;
  /** Collateral and positions alone; may be below zero by `debtMax`. */
  readonly cash: bigint;
  readonly debtMax: bigint;
  /** With resting orders at their worst side, and what counts for equity but is no margin for more: a part of what assets count, and gains that cannot be closed now. The fee reserve is not part of it. */
  readonly initial: bigint;
  readonly maintenance: bigint;
  /** Every mark that enters is fresh. */
  readonly fresh: boolean;
  /** False when a market has no price at all: the other figures leave it out. */
  readonly complete: boolean;
  readonly portfolio: boolean;
}

/** Cash side with funding settled up to the view's index. */
export function settledQuote(position: Position, fundingIndex: bigint): bigint {
  return position.quote - position.lots * (fundingIndex - position.fundingIndex);
}

export function positionValue(position: Position, view: MarketView): bigint {
  return position.lots * view.quantaPerLot + settledQuote(position, view.fundingIndex);
}

/**
 * What a position has gained in it is no margin for more: nobody can take it now, the market may turn before it is open again, and who has lost the gain
 * elsewhere by then leaves that loss to others.
 */
export function holdsGains(view: MarketView): boolean {
  return !isClosable(view) && !isFixed(view);
}

/** It settles, at a value that is known: nothing is required for it any more. */
function isFixed({ losses, terms: { status } }: MarketView): boolean {
  if (status !== "settling" && status !== "settled") return false;
  return losses !== null && losses.long.maintenance === 0n && losses.short.maintenance === 0n;
}

export function evaluate(account: Account, views: MarketViews): Health {
  let cash = account.collateral;
  let held = 0n;
  let initial = 0n;
  let maintenance = 0n;
  let fresh = true;
  let complete = true;
  for (const position of account.positions) {
    const view = views(position.market);
    if (view === undefined) {
      complete = false;
      fresh = false;
      continue;
    }
    if (!view.fresh) fresh = false;
    if (position.lots !== 0n) {
      const value = positionValue(position, view);
      cash += value;
      if (value > 0n && holdsGains(view)) held += value;
      maintenance += positionMaintenance(position, view, lotsElsewhere(account, position.market));
    }
    initial += positionInitial(position, view, worstElsewhere(account, position.market));
  }
  if (account.portfolio) {
    initial = portfolioInitial(account, views).initial;
    maintenance = portfolioMaintenance(account, views);
  }
  initial += held;
  const { portfolio } = account;
  if (account.assets.length === 0) {
    return { equity: cash, cash, debtMax: 0n, initial, maintenance, fresh, complete, portfolio };
  }
  const backing = backingOf(account.assets, views.asset);
  const { debtMax } = backing;
  const equity = cash + backing.maintenance;
  initial += backing.maintenance - backing.initial;
  return { equity, cash, debtMax, initial, maintenance, fresh, complete, portfolio };
}

/** Collateral and positions alone. Null when a held market has no price. */
export function cashOf(account: Account, views: MarketViews): bigint | null {
  let cash = account.collateral;
  for (const position of account.positions) {
    if (position.lots === 0n) continue;
    const view = views(position.market);
    if (view === undefined) return null;
    cash += positionValue(position, view);
  }
  return cash;
}

/** Collateral, positions and what assets count for: the equity of `maintenanceHealth`, by itself. */
export function equityOf(account: Account, views: MarketViews): bigint | null {
  const cash = cashOf(account, views);
  if (cash === null || account.assets.length === 0) return cash;
  return cash + backingOf(account.assets, views.asset).maintenance;
}

/** Equity and maintenance only: what a liquidation scan needs of every account. Null when a held market has no price. */
export function maintenanceHealth(
  account: Account,
  views: MarketViews,
): { readonly equity: bigint; readonly cash: bigint; readonly maintenance: bigint } | null {
  let cash = account.collateral;
  let maintenance = 0n;
  for (const position of account.positions) {
    if (position.lots === 0n) continue;
    const view = views(position.market);
    if (view === undefined) return null;
    cash += positionValue(position, view);
    maintenance += positionMaintenance(position, view, lotsElsewhere(account, position.market));
  }
  if (account.portfolio) maintenance = portfolioMaintenance(account, views);
  if (account.assets.length === 0) return { equity: cash, cash, maintenance };
  const equity = cash + backingOf(account.assets, views.asset).maintenance;
  return { equity, cash, maintenance };
}

/** Equity above the initial requirement including resting orders and their fees, and no more owed in cash than may be. */
export function meetsInitial(account: Account, health: Health): boolean {
  const { cash, complete, debtMax, equity, fresh, initial } = health;
  return complete && fresh && equity >= initial + account.feeReserve && cash >= -debtMax;
}

/**
 * The change makes the account no riskier: the maintenance requirement does not grow and equity per unit of it does not fall
 * (compared by cross-multiplication). Without any requirement on either side, equity must strictly improve.
 */
export function noRiskier(before: Health, after: Health): boolean {
  if (!before.complete || !after.complete) return false;
  if (before.maintenance === 0n && after.maintenance === 0n) return after.equity > before.equity;
  return (
    after.maintenance <= before.maintenance &&
    after.equity * before.maintenance >= before.equity * after.maintenance
  );
}

/** What may be withdrawn: min(equity − initial − fee reserve, collateral, cash), never negative. */
export function freeCollateral(account: Account, health: Health): bigint {
  const free = health.equity - health.initial - account.feeReserve;
  const { cash } = health;
  const own = cash < account.collateral ? cash : account.collateral;
  const least = free < own ? free : own;
  return least > 0n ? least : 0n;
}

/** Of an account that holds positions: under water. Equity does not cover the maintenance requirement, be it none (options marked at nothing). */
export function isLiquidatable(health: {
  readonly equity: bigint;
  readonly maintenance: bigint;
}): boolean {
  return health.equity < health.maintenance;
}
