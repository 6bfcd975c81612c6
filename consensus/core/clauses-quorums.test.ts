/** The clauses of arXiv 1807.04938 that answer quorums and timers: one script at least for each. Self is B. */

import { describe, expect, it } from "vitest";
import { play, type Row, type Setup } from "./testing/script.ts";

function script(name: string, rows: readonly Row[], setup: Setup = {}): void {
  it(name, () => {
    expect(play(setup, rows)).toEqual(rows);
  });
}

/** B follows in round 0, whose proposer is A. */
const asB: Setup = { self: "B" };
const startAsB: Row = ["start", "enter 0 A; timer propose 0 3000", "1/0 propose"];

/** C locks X in round 0, precommits it in vain, and goes on to round 1, whose proposer is B. */
const lockXAndReachRound1: readonly Row[] = [
  ["start", "enter 0 A; timer propose 0 3000"],
  ["proposal 0 X", "check 0 X"],
  ["valid X", "prevote 0 X"],
  ["prevote 0 X A B C", "polka 0 X; precommit 0 X", "1/0 precommit locked X@0 valid X@0"],
  ["precommit 0 nil B D", ""],
  ["precommit 0 X C", "timer precommit 0 1000"],
  ["timeout precommit 0", "enter 1 B; timer propose 1 3500", "1/1 propose locked X@0 valid X@0"],
];

describe("L34: more than two thirds of any prevotes", () => {
  script(
    "start the prevote timer once, in the prevote step",
    [
      startAsB,
      ["prevote 0 X A", ""],
      ["prevote 0 nil C D", "", "1/0 propose"],
      ["timeout propose 0", "prevote 0 nil; timer prevote 0 1000", "1/0 prevote"],
      ["prevote 0 nil B", "precommit 0 nil"],
    ],
    asB,
  );
});

describe("L36: a polka for a valid block", () => {
  script(
    "locks and precommits in the prevote step",
    [
      startAsB,
      ["proposal 0 X", "check 0 X"],
      ["valid X", "prevote 0 X"],
      ["prevote 0 X A B", ""],
      ["prevote 0 X C", "polka 0 X; precommit 0 X", "1/0 precommit locked X@0 valid X@0"],
      ["prevote 0 X D", ""],
    ],
    asB,
  );

  script(
    "after the precommit sets the valid value only",
    [
      startAsB,
      ["proposal 0 X", "check 0 X"],
      ["valid X", "prevote 0 X"],
      ["prevote 0 nil A", ""],
      ["prevote 0 X B C", "timer prevote 0 1000"],
      ["timeout prevote 0", "precommit 0 nil", "1/0 precommit"],
      ["prevote 0 X D", "polka 0 X", "1/0 precommit valid X@0"],
    ],
    asB,
  );

  script(
    "waits while the block is unchecked, and works without the proposal's message",
    [
      startAsB,
      ["timeout propose 0", "prevote 0 nil"],
      ["prevote 0 X A C D", "polka 0 X; timer prevote 0 1000; check 0 X", "1/0 prevote"],
      ["valid X", "precommit 0 X", "1/0 precommit locked X@0 valid X@0"],
    ],
    asB,
  );

  script(
    "in the propose step waits for the step to move on",
    [
      startAsB,
      ["valid X", ""],
      ["prevote 0 X A C D", "polka 0 X", "1/0 propose"],
      ["timeout propose 0", "prevote 0 nil; precommit 0 X", "1/0 precommit locked X@0 valid X@0"],
    ],
    asB,
  );

  script(
    "found invalid here locks nothing",
    [
      startAsB,
      ["timeout propose 0", "prevote 0 nil"],
      ["prevote 0 X A C D", "polka 0 X; timer prevote 0 1000; check 0 X"],
      ["invalid X", "", "1/0 prevote"],
      ["timeout prevote 0", "precommit 0 nil", "1/0 precommit"],
    ],
    asB,
  );

  script(
    "of an earlier round locks nothing",
    [
      startAsB,
      ["valid X", ""],
      ["timeout propose 0", "prevote 0 nil"],
      ["precommit 1 nil A C", "enter 1 B; timer propose 1 3500; build 1"],
      ["prevote 0 X A C D", "polka 0 X", "1/1 propose"],
    ],
    asB,
  );
});

describe("L44: a polka for nil", () => {
  script(
    "precommits nil",
    [
      startAsB,
      ["timeout propose 0", "prevote 0 nil"],
      ["prevote 0 nil A B C", "precommit 0 nil", "1/0 precommit"],
    ],
    asB,
  );

  script(
    "does not unlock",
    [
      ...lockXAndReachRound1,
      ["timeout propose 1", "prevote 1 nil"],
      ["prevote 1 nil A B C", "precommit 1 nil", "1/1 precommit locked X@0 valid X@0"],
    ],
    { self: "C" },
  );
});

describe("L47: more than two thirds of any precommits", () => {
  script(
    "start the precommit timer once, in any step",
    [
      startAsB,
      ["precommit 0 X A", ""],
      ["precommit 0 nil C D", "timer precommit 0 1000", "1/0 propose"],
      ["precommit 0 nil B", ""],
    ],
    asB,
  );
});

describe("L49: a precommit quorum", () => {
  script(
    "decides",
    [
      startAsB,
      ["proposal 0 X", "check 0 X"],
      ["valid X", "prevote 0 X"],
      ["precommit 0 X A C", ""],
      ["precommit 0 X D", "commit 0 X", "1/0 commit"],
      ["precommit 0 X B", "dropped: height already decided"],
    ],
    asB,
  );

  script(
    "of an earlier round decides",
    [
      startAsB,
      ["valid X", ""],
      ["precommit 0 X A C", ""],
      ["prevote 2 nil A C", "enter 2 C; timer propose 2 4000"],
      ["precommit 0 X D", "commit 0 X", "1/2 commit"],
    ],
    asB,
  );

  script(
    "of a later round decides",
    [
      startAsB,
      ["valid X", ""],
      ["precommit 3 X A C D", "enter 3 D; timer propose 3 4500; commit 3 X", "1/3 commit"],
    ],
    asB,
  );

  script(
    "waits for the block",
    [
      startAsB,
      ["precommit 0 X A C D", "timer precommit 0 1000; check 0 X", "1/0 propose"],
      ["timeout precommit 0", "enter 1 B; timer propose 1 3500; build 1; check 1 X"],
      ["valid X", "commit 0 X", "1/1 commit"],
    ],
    asB,
  );

  script(
    "for a block found invalid decides nothing",
    [
      startAsB,
      ["precommit 0 X A C D", "timer precommit 0 1000; check 0 X"],
      ["invalid X", "dropped: quorum for a block this node found invalid", "1/0 propose"],
    ],
    asB,
  );

  script(
    "for nil decides nothing",
    [startAsB, ["precommit 0 nil A C D", "timer precommit 0 1000", "1/0 propose"]],
    asB,
  );

  script(
    "comes as a certificate too",
    [startAsB, ["certificate 4 X", "check 0 X"], ["valid X", "commit 4 X", "1/0 commit"]],
    asB,
  );
});

describe("L55: more than one third in a later round", () => {
  script(
    "skips to it",
    [
      startAsB,
      ["prevote 2 nil A", ""],
      ["prevote 2 nil C", "enter 2 C; timer propose 2 4000", "1/2 propose"],
    ],
    asB,
  );

  script(
    "counts a validator once over both kinds",
    [
      startAsB,
      ["prevote 2 nil A", ""],
      ["precommit 2 nil A", "", "1/0 propose"],
      ["precommit 2 X D", "enter 2 C; timer propose 2 4000", "1/2 propose"],
    ],
    asB,
  );

  script(
    "does not skip on votes of different rounds",
    [startAsB, ["prevote 2 nil A", ""], ["prevote 3 nil C", "", "1/0 propose"]],
    asB,
  );

  script(
    "uses the proposal and the votes that waited for the round",
    [
      startAsB,
      ["valid X", ""],
      ["proposal 2 X", ""],
      ["prevote 2 X C D", "enter 2 C; timer propose 2 4000; prevote 2 X", "1/2 prevote"],
      ["prevote 2 X B", "polka 2 X; precommit 2 X", "1/2 precommit locked X@2 valid X@2"],
    ],
    asB,
  );
});

describe("L57, L61 and L65: timers", () => {
  script(
    "propose: prevote nil; prevote: precommit nil; precommit: next round",
    [
      startAsB,
      ["timeout propose 0", "prevote 0 nil", "1/0 prevote"],
      ["prevote 0 nil A B", ""],
      ["prevote 0 X D", "timer prevote 0 1000"],
      ["timeout prevote 0", "precommit 0 nil", "1/0 precommit"],
      ["precommit 0 nil A B D", "timer precommit 0 1000"],
      ["timeout precommit 0", "enter 1 B; timer propose 1 3500; build 1", "1/1 propose"],
    ],
    asB,
  );

  script(
    "of another step, round or height are stale",
    [
      startAsB,
      ["timeout prevote 0", "dropped: stale timer"],
      ["timeout propose 0", "prevote 0 nil"],
      ["timeout propose 0", "dropped: stale timer"],
      ["timeout propose 1", "dropped: stale timer"],
      ["timeout precommit 1", "dropped: stale timer"],
      ["timeout propose 0 at 2", "dropped: height not started"],
    ],
    asB,
  );

  script(
    "grow with the round",
    [
      startAsB,
      ["prevote 7 nil A C", "enter 7 D; timer propose 7 6500"],
      ["timeout propose 7", "prevote 7 nil"],
      ["prevote 7 X B", "timer prevote 7 4500"],
      ["precommit 7 nil A B C", "timer precommit 7 4500"],
    ],
    asB,
  );
});
