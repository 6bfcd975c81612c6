/**
 * Estimates of variance with one number of memory each. Returns are natural logarithms on a fixed grid, in units of 2^-64 like the variances, which are
 * per step of the grid. All rounding is down, by less than one unit of 2^-64 a step.
 */
import { expQ } from "../../kit/math/exp.ts";
import { Q_BITS, WAD } from "../../kit/math/fixed-point.ts";
import { lnRatioQ } from "../../kit/math/log.ts";
import { divCeil, divFloor, divTrunc, maximum, minimum, PPM } from "../../kit/math/mul-div.ts";
import { integerSqrt } from "../../kit/math/square-root.ts";

/** Fraction bits of returns, variances and smoothing factors. */
const BITS = 64n;
export const ONE: bigint = 1n << BITS;
/** ln 2 at the scale of the formulas of kit/math. */
const LN2 = lnRatioQ(2n, 1n);

/** ln(now / before), toward −∞; both positive. */
export function logReturn(before: bigint, now: bigint): bigint {
  return lnRatioQ(now, before) >> (Q_BITS - BITS);
}

/** The weight of the newest step: 1 − 2^(−1/n) for a half-life of n steps, n = halfLife / step ≥ 1. */
export function smoothing(step: bigint, halfLife: bigint): bigint {
  return ONE - (expQ(-divFloor(LN2 * step, halfLife)) >> (Q_BITS - BITS));
}

/** Exponentially weighted: v − ⌊v·a⌋ + ⌊r²·a⌋. */
export function weigh(variance: bigint, logarithm: bigint, weight: bigint): bigint {
  const square = (logarithm * logarithm) >> BITS;
  return variance - ((variance * weight) >> BITS) + ((square * weight) >> BITS);
}

/** (1 − a)^count, by squaring, each product rounded down: what is left of a value after so many steps in which nothing came. */
export function left(weight: bigint, count: bigint): bigint {
  let power = ONE;
  let base = ONE - weight;
  for (let rest = count; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) power = (power * base) >> BITS;
    base = (base * base) >> BITS;
  }
  return power;
}

/** After `count` steps without a return. */
export function fade(variance: bigint, weight: bigint, count: bigint): bigint {
  return (variance * left(weight, count)) >> BITS;
}

/** Toward `aim` by the weight of `count` steps; to the side of the aim that it comes from. */
export function approach(value: bigint, aim: bigint, weight: bigint, count: bigint): bigint {
  const part = ONE - left(weight, count);
  return value + divTrunc((aim - value) * part, ONE);
}

/** Deviations × √(variance over the horizon), 1e-18, rounded up. `steps` per horizon = horizon / step. */
export function rangeOf(
  variance: bigint,
  terms: { readonly deviationsPpm: bigint; readonly horizon: bigint; readonly step: bigint },
): bigint {
  // One unit of 1e-18 is 1e-36 in the square; the root is rounded down, so one more is never too little.
  const square = divCeil(variance * terms.horizon * WAD * WAD, terms.step << BITS);
  const root = integerSqrt(square);
  const deviation = root * root === square ? root : root + 1n;
  return divCeil(terms.deviationsPpm * deviation, PPM);
}

/** The variance per step of an annual volatility in 1e-18, rounded up. `stepsPerYear` of 365 days. */
export function varianceOf(annualVolatility: bigint, stepsPerYear: bigint): bigint {
  return divCeil((annualVolatility * annualVolatility) << BITS, WAD * WAD * stepsPerYear);
}

/** And back, rounded down. */
export function annualVolatility(variance: bigint, stepsPerYear: bigint): bigint {
  return integerSqrt((variance * stepsPerYear * WAD * WAD) >> BITS);
}

/** What a range is made of, all 1e-18. */
export interface Ranges {
  /** Of the larger of the quick and the slow estimate. */
  readonly measured: bigint;
  /** The measured one with its buffer on top. */
  readonly buffered: bigint;
  /** What the buffered one was over the buffer's memory. */
  readonly held: bigint;
  readonly floor: bigint;
  readonly stress: bigint;
  readonly stressWeightPpm: bigint;
}

export type RangeCause = "measured" | "buffer" | "floor" | "stress";

/**
 * The range that counts: the largest of the measured one, the buffered one as far as the buffer has filled, the floor, and the measured one mixed
 * with that of a stressed market. So the buffer is used up first when measured volatility rises.
 */
export function rangeInForce(ranges: Ranges): {
  readonly range: bigint;
  readonly cause: RangeCause;
} {
  const { measured, buffered, held, floor, stress, stressWeightPpm } = ranges;
  const mixed = divCeil(measured * (PPM - stressWeightPpm) + stress * stressWeightPpm, PPM);
  const buffer = minimum(buffered, held);
  const range = maximum(maximum(measured, buffer), maximum(floor, mixed));
  if (range === measured) return { range, cause: "measured" };
  if (range === buffer) return { range, cause: "buffer" };
  return { range, cause: range === floor ? "floor" : "stress" };
}
