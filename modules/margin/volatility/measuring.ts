/** One feed's measurement brought forward to the present minute, and what its terms make of it. Pure: records in, records out. */
import type { DynamicMargin, FeedVolatility } from "@keel/proto/gen/keel/margin/v1/dynamic";
import { WAD } from "../../kit/math/fixed-point.ts";
import { divCeil, maximum, PPM } from "../../kit/math/mul-div.ts";
import { movedAlong, WITHOUT_FACTOR } from "./common-factor.ts";
import {
  annualVolatility,
  approach,
  fade,
  logReturn,
  type RangeCause,
  rangeInForce,
  rangeOf,
  smoothing,
  varianceOf,
  weigh,
} from "./estimators.ts";
import { forwardOf, initialTarget, targetOf, UNITY } from "./multipliers.ts";

export const MINUTE_MS = 60_000n;
export const MINUTES_PER_HOUR = 60n;
const MINUTES_PER_YEAR = 525_600n;

export interface Reading {
  readonly minute: bigint;
  readonly mantissa: bigint;
  /** Price of the common factor; 0: there is none. */
  readonly factor: bigint;
}

/** Everything that the terms say of the present measurement. Ranges and volatilities 1e-18. */
export interface Outcome {
  readonly fast: bigint;
  readonly slow: bigint;
  readonly floor: bigint;
  readonly measuredRange: bigint;
  readonly bufferedRange: bigint;
  readonly range: bigint;
  readonly cause: RangeCause;
  readonly target: bigint;
}

export function seeded(terms: DynamicMargin): FeedVolatility {
  const variance = varianceOf(terms.seedVolatility, MINUTES_PER_YEAR).toString();
  const state: FeedVolatility = {
    feedId: terms.feedId,
    minute: 0n,
    mantissa: 0n,
    fastVariance: variance,
    slowVariance: variance,
    floorVariance: variance,
    bufferRange: "0",
    hour: 0n,
    initialPpm: UNITY.initialPpm,
    maintenancePpm: UNITY.maintenancePpm,
    ...WITHOUT_FACTOR,
  };
  return { ...state, bufferRange: outcomeOf(terms, state).bufferedRange.toString() };
}

export function outcomeOf(terms: DynamicMargin, state: FeedVolatility): Outcome {
  const over = { deviationsPpm: terms.deviationsPpm, horizon: terms.horizonMs, step: MINUTE_MS };
  const fast = BigInt(state.fastVariance);
  const slow = BigInt(state.slowVariance);
  const floor = BigInt(state.floorVariance);
  const measuredRange = rangeOf(maximum(fast, slow), over);
  const bufferedRange = divCeil(measuredRange * (PPM + terms.bufferPpm), PPM);
  const { range, cause } = rangeInForce({
    measured: measuredRange,
    buffered: bufferedRange,
    held: BigInt(state.bufferRange),
    floor: rangeOf(floor, over),
    stress: divCeil(terms.stressPpm * WAD, PPM),
    stressWeightPpm: terms.stressWeightPpm,
  });
  return {
    fast: annualVolatility(fast, MINUTES_PER_YEAR),
    slow: annualVolatility(slow, MINUTES_PER_YEAR),
    floor: annualVolatility(floor, MINUTES_PER_YEAR),
    measuredRange,
    bufferedRange,
    range,
    cause,
    target: targetOf(range, terms),
  };
}

/**
 * The estimates at a later minute of the grid. Minutes without a block, or with a price that is not fresh, repeat the last price; the whole move then
 * is the return of the last one.
 */
export function measured(
  terms: DynamicMargin,
  state: FeedVolatility,
  reading: Reading,
): FeedVolatility {
  const { minute, mantissa } = reading;
  if (state.mantissa === 0n) {
    return { ...state, minute, mantissa, factorMantissa: reading.factor };
  }
  const steps = minute - state.minute;
  const logarithm = logReturn(state.mantissa, mantissa);
  const weightOf = (halfLifeMs: bigint): bigint => smoothing(MINUTE_MS, halfLifeMs);
  const next = (variance: string, halfLifeMs: bigint): string => {
    const weight = weightOf(halfLifeMs);
    return weigh(fade(BigInt(variance), weight, steps - 1n), logarithm, weight).toString();
  };
  const estimated: FeedVolatility = {
    ...state,
    minute,
    mantissa,
    fastVariance: next(state.fastVariance, terms.fastHalfLifeMs),
    slowVariance: next(state.slowVariance, terms.slowHalfLifeMs),
    floorVariance: next(state.floorVariance, terms.floorHalfLifeMs),
    ...movedAlong(
      state,
      { logarithm, steps, factor: reading.factor },
      weightOf(terms.slowHalfLifeMs),
    ),
  };
  const aim = outcomeOf(terms, estimated).bufferedRange;
  const weight = smoothing(MINUTE_MS, terms.bufferHalfLifeMs);
  const held = approach(BigInt(state.bufferRange), aim, weight, steps);
  return { ...estimated, bufferRange: held.toString() };
}

/** What initial margin aims at, and how much of it is expectation. */
export function initialAim(
  terms: DynamicMargin,
  outcome: Outcome,
  seen: { readonly implied: bigint; readonly widthPpm: bigint },
): { readonly initial: bigint; readonly forwardPpm: bigint } {
  const { forward, basePpm, multiplierMaxPpm } = terms;
  const measuredVolatility = maximum(outcome.fast, outcome.slow);
  const forwardPpm =
    forward === undefined
      ? 0n
      : forwardOf({ ...seen, measured: measuredVolatility }, { ...forward, basePpm });
  return { initial: initialTarget(outcome.target, forwardPpm, multiplierMaxPpm), forwardPpm };
}
