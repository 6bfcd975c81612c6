/** BFT time of CometBFT 0.38: the weighted median of the last commit, and the time a validator puts on its vote. */

import { bytesToHex } from "@keel/proto/bytes/hex";
import { addMs, compareTimestamps, type Timestamp } from "@keel/proto/bytes/timestamp";
import type { Commit, ValidatorInfo } from "./types.ts";

export interface WeightedTime {
  readonly time: Timestamp;
  readonly weight: bigint;
}

/** First time, ascending, at which the running weight reaches half of `total` (rounded down); null of an empty list. */
export function weightedMedian(times: readonly WeightedTime[], total: bigint): Timestamp | null {
  const ascending = [...times].sort((a, b) => compareTimestamps(a.time, b.time));
  let median = total / 2n;
  for (const { time, weight } of ascending) {
    if (median <= weight) return time;
    median -= weight;
  }
  return null;
}

/**
 * Header time of the block that carries `lastCommit`: median over all non-absent signatures, nil ones included, weighted by
 * `validators`, the set of the commit's height. Null when a signer is not in the set or nobody signed.
 */
export function medianTime(
  lastCommit: Commit,
  validators: readonly ValidatorInfo[],
): Timestamp | null {
  const powers = new Map(validators.map((one) => [bytesToHex(one.address), one.power]));
  const times: WeightedTime[] = [];
  let total = 0n;
  for (const { flag, validatorAddress, timestamp } of lastCommit.signatures) {
    if (flag === "absent") continue;
    const weight = powers.get(bytesToHex(validatorAddress));
    if (weight === undefined) return null;
    times.push({ time: timestamp, weight });
    // Power of the signers, not of the whole set: half of what is there decides.
    total += weight;
  }
  return weightedMedian(times, total);
}

/** Smallest step of time between blocks. */
const voteStepMs = 1;

/** Time of a vote: now, but at least 1 ms after the block voted on (the locked, else the proposed one; null when there is none). */
export function voteTime(now: Timestamp, blockTime: Timestamp | null): Timestamp {
  if (blockTime === null) return now;
  const earliest = addMs(blockTime, voteStepMs);
  return compareTimestamps(now, earliest) > 0 ? now : earliest;
}
