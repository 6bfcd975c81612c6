/** Heights, followers, restarts and bounds. */

import { describe, expect, it } from "vitest";
import { PROPOSAL_ROUNDS_AHEAD_MAX, VOTE_ROUNDS_AHEAD_MAX } from "./limits.ts";
import { createMachine } from "./machine.ts";
import { parse, play, type Row, type Setup } from "./testing/script.ts";

function script(name: string, rows: readonly Row[], setup: Setup = { self: "B" }): void {
  it(name, () => {
    expect(play(setup, rows)).toEqual(rows);
  });
}

const start: Row = ["start", "enter 0 A; timer propose 0 3000"];

describe("heights", () => {
  script("nothing is taken before the first height", [
    ["prevote 0 X A", "dropped: height not started"],
    ["timeout propose 0", "dropped: height not started"],
    start,
  ]);

  script("what belongs to a later height is dropped, and counts when it comes again", [
    start,
    ["proposal 0 Y at 2", "dropped: height not started"],
    ["valid Y at 2", "dropped: height not started"],
    ["prevote 0 Y A C D at 2", Array(3).fill("dropped: height not started").join("; ")],
    ["certificate 0 Y at 2", "dropped: height not started"],
    ["certificate 0 X", "check 0 X"],
    ["valid X", "commit 0 X", "1/0 commit"],
    ["start 2", "enter 0 A; timer propose 0 3000", "2/0 propose"],
    ["proposal 0 Y at 2", "check 0 Y"],
    ["valid Y at 2", "prevote 0 Y", "2/0 prevote"],
    ["prevote 0 Y A C D at 2", "polka 0 Y; precommit 0 Y", "2/0 precommit locked Y@0 valid Y@0"],
  ]);

  script("a height may be skipped, never repeated; inputs of earlier ones are dropped", [
    start,
    ["start 5", "enter 0 A; timer propose 0 3000", "5/0 propose"],
    ["start 5", "dropped: height already started"],
    ["start 4", "dropped: height already started"],
    ["prevote 0 X A at 4", "dropped: earlier height"],
    ["timeout propose 0 at 1", "dropped: earlier height"],
  ]);

  it("drops a height without validators", () => {
    const machine = createMachine();
    const [input] = parse("start", { self: "A" });
    if (input?.type !== "startHeight") throw new Error("expected a startHeight");
    const effects = machine.handle({
      ...input,
      validators: { validators: [], totalPower: 0n, proposer: "" },
    });
    expect(effects).toEqual([{ type: "dropped", reason: "height without validators" }]);
    expect(machine.view().step).toBe("newHeight");
  });
});

describe("a node that does not vote", () => {
  for (const self of [null, "Z"]) {
    script(
      `follows and decides (${self ?? "no key"})`,
      [
        start,
        ["proposal 0 X", "check 0 X"],
        ["valid X", "", "1/0 prevote"],
        ["prevote 0 X A B C", "polka 0 X", "1/0 precommit locked X@0 valid X@0"],
        ["precommit 0 X A B C", "commit 0 X"],
      ],
      { self },
    );
  }

  script(
    "never builds a block",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["timeout propose 0", ""],
      ["built 0 X", "dropped: built block of a passed step"],
    ],
    { self: null },
  );
});

describe("a single validator", () => {
  script(
    "decides by its own votes",
    [
      ["start", "enter 0 A; timer propose 0 3000; build 0"],
      ["built 0 X", "propose 0 X"],
      ["proposal 0 X", "check 0 X"],
      ["valid X", "prevote 0 X"],
      ["prevote 0 X A", "polka 0 X; precommit 0 X"],
      ["precommit 0 X A", "commit 0 X"],
    ],
    { self: "A", powers: { A: 10n } },
  );
});

describe("unequal powers", () => {
  // 3 of 9 is not more than a third, 6 of 9 not more than two thirds.
  script(
    "exact thirds do not reach a threshold",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["valid X", ""],
      ["precommit 1 X A", ""],
      ["precommit 0 X A B", "", "1/0 propose"],
      ["precommit 0 X C", "commit 0 X"],
    ],
    { self: null, powers: { A: 3n, B: 3n, C: 1n, D: 2n } },
  );
});

describe("votes and proposals of our own that come back from peers after a lost log", () => {
  script("are not asked for a second time", [
    start,
    ["prevote 0 X B", ""],
    ["precommit 0 nil B", ""],
    ["timeout propose 0", "", "1/0 prevote"],
    ["prevote 0 nil A C D", "timer prevote 0 1000", "1/0 precommit"],
    ["proposal 1 Y", ""],
    ["precommit 0 nil A C", "timer precommit 0 1000"],
    ["timeout precommit 0", "enter 1 B; timer propose 1 3500; check 1 Y"],
    ["valid Y", "prevote 1 Y"],
  ]);
});

describe("strangers and impossible numbers", () => {
  script("are dropped", [
    start,
    ["prevote 0 X Z", "dropped: vote by a stranger to the validator set"],
    ["prevote -1 X A", "dropped: vote of an impossible round"],
    ["prevote 0.5 X A", "dropped: vote of an impossible round"],
    ["prevote NaN X A", "dropped: vote of an impossible round"],
    [`prevote ${2 ** 31} X A`, "dropped: vote of an impossible round"],
    [`prevote ${VOTE_ROUNDS_AHEAD_MAX + 1} X A`, "dropped: vote too many rounds ahead"],
    ["proposal NaN X", "dropped: proposal of an impossible round"],
    [`proposal ${PROPOSAL_ROUNDS_AHEAD_MAX + 1} X`, "dropped: proposal too many rounds ahead"],
    ["prevote 0 X A at NaN", "dropped: impossible height"],
    ["prevote 0 X A at 0", "dropped: earlier height"],
    ["prevote 0 X A", ""],
    ["prevote 0 X A", "dropped: duplicate vote"],
    ["valid X", ""],
    ["invalid X", "dropped: second verdict on a block"],
  ]);

  script("a proposer may leave only few proposals ahead, the newest ones", [
    start,
    ...[4, 8, 12, 16, 20].map((round): Row => [`proposal ${round} X`, ""]),
    ["proposal 4 X", "dropped: proposal too many rounds ahead"],
    ["prevote 20 nil C D", "enter 20 A; timer propose 20 13000; check 20 X"],
  ]);
});
