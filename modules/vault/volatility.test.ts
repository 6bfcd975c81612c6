import { describe, expect, it } from "vitest";
import {
  nextVariance,
  sampleVolatilityPpm,
  spreadPpm,
  squaredReturn,
  volatilityPpm,
  weightOf,
} from "./volatility.ts";

describe("the volatility estimate", () => {
  it("goes through the reference states: weight 6 %, start 0.0016, returns of 1, −2, 5, −40 and 3 %", () => {
    const weight = weightOf(60_000n);
    let variance = (16n << 64n) / 10_000n;
    const states = [100n, -200n, 500n, -4000n, 300n].map((move) => {
      variance = nextVariance(variance, squaredReturn(10_000n, 10_000n + move), weight);
      return variance;
    });
    expect(states).toEqual([
      27_854_583_551_301_423n,
      26_626_030_395_992_367n,
      27_795_480_183_289_257n,
      203_216_494_479_903_597n,
      192_019_628_991_089_697n,
    ]);
  });

  it("of a variance of 0.0016 is 4 %, of nothing nothing", () => {
    expect(volatilityPpm((16n << 64n) / 10_000n)).toBe(40_000n);
    expect(volatilityPpm(0n)).toBe(0n);
  });

  it("stays a number however far the mark jumps", () => {
    expect(volatilityPpm(squaredReturn(1n, 1n << 31n))).toBeLessThan(10n ** 12n);
    expect(squaredReturn(1_000n, 1n)).toBeLessThan(1n << 64n);
  });

  it("of an annual feed goes with the root of time", () => {
    // 80 % a year over a minute: 0.8 × √(60/31,536,000) = 0.11035 %.
    expect(sampleVolatilityPpm({ mantissa: 80n, exponent: -2 }, 60_000n)).toBe(1_104n);
    expect(sampleVolatilityPpm({ mantissa: 1n, exponent: 0 }, 31_536_000_000n)).toBe(1_000_001n);
    expect(sampleVolatilityPpm({ mantissa: 0n, exponent: -8 }, 60_000n)).toBe(0n);
  });

  it("makes the spread, which has a least width", () => {
    const terms = { spreadMinPpm: 1_000n, volatilityFactorPpm: 1_500_000n };
    expect(spreadPpm(0n, terms)).toBe(1_000n);
    expect(spreadPpm(667n, terms)).toBe(1_001n);
    expect(spreadPpm(40_000n, terms)).toBe(60_000n);
  });
});
