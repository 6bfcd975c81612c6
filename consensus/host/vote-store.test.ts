import { describe, expect, it } from "vitest";
import type { VoteKind } from "../core/types.ts";
import { zeroBlockId } from "../wire/block-id.ts";
import type { BlockID, ValidatorInfo, Vote } from "../wire/types.ts";
import { voteRoundsAheadMax } from "./limits.ts";
import { createVoteStore } from "./vote-store.ts";

const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const validators: readonly ValidatorInfo[] = [0, 1, 2, 3].map((index) => ({
  address: fill(20, index),
  pubKey: fill(32, index),
  power: 10n,
  priority: 0n,
}));
const block = (name: number): BlockID => ({
  hash: fill(32, name),
  partSetHeader: { total: 1, hash: fill(32, name) },
});

function vote(index: number, blockId: BlockID, round = 0, type: VoteKind = "prevote"): Vote {
  return {
    type,
    height: 5,
    round,
    blockId,
    timestamp: { seconds: 1n, nanos: 0 },
    validatorAddress: fill(20, index),
    validatorIndex: index,
    signature: fill(64, index),
    extension: fill(0, 0),
    extensionSignature: fill(0, 0),
  };
}

describe("the votes of a height", () => {
  it("keep every conflicting vote the core has counted", () => {
    const store = createVoteStore(validators);
    const votes = [1, 2, 3, 4, 5, 6].map((name) => vote(3, block(name)));
    for (const one of votes) store.add(one, 0);
    expect(votes.map((one) => store.find(one))).toEqual(votes);
    expect(store.bits(0, "prevote")).toEqual([false, false, false, true]);
  });

  it("say who voted for the one value that more than two thirds voted for, nil included", () => {
    for (const value of [block(1), zeroBlockId]) {
      const store = createVoteStore(validators);
      store.add(vote(3, block(9)), 0);
      store.add(vote(0, value), 0);
      store.add(vote(1, value), 0);
      expect(store.quorumBits(0, "prevote")).toBeNull();
      expect(store.vote(0, "prevote", 3)?.blockId).toEqual(block(9));
      store.add(vote(3, value), 0);
      expect(store.quorumBits(0, "prevote")).toEqual([true, true, false, true]);
      expect(store.vote(0, "prevote", 3)?.blockId).toEqual(value);
      expect(store.quorumBits(0, "precommit")).toBeNull();
      expect(store.quorumBits(1, "prevote")).toBeNull();
    }
  });

  it("find a precommit quorum in any round, and put the block's votes into its commit", () => {
    const store = createVoteStore(validators);
    store.add(vote(3, zeroBlockId, 2, "precommit"), 2);
    for (const index of [0, 1]) store.add(vote(index, block(1), 2, "precommit"), 2);
    expect(store.isPrecommitQuorum(block(1))).toBe(false);
    store.add(vote(3, block(1), 2, "precommit"), 2);
    expect(store.isPrecommitQuorum(block(1))).toBe(true);
    expect(store.isPrecommitQuorum(block(2))).toBe(false);
    expect(store.precommits(2, block(1)).map((one) => one.blockId)).toEqual([
      block(1),
      block(1),
      block(1),
    ]);
  });

  it("forget the lowest of one validator's rounds far ahead, and its weight with it", () => {
    const store = createVoteStore(validators);
    store.add(vote(0, block(1), 2), 0);
    for (let round = 2; round <= 2 + voteRoundsAheadMax; round++)
      store.add(vote(3, block(1), round), 0);
    expect(store.vote(2, "prevote", 3)).toBeNull();
    expect(store.bits(2, "prevote")).toEqual([true, false, false, false]);
    store.add(vote(1, block(1), 2), 0);
    expect(store.quorumBits(2, "prevote")).toBeNull();
    store.add(vote(3, block(1), 2), 1);
    expect(store.quorumBits(2, "prevote")).toEqual([true, true, false, true]);
  });
});
