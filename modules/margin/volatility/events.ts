/** Events of dynamic margin, documented in keel/margin/v1/events.proto. */
import type { FeedVolatility } from "@keel/proto/gen/keel/margin/v1/dynamic";
import type { WriteContext } from "../../kit/context.ts";
import type { Outcome } from "./measuring.ts";

export type MoveReason = "rise" | "hour" | "terms";

export function emitDynamicMargin(
  ctx: WriteContext,
  now: FeedVolatility,
  why: { readonly reason: MoveReason; readonly outcome: Outcome; readonly forwardPpm: bigint },
): void {
  const { reason, outcome, forwardPpm } = why;
  ctx.emit("dynamic_margin", {
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
  });
}
