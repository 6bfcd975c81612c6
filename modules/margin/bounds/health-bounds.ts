/** The bounds of maintenance: on which levels an account's health depends, one for each of its positions, and one for each asset that backs it. */
import type { AccountId } from "../../kit/account-id.ts";
import { absolute } from "../../kit/math/mul-div.ts";
import type { Account, AssetHolding, Position } from "../account-codec.ts";
import { isLiquidatable, maintenanceHealth } from "../health/health.ts";
import type { MarketView, MarketViews } from "../health/market-view.ts";
import { Bounds, type Expected, type Rule } from "./bounds.ts";
import { gainOf } from "./market-path.ts";
import type { Paths } from "./paths.ts";
import { concentrationReserve } from "./portfolio-reserve.ts";
import { ROUNDED_QUANTA } from "./portfolio-rise.ts";
import type { Shares } from "./shares.ts";

/** Below its maintenance requirement. */
export interface Judged {
  readonly id: AccountId;
  readonly account: Account;
  readonly equity: bigint;
  readonly maintenance: bigint;
}

/** By what the slack is shared: the value that moves. A lot that was paid in full can lose no more than its requirement, which is its value. */
function weightOf(view: MarketView, lots: bigint): bigint {
  if (view.losses === null) return view.quantaPerLot;
  return lots < 0n ? view.notionalPerLot : 0n;
}

function plainPosition(
  { lots, market }: Position,
  views: MarketViews,
  paths: Paths,
  shares: Shares,
): void {
  const path = paths.market(market, views);
  const side = lots < 0n ? path.short : path.long;
  const view = views(market);
  if (view === undefined) return shares.only(side);
  shares.lots(side, absolute(lots), weightOf(view, lots));
  // Its requirement was rounded up, and may be again.
  if (view.losses === null) shares.keepBack(1n);
}

/** False: it has no bound. */
function whole(account: Account, views: MarketViews, paths: Paths, shares: Shares): boolean {
  const reserve = concentrationReserve(account, views, paths);
  if (reserve === null) return false;
  shares.keepBack(reserve);
  for (const { lots, market } of account.positions) {
    if (lots === 0n) continue;
    const path = paths.portfolio(market, views);
    const side = lots < 0n ? path.short : path.long;
    const view = views(market);
    if (view === undefined) {
      shares.only(side);
      continue;
    }
    // What is at risk of an option is a part of its underlying, whatever it is worth.
    const weight = path.array === null ? weightOf(view, lots) : view.notionalPerLot;
    shares.lots(side, absolute(lots), weight);
    shares.keepBack(ROUNDED_QUANTA);
  }
  // Concentration counts their deltas, which have room in what is held back.
  for (const { lots, market } of account.elsewhere) {
    if (lots !== 0n) shares.only(paths.portfolio(market, views).long);
  }
  return true;
}

function backing(
  assets: readonly AssetHolding[],
  views: MarketViews,
  paths: Paths,
  shares: Shares,
): void {
  for (const { denom, units } of assets) {
    const { side } = paths.asset(denom, views.asset);
    const view = views.asset?.(denom) ?? null;
    if (view === null) {
      shares.only(side);
      continue;
    }
    shares.units(side, units, view.price, view.terms.decimals);
    shares.keepBack(1n);
  }
}

function waits(account: Account, views: MarketViews, paths: Paths, shares: Shares): boolean {
  if (account.portfolio) {
    if (!whole(account, views, paths, shares)) return false;
  } else {
    for (const position of account.positions) {
      if (position.lots !== 0n) plainPosition(position, views, paths, shares);
    }
  }
  if (account.assets.length > 0) backing(account.assets, views, paths, shares);
  return shares.bound;
}

function holdsLots({ positions }: Account): boolean {
  for (const { lots } of positions) if (lots !== 0n) return true;
  return false;
}

const HEALTH: Rule<Judged> = {
  concerns: holdsLots,
  judge(id, account, views) {
    const health = maintenanceHealth(account, views);
    if (health === null) return null;
    const { equity, maintenance } = health;
    return isLiquidatable(health) ? { id, account, equity, maintenance } : equity - maintenance;
  },
  measures: { gain: gainOf, counted: ({ maintenancePpm, price }) => price * maintenancePpm },
  waits,
};

export class HealthBounds extends Bounds<Judged> {
  constructor(expected?: Expected) {
    super(HEALTH, expected);
  }
}
