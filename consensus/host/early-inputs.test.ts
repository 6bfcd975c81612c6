import { describe, expect, it } from "vitest";
import type { Vote as CoreVote, Verified } from "../core/types.ts";
import { zeroBlockId } from "../wire/block-id.ts";
import type { ValidatorInfo, Vote } from "../wire/types.ts";
import { createEarlyInputs, type EarlyInputs } from "./early-inputs.ts";
import { earlyVotesBytesMax, earlyVotesPerValidatorMax } from "./limits.ts";

const none = new Uint8Array(0);
const time = { seconds: 0n, nanos: 0 };

function validatorsOf(powers: readonly bigint[]): readonly ValidatorInfo[] {
  return powers.map((power, index) => ({
    address: new Uint8Array(20).fill(index),
    pubKey: new Uint8Array(32).fill(index),
    power,
    priority: 0n,
  }));
}

function voteOf(validatorIndex: number, change: Partial<Vote> = {}): Vote {
  return {
    type: "prevote",
    height: 5,
    round: 0,
    blockId: zeroBlockId,
    timestamp: time,
    validatorAddress: new Uint8Array(20).fill(validatorIndex),
    validatorIndex,
    signature: none,
    extension: none,
    extensionSignature: none,
    ...change,
  };
}

/** The brand says that signatures were checked; nothing here reads the value behind it. */
const verified = {} as Verified<CoreVote>;
const add = (early: EarlyInputs, vote: Vote): void =>
  early.add({ type: "vote", verified, vote, peer: "p" });

describe("votes for a height that has not begun", () => {
  it("show that it has begun elsewhere only with more than a third of the power, each validator once", () => {
    const early = createEarlyInputs(validatorsOf([10n, 10n, 9n, 1n]));
    for (const round of [0, 1, 2]) add(early, voteOf(0, { round }));
    add(early, voteOf(0, { type: "precommit" }));
    expect(early.isBegunElsewhere).toBe(false);
    add(early, voteOf(3));
    expect(early.isBegunElsewhere).toBe(true);
    const exactlyAThird = createEarlyInputs(validatorsOf([10n, 10n, 10n]));
    add(exactlyAThird, voteOf(0));
    expect(exactlyAThird.isBegunElsewhere).toBe(false);
  });

  it("are wanted once, and so many of one validator", () => {
    const early = createEarlyInputs(validatorsOf([10n, 10n]));
    for (let round = 0; round < earlyVotesPerValidatorMax; round++) {
      expect(early.wantsVote(voteOf(0, { round }))).toBe(true);
      add(early, voteOf(0, { round }));
      expect(early.wantsVote(voteOf(0, { round }))).toBe(false);
    }
    expect(early.wantsVote(voteOf(0, { round: 99 }))).toBe(false);
    expect(early.wantsVote(voteOf(1, { round: 99 }))).toBe(true);
  });

  it("count beyond the bytes that are held, and are handed over in order", () => {
    const early = createEarlyInputs(validatorsOf(Array(90).fill(1n)));
    const extension = new Uint8Array(earlyVotesBytesMax / 20);
    for (let index = 0; index < 31; index++)
      add(early, voteOf(index, { type: "precommit", extension }));
    expect(early.isBegunElsewhere).toBe(true);
    const held = early.take();
    expect(held.length).toBe(19);
    expect(held.map((one) => one.type === "vote" && one.vote.validatorIndex)).toEqual(
      Array.from({ length: 19 }, (_, index) => index),
    );
    expect(early.take()).toEqual([]);
  });
});

describe("proposals for a height that has not begun", () => {
  it("matter for round 0, and one of them", () => {
    const early = createEarlyInputs(validatorsOf([10n]));
    const proposal = {
      height: 5,
      round: 0,
      polRound: -1,
      blockId: zeroBlockId,
      timestamp: time,
      signature: none,
    };
    expect(early.wantsProposal({ ...proposal, round: 1 })).toBe(false);
    expect([early.wantsProposal(proposal), early.isProposed]).toEqual([true, false]);
    early.add({ type: "proposal", verified: {} as never, proposal, peer: "p" });
    expect([early.wantsProposal(proposal), early.isProposed]).toEqual([false, true]);
    expect(early.take().length).toBe(1);
  });
});
