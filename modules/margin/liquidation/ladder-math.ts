/** The formulas of the liquidation ladder, pure. Every rounding is named. */
import {
  compareBigints,
  divCeil,
  divFloor,
  maximum,
  minimum,
  PPM,
} from "../../kit/math/mul-div.ts";
import { integerSqrt } from "../../kit/math/square-root.ts";
import type { AccountFigures } from "./liquidation-math.ts";

/** Fraction bits of variances. */
export const VARIANCE_BITS = 64n;

/** Why an account may be closed. */
export type DueReason = "marks" | "both" | "fast";

/**
 * The two keys, of an account that is short of margin at the marks: short at the averages, too, or so far short that no average is waited
 * for. Null: it waits. An account below zero never does.
 */
export function dueReason(
  marks: AccountFigures,
  averages: AccountFigures | null,
  fastLanePpm: bigint,
): DueReason | null {
  if (averages === null) return "marks";
  if (averages.equity < averages.maintenance) return "both";
  const fast = marks.equity < 0n || marks.equity * PPM < marks.maintenance * fastLanePpm;
  return fast ? "fast" : null;
}

/**
 * Distance of the reserve price from mark in ticks, rounded down: from half a spread to the worst price of the liquidation, as far as the
 * larger part of it that time and the account's missing margin have used up between them.
 */
export function reserveDistanceTicks(offer: {
  /** Worst price's distance; it may lie on the better side of the mark. */
  readonly worstTicks: bigint;
  readonly halfSpreadTicks: bigint;
  readonly elapsedMs: bigint;
  readonly windowMs: bigint;
  readonly equity: bigint;
  readonly maintenance: bigint;
}): bigint {
  const { elapsedMs, maintenance, windowMs, worstTicks } = offer;
  const start = minimum(offer.halfSpreadTicks, worstTicks);
  if (maintenance === 0n || offer.equity <= 0n || elapsedMs >= windowMs) return worstTicks;
  const missing = maximum(maintenance - offer.equity, 0n);
  const whole = windowMs * maintenance;
  const used = minimum(elapsedMs * maintenance + missing * windowMs, whole);
  return start + divFloor((worstTicks - start) * used, whole);
}

/** What a penalty rate is made of. */
export interface PenaltyInputs {
  /** Of squared log returns per hour, × 2^64. */
  readonly variance: bigint;
  /** Quanta. */
  readonly clip: bigint;
  readonly depth: bigint;
  readonly equity: bigint;
  /** Of all positions of the account. */
  readonly notional: bigint;
  readonly slippagePpm: bigint;
}

/**
 * base + slope × √(variance × clip / depth), rounded up, at most max (and max where there is no depth); then at most equity / notional less
 * the expected slippage, rounded down: what the account has left for it.
 */
export function penaltyRatePpm(
  inputs: PenaltyInputs,
  terms: { readonly basePpm: bigint; readonly slopePpm: bigint; readonly maxPpm: bigint },
): bigint {
  const { clip, depth, equity, notional, slippagePpm, variance } = inputs;
  let rate = terms.maxPpm;
  if (depth > 0n) {
    const square = divCeil(variance * clip * PPM * PPM, depth << VARIANCE_BITS);
    const root = integerSqrt(square);
    const impact = root * root === square ? root : root + 1n;
    rate = minimum(terms.basePpm + divCeil(terms.slopePpm * impact, PPM), terms.maxPpm);
  }
  const left = notional === 0n ? 0n : divFloor(maximum(equity, 0n) * PPM, notional) - slippagePpm;
  return minimum(rate, maximum(left, 0n));
}

export interface PenaltyParts {
  readonly insurance: bigint;
  readonly backstop: bigint;
  readonly keeper: bigint;
}

/** Parts of the backstop and of bidders rounded down, the rest to insurance. */
export function penaltyParts(
  penalty: bigint,
  terms: { readonly backstopPpm: bigint; readonly keeperPpm: bigint; readonly keeperMax: bigint },
): PenaltyParts {
  const backstop = divFloor(penalty * terms.backstopPpm, PPM);
  const keeper = minimum(divFloor(penalty * terms.keeperPpm, PPM), terms.keeperMax);
  return { insurance: penalty - backstop - keeper, backstop, keeper };
}

export interface Claimant<Id extends string> {
  readonly id: Id;
  /** Lots, positive. */
  readonly wanted: bigint;
  /** Positive: what it is short of. */
  readonly weight: bigint;
}

/** Each gets what it wants, or its part by weight of what those who want less for theirs leave. */
function fill<Id extends string>(
  available: bigint,
  claimants: readonly Claimant<Id>[],
): {
  readonly shares: Map<Id, bigint>;
  /** Lots per weight of those who get less than they want; null: nobody. */
  readonly level: { readonly lots: bigint; readonly weights: bigint } | null;
} {
  const byRatio = [...claimants].sort(
    (a, b) => compareBigints(a.wanted * b.weight, b.wanted * a.weight) || (a.id < b.id ? -1 : 1),
  );
  const shares = new Map<Id, bigint>();
  let weights = byRatio.reduce((sum, { weight }) => sum + weight, 0n);
  let left = available;
  let level: { readonly lots: bigint; readonly weights: bigint } | null = null;
  for (const { id, wanted, weight } of byRatio) {
    if (level === null && left * weight < wanted * weights) level = { lots: left, weights };
    const lots = minimum(wanted, divFloor(left * weight, weights));
    shares.set(id, lots);
    left -= lots;
    weights -= weight;
  }
  return { shares, level };
}

/**
 * Lots of `available` among those who want them, in proportion to weight, none more than it wants and none less than `least` (or all it
 * wants): while there is not enough for that, the smallest weights wait. Whatever the sequence given, the answer is the same; all of
 * `available` is given out as long as somebody who does not wait wants it.
 */
export function shareFlow<Id extends string>(
  available: bigint,
  claimants: readonly Claimant<Id>[],
  least: bigint,
): ReadonlyMap<Id, bigint> {
  const byWeight = [...claimants].sort(
    (a, b) => compareBigints(b.weight, a.weight) || (a.id < b.id ? -1 : 1),
  );
  let clip = 0n;
  const clips = byWeight.map(({ wanted }) => {
    clip = maximum(clip, minimum(least, wanted));
    return clip;
  });
  /** The more are served, the less each gets, and the last has the least weight: enough for it is enough for all. */
  const suffices = (count: number): boolean => {
    const { level } = fill(available, byWeight.slice(0, count));
    const last = byWeight[count - 1]?.weight ?? 0n;
    return level === null || level.lots * last >= (clips[count - 1] ?? 0n) * level.weights;
  };
  let served = 0;
  let beyond = byWeight.length + 1;
  while (beyond - served > 1) {
    const middle = (served + beyond) >> 1;
    if (suffices(middle)) served = middle;
    else beyond = middle;
  }
  return fill(available, byWeight.slice(0, served)).shares;
}
