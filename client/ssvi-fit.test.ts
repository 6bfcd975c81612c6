import { describe, expect, it } from "vitest";
import { fitSsvi, type QuotedExpiry, ssviVariance, surfaceVote } from "./ssvi-fit.ts";

const NOW_MS = 1_800_000_000_000;
const DAY_MS = 86_400_000;
const SHAPE = { rho: -0.35, eta: 1.1, gamma: 0.38 };

/** Quotes of a surface at 60 % with a little noise, from a seed. */
function quotes(shape: typeof SHAPE, noise = 0, levels = [0.8, 0.7, 0.62, 0.58]): QuotedExpiry[] {
  let state = 1;
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647 - 0.5;
  };
  return [1, 7, 30, 90].map((days, i) => {
    const years = days / 365;
    const forward = 60_000 * (1 + 0.05 * years);
    const theta = (levels[i] ?? 0.6) ** 2 * years;
    const width = 2 * Math.sqrt(theta);
    return {
      expiryMs: NOW_MS + days * DAY_MS,
      forward,
      quotes: [-1, -0.7, -0.4, -0.2, 0, 0.2, 0.4, 0.7, 1].map((step) => {
        const k = step * width;
        const volatility = Math.sqrt(ssviVariance(shape, theta, k) / years) + noise * random();
        return { strike: forward * Math.exp(k), volatility };
      }),
    };
  });
}

describe("a fit", () => {
  it("has the reference values of SSVI", () => {
    const shape = { rho: -0.3, eta: 1, gamma: 0.4 };
    expect(ssviVariance(shape, 0.02, -0.2)).toBeCloseTo(0.028520087703649, 14);
    expect(ssviVariance(shape, 0.3, 0.2)).toBeCloseTo(0.28068806125221, 13);
  });

  it("finds the surface that quotes were made of", () => {
    const fit = fitSsvi(quotes(SHAPE), NOW_MS);
    expect(fit.error).toBeLessThan(1e-5);
    expect(fit.rho).toBeCloseTo(SHAPE.rho, 3);
    expect(fit.eta).toBeCloseTo(SHAPE.eta, 2);
    expect(fit.gamma).toBeCloseTo(SHAPE.gamma, 2);
    fit.expiries.forEach(({ theta, expiryMs }, i) => {
      const years = (expiryMs - NOW_MS) / (365 * DAY_MS);
      expect(Math.sqrt(theta / years)).toBeCloseTo([0.8, 0.7, 0.62, 0.58][i] ?? 0, 4);
    });
  });

  it("lies as near as the noise, whatever order the quotes come in", () => {
    const noisy = quotes(SHAPE, 0.01);
    const fit = fitSsvi(noisy, NOW_MS);
    expect(fit.error).toBeLessThan(0.004);
    expect(fitSsvi([...noisy].reverse(), NOW_MS)).toEqual(fit);
  });

  it("stays free of arbitrage where the quotes are not", () => {
    // A butterfly steeper than allowed, and a year's variance below a month's.
    const steep = quotes({ rho: -0.85, eta: 3, gamma: 0.5 }, 0, [2.5, 0.6, 0.3, 0.05]);
    const fit = fitSsvi(steep, NOW_MS);
    expect(fit.eta * (1 + Math.abs(fit.rho))).toBeLessThanOrEqual(2);
    expect(Math.abs(fit.rho)).toBeLessThanOrEqual(0.9);
    expect(fit.gamma).toBeGreaterThanOrEqual(0.2);
    expect(fit.gamma).toBeLessThanOrEqual(0.5);
    const thetas = fit.expiries.map(({ theta }) => theta);
    expect([...thetas].sort((a, b) => a - b)).toEqual(thetas);
    const vote = surfaceVote(1, fit, 60_000);
    expect(vote.expiries.every(({ theta }) => theta > 0n && theta < 1n << 63n)).toBe(true);
    expect(vote.etaPpm * (1_000_000 + Math.abs(vote.rhoPpm))).toBeLessThanOrEqual(2e12);
  });

  it("becomes a vote", () => {
    const vote = surfaceVote(7, fitSsvi(quotes(SHAPE), NOW_MS), 60_000);
    expect(vote).toMatchObject({ surfaceId: 7, expiries: [{ basisPpm: 137 }, {}, {}, {}] });
    expect(vote.rhoPpm / 1e6).toBeCloseTo(SHAPE.rho, 3);
    expect(Number(vote.expiries[1]?.theta) / 1e18).toBeCloseTo((0.49 * 7) / 365, 7);
  });

  it("refuses what cannot be fitted", () => {
    const [first] = quotes(SHAPE);
    if (first === undefined) throw new Error("expected quotes");
    expect(() => fitSsvi([], NOW_MS)).toThrow(/1 to 16 expiries/);
    expect(() => fitSsvi([first, first], NOW_MS)).toThrow(/each expiry once/);
    expect(() => fitSsvi([first], first.expiryMs)).toThrow(/not ahead/);
    expect(() => fitSsvi([{ ...first, forward: 0 }], NOW_MS)).toThrow(/forward/);
    expect(() => fitSsvi([{ ...first, quotes: [] }], NOW_MS)).toThrow(/no quotes/);
    const bad = [{ strike: 1, volatility: Number.NaN }];
    expect(() => fitSsvi([{ ...first, quotes: bad }], NOW_MS)).toThrow(/positive strike/);
  });
});
