/** The clauses of arXiv 1807.04938 that start a round and answer a proposal: one script at least for each. */

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
const startAsA: Row = ["start", "enter 0 A; timer propose 0 3000; build 0", "1/0 propose"];

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

describe("L11 and L14–21: a round starts", () => {
  script("the proposer asks for a block, and proposes it once it is built", [
    startAsA,
    ["built 0 X", "propose 0 X", "1/0 propose"],
    ["built 0 Y", "dropped: built block of a passed step"],
    ["proposal 0 X", "check 0 X"],
    ["valid X", "prevote 0 X", "1/0 prevote"],
  ]);

  script("a follower starts the propose timer only", [startAsB], asB);

  script(
    "the proposer of a later round with a valid value proposes it with its round, and builds nothing",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["proposal 0 X", "check 0 X"],
      ["valid X", "prevote 0 X"],
      ["prevote 0 X A B C", "polka 0 X; precommit 0 X", "1/0 precommit locked X@0 valid X@0"],
      ["precommit 0 nil A C D", "timer precommit 0 1000"],
      [
        "timeout precommit 0",
        "enter 1 B; timer propose 1 3500; propose 1 X pol 0",
        "1/1 propose locked X@0 valid X@0",
      ],
      ["built 1 Y", "dropped: built block of a passed step"],
    ],
    asB,
  );

  script("a block built after the propose timeout is not proposed", [
    startAsA,
    ["timeout propose 0", "prevote 0 nil"],
    ["built 0 X", "dropped: built block of a passed step"],
  ]);

  script("a block built for another round is not proposed", [
    startAsA,
    ["built 1 X", "dropped: built block of a passed step"],
  ]);
});

describe("L22: a proposal without proof of lock", () => {
  script(
    "is prevoted once its block is found valid",
    [
      startAsB,
      ["proposal 0 X", "check 0 X", "1/0 propose"],
      ["valid X", "prevote 0 X", "1/0 prevote"],
    ],
    asB,
  );

  script(
    "is prevoted at once when its block was checked before",
    [startAsB, ["valid X", ""], ["proposal 0 X", "prevote 0 X", "1/0 prevote"]],
    asB,
  );

  script(
    "is answered by nil when its block is invalid",
    [startAsB, ["proposal 0 X", "check 0 X"], ["invalid X", "prevote 0 nil", "1/0 prevote"]],
    asB,
  );

  script(
    "is answered by nil, unchecked, while another block is locked",
    [
      ...lockXAndReachRound1,
      ["proposal 1 Y", "prevote 1 nil; check 1 Y", "1/1 prevote locked X@0 valid X@0"],
    ],
    { self: "C" },
  );

  script(
    "is prevoted when it is the locked block itself",
    [...lockXAndReachRound1, ["proposal 1 X", "prevote 1 X", "1/1 prevote locked X@0 valid X@0"]],
    { self: "C" },
  );

  script(
    "counts only from the round's proposer, and only the first one",
    [
      startAsB,
      ["proposal 0 X by C", "dropped: proposal by another than the round's proposer"],
      ["proposal 0 X by Z", "dropped: proposal by another than the round's proposer"],
      ["proposal 0 X", "check 0 X"],
      ["proposal 0 X", "dropped: duplicate proposal"],
      ["proposal 0 Y", "dropped: second proposal of a round"],
    ],
    asB,
  );
});

describe("L28: a proposal with proof of lock", () => {
  const reachRound1: readonly Row[] = [
    ["start", "enter 0 A; timer propose 0 3000"],
    ["timeout propose 0", "prevote 0 nil"],
    ["precommit 1 nil A B", "enter 1 B; timer propose 1 3500"],
  ];

  script(
    "waits for the prevotes of its polRound",
    [
      ...reachRound1,
      ["proposal 1 X pol 0", "check 1 X"],
      ["valid X", "", "1/1 propose"],
      ["prevote 0 X A B", "", "1/1 propose"],
      ["prevote 0 X D", "polka 0 X; prevote 1 X", "1/1 prevote"],
    ],
    { self: "C" },
  );

  script(
    "is answered by nil at the propose timeout when those prevotes do not come",
    [
      ...reachRound1,
      ["proposal 1 X pol 0", "check 1 X"],
      ["valid X", ""],
      ["timeout propose 1", "prevote 1 nil", "1/1 prevote"],
    ],
    { self: "C" },
  );

  script(
    "is answered by nil when its block is invalid",
    [
      ...reachRound1,
      ["prevote 0 X A B D", "polka 0 X"],
      ["proposal 1 X pol 0", "check 1 X"],
      ["invalid X", "prevote 1 nil", "1/1 prevote"],
    ],
    { self: "C" },
  );

  script(
    "is refused with a polRound that is not an earlier round",
    [
      ...reachRound1,
      [
        "proposal 1 X pol 1",
        "dropped: proposal with proof-of-lock round 1, expected −1 or an earlier round",
      ],
      [
        "proposal 1 X pol -2",
        "dropped: proposal with proof-of-lock round -2, expected −1 or an earlier round",
      ],
    ],
    { self: "C" },
  );

  script(
    "unlocks: a polka later than the lock wins over it",
    [
      ...lockXAndReachRound1,
      ["timeout propose 1", "prevote 1 nil"],
      ["prevote 1 Y A B D", "polka 1 Y; timer prevote 1 1500; check 1 Y"],
      ["timeout prevote 1", "precommit 1 nil", "1/1 precommit locked X@0 valid X@0"],
      ["precommit 3 nil A B", "enter 3 D; timer propose 3 4500"],
      ["proposal 3 Y pol 1", "check 3 Y"],
      ["valid Y", "prevote 3 Y", "1/3 prevote locked X@0 valid X@0"],
      ["prevote 3 Y A B C", "polka 3 Y; precommit 3 Y", "1/3 precommit locked Y@3 valid Y@3"],
    ],
    { self: "C" },
  );

  script(
    "does not unlock by a polka earlier than the lock",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["timeout propose 0", "prevote 0 nil"],
      ["prevote 0 Y A B D", "polka 0 Y; timer prevote 0 1000; check 0 Y"],
      ["precommit 1 nil A B", "enter 1 B; timer propose 1 3500"],
      ["proposal 1 X", "check 1 X"],
      ["valid X", "prevote 1 X"],
      ["prevote 1 X A B C", "polka 1 X; precommit 1 X", "1/1 precommit locked X@1 valid X@1"],
      ["prevote 3 nil A B", "enter 3 D; timer propose 3 4500"],
      ["proposal 3 Y pol 0", "prevote 3 nil; check 3 Y", "1/3 prevote locked X@1 valid X@1"],
    ],
    { self: "C" },
  );

  script(
    "is prevoted for the locked block whatever the polRound",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["timeout propose 0", "prevote 0 nil"],
      ["prevote 0 X A B D", "polka 0 X; timer prevote 0 1000; check 0 X"],
      ["precommit 1 nil A B", "enter 1 B; timer propose 1 3500"],
      ["proposal 1 X", "check 1 X"],
      ["valid X", "prevote 1 X"],
      ["prevote 1 X A B C", "polka 1 X; precommit 1 X", "1/1 precommit locked X@1 valid X@1"],
      ["prevote 3 nil A B", "enter 3 D; timer propose 3 4500"],
      ["proposal 3 X pol 0", "prevote 3 X", "1/3 prevote locked X@1 valid X@1"],
    ],
    { self: "C" },
  );
});
