import type { Feed } from "@keel/proto/gen/keel/oracle/v1/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareBigints } from "../kit/math/mul-div.ts";
import type { ValidatorVote } from "./aggregate.ts";
import { aggregate, nextEma, weightedMedian } from "./aggregate.ts";
import { defaultFeed } from "./feeds.ts";

const BTC = defaultFeed({ id: 1, symbol: "BTC-USD", exponent: -2 });
const ETH = defaultFeed({ id: 2, symbol: "ETH-USD", exponent: -2 });

function vote(power: bigint, ...prices: (bigint | null)[]): ValidatorVote {
  const feeds = prices.flatMap((mantissa, i) =>
    mantissa === null ? [] : [{ feedId: i + 1, mantissa, confidence: 10n }],
  );
  return { power, vote: { feeds, transactions: new Uint8Array(0), surfaces: [] } };
}

const absent = (power: bigint): ValidatorVote => ({ power, vote: null });

function priceOf(votes: readonly ValidatorVote[], feed: Feed = BTC) {
  return aggregate(votes, [feed]).feeds[0];
}

describe("weightedMedian", () => {
  it("is the smallest value at which half the power is reached", () => {
    const of = (...votes: [bigint, bigint][]) =>
      weightedMedian(votes.map(([value, power]) => ({ value, power })));
    expect(of([5n, 1n])).toBe(5n);
    expect(of([1n, 1n], [2n, 1n])).toBe(1n);
    expect(of([2n, 1n], [1n, 1n], [3n, 1n])).toBe(2n);
    expect(of([1n, 1n], [100n, 10n])).toBe(100n);
    expect(of([1n, 49n], [2n, 51n])).toBe(2n);
    expect(of([1n, 50n], [2n, 50n])).toBe(1n);
  });

  it("agrees with the median of votes written out one by one, in any order", () => {
    const votes = fc.array(
      fc.record({
        value: fc.bigInt({ min: 1n, max: 50n }),
        power: fc.integer({ min: 1, max: 9 }).map(BigInt),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(votes, (all) => {
        const flat = all.flatMap(({ value, power }) => Array<bigint>(Number(power)).fill(value));
        flat.sort(compareBigints);
        const expected = flat[(flat.length - 1) >> 1];
        expect(weightedMedian(all)).toBe(expected);
        expect(weightedMedian([...all].reverse())).toBe(expected);
      }),
    );
  });
});

describe("aggregate", () => {
  it("accepts a price only above two thirds of all power, absent validators counted", () => {
    expect(priceOf([vote(2n, 100n), absent(1n)])?.price).toBeNull();
    expect(priceOf([vote(67n, 100n), absent(33n)])?.price?.mantissa).toBe(100n);
    expect(priceOf([vote(2n, 100n), vote(1n, null)])?.price).toBeNull();
    expect(priceOf([absent(1n)])?.price).toBeNull();
    expect(priceOf([])?.price).toBeNull();
  });

  it("honours a higher share asked by the feed", () => {
    const strict = { ...BTC, minReportingPowerPpm: 900_000n };
    expect(priceOf([vote(89n, 100n), absent(11n)], strict)?.price).toBeNull();
    expect(priceOf([vote(90n, 100n), absent(10n)], strict)?.price).not.toBeNull();
  });

  it("ignores disabled feeds and votes for unknown ones", () => {
    const result = aggregate([vote(1n, 100n, 200n, 300n)], [{ ...BTC, enabled: false }, ETH]);
    expect(result.feeds.map(({ feed, price }) => [feed.id, price?.mantissa])).toEqual([[2, 200n]]);
  });

  it("widens the confidence to what validators disagree by", () => {
    const calm = priceOf([vote(1n, 1000n), vote(1n, 1000n), vote(1n, 1000n)]);
    expect(calm?.price).toMatchObject({ mantissa: 1000n, confidence: 10n });
    const wild = priceOf([vote(1n, 900n), vote(1n, 1000n), vote(1n, 1100n)]);
    expect(wild?.price).toMatchObject({ mantissa: 1000n, confidence: 100n });
  });

  it("counts misses and deviant votes per validator", () => {
    const { quality } = aggregate(
      [vote(3n, 10_000n, 500n), vote(3n, 10_101n, 500n), vote(3n, 10_100n, null), absent(1n)],
      [{ ...BTC, maxDeviationPpm: 9_900n }, ETH],
    );
    // The median is 10,100: 1 away passes, 100 away (0.9901 %) does not.
    expect(quality).toEqual([
      { missed: false, missedFeeds: 0n, deviantVotes: 1n },
      { missed: false, missedFeeds: 0n, deviantVotes: 0n },
      { missed: false, missedFeeds: 1n, deviantVotes: 0n },
      { missed: true, missedFeeds: 0n, deviantVotes: 0n },
    ]);
  });

  it("stays inside the honest range while less than a third of power lies", () => {
    const honest = fc.array(fc.bigInt({ min: 9_900n, max: 10_100n }), {
      minLength: 5,
      maxLength: 20,
    });
    fc.assert(
      fc.property(honest, fc.array(fc.bigInt({ min: 1n, max: 10n ** 12n })), (good, lies) => {
        const votes = good.map((mantissa) => vote(3n, mantissa));
        const bad = lies.slice(0, good.length - 1).map((mantissa) => vote(1n, mantissa));
        const price = priceOf([...votes, ...bad])?.price;
        expect(price).not.toBeNull();
        expect(good).toContain(price?.mantissa);
      }),
    );
  });
});

describe("nextEma", () => {
  const now = { timeNs: 10n, emaTimeNs: 30n };

  it("starts at the first price and moves by dt / (dt + time constant)", () => {
    expect(nextEma(undefined, 500n, now)).toBe(500n);
    expect(nextEma({ ema: 500n, timeNs: 0n }, 900n, now)).toBe(600n);
    expect(nextEma({ ema: 900n, timeNs: 0n }, 500n, now)).toBe(800n);
    expect(nextEma({ ema: 900n, timeNs: 10n }, 500n, now)).toBe(900n);
    expect(nextEma({ ema: 900n, timeNs: 0n }, 500n, { timeNs: 10n, emaTimeNs: 0n })).toBe(500n);
  });
});
