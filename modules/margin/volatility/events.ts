/** Events of dynamic margin, documented in keel/margin/v1/events.proto. */
import type { DynamicMargin, FeedVolatility } from "@keel/proto/gen/keel/margin/v1/dynamic";
import type { WriteContext } from "../../kit/context.ts";
import { type Explanation, quantities } from "../../kit/explanation.ts";
import type { Outcome } from "./measuring.ts";
import type { Multipliers } from "./multipliers.ts";

export type MoveReason = "rise" | "hour" | "terms";

export interface Move {
  readonly reason: MoveReason;
  readonly terms: DynamicMargin;
  readonly before: Multipliers;
  readonly outcome: Outcome;
  readonly forwardPpm: bigint;
}

export function emitDynamicMargin(ctx: WriteContext, now: FeedVolatility, move: Move): void {
  const { reason, outcome, forwardPpm } = move;
  ctx.emit(
    "dynamic_margin",
    {
      feed_id: now.feedId.toString(),
      initial_ppm: now.initialPpm.toString(),
      maintenance_ppm: now.maintenancePpm.toString(),
      reason,
      cause: outcome.cause,
      range: outcome.range.toString(),
      measured_range: outcome.measuredRange.toString(),
      fast_variance: now.fastVariance,
      slow_variance: now.slowVariance,
      floor_variance: now.floorVariance,
      forward_ppm: forwardPpm.toString(),
    },
    () => explainMove(now, move),
  );
}

function explainMove(
  now: FeedVolatility,
  { before, forwardPpm, outcome, terms }: Move,
): Explanation {
  return {
    rule:
      "measured = deviations x sqrt(horizon) x larger of the quick and the slow volatility; range = largest of measured, min(measured x (1 + buffer), held), floor, " +
      "(1 - stress weight) x measured + stress weight x stress; target = range / base, up, from 1 to the ceiling; initial = target x (1 + forward), up, " +
      "at once by steps of 1 % or at the full hour; maintenance = smaller of target and maintenance before x 24th root of (1 + ramp per day), at the full hour",
    inputs: [
      ...quantities("wad a year", {
        "quick volatility": outcome.fast,
        "slow volatility": outcome.slow,
        "floor volatility": outcome.floor,
      }),
      ...quantities("wad", { held: now.bufferRange, buffered: outcome.bufferedRange }),
      ...quantities("ms", { horizon: terms.horizonMs }),
      ...quantities("ppm", {
        deviations: terms.deviationsPpm,
        buffer: terms.bufferPpm,
        stress: terms.stressPpm,
        "stress weight": terms.stressWeightPpm,
        base: terms.basePpm,
        ceiling: terms.multiplierMaxPpm,
        "ramp per day": terms.rampPerDayPpm,
        forward: forwardPpm,
        "initial before": before.initialPpm,
        "maintenance before": before.maintenancePpm,
      }),
    ],
    results: [
      ...quantities("wad", { measured: outcome.measuredRange, range: outcome.range }),
      ...quantities("", { "what counted": outcome.cause }),
      ...quantities("ppm", {
        target: outcome.target,
        initial: now.initialPpm,
        maintenance: now.maintenancePpm,
      }),
    ],
  };
}
