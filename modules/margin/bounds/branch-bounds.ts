/** The bounds of one branch of state: made when they are first asked for, told of every write to an account, and of what is undone. */

import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { backingOf } from "../collateral-assets/backing.ts";
import { cashOf, isLiquidatable, maintenanceHealth } from "../health/health.ts";
import {
  type MarketViews,
  type ModelledMarkets,
  marketViews,
  withPortfolio,
} from "../health/market-view.ts";
import {
  type MarketSet,
  portfolioMarkets,
  scanPortfolioMarkets,
} from "../portfolio/held-markets.ts";
import type { RiskArray } from "../portfolio/risk-array.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { AccountOf, Bounds } from "./bounds.ts";
import { boundsOf, CASH, cashBoundsOf, forgetSides, HEALTH } from "./branch-watch.ts";
import { CashBounds, type Owing } from "./cash-bounds.ts";
import { HealthBounds, type Judged } from "./health-bounds.ts";

/** Without bounds everybody is in sight: the first look is a full one. */
function begin(ctx: WriteContext, state: MarginState, views: MarketViews): readonly Judged[] {
  const positions = new Map<MarketId, number>();
  state.ledgers.each(ctx, (market, ledger) => {
    positions.set(market, Number(ledger.positions));
  });
  const bounds = new HealthBounds({ accounts: state.active.size(ctx), positions });
  const found: Judged[] = [];
  // All records in their order, not the active ones by their ids: of a million, finding each costs as much as judging it.
  state.accounts.each(ctx, (id, account) => bounds.enter(id, account, views, found));
  keep(ctx, HEALTH, bounds);
  return found;
}

function keep(ctx: WriteContext, owner: object, bounds: object): void {
  ctx.state.derived.set(owner, bounds);
  // Writes before this moment were told to nobody.
  ctx.state.onRevert(() => void ctx.state.derived.delete(owner));
}

function look<Short extends object>(
  ctx: WriteContext,
  owner: object,
  bounds: Bounds<Short>,
  accountOf: AccountOf,
  views: MarketViews,
  settle: boolean,
): readonly Short[] {
  const settled: AccountId[] = [];
  let found: readonly Short[];
  try {
    found = bounds.look(accountOf, views, settle, (id) => void settled.push(id));
  } catch (error) {
    // Half a look knows neither whom it has seen nor which moves are counted: the next one is a full one.
    ctx.state.derived.delete(owner);
    throw error;
  }
  // Their bounds are of records that may be undone.
  if (settled.length > 0) ctx.state.onRevert(() => bounds.watch(settled));
  return found;
}

/** Markets that someone holds, ascending: all that health depends on, in an order that is a function of state. */
export function heldMarkets(ctx: ReadContext, state: MarginState): readonly MarketId[] {
  const held: MarketId[] = [];
  state.ledgers.each(ctx, (market, { positions }) => {
    if (positions > 0n) held.push(market);
  });
  return held;
}

/**
 * Bounds may still wait on a market that its last holder has left, on a node that has just started they do not: nobody asks for such a market, since
 * one that cannot be read is stopped, and that is state. The same of risk arrays, which are read where portfolio accounts hold something.
 */
function ofHeld(held: readonly MarketId[], modelled: MarketSet, views: MarketViews): MarketViews {
  const known = new Set(held);
  const read: MarketViews = (market) => (known.has(market) ? views(market) : undefined);
  const riskArray = (market: MarketId): RiskArray | null =>
    modelled.has(market) ? (views.riskArray?.(market) ?? null) : null;
  return Object.assign(withPortfolio(read, views), { riskArray });
}

/** Debt asks for no scenarios. */
const NO_MARKETS: MarketSet = new Set<MarketId>();

/** Every account with positions that is under water or below zero at these views, in no order. `settle` once a block. */
export function shortOfMargin(
  ctx: WriteContext,
  state: MarginState,
  views: MarketViews,
  settle: boolean,
): readonly Judged[] {
  const held = heldMarkets(ctx, state);
  for (const market of held) views(market);
  forgetSides(ctx);
  const read = ofHeld(held, portfolioMarkets(ctx, state), views);
  const bounds = boundsOf(ctx);
  if (bounds === undefined) return begin(ctx, state, read);
  return look(ctx, HEALTH, bounds, (id) => state.accounts.get(ctx, id), read, settle);
}

/** Of those written since `shortOfMargin` was asked in this block, where no mark, funding or asset has moved since: everybody else stands as it found them. */
export function shortSince(
  ctx: WriteContext,
  state: MarginState,
  views: MarketViews,
): readonly Judged[] {
  const bounds = boundsOf(ctx);
  if (bounds === undefined) return shortOfMargin(ctx, state, views, false);
  forgetSides(ctx);
  try {
    return bounds.lookAtWritten((id) => state.accounts.get(ctx, id), views);
  } catch (error) {
    // As in `look`.
    ctx.state.derived.delete(HEALTH);
    throw error;
  }
}

/** Every account whose cash is further below zero than its assets allow, in the order of ids. Once a block. */
export function owingTooMuch(
  ctx: WriteContext,
  state: MarginState,
  views: MarketViews,
): readonly Owing[] {
  const { judged } = state.assets;
  const bounds = cashBoundsOf(ctx);
  if (judged.size(ctx) === 0) {
    if (bounds !== undefined) ctx.state.derived.delete(CASH);
    return [];
  }
  const found: Owing[] = [];
  const read = ofHeld(heldMarkets(ctx, state), NO_MARKETS, views);
  if (bounds === undefined) {
    const made = new CashBounds();
    judged.each(ctx, (id) => {
      const account = state.accounts.get(ctx, id);
      if (account !== undefined) made.enter(id, account, read, found);
    });
    keep(ctx, CASH, made);
    return found;
  }
  const accountOf: AccountOf = (id) =>
    judged.has(ctx, id) ? state.accounts.get(ctx, id) : undefined;
  return [...look(ctx, CASH, bounds, accountOf, read, true)].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Null: nobody is short of margin, or of what backs its debt, whom the bounds of this branch vouch for. A full scan. */
export function boundsFault(
  ctx: ReadContext,
  state: MarginState,
  markets: ModelledMarkets,
): string | null {
  const views = marketViews(ctx, markets);
  return healthFault(ctx, state, views) ?? cashFault(ctx, state, views);
}

function healthFault(ctx: ReadContext, state: MarginState, views: MarketViews): string | null {
  const bounds = boundsOf(ctx);
  if (bounds === undefined) return null;
  bounds.refresh(ofHeld(heldMarkets(ctx, state), scanPortfolioMarkets(ctx, state), views));
  let fault: string | null = null;
  state.active.each(ctx, (id) => {
    const account = state.accounts.get(ctx, id);
    const health = account === undefined ? null : maintenanceHealth(account, views);
    if (health === null) {
      fault = "an account with positions cannot be judged";
      return true;
    }
    if (!isLiquidatable(health) || bounds.sees(id)) return false;
    const { equity, maintenance } = health;
    fault = `an account with equity ${equity} of a required ${maintenance} is out of sight`;
    return true;
  });
  return fault;
}

function cashFault(ctx: ReadContext, state: MarginState, views: MarketViews): string | null {
  const bounds = cashBoundsOf(ctx);
  if (bounds === undefined) return null;
  bounds.refresh(ofHeld(heldMarkets(ctx, state), NO_MARKETS, views));
  let fault: string | null = null;
  state.assets.judged.each(ctx, (id) => {
    const account = state.accounts.get(ctx, id);
    const cash = account === undefined ? null : cashOf(account, views);
    if (account !== undefined && cash === null) fault = "an account with assets cannot be judged";
    if (account === undefined || cash === null || bounds.sees(id)) return fault !== null;
    const { debtMax } = backingOf(account.assets, views.asset);
    if (cash >= -debtMax) return false;
    fault = `an account with cash ${cash} that may owe ${debtMax} is out of sight`;
    return true;
  });
  return fault;
}
