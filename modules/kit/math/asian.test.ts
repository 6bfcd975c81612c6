import { describe, expect, test } from "vitest";
import { type AsianTerms, asianGreeks, asianPrice, FIXINGS_MAX } from "./asian.ts";
import { momentsOf } from "./asian-moments.ts";
import { blackScholesPrice } from "./black-scholes.ts";
import { expQ } from "./exp.ts";
import { Q_ONE, WAD } from "./fixed-point.ts";

const HOUR = 3_600n;
const DAY = 24n * HOUR;

function average(overrides: Partial<AsianTerms>): AsianTerms {
  return {
    kind: "call",
    spot: 100n * WAD,
    strike: 100n * WAD,
    rate: 0n,
    carry: 0n,
    volatility: (6n * WAD) / 10n,
    seconds: 30n * DAY,
    fixings: 30n,
    fixedCount: 0n,
    fixedSum: 0n,
    secondsToNextFixing: DAY,
    fixingIntervalSeconds: DAY,
    ...overrides,
  };
}

describe("average-price options", () => {
  test("one fixing at expiry is the European option", () => {
    for (const kind of ["call", "put"] as const)
      for (const strike of [70n, 100n, 131n]) {
        const terms = average({
          kind,
          strike: strike * WAD,
          rate: WAD / 20n,
          carry: WAD / 30n,
          fixings: 1n,
          secondsToNextFixing: 30n * DAY,
        });
        const gap = asianPrice(terms) - blackScholesPrice(terms);
        expect(gap >= -1n && gap <= 1n).toBe(true);
      }
  });

  test("call less put is the average's forward less the strike", () => {
    for (const fixedCount of [0n, 7n, 29n, 30n]) {
      const known = { fixedCount, fixedSum: fixedCount * 103n * WAD };
      const terms = average({ ...known, strike: 97n * WAD });
      const difference = asianPrice(terms) - asianPrice({ ...terms, kind: "put" });
      const sum = known.fixedSum + (30n - fixedCount) * 100n * WAD;
      const gap = difference - (sum - 30n * 97n * WAD) / 30n;
      expect(gap >= -1n && gap <= 1n).toBe(true);
    }
  });

  test("an average is worth less than its last fixing, and less the more of it is known", () => {
    const unknown = asianPrice(average({}));
    expect(unknown).toBeLessThan(blackScholesPrice(average({})));
    let previous = unknown;
    for (const fixedCount of [5n, 15n, 25n, 29n, 30n]) {
      const value = asianPrice(average({ fixedCount, fixedSum: fixedCount * 100n * WAD }));
      expect(value).toBeLessThan(previous);
      previous = value;
    }
    expect(previous).toBe(0n);
  });

  test("an average known to end above the strike is a forward", () => {
    const terms = average({ fixedCount: 10n, fixedSum: 3_100n * WAD });
    expect(asianPrice(terms)).toBe((3_100n * WAD + 2_000n * WAD - 3_000n * WAD) / 30n);
    expect(asianPrice({ ...terms, kind: "put" })).toBe(0n);
    expect(asianGreeks(terms)).toEqual({
      price: 70n * WAD,
      delta: 666_666_666_666_666_667n,
      gamma: 0n,
      vega: 0n,
      theta: 0n,
    });
  });

  test("after the last fixing only the discount is left", () => {
    const terms = average({ fixedCount: 30n, fixedSum: 3_300n * WAD, rate: WAD / 10n });
    const { price, delta, theta } = asianGreeks(terms);
    expect(price).toBe(asianPrice(terms));
    expect(price < 10n * WAD && price > 9n * WAD).toBe(true);
    expect(delta).toBe(0n);
    expect(theta).toBe((price + 5n) / 10n);
  });

  test("doubling adds up to the sums it stands for", () => {
    const x = expQ(Q_ONE / 1_000n);
    const p = expQ(Q_ONE / 500n);
    for (const count of [1n, 2n, 3n, 7n, 12n, 33n]) {
      const found = momentsOf(count, x, p);
      let mean = 0n;
      let square = 0n;
      let slope = 0n;
      for (let i = 0n; i < count; i += 1n) {
        mean += expQ((Q_ONE / 1_000n) * i);
        for (let j = 0n; j < count; j += 1n) {
          const earlier = i < j ? i : j;
          const term = expQ((Q_ONE / 1_000n) * (i + j) + (Q_ONE / 500n) * earlier);
          square += term;
          slope += earlier * term;
        }
      }
      const near = (a: bigint, b: bigint): boolean =>
        a - b < 100_000n * count ** 3n && b - a < 100_000n * count ** 3n;
      expect(found.count).toBe(count);
      expect(near(found.mean, mean)).toBe(true);
      expect(near(found.square, square)).toBe(true);
      expect(near(found.squareSlope, slope)).toBe(true);
    }
  });

  test("the most fixings allowed still come to a price", () => {
    const value = asianPrice(
      average({ fixings: FIXINGS_MAX, secondsToNextFixing: 259n, fixingIntervalSeconds: 259n }),
    );
    // A continuous average has a third of the variance.
    const third = blackScholesPrice(average({ seconds: 10n * DAY }));
    expect(value - third < third / 500n && third - value < third / 500n).toBe(true);
  });

  test("a schedule that does not fit is refused by the field at fault", () => {
    const refusals: readonly [RegExp, Partial<AsianTerms>][] = [
      [/^fixings must/, { fixings: 0n }],
      [/^fixings must/, { fixings: FIXINGS_MAX + 1n }],
      [/^fixedCount must/, { fixedCount: 31n }],
      [/^fixedSum must/, { fixedSum: 1n }],
      [/^secondsToNextFixing must/, { secondsToNextFixing: -1n }],
      [/^fixingIntervalSeconds must/, { fixingIntervalSeconds: 0n }],
      [/^seconds must/, { seconds: 30n * DAY - 1n }],
      [/^volatility² times years/, { volatility: 15n * WAD }],
      [/^spot must/, { spot: 0n }],
    ];
    for (const [message, overrides] of refusals) {
      expect(() => asianPrice(average(overrides))).toThrow(message);
      expect(() => asianGreeks(average(overrides))).toThrow(message);
    }
    expect(() => asianGreeks(average({ secondsToNextFixing: 0n }))).toThrow(/secondsToNextFixing/);
  });
});
