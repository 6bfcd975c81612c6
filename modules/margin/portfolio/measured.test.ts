import { VolatilitySource } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { describe, expect, it } from "vitest";
import { WAD } from "../../kit/math/fixed-point.ts";
import { betaOf, NOT_MEASURED, rangeVolatility, stepped } from "./measured.ts";
import { underlyingRisk } from "./risk-array.ts";
import { models } from "./testing/models.ts";

const { VOLATILITY_SOURCE_LARGER, VOLATILITY_SOURCE_MEASURED } = VolatilitySource;
const [first] = models.s35.underlyings;
if (first === undefined) throw new Error("the model has no rule");
const rule = {
  ...first,
  underlying: "",
  rangeMultiplierPpm: 3_300_000n,
  rangeHorizonMs: 86_400_000n,
  rangeMinimumPpm: 80_000n,
  rangeMaximumPpm: 200_000n,
  volatilityFloorPpm: 0n,
  betaPpm: 700_000n,
};
const state = { name: "X", price: WAD, volatility: (6n * WAD) / 10n, oracleWidthPpm: 0n };

function rangeOf(volatilitySource: VolatilitySource, percent: bigint | null): bigint | undefined {
  const model = { ...models.s35, underlyings: [{ ...rule, volatilitySource }] };
  const volatility = percent === null ? null : (percent * WAD) / 100n;
  return underlyingRisk(model, state, { ...NOT_MEASURED, volatility })?.rangePpm;
}

describe("a range that follows measured volatility", () => {
  it("is 3.3 deviations of a day, within its clamp", () => {
    // 3.3 × 80 % × √(1/365) = 13.82 %
    expect(rangeOf(VOLATILITY_SOURCE_MEASURED, 80n)).toBe(138_184n);
    expect(rangeOf(VOLATILITY_SOURCE_MEASURED, 10n)).toBe(80_000n);
    expect(rangeOf(VOLATILITY_SOURCE_MEASURED, 300n)).toBe(200_000n);
  });

  it("takes the larger of both where the model says so, and what is quoted where nothing is measured", () => {
    const quoted = rangeOf(VolatilitySource.VOLATILITY_SOURCE_QUOTED, 80n);
    expect(quoted).toBe(103_638n);
    expect(rangeOf(VOLATILITY_SOURCE_LARGER, 50n)).toBe(quoted);
    expect(rangeOf(VOLATILITY_SOURCE_LARGER, 80n)).toBe(138_184n);
    expect(rangeOf(VOLATILITY_SOURCE_MEASURED, null)).toBe(quoted);
    const volatility = rangeVolatility({ ...rule, volatilitySource: 1 }, 5n, NOT_MEASURED);
    expect(volatility).toBe(5n);
  });
});

describe("measurements", () => {
  it("reach a model in steps: volatility up to half a point, beta to the nearest hundredth, a lost peg up to a ten-thousandth", () => {
    expect(stepped({ volatility: WAD / 2n + 1n, betaPpm: 704_999n, depegPpm: 10_001n })).toEqual({
      volatility: (505n * WAD) / 1000n,
      betaPpm: 700_000n,
      depegPpm: 10_100n,
    });
    expect(stepped(NOT_MEASURED)).toEqual(NOT_MEASURED);
  });

  it("replace beta where the model asks for it and there is one", () => {
    const measured = { ...NOT_MEASURED, betaPpm: 250_000n };
    expect(betaOf(rule, measured)).toBe(700_000n);
    expect(betaOf({ ...rule, betaMeasured: true }, measured)).toBe(250_000n);
    expect(betaOf({ ...rule, betaMeasured: true }, NOT_MEASURED)).toBe(700_000n);
  });
});
