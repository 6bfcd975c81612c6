/** Lock and unlock over several rounds, and the attacks the locking rules exist for. */

import { describe, expect, it } from "vitest";
import { play, type Row, type Setup } from "./testing/script.ts";

function script(name: string, rows: readonly Row[], setup: Setup): void {
  it(name, () => {
    expect(play(setup, rows)).toEqual(rows);
  });
}

describe("hidden lock", () => {
  // D alone locked X in round 0; the others saw no polka there and go on.
  script(
    "a validator without the lock follows the proposer that re-proposes it, once it has seen the old prevotes",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["proposal 0 X", "check 0 X"],
      ["valid X", "prevote 0 X"],
      ["prevote 0 X A C", ""],
      ["prevote 0 nil B", "timer prevote 0 1000"],
      ["timeout prevote 0", "precommit 0 nil", "1/0 precommit"],
      ["precommit 0 nil A B C", "timer precommit 0 1000"],
      ["timeout precommit 0", "enter 1 B; timer propose 1 3500"],
      ["precommit 3 nil A B", "enter 3 D; timer propose 3 4500"],
      ["proposal 3 X pol 0", "", "1/3 propose"],
      // The prevote that D had seen in time and C had not.
      ["prevote 0 X D", "polka 0 X; prevote 3 X", "1/3 prevote"],
      ["prevote 3 X A C D", "polka 3 X; precommit 3 X", "1/3 precommit locked X@3 valid X@3"],
      ["precommit 3 X C D", "timer precommit 3 2500"],
      ["certificate 3 X", "commit 3 X"],
    ],
    { self: "C" },
  );

  script(
    "the validator that holds it refuses other blocks until a later polka, and re-proposes its own",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["proposal 0 X", "check 0 X"],
      ["valid X", "prevote 0 X"],
      ["prevote 0 X A C D", "polka 0 X; precommit 0 X", "1/0 precommit locked X@0 valid X@0"],
      ["precommit 0 nil A B C", "timer precommit 0 1000"],
      ["timeout precommit 0", "enter 1 B; timer propose 1 3500"],
      ["proposal 1 Y", "prevote 1 nil; check 1 Y"],
      ["valid Y", ""],
      ["prevote 1 Y A B", ""],
      ["prevote 1 nil D", "timer prevote 1 1500"],
      ["timeout prevote 1", "precommit 1 nil", "1/1 precommit locked X@0 valid X@0"],
      ["precommit 1 nil A B D", "timer precommit 1 1500"],
      ["timeout precommit 1", "enter 2 C; timer propose 2 4000"],
      ["timeout propose 2", "prevote 2 nil"],
      ["prevote 2 nil A B D", "precommit 2 nil"],
      ["precommit 2 nil A B D", "timer precommit 2 2000"],
      ["timeout precommit 2", "enter 3 D; timer propose 3 4500; propose 3 X pol 0"],
    ],
    { self: "D" },
  );
});

describe("equivocator against the lock", () => {
  // B (self) saw D's nil first; A locked X by a polka of A, C and D. Were only first votes counted, B would never see that
  // polka, and A's lock would be out of reach for good.
  script(
    "its second prevote completes the polka that justifies the lock",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["timeout propose 0", "prevote 0 nil"],
      ["prevote 0 nil B D", ""],
      ["prevote 0 X A C", "timer prevote 0 1000"],
      ["timeout prevote 0", "precommit 0 nil"],
      ["prevote 4 nil A C", "enter 4 A; timer propose 4 5000"],
      ["proposal 4 X pol 0", "check 4 X"],
      ["valid X", "", "1/4 propose"],
      [
        "prevote 0 X D",
        "equivocation D: prevote 0 nil, prevote 0 X; polka 0 X; prevote 4 X",
        "1/4 prevote",
      ],
    ],
    { self: "B" },
  );

  script(
    "its second precommit completes the quorum that others decided by",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["valid X", ""],
      ["precommit 0 nil D", ""],
      ["precommit 0 X A C", "timer precommit 0 1000"],
      ["precommit 0 X D", "equivocation D: precommit 0 nil, precommit 0 X; commit 0 X"],
    ],
    { self: "B" },
  );

  script(
    "counts once in the thresholds for anything",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["precommit 0 nil D", ""],
      ["precommit 0 X D", "equivocation D: precommit 0 nil, precommit 0 X"],
      ["precommit 0 Y D", ""],
      ["precommit 2 nil D", ""],
      ["prevote 2 X D", ""],
      ["prevote 2 Y D", "equivocation D: prevote 2 X, prevote 2 Y", "1/0 propose"],
      ["precommit 0 nil C", ""],
      ["precommit 0 nil A", "timer precommit 0 1000"],
    ],
    { self: "B" },
  );
});

describe("amnesia", () => {
  script(
    "a polka by forgetful validators without proof of lock does not move an honest lock",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["proposal 0 X", "check 0 X"],
      ["valid X", "prevote 0 X"],
      ["prevote 0 X A B C", "polka 0 X; precommit 0 X", "1/0 precommit locked X@0 valid X@0"],
      ["prevote 1 nil A B", "enter 1 B; timer propose 1 3500"],
      // B proposes anew although it must know X; nothing proves that X was given up.
      ["proposal 1 Y", "prevote 1 nil; check 1 Y"],
      ["valid Y", ""],
      ["prevote 1 Y D", "timer prevote 1 1500"],
      ["timeout prevote 1", "precommit 1 nil", "1/1 precommit locked X@0 valid X@0"],
      ["prevote 2 nil A B", "enter 2 C; timer propose 2 4000; propose 2 X pol 0"],
    ],
    { self: "C" },
  );

  script(
    "a claimed polRound without its prevotes moves nothing either",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["precommit 1 nil A B", "enter 1 B; timer propose 1 3500"],
      ["proposal 1 X", "check 1 X"],
      ["valid X", "prevote 1 X"],
      ["prevote 1 X A B C", "polka 1 X; precommit 1 X"],
      ["valid Y", ""],
      ["prevote 3 nil A B", "enter 3 D; timer propose 3 4500"],
      ["proposal 3 Y pol 2", "", "1/3 propose locked X@1 valid X@1"],
      ["prevote 2 Y A D", "", "1/3 propose locked X@1 valid X@1"],
      ["timeout propose 3", "prevote 3 nil", "1/3 prevote locked X@1 valid X@1"],
    ],
    { self: "C" },
  );
});

describe("a valid value without a lock", () => {
  script(
    "is what the proposer proposes, and does not bind its prevote",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["proposal 0 X", "check 0 X"],
      ["valid X", "prevote 0 X"],
      ["prevote 0 nil A", ""],
      ["prevote 0 X B C", "timer prevote 0 1000"],
      ["timeout prevote 0", "precommit 0 nil"],
      ["prevote 0 X D", "polka 0 X", "1/0 precommit valid X@0"],
      ["prevote 1 nil A B", "enter 1 B; timer propose 1 3500"],
      ["proposal 1 Y", "check 1 Y"],
      ["valid Y", "prevote 1 Y"],
      ["prevote 2 nil A B", "enter 2 C; timer propose 2 4000; propose 2 X pol 0"],
    ],
    { self: "C" },
  );

  script(
    "gives way to a newer one",
    [
      ["start", "enter 0 A; timer propose 0 3000"],
      ["proposal 0 X", "check 0 X"],
      ["valid X", "prevote 0 X"],
      ["prevote 0 X A B C", "polka 0 X; precommit 0 X"],
      ["valid Y", ""],
      ["prevote 1 nil A B", "enter 1 B; timer propose 1 3500"],
      ["timeout propose 1", "prevote 1 nil"],
      ["prevote 1 nil C", "precommit 1 nil"],
      ["prevote 1 Y A", "equivocation A: prevote 1 nil, prevote 1 Y"],
      [
        "prevote 1 Y B D",
        "equivocation B: prevote 1 nil, prevote 1 Y; polka 1 Y",
        "1/1 precommit locked X@0 valid Y@1",
      ],
      ["prevote 2 nil A B", "enter 2 C; timer propose 2 4000; propose 2 Y pol 1"],
    ],
    { self: "C" },
  );
});
