/**
 * How far a price has moved within a horizon, pure. The horizon is remembered in sixteen parts, each with its lowest and highest value: a move is
 * measured from the extreme it left, not from where the price stood at one moment, so that a spike there and back cannot hide behind its ends.
 */
import type { PriceBucket } from "@keel/proto/gen/keel/guard/v1/types";
import { divCeil, divFloor, maximum, minimum, mulDivDown, PPM } from "../kit/math/mul-div.ts";
import { BUCKETS } from "./limits.ts";

export interface RangeMove {
  /** Away from the extreme on the other side, rounded down. */
  readonly movePpm: bigint;
  readonly from: bigint;
  readonly to: bigint;
}

/** Number of the part that this moment lies in. */
function partOf(nowMs: bigint, horizonMs: bigint): bigint {
  return divFloor(nowMs, divCeil(horizonMs, BUCKETS));
}

/** With the value of this moment; parts older than the horizon are forgotten. The same array: nothing changed. */
export function watched(
  buckets: readonly PriceBucket[],
  value: bigint,
  nowMs: bigint,
  horizonMs: bigint,
): readonly PriceBucket[] {
  const number = partOf(nowMs, horizonMs);
  const last = buckets[buckets.length - 1];
  const text = value.toString();
  if (last?.number !== number) {
    // One part more than the horizon has: all of it is covered at any moment.
    const kept = buckets.filter((bucket) => bucket.number + BUCKETS >= number);
    return [...kept, { number, low: text, high: text }];
  }
  const low = minimum(BigInt(last.low), value);
  const high = maximum(BigInt(last.high), value);
  if (low === BigInt(last.low) && high === BigInt(last.high)) return buckets;
  return [...buckets.slice(0, -1), { number, low: low.toString(), high: high.toString() }];
}

/** The larger of the rise from the lowest and the fall from the highest value that is remembered. */
export function moveOf(buckets: readonly PriceBucket[], value: bigint): RangeMove {
  let low = value;
  let high = value;
  for (const bucket of buckets) {
    low = minimum(low, BigInt(bucket.low));
    high = maximum(high, BigInt(bucket.high));
  }
  const rise = mulDivDown(value - low, PPM, low);
  const fall = mulDivDown(high - value, PPM, high);
  return rise >= fall
    ? { movePpm: rise, from: low, to: value }
    : { movePpm: fall, from: high, to: value };
}
