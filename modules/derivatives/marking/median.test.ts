import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BASIS_SCALE, bandOf, markParts, median, nextBasis } from "./median.ts";
import { defaultMarkTerms, markTermsFault } from "./terms.ts";

const terms = defaultMarkTerms();
const calm = { sigmaPpm: 0n, external: null };
const at = (slow: bigint, book: bigint, fast: bigint) => ({
  slow: slow * BASIS_SCALE,
  fast: fast * BASIS_SCALE,
  bookTicks: book,
  timeMs: 0n,
});

describe("the mark", () => {
  it("is the median of the three", () => {
    expect(markParts(100_000n, at(100n, 100_050n, 20n), terms, calm)).toEqual({
      index: 100_000n,
      withSlowMean: 100_100n,
      book: 100_050n,
      third: 100_020n,
      bandPpm: 5_000n,
      mark: 100_050n,
      clamped: false,
    });
    expect(markParts(100_000n, at(100n, 101_000n, 20n), terms, calm).mark).toBe(100_100n);
    expect(markParts(100_000n, at(100n, 90_000n, 20n), terms, calm).mark).toBe(100_020n);
  });

  it("takes an external perpetual's price instead of the fast mean, and the index for a silent book", () => {
    const external = { sigmaPpm: 0n, external: 100_070n };
    expect(markParts(100_000n, at(100n, 100_090n, 0n), terms, external).mark).toBe(100_090n);
    expect(markParts(100_000n, at(100n, 0n, 20n), terms, calm)).toMatchObject({
      book: 100_000n,
      mark: 100_020n,
    });
  });

  it("stays within half a percent of the index, or three root five deviations of a minute's move", () => {
    expect(markParts(100_000n, at(900n, 100_800n, 700n), terms, calm)).toMatchObject({
      mark: 100_500n,
      clamped: true,
    });
    // 3 √5 × 0.1 % = 0.6708 %
    expect(bandOf(terms, 1_000n)).toBe(6_708n);
    expect(
      markParts(100_000n, at(-900n, 99_200n, -700n), terms, { ...calm, sigmaPpm: 1_000n }),
    ).toMatchObject({ mark: 99_330n, clamped: true });
    expect(bandOf(terms, 700n)).toBe(5_000n);
    expect(bandOf(terms, 1_000_000n)).toBe(50_000n);
  });

  it("is between the least and the greatest of its three inputs, and within the band", () => {
    const ticks = fc.bigInt({ min: 1n, max: 2_000_000n });
    const mean = fc.bigInt({ min: -(10n ** 11n), max: 10n ** 11n });
    fc.assert(
      fc.property(ticks, ticks, mean, mean, (index, book, slow, fast) => {
        const basis = { slow, fast, bookTicks: book, timeMs: 0n };
        const { mark, withSlowMean, third } = markParts(index, basis, terms, calm);
        const middle = median(withSlowMean, book, third);
        const sorted = [withSlowMean, book, third].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        expect(middle).toBe(sorted[1]);
        expect((mark - index) * 1_000_000n <= index * 5_000n).toBe(true);
        expect((index - mark) * 1_000_000n <= index * 5_000n).toBe(true);
        expect(mark > 0n).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe("the means of the basis", () => {
  const whole = (ticks: bigint) => ({ numerator: ticks, denominator: 1n });
  const reading = (bid: bigint, ask: bigint) => ({
    bid,
    ask,
    last: bid,
    impactBid: whole(bid),
    impactAsk: whole(ask),
  });

  it("begin at the index and approach impact mid - index with their time constants", () => {
    const first = nextBasis(undefined, 100_000n, reading(100_090n, 100_110n), { terms, nowMs: 0n });
    expect(first).toEqual({ slow: 0n, fast: 0n, bookTicks: 100_090n, timeMs: 0n });
    const next = nextBasis(first, 100_000n, reading(100_090n, 100_110n), { terms, nowMs: 1_000n });
    // 100 ticks × 1 / (1 + 150), and × 1 / (1 + 30).
    expect(next.slow).toBe((100n * BASIS_SCALE) / 151n);
    expect(next.fast).toBe((100n * BASIS_SCALE) / 31n);
  });

  it("take a pause as five seconds, and a book without depth as the index", () => {
    const known = { slow: 0n, fast: 0n, bookTicks: 0n, timeMs: 0n };
    const late = nextBasis(known, 100_000n, reading(100_100n, 100_100n), {
      terms,
      nowMs: 3_600_000n,
    });
    expect(late.slow).toBe((100n * BASIS_SCALE * 5n) / 155n);
    const bare = { ...reading(100_100n, 100_100n), impactAsk: null };
    const gone = nextBasis(late, 100_000n, bare, { terms, nowMs: 3_601_000n });
    expect(gone.slow).toBe(late.slow - late.slow / 151n);
  });

  it("are bounded by the widest band, whatever the book shows", () => {
    const known = { slow: 0n, fast: 0n, bookTicks: 0n, timeMs: 0n };
    const wild = nextBasis(known, 100_000n, reading(1_000_000n, 9_000_000n), {
      terms,
      nowMs: 1_000n,
    });
    expect(wild.slow).toBe((5_000n * BASIS_SCALE) / 151n);
  });

  it("follow 150 seconds: after them about 63 % of a step is in", () => {
    let basis = nextBasis(undefined, 100_000n, reading(100_100n, 100_100n), { terms, nowMs: 0n });
    for (let s = 1n; s <= 150n; s++) {
      basis = nextBasis(basis, 100_000n, reading(100_100n, 100_100n), { terms, nowMs: s * 1_000n });
    }
    const share = Number(basis.slow) / Number(100n * BASIS_SCALE);
    expect(share).toBeGreaterThan(0.62);
    expect(share).toBeLessThan(0.64);
  });
});

describe("terms of the mark", () => {
  it("are refused where they make no sense", () => {
    expect(markTermsFault(terms)).toBeNull();
    const wrong = [
      { impactNotional: 0n },
      { slowTimeMs: 0n },
      { fastTimeMs: 3_600_001n },
      { bandMinPpm: 50_001n },
      { bandMaxPpm: 500_001n },
      { bandSigmasPpm: 100_000_001n },
    ];
    for (const change of wrong) {
      expect(markTermsFault({ ...terms, ...change }), Object.keys(change)[0]).not.toBeNull();
    }
  });
});
