import { describe, expect, it } from "vitest";
import { CONFLICTING_VOTES_UNBACKED_MAX, ROUNDS_AHEAD_PER_VALIDATOR_MAX } from "./limits.ts";
import type { BlockId, Vote, VoteKind } from "./types.ts";
import { createValidatorSet } from "./validators.ts";
import { createTally, type Tally } from "./votes.ts";

function vote(
  validator: string,
  blockId: BlockId | null,
  at: { round?: number; kind?: VoteKind } = {},
): Vote {
  return { kind: at.kind ?? "prevote", height: 1, round: at.round ?? 0, blockId, validator };
}

function tallyOf(count: number): Tally {
  const names = Array.from({ length: count }, (_, index) => `V${index}`);
  return createTally(createValidatorSet(names.map((address) => ({ address, power: 1n }))));
}

describe("thresholds", () => {
  it("are announced once each, when they are reached", () => {
    const tally = tallyOf(4);
    const said = ["V0", "V1", "V2", "V3"].map(
      (validator) => tally.add(vote(validator, "X"), 0).reached,
    );
    expect(said).toEqual([
      [],
      [{ type: "skip", round: 0 }],
      [
        { type: "polkaValue", round: 0, blockId: "X" },
        { type: "prevotesAny", round: 0 },
      ],
      [],
    ]);
  });

  it("tell nil, value and anything apart", () => {
    const tally = tallyOf(4);
    tally.add(vote("V0", null), 0);
    tally.add(vote("V1", null), 0);
    expect(tally.add(vote("V2", "X"), 0).reached).toEqual([{ type: "prevotesAny", round: 0 }]);
    expect(tally.isPolka(0, null)).toBe(false);
    expect(tally.add(vote("V3", null), 0).reached).toEqual([{ type: "polkaNil", round: 0 }]);
    expect(tally.polkaBlock(0)).toBe(null);
  });

  it("keep kinds and rounds apart", () => {
    const tally = tallyOf(4);
    tally.add(vote("V0", "X"), 0);
    tally.add(vote("V1", "X", { kind: "precommit" }), 0);
    tally.add(vote("V2", "X", { round: 1 }), 0);
    expect(tally.add(vote("V3", "X"), 0).reached).toEqual([]);
  });
});

describe("an equivocator", () => {
  it("is reported once per round and kind, with its first vote first", () => {
    const tally = tallyOf(4);
    tally.add(vote("V0", "X"), 0);
    expect(tally.add(vote("V0", null), 0).equivocation).toEqual({
      first: vote("V0", "X"),
      second: vote("V0", null),
    });
    expect(tally.add(vote("V0", "Y"), 0).equivocation).toBe(null);
    tally.add(vote("V0", "X", { kind: "precommit" }), 0);
    expect(tally.add(vote("V0", "Y", { kind: "precommit" }), 0).equivocation?.second.blockId).toBe(
      "Y",
    );
  });

  it("cannot push out the vote that matters: backed by more than a third of first votes it counts beyond the bound", () => {
    const tally = tallyOf(4);
    tally.add(vote("V0", null), 0);
    for (let junk = 0; junk < 50; junk += 1) {
      const { dropped } = tally.add(vote("V0", `J${junk}`), 0);
      expect(dropped === null).toBe(junk < CONFLICTING_VOTES_UNBACKED_MAX);
    }
    expect(tally.add(vote("V0", "X"), 0).dropped).toBe(
      "too many conflicting votes by one validator",
    );
    tally.add(vote("V1", "X"), 0);
    tally.add(vote("V2", "X"), 0);
    // Two of four first votes back X now; the vote that was dropped counts when it comes again.
    expect(tally.add(vote("V0", "X"), 0)).toEqual({
      reached: [{ type: "polkaValue", round: 0, blockId: "X" }],
      equivocation: null,
      dropped: null,
    });
    expect(tally.add(vote("V0", "X"), 0).dropped).toBe("duplicate vote");
  });

  it("alone cannot make a quorum out of its many votes", () => {
    const tally = tallyOf(4);
    for (const blockId of ["X", "Y", null, "Z"])
      expect(tally.add(vote("V0", blockId), 0).reached).toEqual([]);
    expect(tally.isAny(0, "prevote")).toBe(false);
  });
});

describe("rounds ahead", () => {
  it("the newest few are kept for each validator, and what is pushed out is uncounted", () => {
    const tally = tallyOf(4);
    const rounds = [10, 20, 30, 40, 50];
    expect(rounds.length).toBe(ROUNDS_AHEAD_PER_VALIDATOR_MAX + 1);
    for (const round of rounds) expect(tally.add(vote("V0", "X", { round }), 0).dropped).toBe(null);
    // V0's vote of round 10 went: V1's alone is not more than a third; round 50 is still there.
    expect(tally.add(vote("V1", "X", { round: 10 }), 0).reached).toEqual([]);
    expect(tally.add(vote("V1", "X", { round: 50 }), 0).reached).toEqual([
      { type: "skip", round: 50 },
    ]);
    expect(tally.add(vote("V0", "X", { round: 10 }), 0).dropped).toBe("vote too many rounds ahead");
  });

  it("no longer count as ahead once the current round has reached them", () => {
    const tally = tallyOf(4);
    for (const round of [10, 20, 30, 40]) tally.add(vote("V0", "X", { round }), 0);
    for (const round of [41, 42, 43, 44, 45])
      expect(tally.add(vote("V0", "X", { round }), 40).dropped).toBe(null);
    expect(tally.add(vote("V0", "X", { round: 3 }), 40).dropped).toBe(null);
    expect(tally.add(vote("V1", "X", { round: 20 }), 40).reached).toEqual([
      { type: "skip", round: 20 },
    ]);
  });

  it("the next round is always open", () => {
    const tally = tallyOf(4);
    for (const round of [10, 20, 30, 40]) tally.add(vote("V0", "X", { round }), 0);
    expect(tally.add(vote("V0", "X", { round: 1 }), 0).dropped).toBe(null);
  });
});
