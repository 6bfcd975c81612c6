import { describe, expect, it } from "vitest";
import { comparePermutations } from "./permutation-model.ts";

const RUNS = 25;

describe("a batch auction under any order of the block's transactions", () => {
  it("gives every message the same answer and every order the same fills", {
    timeout: 600_000,
  }, () => {
    // The long form: npm run fuzz -- permutation
    const { fills, reasons, refills, refused, slices, waiting } = comparePermutations(1, RUNS);
    expect(fills).toBeGreaterThan(RUNS * 10);
    expect(refills).toBeGreaterThan(RUNS / 10);
    expect(waiting).toBeGreaterThan(RUNS);
    expect(refused).toBeGreaterThan(RUNS);
    expect(slices).toBeGreaterThan(RUNS);
    for (const count of Object.values(reasons)) expect(count).toBeGreaterThan(RUNS / 30);
  });
});
