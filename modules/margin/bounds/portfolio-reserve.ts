/**
 * What concentration may be charged at most while the levels of a portfolio's markets stand: impact of the largest sizes at the largest volatility
 * that these allow, whatever the scenario loss. Of an owner so large that closing takes longer, the charge is a product of loss and size and has no bound.
 */
import { absolute, maximum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import type { MarketViews } from "../health/market-view.ts";
import { impactQuanta, slowedPpm } from "../portfolio/concentration.ts";
import type { RiskArray, UnderlyingRisk } from "../portfolio/risk-array.ts";
import type { Paths } from "./paths.ts";
import { disagreeing } from "./portfolio-path.ts";

interface Largest {
  readonly underlying: UnderlyingRisk;
  /** Of the account, and of all that its owner has. */
  own: bigint;
  all: bigint;
  volatility: bigint;
}

/** Quanta; null: it has none. */
export function concentrationReserve(
  account: Account,
  views: MarketViews,
  paths: Paths,
): bigint | null {
  const byName = new Map<string, Largest>();
  const arrays: RiskArray[] = [];
  for (const { lots, market } of account.positions) {
    const path = lots === 0n ? null : paths.portfolio(market, views);
    if (path === null || path.array === null) continue;
    const { array, deltaMost, volatilityMost } = path;
    const { underlying } = array;
    const { name } = underlying.state;
    let known = byName.get(name);
    if (known === undefined) {
      known = { underlying, own: 0n, all: 0n, volatility: 0n };
      byName.set(name, known);
    }
    known.own += absolute(lots) * deltaMost;
    known.volatility = maximum(known.volatility, volatilityMost);
    arrays.push(array);
  }
  if (disagreeing(arrays).size > 0) return null;
  for (const { lots, market } of account.elsewhere) {
    // Resting orders alone: a market that nobody may hold, and nobody asks for.
    if (lots === 0n) continue;
    const { array, deltaMost } = paths.portfolio(market, views);
    const known = array === null ? undefined : byName.get(array.underlying.state.name);
    if (known !== undefined) known.all += lots * deltaMost;
  }
  let reserve = 0n;
  for (const { all, own, underlying, volatility } of byName.values()) {
    if (slowedPpm(underlying, own + all) > 0n) return null;
    reserve += impactQuanta(underlying, volatility, own, own + all);
  }
  const factorPpm = arrays[0]?.underlying.model.maintenanceFactorPpm ?? 0n;
  return mulDivUp(reserve, factorPpm, PPM);
}
