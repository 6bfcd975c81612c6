/** Terms of the liquidation ladder: defaults with their reasons, and what is refused. */
import type { LadderPenalty, LadderTerms } from "@keel/proto/gen/keel/margin/v1/ladder";
import { PPM } from "../../kit/math/mul-div.ts";
import { parseMoney } from "../../kit/money.ts";
import { refuse } from "../errors.ts";

const HOUR_MS = 3_600_000n;

export function defaultLadder(): LadderTerms {
  return {
    // A minute: a price that one block brings and the next takes away closes nobody.
    averageMs: 60_000n,
    // Half of maintenance gone: no time to wait for an average.
    fastLanePpm: 500_000n,
    // A quarter of what the book holds within 1 %, every ten seconds: the bound that breaks a spiral.
    flowPpm: 250_000n,
    flowWindowMs: 10_000n,
    depthRangePpm: 10_000n,
    // Five minutes, so that orders shown for a moment widen nothing; and a fifth of all orders is gone when it matters.
    depthAverageMs: 300_000n,
    depthCountedPpm: 800_000n,
    // As long as the backstop waits.
    offerWindowMs: 60_000n,
    halfSpreadPpm: 500n,
    penalty: {
      basePpm: 2_000n,
      // Half of the square-root law of impact, at the volatility of an hour.
      slopePpm: 500_000n,
      maxPpm: 15_000n,
      backstopPpm: 300_000n,
      keeperPpm: 200_000n,
      keeperMax: "200000000",
    },
  };
}

function within(name: string, value: bigint, low: bigint, high: bigint): void {
  if (value >= low && value <= high) return;
  throw refuse("invalidRequest", `expected ${name} of ${low} to ${high}, got ${value}`);
}

function validatePenalty(penalty: LadderPenalty): void {
  within("max_ppm", penalty.maxPpm, 0n, PPM / 5n);
  within("base_ppm", penalty.basePpm, 0n, penalty.maxPpm);
  within("slope_ppm", penalty.slopePpm, 0n, 100n * PPM);
  within("backstop_ppm + keeper_ppm", penalty.backstopPpm + penalty.keeperPpm, 0n, PPM);
  const most = parseMoney(penalty.keeperMax);
  if (most === null || most < 0n) {
    throw refuse("invalidRequest", "expected keeper_max of at least 0");
  }
}

/** Throws ModuleError on anything out of range. */
export function validateLadder(terms: LadderTerms | undefined): void {
  if (terms === undefined) return;
  within("average_ms", terms.averageMs, 0n, HOUR_MS);
  within("fast_lane_ppm", terms.fastLanePpm, 0n, PPM);
  within("flow_ppm", terms.flowPpm, 0n, 10n * PPM);
  within("flow_window_ms", terms.flowWindowMs, 1_000n, HOUR_MS);
  within("depth_range_ppm", terms.depthRangePpm, 100n, PPM / 5n);
  within("depth_average_ms", terms.depthAverageMs, 1_000n, 24n * HOUR_MS);
  within("depth_counted_ppm", terms.depthCountedPpm, 10_000n, PPM);
  within("offer_window_ms", terms.offerWindowMs, 0n, 24n * HOUR_MS);
  within("half_spread_ppm", terms.halfSpreadPpm, 0n, PPM / 5n);
  if (terms.penalty !== undefined) validatePenalty(terms.penalty);
}
