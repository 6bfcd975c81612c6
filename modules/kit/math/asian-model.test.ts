/** What moment matching costs: its price against a simulation of the lognormal fixings, which takes the sum as it is. */
import { expect, test } from "vitest";
import { asianPrice } from "./asian.ts";
import { WAD } from "./fixed-point.ts";
import { normalCdf } from "./normal.ts";

const FIXINGS = 12;
const YEAR = 31_536_000n;

/** Normal variates of a seed (Box and Muller). */
function normals(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

const cdf = (x: number): number => Number(normalCdf(BigInt(Math.round(x * 1e15)) * 1_000n)) / 1e18;

/** Expected payoff of a call on the geometric average, which is lognormal: known exactly, and the simulation's control. */
function geometricCall(deviation: number, strike: number): number {
  const step = deviation ** 2 / FIXINGS;
  let variance = 0;
  let mean = 0;
  for (let i = 1; i <= FIXINGS; i += 1) {
    mean -= (step * i) / 2 / FIXINGS;
    for (let j = 1; j <= FIXINGS; j += 1) variance += (step * Math.min(i, j)) / FIXINGS ** 2;
  }
  const s = Math.sqrt(variance);
  const d2 = (mean - Math.log(strike)) / s;
  return Math.exp(mean + variance / 2) * cdf(d2 + s) - strike * cdf(d2);
}

/** Price of a call on the average of twelve equal periods' ends, spot 1, no rates. */
function simulate(
  deviation: number,
  strike: number,
  paths: number,
): { price: number; standardError: number } {
  const next = normals(1992);
  const step = deviation / Math.sqrt(FIXINGS);
  const drift = -(step ** 2) / 2;
  let sum = 0;
  let squares = 0;
  const known = geometricCall(deviation, strike);
  for (let path = 0; path < paths; path += 1) {
    let log = 0;
    let total = 0;
    let logs = 0;
    for (let i = 0; i < FIXINGS; i += 1) {
      log += drift + step * next();
      total += Math.exp(log);
      logs += log;
    }
    const value =
      Math.max(0, total / FIXINGS - strike) - Math.max(0, Math.exp(logs / FIXINGS) - strike);
    sum += value;
    squares += value * value;
  }
  const mean = sum / paths;
  const standardError = Math.sqrt((squares / paths - mean ** 2) / paths);
  return { price: mean + known, standardError };
}

// The bounds of README.md, as shares of the spot.
test.each([
  { deviation: 0.1, bound: 0.00003 },
  { deviation: 0.3, bound: 0.001 },
  { deviation: 0.6, bound: 0.005 },
  { deviation: 1, bound: 0.015 },
])("σ√T = $deviation: within $bound of the spot", ({ deviation, bound }) => {
  for (const strike of [0.7, 0.85, 1, 1.15, 1.4]) {
    const matched =
      Number(
        asianPrice({
          kind: "call",
          spot: WAD,
          strike: (BigInt(Math.round(strike * 100)) * WAD) / 100n,
          rate: 0n,
          carry: 0n,
          volatility: (BigInt(Math.round(deviation * 10)) * WAD) / 10n,
          seconds: YEAR,
          fixings: BigInt(FIXINGS),
          fixedCount: 0n,
          fixedSum: 0n,
          secondsToNextFixing: YEAR / BigInt(FIXINGS),
          fixingIntervalSeconds: YEAR / BigInt(FIXINGS),
        }),
      ) / 1e18;
    const { price, standardError } = simulate(deviation, strike, 60_000);
    expect(standardError).toBeLessThan(bound / 3);
    expect(Math.abs(matched - price)).toBeLessThan(bound + 3 * standardError);
  }
});
