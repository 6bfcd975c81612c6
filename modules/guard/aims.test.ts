import { describe, expect, it } from "vitest";
import { capAim, raiseAim, stepToward } from "./aims.ts";

const pace = { intervalMs: 60_000n, stepMaxPpm: 100_000n, bandPpm: 50_000n };
const capRule = {
  lotsMin: 100n,
  lotsMax: 10_000n,
  depthRangePpm: 20_000n,
  depthMultiplePpm: 4_000_000n,
  pace,
  fundWeightPpm: 500_000n,
  fundTarget: "8000",
};
const marginRule = {
  raiseMaxPpm: 500_000n,
  depthLots: 1_000n,
  depthRangePpm: 20_000n,
  depthWeightPpm: 300_000n,
  ownerFreePpm: 200_000n,
  ownerWeightPpm: 500_000n,
  nearFreePpm: 50_000n,
  nearWeightPpm: 1_000_000n,
  pace,
};

describe("where a cap aims", () => {
  it("is depth times its multiple, less what the fund lacks, inside the bounds", () => {
    const depth = (lots: bigint) => ({ depthPpmLots: lots * 1_000_000n });
    expect(capAim(capRule, depth(500n), 9_999n).value).toBe(2_000n);
    expect(capAim(capRule, depth(500n), 8_000n).value).toBe(2_000n);
    // Half full, weight a half: a quarter less.
    expect(capAim(capRule, depth(500n), 4_000n).value).toBe(1_500n);
    expect(capAim(capRule, depth(500n), 0n).value).toBe(1_000n);
    expect(capAim(capRule, depth(1n), 8_000n).value).toBe(100n);
    expect(capAim(capRule, depth(9_999n), 8_000n)).toMatchObject({
      value: 10_000n,
      rest: 10_000n,
    });
    expect(capAim({ ...capRule, fundWeightPpm: 0n, fundTarget: "" }, depth(500n), 0n).value).toBe(
      2_000n,
    );
    expect(capAim(capRule, { depthPpmLots: 499_999_999n }, 8_000n).value).toBe(1_999n);
  });
});

describe("where a raise aims", () => {
  const aim = (depthLots: bigint, owner: bigint, near: bigint) =>
    raiseAim(marginRule, {
      depthPpmLots: depthLots * 1_000_000n,
      ownerSharePpm: owner,
      nearSharePpm: near,
    });

  it("adds missing depth, concentration and nearness, each beyond what is free, up to the bound", () => {
    expect(aim(1_000n, 200_000n, 50_000n).value).toBe(0n);
    expect(aim(500n, 0n, 0n).value).toBe(150_000n);
    expect(aim(0n, 0n, 0n).value).toBe(300_000n);
    expect(aim(2_000n, 400_000n, 0n).value).toBe(100_000n);
    expect(aim(2_000n, 0n, 150_000n).value).toBe(100_000n);
    expect(aim(500n, 400_000n, 150_000n).value).toBe(350_000n);
    expect(aim(0n, 1_000_000n, 1_000_000n).value).toBe(500_000n);
    expect(aim(500n, 400_000n, 150_000n).cause).toContain("missing depth 500000 ppm x 300000");
  });
});

describe("a step", () => {
  const to = (now: bigint, value: bigint, rest = 0n) =>
    stepToward(now, { value, rest }, { stepMax: 10n, band: 5n });

  it("goes at most so far, and not at all inside the band, but to where it rests", () => {
    expect(to(100n, 200n)).toBe(110n);
    expect(to(100n, 0n)).toBe(90n);
    expect(to(100n, 106n)).toBe(106n);
    expect(to(100n, 105n)).toBeNull();
    expect(to(3n, 0n)).toBe(0n);
    expect(to(0n, 0n)).toBeNull();
    expect(stepToward(1n, { value: 9n, rest: 0n }, { stepMax: 0n, band: 0n })).toBe(2n);
  });
});
