/**
 * Random options against the exact functions (testing/): a method of its own at 108 places. KEEL_MATH_POINTS and KEEL_MATH_SEED choose
 * how many and which; `npm run math` takes 100,000.
 */
import { describe, expect, test } from "vitest";
import { type AsianTerms, asianPrice } from "./asian.ts";
import { black76Price } from "./black-76.ts";
import { blackScholesGreeks, blackScholesPrice, type Greeks } from "./black-scholes.ts";
import { digitalPrice } from "./digital.ts";
import { WAD, YEAR_SECONDS } from "./fixed-point.ts";
import type { OptionTerms } from "./option-terms.ts";
import {
  cdf,
  density,
  div,
  type Exact,
  errorUnits,
  exactFromWad,
  exp,
  mul,
  ONE,
  sqrt,
} from "./testing/exact-math.ts";
import {
  exactAsianPrice,
  exactDigitalPrice,
  exactPrice,
  exactStanding,
  exactTerms,
  exactYears,
} from "./testing/exact-options.ts";

const points = Number(process.env["KEEL_MATH_POINTS"] ?? 1_000);
const seed = Number(process.env["KEEL_MATH_SEED"] ?? 76);

/** Uniform numbers in [0, 1) of a seed (mulberry32). */
function uniform(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Spot 1e-3 to 1e6, moneyness e^±2.5, volatility 5 to 300 %, 12 seconds to 3.6 years, rates ±10 %, carry none, the rate's, or its own. */
function drawTerms(next: () => number): OptionTerms {
  const between = (low: number, high: number): number => low + (high - low) * next();
  const wad = (value: number): bigint => BigInt(Math.round(value * 1e9)) * 10n ** 9n + digits();
  const digits = (): bigint => BigInt(Math.floor(next() * 1e9));
  const spot = 10 ** between(-3, 6);
  const strike = spot * Math.exp(between(-2.5, 2.5));
  const rate = next() < 0.3 ? 0n : wad(between(-0.1, 0.1));
  const choice = next();
  return {
    kind: next() < 0.5 ? "call" : "put",
    spot: wad(spot),
    strike: wad(strike),
    rate,
    carry: choice < 0.4 ? 0n : choice < 0.8 ? rate : wad(between(-0.1, 0.1)),
    volatility: wad(between(0.05, 3)),
    seconds: BigInt(Math.round(Math.exp(between(Math.log(12), Math.log(3.6 * 31_536_000))))),
  };
}

function exactGreeks(terms: OptionTerms): Record<keyof Greeks, Exact> {
  const { kind, spot, strike, rate, carry, volatility, years } = exactTerms(terms);
  const [d1, d2] = exactStanding(exactTerms(terms));
  const sign = kind === "call" ? 1n : -1n;
  const discount = exp(-mul(rate, years));
  const asset = exp(mul(carry - rate, years));
  const rootT = sqrt(years);
  const assetLeg = mul(mul(spot, asset), cdf(sign * d1));
  const strikeLeg = mul(mul(strike, discount), cdf(sign * d2));
  const bell = mul(asset, density(d1));
  const vega = mul(mul(spot, bell), rootT);
  return {
    price: sign * (assetLeg - strikeLeg),
    delta: sign * mul(asset, cdf(sign * d1)),
    gamma: div(bell, mul(spot, mul(volatility, rootT))),
    vega,
    theta:
      -div(mul(mul(spot, bell), volatility), 2n * rootT) -
      sign * (mul(carry - rate, assetLeg) + mul(rate, strikeLeg)),
    rho: sign * mul(years, strikeLeg),
    vanna: -div(mul(bell, d2), volatility),
    volga: div(mul(vega, mul(d1, d2)), volatility),
  };
}

class Worst {
  readonly #errors = new Map<string, number>();

  see(name: string, value: bigint, truth: Exact): void {
    this.#errors.set(name, Math.max(this.#errors.get(name) ?? 0, errorUnits(value, truth)));
  }

  /** Prints the largest errors, and expects none above `bound` units of 1e-18. */
  expectWithin(bound: number, what: string): void {
    const text = [...this.#errors].map(([name, error]) => `${name} ${error.toFixed(6)}`).join(", ");
    console.log(`${what}, seed ${seed}; largest errors in 1e-18: ${text}`);
    expect(this.#errors.size).toBeGreaterThan(0);
    for (const [name, error] of this.#errors) expect(error, name).toBeLessThanOrEqual(bound);
  }
}

const timeout = 30_000 + 10 * points;

describe("random options", () => {
  test(
    "European prices and Greeks, and digitals, are the nearest unit of 1e-18",
    () => {
      const next = uniform(seed);
      const worst = new Worst();
      for (let i = 0; i < points; i += 1) {
        const terms = drawTerms(next);
        const greeks = blackScholesGreeks(terms);
        const truth = exactGreeks(terms);
        for (const field of Object.keys(greeks) as (keyof Greeks)[])
          worst.see(field, greeks[field], truth[field]);
        expect(blackScholesPrice(terms)).toBe(greeks.price);
        if (terms.carry === 0n)
          expect(black76Price({ ...terms, forward: terms.spot })).toBe(greeks.price);
        // Its own price is only worth another second's work now and then: same tail, same discount.
        if (i % 10 === 0)
          worst.see(
            "digital",
            digitalPrice({ ...terms, payout: terms.spot }),
            exactDigitalPrice(exactTerms(terms), exactFromWad(terms.spot)),
          );
      }
      worst.expectWithin(0.501, `${points} European options`);
    },
    timeout,
  );

  test(
    "Asian prices are the nearest unit of the method's exact value",
    () => {
      const next = uniform(seed + 1);
      const worst = new Worst();
      const count = Math.ceil(points / 20);
      for (let i = 0; i < count; i += 1) {
        const european = drawTerms(next);
        const remaining = 1n + BigInt(Math.floor(next() * 12));
        const fixedCount = BigInt(Math.floor(next() * 6));
        const interval = european.seconds / (remaining + 1n) + 1n;
        const first = 1n + BigInt(Math.floor(next() * Number(interval)));
        const seconds = first + remaining * interval;
        const terms: AsianTerms = {
          ...european,
          volatility: european.volatility / 3n + WAD / 100n,
          seconds,
          fixings: remaining + fixedCount,
          fixedCount,
          fixedSum: (fixedCount * european.spot * BigInt(Math.floor(next() * 150))) / 100n,
          secondsToNextFixing: first,
          fixingIntervalSeconds: interval,
        };
        const times = Array.from({ length: Number(remaining) }, (_, j) =>
          exactYears(first + BigInt(j) * interval),
        );
        const fixedSum = exactFromWad(terms.fixedSum);
        const exactly = { ...exactTerms(terms), fixings: terms.fixings, fixedSum, times };
        worst.see("price", asianPrice(terms), exactAsianPrice(exactly));
      }
      worst.expectWithin(0.501, `${count} Asian options`);
    },
    timeout,
  );

  test("the judge agrees with itself: the formula's price is the definition's, a year is a year", () => {
    const next = uniform(seed + 2);
    for (let i = 0; i < 20; i += 1) {
      const terms = drawTerms(next);
      const difference = exactGreeks(terms).price - exactPrice(exactTerms(terms));
      expect(difference < ONE / 10n ** 45n && -difference < ONE / 10n ** 45n).toBe(true);
    }
    expect(exactYears(YEAR_SECONDS)).toBe(ONE);
  });
});
