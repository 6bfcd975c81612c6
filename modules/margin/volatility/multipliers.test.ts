import { describe, expect, it } from "vitest";
import { WAD } from "../../kit/math/fixed-point.ts";
import {
  forwardOf,
  hourlyGrowth,
  initialTarget,
  published,
  risen,
  targetOf,
  UNITY,
} from "./multipliers.ts";

const PERCENT = WAD / 100n;
const bounds = { basePpm: 100_000n, multiplierMaxPpm: 4_000_000n };

describe("the target multiplier", () => {
  it("is the range over the base, rounded up, never below one and never above its bound", () => {
    expect(targetOf(15n * PERCENT, bounds)).toBe(1_500_000n);
    expect(targetOf(15n * PERCENT + 1n, bounds)).toBe(1_500_001n);
    expect(targetOf(3n * PERCENT, bounds)).toBe(1_000_000n);
    expect(targetOf(90n * PERCENT, bounds)).toBe(4_000_000n);
  });
});

describe("multipliers in force", () => {
  it("of initial margin rise at once, but not for less than a hundredth", () => {
    expect(risen(UNITY, 1_009_999n)).toBe(UNITY);
    expect(risen(UNITY, 1_010_000n)).toEqual({
      initialPpm: 1_010_000n,
      maintenancePpm: 1_000_000n,
    });
    expect(risen({ ...UNITY, initialPpm: 2_000_000n }, 1_000_000n).initialPpm).toBe(2_000_000n);
  });

  it("of maintenance margin rise by a quarter in 24 hours, whatever the target, and fall with it", () => {
    expect(hourlyGrowth(250_000n)).toBe(9_341n);
    let now = UNITY;
    const aims = { target: 3_000_000n, initial: 3_000_000n, rampPerDayPpm: 250_000n };
    for (let hour = 0; hour < 24; hour++) now = published(now, aims);
    expect(now.initialPpm).toBe(3_000_000n);
    expect(now.maintenancePpm).toBeGreaterThan(1_249_900n);
    expect(now.maintenancePpm).toBeLessThanOrEqual(1_250_000n);
    const calm = published(now, { ...aims, target: 1_100_000n, initial: 1_200_000n });
    expect(calm).toEqual({ initialPpm: 1_200_000n, maintenancePpm: 1_100_000n });
  });
});

describe("the forward-looking factor", () => {
  const weights = {
    impliedWeightPpm: 200_000n,
    widthFreePpm: 1_000n,
    widthWeightPpm: 1_000_000n,
    riseMaxPpm: 300_000n,
    basePpm: 100_000n,
  };
  const nothing = { implied: 0n, measured: 60n * PERCENT, widthPpm: 0n };

  it("rises with quoted volatility above the measured one, and with the oracle's width above what is free", () => {
    expect(forwardOf(nothing, weights)).toBe(0n);
    expect(forwardOf({ ...nothing, implied: 50n * PERCENT }, weights)).toBe(0n);
    expect(forwardOf({ ...nothing, implied: 90n * PERCENT }, weights)).toBe(100_000n);
    expect(forwardOf({ ...nothing, widthPpm: 11_000n }, weights)).toBe(100_000n);
    expect(forwardOf({ ...nothing, implied: 600n * PERCENT }, weights)).toBe(300_000n);
    expect(forwardOf({ implied: WAD, measured: 0n, widthPpm: 0n }, weights)).toBe(0n);
  });

  it("is on top of the target, inside the same bound", () => {
    expect(initialTarget(1_500_000n, 100_000n, 4_000_000n)).toBe(1_650_000n);
    expect(initialTarget(3_900_000n, 300_000n, 4_000_000n)).toBe(4_000_000n);
    expect(initialTarget(1_000_001n, 0n, 4_000_000n)).toBe(1_000_001n);
  });
});
