/**
 * From sums per expiry to the worst loss: per underlying the worst scenario, then across underlyings by one common factor. Profits round
 * down, losses up.
 */
import { SkewMove } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { absolute, divCeil, divFloor, maximum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import { integerSqrt } from "../../kit/math/square-root.ts";
import type { GroupSums } from "./accumulate.ts";
import type { UnderlyingRisk } from "./risk-array.ts";

/** Quanta. */
export interface UnderlyingScan {
  readonly underlying: UnderlyingRisk;
  /** Weighted, positive where money is lost, one per scenario of the model. */
  readonly losses: readonly bigint[];
  /** Index of the worst; its loss, at least 0. */
  readonly binding: number;
  readonly loss: bigint;
  /** Sum over expiries of what is lost when that expiry's forward moves alone, × the model's share; rounded up. */
  readonly basisLoss: bigint;
}

export interface Scan {
  readonly underlyings: readonly UnderlyingScan[];
  /** All underlyings in the same scenario. */
  readonly losses: readonly bigint[];
  readonly binding: number;
  /** What the scenarios require: between the worst loss and the sum of the underlyings' own. */
  readonly loss: bigint;
  /** What different underlyings save against each other. */
  readonly offset: bigint;
  readonly basisLoss: bigint;
}

/** What an expiry makes in one scenario: the worse discount; with a skew the loss, whichever way the skew goes. */
function profitOf(group: GroupSums, scenario: number, skewed: boolean): bigint {
  let low = group.low[0]?.[scenario] ?? 0n;
  let high = group.high[0]?.[scenario] ?? 0n;
  for (let i = 1; i < group.low.length; i++) {
    const otherLow = group.low[i]?.[scenario] ?? 0n;
    const otherHigh = group.high[i]?.[scenario] ?? 0n;
    if (otherLow < low) low = otherLow;
    if (otherHigh < high) high = otherHigh;
  }
  return skewed ? -maximum(absolute(low), absolute(high)) : low;
}

function basisLossOf(group: GroupSums): bigint {
  const basis = group.first.underlying.model.addOns?.basis;
  if (basis === undefined) return 0n;
  const sums = group.low[0] as readonly bigint[];
  const up = sums[sums.length - 2] as bigint;
  const down = sums[sums.length - 1] as bigint;
  const loss = maximum(maximum(-up, -down), 0n);
  const share = basis.sharePpm + mulDivUp(basis.sharePerYearPpm, group.first.yearsLeftPpm, PPM);
  return mulDivUp(loss, share, PPM);
}

function worstOf(losses: readonly bigint[]): number {
  let worst = 0;
  for (let i = 1; i < losses.length; i++) {
    if ((losses[i] as bigint) > (losses[worst] as bigint)) worst = i;
  }
  return worst;
}

function scanUnderlying(groups: readonly GroupSums[]): UnderlyingScan {
  const { underlying } = (groups[0] as GroupSums).first;
  const { scenarios } = underlying.model;
  const losses = scenarios.map((scenario, i) => {
    const skewed = scenario.skew !== SkewMove.SKEW_MOVE_NONE;
    let profit = 0n;
    for (const group of groups) profit += profitOf(group, i, skewed);
    const weight = underlying.weightsPpm[i] as bigint;
    return weight === PPM ? -profit : -divFloor(profit * weight, PPM);
  });
  const binding = worstOf(losses);
  return {
    underlying,
    losses,
    binding,
    loss: maximum(losses[binding] as bigint, 0n),
    basisLoss: groups.reduce((sum, group) => sum + basisLossOf(group), 0n),
  };
}

export const NOTHING: Scan = {
  underlyings: [],
  losses: [],
  binding: 0,
  loss: 0n,
  offset: 0n,
  basisLoss: 0n,
};

export function scan(groups: readonly GroupSums[]): Scan {
  const byName = new Map<string, GroupSums[]>();
  for (const group of groups) {
    const { name } = group.first.underlying.state;
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [group]);
    else known.push(group);
  }
  const underlyings = [...byName.values()].map(scanUnderlying);
  const [only] = underlyings;
  if (only === undefined) return NOTHING;
  if (underlyings.length === 1) {
    const { losses, binding, loss, basisLoss } = only;
    return { underlyings, losses, binding, loss, offset: 0n, basisLoss };
  }
  return combine(underlyings, only.underlying.model.offsetCapPpm);
}

/**
 * Stressed: everything moves at once, each by its own range. Estimated: the common factor moves each by its beta, at worst M; apart from it
 * each moves on its own by √(1 − β²) of its range, and of independent losses the root of the squares counts: √(M² + Σ loss²(1 − β²)). The
 * worse of both counts, and of what that saves against the plain sum no more than the cap.
 *
 * In a single underlying both give its own loss, and neither can exceed the plain sum: (Σ βL)² + Σ (1 − β²)L² ≤ (Σ L)².
 */
function combine(underlyings: readonly UnderlyingScan[], capPpm: bigint): Scan {
  const count = (underlyings[0] as UnderlyingScan).losses.length;
  const losses = new Array<bigint>(count).fill(0n);
  const common = new Array<bigint>(count).fill(0n);
  let sum = 0n;
  let own = 0n;
  for (const { underlying, losses: each, loss } of underlyings) {
    const beta = underlying.rule.betaPpm;
    sum += loss;
    own += loss * loss * (PPM * PPM - beta * beta);
    for (let i = 0; i < count; i++) {
      losses[i] = (losses[i] as bigint) + (each[i] as bigint);
      common[i] = (common[i] as bigint) + (each[i] as bigint) * beta;
    }
  }
  const binding = worstOf(losses);
  const stressed = maximum(losses[binding] as bigint, 0n);
  // M carries a factor PPM, its square PPM², as does the sum of the others.
  const market = maximum(common[worstOf(common)] as bigint, 0n);
  const squared = market * market + own;
  const root = integerSqrt(squared);
  const estimated = divCeil(root * root === squared ? root : root + 1n, PPM);
  const together = maximum(stressed, estimated);
  const loss = sum - divFloor(maximum(sum - together, 0n) * capPpm, PPM);
  return {
    underlyings,
    losses,
    binding,
    loss,
    offset: sum - loss,
    basisLoss: underlyings.reduce((total, one) => total + one.basisLoss, 0n),
  };
}
