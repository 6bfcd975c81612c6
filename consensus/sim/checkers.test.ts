/** Every check has a history that breaks it. */

import { describe, expect, it } from "vitest";
import type { Proposal, Vote, VoteKind } from "../core/types.ts";
import { createValidatorSet } from "../core/validators.ts";
import { type Checkers, createCheckers } from "./checkers.ts";

const set = createValidatorSet(["A", "B", "C", "D"].map((address) => ({ address, power: 1n })));

/** D is Byzantine. */
function checkers(): Checkers {
  const created = createCheckers({ setAt: () => set, isHonest: (address) => address !== "D" });
  created.onBlock({ id: "X", height: 1, parent: null, builder: "A", valid: true });
  created.onBlock({ id: "Y", height: 1, parent: null, builder: "B", valid: true });
  created.onBlock({ id: "bad", height: 1, parent: null, builder: "D", valid: false });
  for (const round of [0, 1, 2]) {
    for (const blockId of ["X", "Y", "bad"]) created.onProposal(proposal(round, blockId, "D"));
  }
  return created;
}

function proposal(round: number, blockId: string, proposer: string): Proposal {
  return { height: 1, round, blockId, polRound: -1, proposer };
}

function vote(kind: VoteKind, round: number, blockId: string | null, validator: string): Vote {
  return { kind, height: 1, round, blockId, validator };
}

function cast(
  to: Checkers,
  kind: VoteKind,
  round: number,
  blockId: string | null,
  who: string,
): void {
  for (const validator of who) to.onVote(vote(kind, round, blockId, validator));
}

/** A quorum of prevotes and precommits for X in round 0. */
function decideX(to: Checkers): void {
  cast(to, "prevote", 0, "X", "ABC");
  cast(to, "precommit", 0, "X", "ABC");
  to.onCommit("A", { height: 1, round: 0, blockId: "X" });
}

describe("the checkers", () => {
  it("accept an honest height", () => {
    const check = checkers();
    decideX(check);
    check.onCommit("B", { height: 1, round: 0, blockId: "X" });
    expect(check.heightOf("A")).toBe(1);
    expect(check.decided(1)).toBe("X");
  });

  it("refuse two decisions of one height", () => {
    const check = checkers();
    decideX(check);
    expect(() => check.onCommit("B", { height: 1, round: 0, blockId: "Y" })).toThrow("agreement");
  });

  it("refuse a decision without two thirds of precommits; exact thirds are not enough", () => {
    const check = checkers();
    cast(check, "prevote", 0, "X", "ABC");
    cast(check, "precommit", 0, "X", "AB");
    expect(() => check.onCommit("A", { height: 1, round: 0, blockId: "X" })).toThrow(
      "without two thirds of precommits",
    );
  });

  it("refuse a decided block that is invalid, of another parent, or out of order", () => {
    const invalid = checkers();
    expect(() => invalid.onCommit("A", { height: 1, round: 0, blockId: "bad" })).toThrow(
      "no valid block",
    );
    const orphan = checkers();
    orphan.onBlock({ id: "O", height: 1, parent: "Q", builder: "A", valid: true });
    expect(() => orphan.onCommit("A", { height: 1, round: 0, blockId: "O" })).toThrow(
      "on the parent Q",
    );
    const ahead = checkers();
    expect(() => ahead.onCommit("A", { height: 2, round: 0, blockId: "X" })).toThrow(
      "after height 0",
    );
  });

  it("refuse an honest double sign of a vote or a proposal, and let a Byzantine one pass", () => {
    const check = checkers();
    cast(check, "prevote", 0, "X", "AD");
    cast(check, "prevote", 0, null, "D");
    expect(() => cast(check, "prevote", 0, null, "A")).toThrow(
      "double sign: prevote A 1/0 for X and for nil",
    );
    check.onProposal(proposal(0, "X", "A"));
    check.onProposal(proposal(0, "X", "A"));
    expect(() => check.onProposal(proposal(0, "Y", "A"))).toThrow("double sign: proposal");
  });

  it("refuse an honest prevote for an invalid or unproposed block", () => {
    const check = checkers();
    expect(() => cast(check, "prevote", 0, "bad", "A")).toThrow("invalid block");
    expect(() => cast(check, "prevote", 7, "X", "A")).toThrow("never proposed");
  });

  it("refuse an honest precommit without a polka", () => {
    const check = checkers();
    cast(check, "prevote", 0, "X", "AB");
    expect(() => cast(check, "precommit", 0, "X", "A")).toThrow("without two thirds of prevotes");
  });

  it("refuse an honest prevote against a lock, unless a later polka justifies it", () => {
    const check = checkers();
    cast(check, "prevote", 0, "X", "ABC");
    cast(check, "precommit", 0, "X", "A");
    expect(() => cast(check, "prevote", 1, "Y", "A")).toThrow("against its lock on X of round 0");
    const unlocked = checkers();
    cast(unlocked, "prevote", 0, "X", "ABC");
    cast(unlocked, "precommit", 0, "X", "A");
    cast(unlocked, "prevote", 1, "Y", "BCD");
    expect(() => cast(unlocked, "prevote", 2, "Y", "A")).not.toThrow();
  });

  it("refuse an accusation of an honest validator, or one that is no conflict", () => {
    const check = checkers();
    const x = vote("prevote", 0, "X", "A");
    expect(() => check.onEquivocation(x, { ...x, blockId: null })).toThrow("honest A accused");
    const d = vote("prevote", 0, "X", "D");
    expect(() => check.onEquivocation(d, { ...d, blockId: null })).not.toThrow();
    expect(() => check.onEquivocation(d, { ...d, round: 1, blockId: null })).toThrow(
      "reported as equivocation",
    );
  });
});
