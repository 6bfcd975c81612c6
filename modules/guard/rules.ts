/** Rules and limits: what is refused. */

import type {
  MarginRule,
  MarketRules,
  OpenInterestRule,
  OutageRule,
  Pace,
  PriceRange,
  WithdrawalLimit,
} from "@keel/proto/gen/keel/guard/v1/types";
import { PPM } from "../kit/math/mul-div.ts";
import { MONEY_LIMIT } from "../kit/money.ts";
import { refuse } from "./errors.ts";
import {
  DAY_MS,
  GAP_MIN_MS,
  GATE_BLOCKS_MAX,
  LIMITS_PER_DENOM_MAX,
  LOTS_MAX,
  RAISE_MAX_PPM,
  RANGES_MAX,
} from "./limits.ts";

const NOT_NEGATIVE = /^(0|[1-9][0-9]{0,38})$/;
const DENOM = /^[a-zA-Z][a-zA-Z0-9/:._-]{2,127}$/;

function within(name: string, value: bigint, low: bigint, high: bigint): void {
  if (value >= low && value <= high) return;
  throw refuse("ruleOutOfBounds", `expected ${name} from ${low} to ${high}, got ${value}`);
}

function validateRange(range: PriceRange): void {
  within("horizon_ms", range.horizonMs, 1_000n, 7n * DAY_MS);
  within("limit_ppm", range.limitPpm, 1_000n, 10n * PPM);
  within("deviations_ppm", range.deviationsPpm, 0n, 20n * PPM);
  within("auction_ms", range.auctionMs, 0n, DAY_MS);
  within("initial_raise_ppm", range.initialRaisePpm, 0n, RAISE_MAX_PPM);
  within("raise_ms", range.raiseMs, range.initialRaisePpm > 0n ? 1n : 0n, 7n * DAY_MS);
  within("withdrawal_delay_ms", range.withdrawalDelayMs, 0n, DAY_MS);
  if (range.auctionMs + range.initialRaisePpm + range.withdrawalDelayMs === 0n) {
    throw refuse("ruleOutOfBounds", "expected a range that does something");
  }
}

function validatePace(pace: Pace | undefined): void {
  if (pace === undefined) throw refuse("ruleOutOfBounds", "expected a pace");
  within("interval_ms", pace.intervalMs, 1_000n, 7n * DAY_MS);
  within("step_max_ppm", pace.stepMaxPpm, 1_000n, RAISE_MAX_PPM);
  within("band_ppm", pace.bandPpm, 0n, PPM);
}

function validateCap(rule: OpenInterestRule): void {
  within("lots_min", rule.lotsMin, 1n, LOTS_MAX);
  within("lots_max", rule.lotsMax, rule.lotsMin, LOTS_MAX);
  within("depth_range_ppm", rule.depthRangePpm, 100n, PPM / 2n);
  within("depth_multiple_ppm", rule.depthMultiplePpm, 1n, 10_000n * PPM);
  within("fund_weight_ppm", rule.fundWeightPpm, 0n, PPM);
  const { fundTarget, fundWeightPpm } = rule;
  const target = NOT_NEGATIVE.test(fundTarget) ? BigInt(fundTarget) : 0n;
  const sound = fundWeightPpm === 0n ? fundTarget === "" : target > 0n && target < MONEY_LIMIT;
  if (!sound) throw refuse("ruleOutOfBounds", "expected a fund_target with its weight, or neither");
  validatePace(rule.pace);
}

function validateMargin(rule: MarginRule): void {
  within("raise_max_ppm", rule.raiseMaxPpm, 1n, RAISE_MAX_PPM);
  within("depth_lots", rule.depthLots, 0n, LOTS_MAX);
  within("depth_range_ppm", rule.depthRangePpm, 100n, PPM / 2n);
  within("depth_weight_ppm", rule.depthWeightPpm, 0n, RAISE_MAX_PPM);
  within("owner_free_ppm", rule.ownerFreePpm, 0n, PPM);
  within("owner_weight_ppm", rule.ownerWeightPpm, 0n, 10n * PPM);
  within("near_free_ppm", rule.nearFreePpm, 0n, PPM);
  within("near_weight_ppm", rule.nearWeightPpm, 0n, 10n * PPM);
  validatePace(rule.pace);
}

/** Throws ModuleError on rules out of bounds. */
export function validateRules({ margin, openInterest, ranges }: MarketRules): void {
  if (ranges.length > RANGES_MAX) {
    throw refuse("ruleOutOfBounds", `expected at most ${RANGES_MAX} ranges`);
  }
  ranges.forEach(validateRange);
  if (openInterest !== undefined) validateCap(openInterest);
  if (margin !== undefined) validateMargin(margin);
  if (margin === undefined || openInterest === undefined) return;
  // One measure of depth serves both.
  if (margin.depthRangePpm !== openInterest.depthRangePpm) {
    throw refuse("ruleOutOfBounds", "expected the same depth_range_ppm in both rules");
  }
}

export function validateOutage({ blocks, gapMs, withdrawalBlocks }: OutageRule): void {
  within("gap_ms", gapMs, GAP_MIN_MS, DAY_MS);
  within("blocks", BigInt(blocks), 0n, BigInt(GATE_BLOCKS_MAX));
  within("withdrawal_blocks", BigInt(withdrawalBlocks), 0n, BigInt(GATE_BLOCKS_MAX));
}

/** The limits of one denom: ascending windows. */
export function validateLimits(denom: string, limits: readonly WithdrawalLimit[]): void {
  if (!DENOM.test(denom))
    throw refuse("invalidRequest", `expected a denom, got "${denom.slice(0, 130)}"`);
  if (limits.length > LIMITS_PER_DENOM_MAX) {
    throw refuse("ruleOutOfBounds", `expected at most ${LIMITS_PER_DENOM_MAX} limits`);
  }
  let before = 0n;
  for (const { floor, sharePpm, windowMs } of limits) {
    within("window_ms", windowMs, before + 1n, 30n * DAY_MS);
    within("window_ms", windowMs, 60_000n, 30n * DAY_MS);
    within("share_ppm", sharePpm, 0n, PPM);
    if (!NOT_NEGATIVE.test(floor) || BigInt(floor) >= MONEY_LIMIT) {
      throw refuse("ruleOutOfBounds", "expected a floor that is an amount, 0 or more");
    }
    if (sharePpm === 0n && floor === "0") {
      throw refuse("ruleOutOfBounds", "expected a limit that lets something leave");
    }
    before = windowMs;
  }
}
