/** A feed's guard as data: defaults, and what is refused. */
import type { FeedGuard } from "@keel/proto/gen/keel/oracle/v1/guard";
import { PPM } from "../../kit/math/mul-div.ts";
import {
  CONFIRMATIONS_MAX,
  MAX_AGE_MS_CEILING,
  SIGMA_MINUTES_MAX,
  SLOW_LANE_BLOCKS_MAX,
  TWAP_STEPS_MAX,
} from "../limits.ts";

/**
 * 15 s to the end of withdrawals, 60 s to that of liquidations; 2 % between a fifth and four fifths of power; 10 % from the five minutes' mean to
 * the slow lane, 50 % to the breaker; an hour of minutes for means.
 */
export function defaultGuard(): FeedGuard {
  return {
    noWithdrawalsAgeMs: 15_000n,
    noLiquidationAgeMs: 60_000n,
    bandMaxPpm: 20_000n,
    meanTimeMs: 300_000n,
    slowDeviationPpm: 100_000n,
    slowLaneBlocks: 5,
    breakDeviationPpm: 500_000n,
    confirmations: 2,
    consistentPpm: 20_000n,
    twapStepMs: 60_000n,
    twapSteps: 61,
    sigmaMinutes: 60,
  };
}

/** What is wrong with it, or null. */
export function guardFault(guard: FeedGuard, maxAgeMs: bigint): string | null {
  const { noWithdrawalsAgeMs, noLiquidationAgeMs } = guard;
  const ladder = maxAgeMs <= noWithdrawalsAgeMs && noWithdrawalsAgeMs <= noLiquidationAgeMs;
  if (!ladder || noLiquidationAgeMs > MAX_AGE_MS_CEILING) {
    return "expected ages that ascend from max_age_ms to at most a day";
  }
  if (guard.bandMaxPpm > PPM) return "expected a band of at most 100 %";
  const compares = guard.slowDeviationPpm > 0n || guard.breakDeviationPpm > 0n;
  if (guard.meanTimeMs > MAX_AGE_MS_CEILING || (compares && guard.meanTimeMs < 1n)) {
    return "expected a long mean of 1 ms to a day";
  }
  if (guard.slowDeviationPpm > PPM || guard.breakDeviationPpm > 100n * PPM) {
    return "expected a slow lane within 100 % and a break within 10,000 %";
  }
  if (guard.slowDeviationPpm > 0n && !within(guard.slowLaneBlocks, 1, SLOW_LANE_BLOCKS_MAX)) {
    return `expected a slow lane of 1 to ${SLOW_LANE_BLOCKS_MAX} blocks`;
  }
  if (guard.breakDeviationPpm > 0n) {
    if (!within(guard.confirmations, 1, CONFIRMATIONS_MAX)) {
      return `expected 1 to ${CONFIRMATIONS_MAX} confirmations`;
    }
    if (guard.consistentPpm < 1n || guard.consistentPpm > PPM) {
      return "expected consistent updates within 1 to 1,000,000 ppm";
    }
  }
  if (guard.twapSteps > TWAP_STEPS_MAX || guard.twapSteps === 1) {
    return `expected no steps of the mean, or 2 to ${TWAP_STEPS_MAX}`;
  }
  if (guard.twapSteps > 0 && (guard.twapStepMs < 1n || guard.twapStepMs > MAX_AGE_MS_CEILING)) {
    return "expected steps of 1 ms to a day";
  }
  return guard.sigmaMinutes > SIGMA_MINUTES_MAX
    ? `expected a deviation over at most ${SIGMA_MINUTES_MAX} minutes`
    : null;
}

function within(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
