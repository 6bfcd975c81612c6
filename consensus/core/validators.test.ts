/** Published numbers of CometBFT v0.38 (types/validator_set_test.go), restated as tables. */

import { describe, expect, it } from "vitest";
import { POWER_TOTAL_MAX } from "./limits.ts";
import type { Validator, ValidatorSet } from "./types.ts";
import {
  applyUpdates,
  createProposerSchedule,
  createValidatorSet,
  incrementProposerPriority,
  proposerAt,
  type ValidatorUpdate,
} from "./validators.ts";

const INT64_MAX = 2n ** 63n - 1n;

function hex(text: string): string {
  return Buffer.from(text, "ascii").toString("hex").toUpperCase();
}

function name(address: string): string {
  return Buffer.from(address, "hex").toString("ascii");
}

/** "foo=1000 bar=300" */
function updates(text: string): ValidatorUpdate[] {
  return text
    .split(" ")
    .filter((part) => part !== "")
    .map((part) => {
      const [who = "", power = ""] = part.split("=");
      return { address: hex(who), power: BigInt(power) };
    });
}

function powers(set: ValidatorSet): string {
  return set.validators
    .map((validator) => `${name(validator.address)}=${validator.power}`)
    .join(" ");
}

function rawSet(validators: readonly Validator[]): ValidatorSet {
  const totalPower = validators.reduce((sum, validator) => sum + validator.power, 0n);
  return { validators, totalPower, proposer: validators[0]?.address ?? "" };
}

function elect(set: ValidatorSet, times: number): string[] {
  const proposers: string[] = [];
  let current = set;
  for (let turn = 0; turn < times; turn += 1) {
    proposers.push(current.proposer);
    current = incrementProposerPriority(current, 1);
  }
  return proposers;
}

function expectScaledAndCentred(set: ValidatorSet): void {
  const priorities = set.validators.map((validator) => validator.priority);
  const sum = priorities.reduce((total, priority) => total + priority, 0n);
  const count = BigInt(priorities.length);
  expect(sum > -count && sum < count).toBe(true);
  const sorted = priorities.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const spread = (sorted.at(-1) ?? 0n) - (sorted[0] ?? 0n);
  expect(spread <= 2n * set.totalPower).toBe(true);
  expect(set.totalPower).toBe(
    set.validators.reduce((total, validator) => total + validator.power, 0n),
  );
}

describe("proposer rotation", () => {
  it("elects the 99 published proposers of foo=1000 bar=300 baz=330", () => {
    const expected =
      "foo baz foo bar foo foo baz foo bar foo foo baz foo foo bar foo baz foo foo bar" +
      " foo foo baz foo bar foo foo baz foo bar foo foo baz foo foo bar foo baz foo foo bar" +
      " foo baz foo foo bar foo baz foo foo bar foo baz foo foo foo baz bar foo foo foo baz" +
      " foo bar foo foo baz foo bar foo foo baz foo bar foo foo baz foo bar foo foo baz foo" +
      " foo bar foo baz foo foo bar foo baz foo foo bar foo baz foo foo";
    const set = createValidatorSet(updates("foo=1000 bar=300 baz=330"));
    expect(elect(set, 99).map(name).join(" ")).toBe(expected);
  });

  it("goes in order of addresses while powers are equal", () => {
    const set = createValidatorSet(updates("c=100 a=100 b=100"));
    expect(elect(set, 15).map(name).join("")).toBe("abcabcabcabcabc");
  });

  it("elects a validator twice in a row only when its power exceeds two turns of the others", () => {
    expect(
      elect(createValidatorSet(updates("a=100 b=100 c=400")), 2)
        .map(name)
        .join(""),
    ).toBe("ca");
    expect(
      elect(createValidatorSet(updates("a=100 b=100 c=401")), 3)
        .map(name)
        .join(""),
    ).toBe("cca");
  });

  it("elects in proportion to power: 4, 5 and 3 twelfths of 120 turns", () => {
    const proposers = elect(createValidatorSet(updates("a=4 b=5 c=3")), 120).map(name);
    const count = (who: string): number => proposers.filter((proposer) => proposer === who).length;
    expect([count("a"), count("b"), count("c")]).toEqual([40, 50, 30]);
  });

  it("gives the same proposer of a round by walking, by jumping and by the schedule", () => {
    const set = createValidatorSet(updates("foo=1000 bar=300 baz=330"));
    const walked = elect(set, 50);
    const schedule = createProposerSchedule(set);
    for (let round = 49; round >= 0; round -= 1) {
      expect(proposerAt(set, round)).toBe(walked[round]);
      expect(schedule.proposerAt(round)).toBe(walked[round]);
    }
  });

  it("refuses fewer than one turn, and an empty set", () => {
    const set = createValidatorSet(updates("foo=1000"));
    for (const times of [-1, 0, 0.5])
      expect(() => incrementProposerPriority(set, times)).toThrow("at least one turn");
    expect(() => incrementProposerPriority(rawSet([]), 1)).toThrow("at least one validator");
  });
});

describe("averaging", () => {
  /** Zero powers leave only the centring visible. */
  it.each([
    { priorities: [1n, 2n, 3n], times: 1, average: 2n },
    { priorities: [10n, -10n, 1n], times: 11, average: 0n },
    { priorities: [100n, -10n, 1n], times: 1, average: 91n / 3n },
    { priorities: [0n, 0n, 0n], times: 1, average: 0n },
    { priorities: [INT64_MAX, 0n, 0n], times: 1, average: INT64_MAX / 3n },
    { priorities: [INT64_MAX, 0n], times: 1, average: INT64_MAX / 2n },
    { priorities: [INT64_MAX, INT64_MAX], times: 1, average: INT64_MAX },
    // Floor, not truncation: −1 / 2 is −1.
    { priorities: [-1n, 0n], times: 1, average: -1n },
    { priorities: [-10n, 3n, 3n], times: 1, average: -2n },
  ])("subtracts $average from $priorities", ({ priorities, times, average }) => {
    const set = rawSet(
      priorities.map((priority, index) => ({ address: hex(`v${index}`), power: 0n, priority })),
    );
    const centred = incrementProposerPriority(set, times);
    expect(centred.validators.map((validator) => validator.priority)).toEqual(
      priorities.map((p) => p - average),
    );
  });

  it.each([
    [1, [-2n, 1n, 1n], 0],
    [2, [-4n, 2n, 2n], 0],
    [3, [-6n, 3n, 3n], 0],
    [4, [-8n, 4n, 4n], 0],
    [5, [2n, -7n, 5n], 1],
    [6, [0n, -6n, 6n], 0],
    [7, [-2n, -5n, 7n], 0],
    [8, [-4n, -4n, 8n], 0],
    [9, [6n, -3n, -3n], 2],
    [10, [4n, -2n, -2n], 0],
    [11, [2n, -1n, -1n], 0],
  ] as const)(
    "elects and charges as published after %i turns of powers 10, 1, 1",
    (times, priorities, proposer) => {
      const set = rawSet(
        [10n, 1n, 1n].map((power, index) => ({ address: hex(`v${index}`), power, priority: 0n })),
      );
      const after = incrementProposerPriority(set, times);
      expect(after.validators.map((validator) => validator.priority)).toEqual(priorities);
      expect(name(after.proposer)).toBe(`v${proposer}`);
    },
  );

  it("rescales truncating toward zero before it centres", () => {
    const set = rawSet([
      { address: hex("a"), power: 1n, priority: -7n },
      { address: hex("b"), power: 1n, priority: 8n },
    ]);
    // Spread 15 over a window of 4: ratio 4; −7/4 → −1, 8/4 → 2; centred by floor(1/2) = 0; then b elected: 3 − 2.
    const after = incrementProposerPriority(set, 1);
    expect(after.validators.map((validator) => validator.priority)).toEqual([0n, 1n]);
    expect(name(after.proposer)).toBe("b");
  });
});

describe("updates", () => {
  it.each([
    ["v1=10 v2=10", "", "v1=10 v2=10"],
    ["v1=10 v2=10", "v2=22 v1=11", "v2=22 v1=11"],
    ["v2=20 v1=10", "v4=40 v3=30", "v4=40 v3=30 v2=20 v1=10"],
    ["v3=20 v1=10", "v2=30", "v2=30 v3=20 v1=10"],
    ["v3=20 v2=10", "v1=30", "v1=30 v3=20 v2=10"],
    ["v3=30 v2=20 v1=10", "v2=0", "v3=30 v1=10"],
    ["v3=1000 v2=2 v1=1", "v5=50 v4=40 v2=1 v3=0", "v5=50 v4=40 v1=1 v2=1"],
    [
      `v2=${POWER_TOTAL_MAX - 1n} v1=1`,
      `v1=${POWER_TOTAL_MAX - 1n} v2=1`,
      `v1=${POWER_TOTAL_MAX - 1n} v2=1`,
    ],
    [
      `v2=${POWER_TOTAL_MAX - 1n} v1=1`,
      `v1=${POWER_TOTAL_MAX / 2n - 1n} v2=${POWER_TOTAL_MAX / 2n}`,
      `v2=${POWER_TOTAL_MAX / 2n} v1=${POWER_TOTAL_MAX / 2n - 1n}`,
    ],
    [
      `v1=${POWER_TOTAL_MAX - 2n} v2=1 v3=1`,
      `v1=0 v4=${POWER_TOTAL_MAX - 2n}`,
      `v4=${POWER_TOTAL_MAX - 2n} v2=1 v3=1`,
    ],
  ])("%s with %s becomes %s", (start, changes, expected) => {
    const set = applyUpdates(createValidatorSet(updates(start)), updates(changes));
    expect(powers(set)).toBe(expected);
    expectScaledAndCentred(set);
  });

  it.each([
    ["duplicate", "v1=10 v2=10", "v1=11 v1=22"],
    ["duplicate", "v1=10 v2=10", "v1=11 v2=22 v1=12"],
    ["duplicate", "v1=10 v2=10", "v2=0 v2=0"],
    ["duplicate", "v1=10 v2=10", "v1=0 v2=20 v1=30"],
    ["power", "v1=10 v2=10", `v1=${INT64_MAX}`],
    ["power", "v1=10 v2=10", "v2=-123"],
    ["powerTotal", `v1=${POWER_TOTAL_MAX - 1n}`, "v2=5"],
    [
      "powerTotal",
      `v1=${POWER_TOTAL_MAX / 3n} v2=${POWER_TOTAL_MAX / 3n}`,
      `v3=${POWER_TOTAL_MAX / 2n}`,
    ],
    ["powerTotal", `v1=${POWER_TOTAL_MAX}`, `v2=${POWER_TOTAL_MAX}`],
    ["unknown", "v1=10 v2=10", "v3=0"],
    ["empty", "v1=10 v2=20 v3=30", "v1=0 v2=0 v3=0"],
  ])("refuses with code %s: %s with %s", (code, start, changes) => {
    const set = createValidatorSet(updates(start));
    expect(() => applyUpdates(set, updates(changes))).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ["duplicate", "v1=100 v1=123 v1=234"],
    ["power", "v1=0 v2=22 v3=33"],
    ["power", "v1=10 v2=-20 v3=30"],
    ["empty", ""],
  ])("refuses a new set with code %s: %s", (code, start) => {
    expect(() => createValidatorSet(updates(start))).toThrow(expect.objectContaining({ code }));
  });

  it("starts a newcomer at −1.125 × the total before removals, shifted with everybody by the centring", () => {
    const start = rawSet([
      { address: hex("a"), power: 10n, priority: 4n },
      { address: hex("b"), power: 10n, priority: -4n },
    ]);
    // Total after updates, before removals: 10 + 10 + 20 = 40; newcomer −(40 + 5) = −45; a stays 4 (b leaves).
    // Spread 49 within the window 60; average floor(−41 / 2) = −21.
    const set = applyUpdates(start, updates("c=20 b=0"));
    expect(
      set.validators.map((validator) => [name(validator.address), validator.priority]),
    ).toEqual([
      ["c", -24n],
      ["a", 25n],
    ]);
  });

  it("keeps the priority of a validator whose power changes", () => {
    const start = rawSet([
      { address: hex("a"), power: 10n, priority: 4n },
      { address: hex("b"), power: 10n, priority: -4n },
    ]);
    const set = applyUpdates(start, updates("b=30"));
    expect(
      set.validators.map((validator) => [name(validator.address), validator.priority]),
    ).toEqual([
      ["b", -4n],
      ["a", 4n],
    ]);
  });

  it.each([
    ["v4=40 v3=30 v2=10 v1=10", "v4=44 v3=33 v2=22 v1=11"],
    ["v2=20 v1=10", "v3=30 v4=40 v5=50 v6=60"],
    ["v4=40 v3=30 v2=20 v1=10", "v1=0 v3=0 v4=0"],
    ["v4=40 v3=30 v2=20 v1=10", "v1=0 v3=0 v2=22 v5=50 v4=44"],
  ])("does not depend on the order of updates: %s with %s", (start, changes) => {
    const set = createValidatorSet(updates(start));
    const forward = applyUpdates(set, updates(changes));
    const backward = applyUpdates(set, updates(changes).toReversed());
    expect(backward).toEqual(forward);
    expectScaledAndCentred(forward);
  });
});
