import { addNanos, timestampFromMs } from "@keel/proto/bytes/timestamp";
import { describe, expect, test } from "vitest";
import { absentSignature } from "./commit.ts";
import { duplicateVoteEvidence, isEvidenceExpired } from "./evidence.ts";
import { defaultConsensusParams } from "./params.ts";
import { blockIdOf, makeValidators, signCommit, signVote, startTime } from "./testing/world.ts";
import { medianTime, voteTime, weightedMedian } from "./time.ts";

const at = timestampFromMs;

describe("BFT time", () => {
  test("weight decides, not count", () => {
    const times = [
      { time: at(1), weight: 1n },
      { time: at(2), weight: 1n },
      { time: at(9), weight: 10n },
    ];
    expect(weightedMedian(times, 12n)).toEqual(at(9));
    expect(weightedMedian([...times].reverse(), 12n)).toEqual(at(9));
    expect(weightedMedian([], 0n)).toBeNull();
  });

  test("a third of faulty clocks cannot move it past the correct ones", () => {
    const honest = [100, 101, 102].map((ms) => ({ time: at(ms), weight: 10n }));
    for (const ms of [0, 1_000_000]) {
      const median = weightedMedian([...honest, { time: at(ms), weight: 10n }], 40n);
      expect([100, 101, 102].map(at)).toContainEqual(median);
    }
  });

  test("a signer that is not in the set, or nobody at all, gives no time", () => {
    const world = makeValidators([1n, 1n]);
    const commit = signCommit(world, { height: 5, blockId: blockIdOf("b") });
    expect(medianTime(commit, world.validators)).toEqual(startTime);
    expect(medianTime(commit, world.validators.slice(1))).toBeNull();
    expect(medianTime({ ...commit, signatures: [absentSignature] }, world.validators)).toBeNull();
  });

  test("a vote is at least a millisecond after its block", () => {
    expect(voteTime(at(10), null)).toEqual(at(10));
    expect(voteTime(at(10), at(5))).toEqual(at(10));
    expect(voteTime(at(10), at(10))).toEqual(at(11));
    expect(voteTime(at(10), at(50))).toEqual(at(51));
  });
});

describe("age of evidence", () => {
  const world = makeValidators([1n]);
  const votes = {
    first: signVote(world, { index: 0 }),
    second: signVote(world, { index: 0, blockId: blockIdOf("another") }),
  };
  const evidence = duplicateVoteEvidence({
    ...votes,
    blockTime: startTime,
    validators: world.validators,
  });
  const params = {
    ...defaultConsensusParams.evidence,
    maxAgeNumBlocks: 10n,
    maxAgeDurationNanos: 1000n,
  };

  test("it expires only when both blocks and time have passed", () => {
    if (evidence === null) throw new Error("expected evidence");
    const expired = (height: number, nanos: bigint): boolean =>
      isEvidenceExpired(evidence, { height, time: addNanos(startTime, nanos) }, params);
    expect(expired(15, 5000n)).toBe(false);
    expect(expired(16, 1000n)).toBe(false);
    expect(expired(16, 1001n)).toBe(true);
  });
});
