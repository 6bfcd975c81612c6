/**
 * The one place where an account meets the margin model: what it must hold as one portfolio. Positions in markets the model says nothing of
 * are charged as everywhere, on top.
 */

import { absolute, maximum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import type { Account, Position } from "../account-codec.ts";
import type { MarketView, MarketViews } from "../health/market-view.ts";
import { positionInitial, positionMaintenance } from "../health/position-requirement.ts";
import { lotsElsewhere, worstElsewhere } from "../owners/elsewhere.ts";
import type { MarketId } from "../ports.ts";
import type { RiskPosition } from "./accumulate.ts";
import { type PortfolioRequirement, portfolioRequirement } from "./requirement.ts";
import type { RiskArray } from "./risk-array.ts";

const NO_HAIRCUT = { initial: 0n, maintenance: 0n };

/** What it is charged by as part of a portfolio; null: as everywhere. */
export function arrayOf(views: MarketViews, market: MarketId, view: MarketView): RiskArray | null {
  // Nothing is at risk any more of what is only paid out.
  return view.terms.status === "settling" ? null : (views.riskArray?.(market) ?? null);
}

/** Gross delta that the owner's other accounts have in an underlying: concentration is the owner's. */
function deltaElsewhere(
  { elsewhere }: Account,
  views: MarketViews,
  underlying: string,
  counted: "lots" | "worstLots",
): bigint {
  let sum = 0n;
  for (const one of elsewhere) {
    const view = one[counted] === 0n ? undefined : views(one.market);
    const array = view === undefined ? null : arrayOf(views, one.market, view);
    if (array === null || array.underlying.state.name !== underlying) continue;
    sum += one[counted] * absolute(BigInt(array.delta));
  }
  return sum;
}

function required(
  positions: readonly RiskPosition[],
  elsewhere: (underlying: string) => bigint,
): PortfolioRequirement | null {
  const [first] = positions;
  if (first === undefined) return null;
  return portfolioRequirement({
    model: first.array.underlying.model,
    positions,
    // Other assets are cut before they count as equity (collateral-assets/).
    haircut: NO_HAIRCUT,
    depegPpm: first.array.underlying.depegPpm,
    elsewhere,
  });
}

/** Maintenance requirement, and the worst scenario loss in it; lots held, without resting orders. `requirement` is null when the model says nothing of anything held. */
export function portfolioRisk(
  account: Account,
  views: MarketViews,
): {
  readonly maintenance: bigint;
  readonly loss: bigint;
  readonly requirement: PortfolioRequirement | null;
} {
  let apart = 0n;
  const positions: RiskPosition[] = [];
  for (const position of account.positions) {
    const view = views(position.market);
    if (position.lots === 0n || view === undefined) continue;
    const array = arrayOf(views, position.market, view);
    if (array === null)
      apart += positionMaintenance(position, view, lotsElsewhere(account, position.market));
    else positions.push({ array, low: position.lots, high: position.lots });
  }
  const requirement = required(positions, (name) => deltaElsewhere(account, views, name, "lots"));
  return {
    maintenance: apart + (requirement?.maintenance ?? 0n),
    loss: requirement?.scan.loss ?? 0n,
    requirement,
  };
}

export function portfolioMaintenance(account: Account, views: MarketViews): bigint {
  return portfolioRisk(account, views).maintenance;
}

/** Quanta; resting orders at their worst. `requirement` is null when the model says nothing of anything held. */
export function portfolioInitial(
  account: Account,
  views: MarketViews,
): { readonly initial: bigint; readonly requirement: PortfolioRequirement | null } {
  let apart = 0n;
  let raisePpm = 0n;
  const positions: RiskPosition[] = [];
  for (const position of account.positions) {
    const view = views(position.market);
    if (view === undefined) continue;
    const array = arrayOf(views, position.market, view);
    if (array === null)
      apart += positionInitial(position, view, worstElsewhere(account, position.market));
    else {
      raisePpm = maximum(raisePpm, view.terms.initialRaisePpm ?? 0n);
      const low = position.lots - position.openSellLots;
      positions.push({ array, low, high: position.lots + position.openBuyLots });
    }
  }
  const requirement = required(positions, (name) =>
    deltaElsewhere(account, views, name, "worstLots"),
  );
  // A portfolio is one risk: the largest raise of any of its markets holds for the whole.
  const together = mulDivUp(requirement?.initial ?? 0n, PPM + raisePpm, PPM);
  return { initial: apart + together, requirement };
}

/**
 * The part of the account's maintenance requirement that a position stands for, where an amount is split over positions: of a portfolio by
 * notional, rounded up.
 */
export function maintenanceShare(
  account: Account,
  position: Position,
  view: MarketView,
  views: MarketViews,
): bigint {
  if (!account.portfolio)
    return positionMaintenance(position, view, lotsElsewhere(account, position.market));
  let all = 0n;
  for (const { market, lots } of account.positions) {
    all += absolute(lots) * (views(market)?.notionalPerLot ?? 0n);
  }
  const own = absolute(position.lots) * view.notionalPerLot;
  return all === 0n ? 0n : mulDivUp(portfolioMaintenance(account, views), own, all);
}

/**
 * What closing a position whole would take off the maintenance requirement. A leg that hedges others takes nothing off, and is closed only
 * when nothing else is left: then its share counts.
 */
export function maintenanceReleased(
  account: Account,
  position: Position,
  view: MarketView,
  views: MarketViews,
): bigint {
  if (!account.portfolio)
    return positionMaintenance(position, view, lotsElsewhere(account, position.market));
  const without = account.positions.filter(({ market }) => market !== position.market);
  const before = portfolioMaintenance(account, views);
  const released = before - portfolioMaintenance({ ...account, positions: without }, views);
  return released > 0n ? released : 0n;
}
