import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";
import { type CombineRules, combine, type VenueQuote } from "./combine.ts";

const rules: CombineRules = {
  ageMaxMs: 5_000,
  deviationMaxPpm: 30_000n,
  venuesMin: 3,
  weightMinPpm: 500_000n,
};

function quote(venue: string, weight: number, price: number, ageMs = 0): VenueQuote {
  const priceE8 = BigInt(price) * 100_000_000n;
  return { venue, weight: BigInt(weight), priceE8, halfSpreadE8: 1_000_000n, ageMs };
}

// Hyperliquid's weights for spot prices: Binance 3, OKX 2, Bybit 2, Kraken 1 and, here, Coinbase 1.
const five = (prices: readonly number[]): VenueQuote[] =>
  [3, 2, 2, 1, 1].map((weight, i) => quote(`v${i}`, weight, prices[i] ?? 0));

describe("venues combined", () => {
  it("give the weighted median: heavy venues decide", () => {
    const { price, late, outliers } = combine(five([100, 101, 102, 101, 100]), 9n, rules);
    expect([price?.priceE8, late, outliers]).toEqual([10_100_000_000n, [], []]);
    expect(combine(five([100, 100, 102, 102, 102]), 9n, rules).price?.priceE8).toBe(
      10_000_000_000n,
    );
  });

  it("leave out a venue more than 3 % from the median, and one later than 5 s", () => {
    const quotes = [...five([100, 100, 101, 104, 65]), quote("late", 5, 99, 5_001)];
    expect(combine(quotes, 14n, rules)).toMatchObject({
      price: { priceE8: 10_000_000_000n },
      late: ["late"],
      outliers: ["v3", "v4"],
    });
    // Exactly 3 % is near.
    expect(combine(five([100, 100, 101, 103, 97]), 9n, rules).outliers).toEqual([]);
  });

  it("give no price with two venues, or with less than half of the weight", () => {
    expect(combine(five([100, 100, 100, 100, 100]).slice(0, 2), 9n, rules).price).toBeNull();
    expect(combine(five([100, 100, 100, 100, 100]).slice(2), 9n, rules).price).toBeNull();
    expect(combine(five([100, 100, 100, 100, 100]).slice(1, 4), 10n, rules).price).not.toBeNull();
    expect(combine([], 9n, rules)).toEqual({ price: null, late: [], outliers: [] });
  });

  it("when one venue holds most of the weight and is the odd one, have no price rather than a wrong one", () => {
    const quotes = [
      quote("big", 10, 65),
      quote("a", 1, 100),
      quote("b", 1, 100),
      quote("c", 1, 100),
    ];
    expect(combine(quotes, 13n, rules)).toMatchObject({ price: null, outliers: ["a", "b", "c"] });
  });

  it("are as sure as their spreads are narrow and their prices close", () => {
    expect(combine(five([100, 100, 100, 100, 100]), 9n, rules).price?.confidenceE8).toBe(
      1_000_000n,
    );
    expect(combine(five([100, 101, 102, 102, 102]), 9n, rules).price?.confidenceE8).toBe(
      100_000_000n,
    );
  });
});

describe("the wait before the next attempt", () => {
  it("doubles up to the most, half of it drawn", () => {
    const times = { firstMs: 1_000, mostMs: 60_000 };
    expect([1, 2, 3, 7, 50].map((failures) => backoffMs(failures, times, 1))).toEqual([
      1_000, 2_000, 4_000, 60_000, 60_000,
    ]);
    expect(backoffMs(3, times, 0)).toBe(2_000);
  });
});
