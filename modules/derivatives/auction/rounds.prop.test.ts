import { describe, expect, it } from "vitest";
import { compareProposers } from "./rounds-model.ts";

const HISTORIES = 150;

describe("a proposer of a market in rounds", () => {
  it("changes nothing by the sequence of its block or by what it leaves out of it for the next one", {
    timeout: 600_000,
  }, () => {
    // The long form: npm run fuzz -- rounds
    const found = compareProposers(1, HISTORIES);
    const { cancels, expired, fills, leftOut, paired, refilled, slices, triggered } = found;
    expect(fills).toBeGreaterThan(HISTORIES);
    expect(cancels).toBeGreaterThan(HISTORIES);
    expect(expired).toBeGreaterThan(HISTORIES / 3);
    expect(triggered).toBeGreaterThan(HISTORIES / 4);
    expect(refilled).toBeGreaterThan(HISTORIES / 10);
    expect(paired).toBeGreaterThan(HISTORIES / 4);
    expect(slices).toBeGreaterThan(HISTORIES / 2);
    expect(leftOut).toBeGreaterThan(HISTORIES * 5);
  });
});
