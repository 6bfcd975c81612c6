/**
 * By how much a lot's risk array may raise the maintenance requirement of any portfolio that holds it, long or short, when it changes.
 *
 * All that a requirement is made of (portfolio/requirement.ts) is a maximum, a sum or a norm of sums of lots × entries, so no change of an entry moves it by more than itself: per lot
 *
 * - the scenario part by the largest change of a weighted entry, in whichever scenario and discount. A skew's absolute value and the worse discount keep that; so do the worst scenario,
 *   stressed (all scenarios summed), and estimated: √((Σ |β| D)² + Σ (1 − β²) D²) ≤ Σ D; what is between their sum and the worse of both does as well;
 * - a floor by the larger of its own rise and that of what it stands against;
 * - what is a share of the notional by just that, up and down; short options, net and gross delta and funding by the change without its sign;
 * - concentration not at all: it is held back in full (portfolio-reserve.ts).
 *
 * βs, factors and rates must stand. Weights and shares of expiries may move: they are in the entries.
 */
import { absolute, divCeil, maximum, PPM } from "../../kit/math/mul-div.ts";
import { basisSharePpm } from "../portfolio/accumulate.ts";
import { chargedWidthPpm } from "../portfolio/requirement.ts";
import type { RiskArray, UnderlyingRisk } from "../portfolio/risk-array.ts";

/** Roundings per position, quanta: of its underlying's loss and its expiry's basis (factors are at most ten), and of each add-on once. */
export const ROUNDED_QUANTA = 100n;

/** What all arrays of one underlying have in common, or a requirement does not count them as they are. */
export function sameUnderlying(a: UnderlyingRisk, b: UnderlyingRisk): boolean {
  return (
    a === b ||
    (a.model === b.model &&
      a.rangePpm === b.rangePpm &&
      a.betaPpm === b.betaPpm &&
      a.state.volatility === b.state.volatility &&
      a.state.oracleWidthPpm === b.state.oracleWidthPpm)
  );
}

/** The contract is the same, and so is what multiplies sums instead of entries. */
function comparable(from: RiskArray, to: RiskArray): boolean {
  const { underlying: a } = from;
  const { underlying: b } = to;
  return (
    a.model === b.model &&
    a.state.name === b.state.name &&
    a.betaPpm === b.betaPpm &&
    from.kind === to.kind &&
    from.group === to.group &&
    from.strike === to.strike
  );
}

/** Largest change of a weighted entry, quanta × 1,000,000. */
function scenarioChange(from: RiskArray, to: RiskArray): bigint {
  const { weightsPpm: before } = from.underlying;
  const { weightsPpm: after } = to.underlying;
  let most = 0n;
  to.changes.forEach((changes, variant) => {
    const old = from.changes[variant] ?? [];
    for (let i = 0; i < after.length; i++) {
      const was = BigInt(old[i] ?? 0) * (before[i] ?? 0n);
      const is = BigInt(changes[i] ?? 0) * (after[i] ?? 0n);
      most = maximum(most, absolute(is - was));
    }
  });
  return most;
}

/** The same of an expiry whose forward moves alone, up or down. */
function basisChange(from: RiskArray, to: RiskArray): bigint {
  const count = to.underlying.weightsPpm.length;
  const at = ({ changes }: RiskArray, i: number): bigint => BigInt(changes[0]?.[count + i] ?? 0);
  const change = (i: number): bigint =>
    absolute(at(to, i) * basisSharePpm(to) - at(from, i) * basisSharePpm(from));
  return maximum(change(0), change(1));
}

/** Quanta × 1,000,000, rounded up; below zero where shares of the notional have fallen more than anything else can have risen. Null: nothing can be said. */
export function riseOf(from: RiskArray, to: RiskArray): bigint | null {
  if (from === to) return 0n;
  if (!comparable(from, to)) return null;
  const { addOns, maintenanceFactorPpm } = to.underlying.model;
  const factored = (millionths: bigint): bigint => divCeil(millionths * maintenanceFactorPpm, PPM);
  let scenarios = factored(scenarioChange(from, to));
  let besides = absolute(BigInt(to.funding) - BigInt(from.funding)) * PPM;
  const charge = (isFloor: boolean | undefined, rise: bigint): void => {
    if (isFloor === true) scenarios = maximum(scenarios, rise);
    else besides += rise;
  };
  const { basis, deltaMinimum, linear, liquidity, oracleWidth, shortOptions } = addOns ?? {};
  const isOption = to.kind === "option";
  const [was, is] = [BigInt(from.notional), BigInt(to.notional)];
  const basisRise = basisChange(from, to);
  charge(basis?.floor, basis?.floor === true ? factored(basisRise) : basisRise);
  // Net is no less than half of hedged, so this covers net × (net rate − hedged / 2) + gross × hedged / 2.
  const slope = absolute(BigInt(to.delta) - BigInt(from.delta));
  charge(deltaMinimum?.floor, slope * (deltaMinimum?.net?.maintenancePpm ?? 0n));
  const sold = shortOptions?.rates?.maintenancePpm ?? 0n;
  charge(shortOptions?.floor, isOption ? absolute(is - was) * sold : 0n);
  if (to.kind !== "spot") {
    const spread = isOption ? liquidity?.optionPpm : liquidity?.linearPpm;
    const rate = (isOption ? 0n : (linear?.maintenancePpm ?? 0n)) + (spread ?? 0n);
    besides += (is - was) * rate;
    const wide = is * chargedWidthPpm(to.underlying) - was * chargedWidthPpm(from.underlying);
    besides += divCeil(wide * (oracleWidth?.factor?.maintenancePpm ?? 0n), PPM);
  }
  return scenarios + besides;
}
