import { describe, expect, it } from "vitest";
import { WAD } from "../../kit/math/fixed-point.ts";
import {
  annualVolatility,
  approach,
  fade,
  left,
  logReturn,
  ONE,
  rangeInForce,
  rangeOf,
  smoothing,
  varianceOf,
  weigh,
} from "./estimators.ts";

const DAY = 86_400_000n;
const PERCENT = WAD / 100n;

function share(value: bigint, digits: number): number {
  return Number((value * 10n ** BigInt(digits)) / ONE) / 10 ** digits;
}

describe("the exponentially weighted variance", () => {
  it("follows the check sequence exactly: 6 % of the newest, from 0.0016, returns of 1, −2, 5, −40 and 3 %", () => {
    const weight = (ONE * 6n) / 100n;
    let variance = (ONE * 16n) / 10_000n;
    const states = [1n, -2n, 5n, -40n, 3n].map((percent) => {
      variance = weigh(variance, (percent * ONE) / 100n, weight);
      return variance;
    });
    expect(states).toEqual([
      27_854_583_551_301_423n,
      26_626_030_395_992_367n,
      27_795_480_183_289_257n,
      203_216_494_479_903_597n,
      192_019_628_991_089_697n,
    ]);
    const known = [0.00151, 0.0014434, 0.001506796, 0.01101638824, 0.0104094049456];
    for (const [i, state] of states.entries())
      expect(share(state, 13)).toBeCloseTo(known[i] as number, 11);
  });

  it("is half gone after its half-life, step by step or at once", () => {
    const weight = smoothing(60_000n, DAY);
    let variance = ONE / 1000n;
    for (let minute = 0; minute < 1440; minute++) variance = weigh(variance, 0n, weight);
    expect(share(variance, 9)).toBeCloseTo(0.0005, 8);
    expect(share(fade(ONE / 1000n, weight, 1440n), 9)).toBeCloseTo(0.0005, 8);
    expect(left(weight, 0n)).toBe(ONE);
    expect(share(left(weight, 2880n), 9)).toBeCloseTo(0.25, 8);
  });

  it("has the smoothing of 0.94 a day at a half-life of 11.2 days, and keeps half at one step", () => {
    expect(share(smoothing(DAY, 967_680_000n), 6)).toBeCloseTo(0.06, 3);
    expect(share(smoothing(DAY, 5_958_796_800n), 6)).toBeCloseTo(0.01, 4);
    expect(share(smoothing(1n, 1n), 12)).toBeCloseTo(0.5, 11);
  });
});

describe("returns and ranges", () => {
  it("are natural logarithms, down and up alike but for one unit", () => {
    expect(share(logReturn(100n, 110n), 12)).toBeCloseTo(Math.log(1.1), 11);
    expect(logReturn(100n, 110n) + logReturn(110n, 100n)).toBe(-1n);
    expect(logReturn(7n, 7n)).toBe(0n);
  });

  it("of 60 % a year and three deviations is 9.42 % a day, rounded up", () => {
    const variance = varianceOf(60n * PERCENT, 525_600n);
    const range = rangeOf(variance, { deviationsPpm: 3_000_000n, horizon: DAY, step: 60_000n });
    expect(Number(range) / 1e18).toBeCloseTo((3 * 0.6) / Math.sqrt(365), 9);
    expect(annualVolatility(variance, 525_600n) - 60n * PERCENT).toBeGreaterThanOrEqual(0n);
    expect(Number(annualVolatility(variance, 525_600n)) / 1e18).toBeCloseTo(0.6, 6);
    expect(rangeOf(0n, { deviationsPpm: 1n, horizon: 1n, step: 1n })).toBe(0n);
    expect(rangeOf(1n, { deviationsPpm: 1n, horizon: 1n, step: 1n })).toBeGreaterThan(0n);
  });

  it("approach an aim from their own side and stay there", () => {
    const weight = smoothing(1n, 30n);
    expect(approach(0n, 1000n, weight, 30n)).toBe(500n);
    expect(approach(1000n, 0n, weight, 30n)).toBe(500n);
    expect(approach(77n, 77n, weight, 5n)).toBe(77n);
  });
});

describe("the range in force", () => {
  const calm = {
    measured: 10n * PERCENT,
    buffered: 125n * (WAD / 1000n),
    held: 11n * PERCENT,
    floor: 8n * PERCENT,
    stress: 0n,
    stressWeightPpm: 0n,
  };

  it("is the buffer as far as it has filled, and the measured one when that has used it up", () => {
    expect(rangeInForce(calm)).toEqual({ range: 11n * PERCENT, cause: "buffer" });
    expect(rangeInForce({ ...calm, held: 20n * PERCENT })).toEqual({
      range: calm.buffered,
      cause: "buffer",
    });
    expect(rangeInForce({ ...calm, held: 9n * PERCENT })).toEqual({
      range: 10n * PERCENT,
      cause: "measured",
    });
  });

  it("is the floor of many years in the calmest times, or the mix with a stressed market", () => {
    expect(rangeInForce({ ...calm, floor: 13n * PERCENT })).toEqual({
      range: 13n * PERCENT,
      cause: "floor",
    });
    const stressed = { ...calm, stress: 40n * PERCENT, stressWeightPpm: 250_000n };
    expect(rangeInForce(stressed)).toEqual({ range: 175n * (WAD / 1000n), cause: "stress" });
  });
});
