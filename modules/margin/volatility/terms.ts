/** Terms of dynamic margin: defaults with their reasons, and what is refused. */
import type { DynamicMargin } from "@keel/proto/gen/keel/margin/v1/dynamic";
import { PPM } from "../../kit/math/mul-div.ts";
import { refuse } from "../errors.ts";

const DAY_MS = 86_400_000n;
const WAD_MAX = 10n ** 19n;

/** The rule with the best trade between coverage and calm on ten years of daily prices (README). */
export function defaultDynamicMargin(feedId: number): DynamicMargin {
  return {
    feedId,
    // A tenth: 3 deviations of a day at an annual volatility of 64 %.
    basePpm: 100_000n,
    multiplierMaxPpm: 4_000_000n,
    deviationsPpm: 3_000_000n,
    horizonMs: DAY_MS,
    // 0.94 and 0.99 a day.
    fastHalfLifeMs: 967_680_000n,
    slowHalfLifeMs: 5_958_796_800n,
    // Two years.
    floorHalfLifeMs: 730n * DAY_MS,
    bufferPpm: 250_000n,
    bufferHalfLifeMs: 30n * DAY_MS,
    // Off until a stressed period has been agreed on.
    stressPpm: 0n,
    stressWeightPpm: 0n,
    rampPerDayPpm: 250_000n,
    seedVolatility: 600_000_000_000_000_000n,
    forward: undefined,
    factorFeedId: 0,
  };
}

/** Throws ModuleError on anything out of range. */
export function validateDynamicMargin(terms: DynamicMargin): void {
  const within = (name: string, value: bigint, low: bigint, high: bigint): void => {
    if (value < low || value > high) {
      throw refuse("invalidRequest", `expected ${name} of ${low} to ${high}, got ${value}`);
    }
  };
  if (terms.feedId === 0) throw refuse("invalidRequest", "expected a feed");
  within("base_ppm", terms.basePpm, 1_000n, PPM);
  within("multiplier_max_ppm", terms.multiplierMaxPpm, PPM, 10n * PPM);
  within("deviations_ppm", terms.deviationsPpm, PPM, 20n * PPM);
  within("horizon_ms", terms.horizonMs, 60_000n, 30n * DAY_MS);
  const halfLives = [
    ["fast_half_life_ms", terms.fastHalfLifeMs],
    ["slow_half_life_ms", terms.slowHalfLifeMs],
    ["floor_half_life_ms", terms.floorHalfLifeMs],
    ["buffer_half_life_ms", terms.bufferHalfLifeMs],
  ] as const;
  for (const [name, halfLife] of halfLives) within(name, halfLife, 60_000n, 3_650n * DAY_MS);
  within("buffer_ppm", terms.bufferPpm, 0n, PPM);
  within("stress_ppm", terms.stressPpm, 0n, PPM);
  within("stress_weight_ppm", terms.stressWeightPpm, 0n, PPM);
  within("ramp_per_day_ppm", terms.rampPerDayPpm, 10_000n, 9n * PPM);
  within("seed_volatility", terms.seedVolatility, 10n ** 16n, WAD_MAX);
  const { forward } = terms;
  if (forward === undefined) return;
  within("implied_weight_ppm", forward.impliedWeightPpm, 0n, PPM);
  within("width_free_ppm", forward.widthFreePpm, 0n, PPM);
  within("width_weight_ppm", forward.widthWeightPpm, 0n, 10n * PPM);
  within("rise_max_ppm", forward.riseMaxPpm, 0n, 300_000n);
}
