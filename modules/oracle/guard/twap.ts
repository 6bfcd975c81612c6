/**
 * The time-weighted mean of a feed from a running sum of price × time, and the sum as it was at the first update of each step: a window is the
 * difference of two sums. A price counts while it is in force and not stale, so an outage has no weight.
 */
import type { FeedWatch, PriceCheckpoint } from "@keel/proto/gen/keel/oracle/v1/guard";
import type { Feed } from "@keel/proto/gen/keel/oracle/v1/types";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { divFloor, divHalfEven, minimum } from "../../kit/math/mul-div.ts";
import type { OracleState } from "../state.ts";

const NS_PER_MS = 1_000_000n;

export interface Twap {
  /** Half to even. */
  readonly mantissa: bigint;
  readonly fromMs: bigint;
  readonly toMs: bigint;
  readonly coveredMs: bigint;
}

interface Sum {
  readonly sum: bigint;
  readonly coveredMs: bigint;
}

/** The sum up to `nowMs`, at the price in force since the last update. */
function sumTo(watch: FeedWatch, inForce: bigint, feed: Feed, nowMs: bigint): Sum {
  if (watch.sum === "") return { sum: 0n, coveredMs: 0n };
  const heldMs = minimum(nowMs - watch.sumTimeMs, feed.maxAgeMs);
  return { sum: BigInt(watch.sum) + inForce * heldMs, coveredMs: watch.coveredMs + heldMs };
}

/** With a used price, before it is in force: books the time of the one before, and begins a step. `inForce` 0n: there was none. */
export function advanceSum(
  ctx: WriteContext,
  state: OracleState,
  feed: Feed,
  { watch, inForce }: { readonly watch: FeedWatch; readonly inForce: bigint },
): FeedWatch {
  const { guard } = feed;
  if (guard === undefined || guard.twapSteps === 0) return watch;
  const nowMs = divFloor(ctx.header.timeNs, NS_PER_MS);
  const { sum, coveredMs } = sumTo(watch, inForce, feed, nowMs);
  const next = { ...watch, sum: sum.toString(), coveredMs, sumTimeMs: nowMs };
  const step = divFloor(nowMs, guard.twapStepMs);
  if (watch.sum !== "" && step === divFloor(watch.sumTimeMs, guard.twapStepMs)) return next;
  const slot = Number(step % BigInt(guard.twapSteps));
  const checkpoint = { timeMs: nowMs, sum: next.sum, coveredMs };
  state.checkpoints.set(ctx, [feed.id, slot], checkpoint);
  return next;
}

/**
 * Over the shortest kept span of at least `windowMs` up to now, or the longest there is. undefined: none is kept, or no price was in force in it.
 */
export function twapOf(
  ctx: ReadContext,
  state: OracleState,
  feed: Feed,
  windowMs: bigint,
): Twap | undefined {
  const watch = state.watches.get(ctx, feed.id);
  const inForce = state.prices.get(ctx, feed.id)?.mantissa;
  if (watch === undefined || watch.sum === "" || inForce === undefined) return undefined;
  const toMs = divFloor(ctx.header.timeNs, NS_PER_MS);
  const from = checkpointAt(ctx, state, feed, toMs - windowMs);
  if (from === undefined) return undefined;
  const now = sumTo(watch, inForce, feed, toMs);
  const coveredMs = now.coveredMs - from.coveredMs;
  if (coveredMs <= 0n) return undefined;
  const mantissa = divHalfEven(now.sum - BigInt(from.sum), coveredMs);
  return { mantissa, fromMs: from.timeMs, toMs, coveredMs };
}

/** The newest at or before the time, else the oldest. */
function checkpointAt(
  ctx: ReadContext,
  state: OracleState,
  feed: Feed,
  timeMs: bigint,
): PriceCheckpoint | undefined {
  let found: PriceCheckpoint | undefined;
  for (let slot = 0; slot < (feed.guard?.twapSteps ?? 0); slot++) {
    const one = state.checkpoints.get(ctx, [feed.id, slot]);
    if (one === undefined) continue;
    if (found === undefined) found = one;
    else if (found.timeMs > timeMs) found = one.timeMs < found.timeMs ? one : found;
    else if (one.timeMs <= timeMs && one.timeMs > found.timeMs) found = one;
  }
  return found;
}
