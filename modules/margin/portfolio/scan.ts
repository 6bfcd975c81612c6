/**
 * From sums per expiry to the worst loss: per underlying the worst scenario, then across underlyings by one common factor. Profits round
 * down, losses up.
 */
import { divCeil, divFloor, maximum, PPM } from "../../kit/math/mul-div.ts";
import { integerSqrt } from "../../kit/math/square-root.ts";
import type { UnderlyingProfits } from "./accumulate.ts";
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

function worstOf(losses: readonly bigint[]): number {
  let worst = 0;
  for (let i = 1; i < losses.length; i++) {
    if ((losses[i] as bigint) > (losses[worst] as bigint)) worst = i;
  }
  return worst;
}

function scanUnderlying({ underlying, profits, basisLoss }: UnderlyingProfits): UnderlyingScan {
  const losses = profits.map((profit, i) => {
    const weight = underlying.weightsPpm[i] as bigint;
    return weight === PPM ? -profit : -divFloor(profit * weight, PPM);
  });
  const binding = worstOf(losses);
  const loss = maximum(losses[binding] as bigint, 0n);
  return { underlying, losses, binding, loss, basisLoss };
}

const NOTHING: Scan = {
  underlyings: [],
  losses: [],
  binding: 0,
  loss: 0n,
  offset: 0n,
  basisLoss: 0n,
};

export function scan(profits: readonly UnderlyingProfits[]): Scan {
  const underlyings = profits.map(scanUnderlying);
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
    const beta = underlying.betaPpm;
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
