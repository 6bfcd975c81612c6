import { describe, expect, it } from "vitest";
import { betaPpm, movedAlong, WITHOUT_FACTOR } from "./common-factor.ts";
import { logReturn, ONE, smoothing, weigh } from "./estimators.ts";
import { seeded } from "./measuring.ts";
import { defaultDynamicMargin } from "./terms.ts";

const MINUTE = 60_000n;
const terms = { ...defaultDynamicMargin(2), factorFeedId: 1 };
const weight = smoothing(MINUTE, 120n * MINUTE);

/** Runs both through the same minutes; prices as mantissas. */
function run(own: readonly bigint[], factor: readonly bigint[]) {
  let state = { ...seeded(terms), slowVariance: "0" };
  for (let i = 0; i < own.length; i++) {
    const [before, now, common] = [own[i - 1], own[i], factor[i]];
    if (now === undefined || common === undefined) throw new Error("as many of both");
    const logarithm = before === undefined ? 0n : logReturn(before, now);
    const along = movedAlong(state, { logarithm, steps: 1n, factor: common }, weight);
    const slow = weigh(BigInt(state.slowVariance), logarithm, weight);
    state = { ...state, ...along, slowVariance: slow.toString() };
  }
  return state;
}

/** A walk of ±0.1 to 0.5 % a step, in doubles as a reference. */
function walk(seed: number, steps: number): number[] {
  let dice = seed;
  return Array.from({ length: steps }, () => {
    dice = (dice * 48_271) % 2_147_483_647;
    return ((dice % 1001) - 500) / 100_000;
  });
}

function prices(returns: readonly number[]): bigint[] {
  let price = 1e12;
  return returns.map((one) => {
    price *= Math.exp(one);
    return BigInt(Math.round(price));
  });
}

describe("how a feed moves along with the common factor", () => {
  it("is all of it for the factor itself, unknown without one, and none before two samples", () => {
    expect(betaPpm({ ...terms, factorFeedId: 2 }, seeded(terms))).toBe(1_000_000n);
    expect(betaPpm({ ...terms, factorFeedId: 0 }, seeded(terms))).toBeNull();
    expect(betaPpm(terms, seeded(terms))).toBe(0n);
    const first = movedAlong(WITHOUT_FACTOR, { logarithm: 0n, steps: 1n, factor: 7n }, weight);
    expect(first).toEqual({ ...WITHOUT_FACTOR, factorMantissa: 7n });
    const gone = movedAlong(first, { logarithm: 0n, steps: 1n, factor: 0n }, weight);
    expect(gone).toEqual(WITHOUT_FACTOR);
  });

  it("is as in doubles, for what moves along, against and apart", () => {
    const common = walk(11, 400);
    const noise = walk(977, 400);
    const kept = 1 - Number(weight) / Number(ONE);
    for (const share of [0.9, 0.5, 0, -0.6]) {
      const own = common.map((one, i) => share * one + (1 - Math.abs(share)) * (noise[i] ?? 0));
      const found = betaPpm(terms, run(prices(own), prices(common)));
      let [product, square, factor] = [0, 0, 0];
      for (let i = 1; i < own.length; i++) {
        const [a, b] = [own[i] ?? 0, common[i] ?? 0];
        product = kept * product + (1 - kept) * a * b;
        square = kept * square + (1 - kept) * a * a;
        factor = kept * factor + (1 - kept) * b * b;
      }
      const expected = product / Math.sqrt(square * factor);
      const bounded = Math.max(-0.948683, Math.min(0.948683, expected));
      expect(Math.abs(Number(found) / 1e6 - bounded)).toBeLessThan(1e-4);
    }
  });

  it("leaves a tenth of the variance its own, whatever was measured", () => {
    const common = prices(walk(5, 50));
    expect(betaPpm(terms, run(common, common))).toBe(948_683n);
    const inverse = prices(walk(5, 50).map((one) => -one));
    expect(betaPpm(terms, run(inverse, common))).toBe(-948_683n);
  });

  it("fades over minutes without a sample as over minutes without a move", () => {
    const state = run(prices(walk(3, 90)), prices(walk(3, 90)));
    const factor = state.factorMantissa;
    let step = movedAlong(state, { logarithm: 0n, steps: 1n, factor }, weight);
    for (let i = 1; i < 30; i++) {
      step = movedAlong(step, { logarithm: 0n, steps: 1n, factor }, weight);
    }
    const jump = movedAlong(state, { logarithm: 0n, steps: 30n, factor }, weight);
    const apart = BigInt(step.factorCovariance) - BigInt(jump.factorCovariance);
    // One unit of 2^-64 a step of rounding.
    expect(apart >= -31n && apart <= 31n).toBe(true);
  });
});
