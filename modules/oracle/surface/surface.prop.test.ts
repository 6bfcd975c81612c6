import type { SurfaceParameters, SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expWad } from "../../kit/math/exp.ts";
import { Q_ONE, WAD } from "../../kit/math/fixed-point.ts";
import { ssviPoint } from "../../kit/math/ssvi.ts";
import type { ValidatorVote } from "../aggregate.ts";
import { decodeExtension, encodeExtension } from "../extension.ts";
import { feedsMax } from "../feeds.ts";
import { EXPIRIES_MAX, EXTENSION_BYTES_MAX, FEED_VOTE_BYTES_MAX, SURFACES_MAX } from "../limits.ts";
import { aggregateSurface } from "./aggregate.ts";
import { etaMaxPpm, nextParameters, parametersFault } from "./project.ts";
import { smileAt } from "./smile.ts";
import { defaultSurface } from "./surfaces.ts";

const SURFACE = defaultSurface({ id: 1, symbol: "BTC-VOL", feedId: 1 });
const NOW_MS = 1_790_000_000_000n;
const NOW = { timeNs: NOW_MS * 1_000_000n, height: 7 };
const DAY_MS = 86_400_000n;
const EXPIRIES = [1n, 2n, 7n, 30n, 90n].map((days) => NOW_MS + days * DAY_MS);

/** Anything a vote may say. */
const anyVote = fc.record({
  surfaceId: fc.constant(1),
  rhoPpm: fc.integer({ min: -999_999, max: 999_999 }),
  etaPpm: fc.integer({ min: 1, max: 2_000_000 }),
  gammaPpm: fc.integer({ min: 1, max: 500_000 }),
  expiries: fc
    .array(
      fc.record({
        theta: fc.oneof(
          fc.bigInt({ min: 1n, max: (1n << 63n) - 1n }),
          fc.bigInt({ min: 1n, max: WAD / 10n }),
        ),
        basisPpm: fc.integer({ min: -1_000_000, max: 1_000_000 }),
      }),
      { minLength: EXPIRIES.length, maxLength: EXPIRIES.length },
    )
    .map((all) => all.map((one, i) => ({ ...one, expiryMs: EXPIRIES[i] as bigint }))),
});

/** Votes that are free of arbitrage themselves. */
const honestVote: fc.Arbitrary<SurfaceVote> = fc
  .record({
    rhoPpm: fc.integer({ min: -600_000, max: 200_000 }),
    gammaPpm: fc.integer({ min: 250_000, max: 480_000 }),
    share: fc.integer({ min: 300_000, max: 1_000_000 }),
    level: fc.bigInt({ min: 100_000n, max: 1_500_000n }),
    bases: fc.array(fc.integer({ min: -2_000, max: 2_000 }), {
      minLength: EXPIRIES.length,
      maxLength: EXPIRIES.length,
    }),
  })
  .map(({ rhoPpm, gammaPpm, share, level, bases }) => ({
    surfaceId: 1,
    rhoPpm,
    gammaPpm,
    etaPpm: Math.floor((Number(etaMaxPpm(BigInt(rhoPpm))) * share) / 1_000_000),
    expiries: EXPIRIES.map((expiryMs, i) => ({
      expiryMs,
      // level² × years.
      theta: (level * level * 1_000_000n * (expiryMs - NOW_MS)) / (365n * DAY_MS),
      basisPpm: bases[i] as number,
    })),
  }));

/** Durrleman's density factor, in Q. */
function density(slice: Parameters<typeof ssviPoint>[0], k: bigint): bigint {
  const strike = expWad(k) * 10n ** 12n;
  const { variance: w, slope, curvature } = ssviPoint(slice, 10n ** 30n, strike);
  const kQ = (k * Q_ONE) / WAD;
  const first = Q_ONE - (kQ * slope) / (2n * w);
  const second = (slope * slope) / Q_ONE;
  const third = (Q_ONE * Q_ONE) / w + Q_ONE / 4n;
  return (first * first) / Q_ONE - (second * third) / (4n * Q_ONE) + curvature / 2n;
}

const GRID = [-30n, -15n, -8n, -4n, -2n, -1n, 0n, 1n, 2n, 4n, 8n, 15n, 30n].map(
  (k) => (k * WAD) / 10n,
);
/** One unit of 1e-18. */
const TINY = Q_ONE / WAD;

function expectNoArbitrage(parameters: SurfaceParameters, timeNs: bigint): void {
  const at = { surface: SURFACE, parameters, timeNs };
  const asked = [NOW_MS + DAY_MS / 2n, ...EXPIRIES, NOW_MS + 4n * DAY_MS, NOW_MS + 200n * DAY_MS]
    .filter((expiryMs) => expiryMs * 1_000_000n > timeNs)
    .sort((a, b) => (a < b ? -1 : 1));
  let before: bigint[] | undefined;
  for (const expiryMs of asked) {
    const smile = smileAt(at, expiryMs);
    if (smile === undefined) continue;
    const variances = GRID.map((k) => {
      expect(density(smile.slice, k)).toBeGreaterThanOrEqual(-TINY);
      return ssviPoint(smile.slice, 10n ** 30n, expWad(k) * 10n ** 12n).variance;
    });
    variances.forEach((w, i) => {
      expect(w).toBeGreaterThanOrEqual((before?.[i] ?? 0n) - TINY);
    });
    before = variances;
  }
  expect(before).toBeDefined();
}

const withPower = (power: bigint, vote: SurfaceVote): ValidatorVote => ({
  power,
  vote: { feeds: [], transactions: new Uint8Array(0), surfaces: [vote] },
});

function decide(votes: readonly ValidatorVote[], previous?: SurfaceParameters): SurfaceParameters {
  const { shape, expiries, reportingPowerPpm } = aggregateSurface(votes, SURFACE, NOW_MS);
  if (shape === null) throw new Error("expected a quorum");
  return nextParameters(SURFACE, { shape, expiries, reportingPowerPpm }, previous, NOW);
}

describe("a decided surface", () => {
  it("has neither butterfly nor calendar arbitrage, whatever was voted, now and while it ages", () => {
    fc.assert(
      fc.property(
        fc.array(anyVote, { minLength: 1, maxLength: 4 }),
        fc.option(anyVote, { nil: undefined }),
        fc.bigInt({ min: 0n, max: 20n * DAY_MS }),
        (votes, first, laterMs) => {
          const previous = first === undefined ? undefined : decide([withPower(1n, first)]);
          const next = decide(
            votes.map((vote) => withPower(1n, vote)),
            previous,
          );
          expect(parametersFault(next)).toBeNull();
          expectNoArbitrage(next, NOW.timeNs);
          expectNoArbitrage(next, NOW.timeNs + laterMs * 1_000_000n);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("stays coordinate by coordinate among honest votes while less than a third of power is hostile", () => {
    const honest = fc.array(honestVote, { minLength: 3, maxLength: 6 });
    fc.assert(
      fc.property(honest, anyVote, fc.bigInt({ min: 1n, max: 40n }), (good, bad, weight) => {
        const votes = good.map((vote) => withPower(weight, vote));
        // The most that is still less than a third.
        const all = weight * BigInt(good.length);
        const hostile = (all - 1n) / 2n;
        if (hostile > 0n) votes.push(withPower(hostile, bad));
        const decided = decide(votes);
        const among = (
          of: (vote: SurfaceVote) => number | bigint,
          found: number | bigint,
        ): void => {
          const values = good.map(of);
          expect(values.some((value) => value <= found)).toBe(true);
          expect(values.some((value) => value >= found)).toBe(true);
        };
        among(({ rhoPpm }) => rhoPpm, decided.rhoPpm);
        among(({ etaPpm }) => etaPpm, decided.etaPpm);
        among(({ gammaPpm }) => gammaPpm, decided.gammaPpm);
        expect(decided.expiries.map(({ expiryMs }) => expiryMs)).toEqual(EXPIRIES);
        decided.expiries.forEach(({ theta, basisPpm }, i) => {
          among(({ expiries }) => expiries[i]?.theta ?? 0n, theta);
          among(({ expiries }) => expiries[i]?.basisPpm ?? 0, basisPpm);
        });
      }),
      { numRuns: 300 },
    );
  });

  it("moves no further in one block than its steps", () => {
    fc.assert(
      fc.property(honestVote, honestVote, (first, second) => {
        const before = decide([withPower(1n, first)]);
        const after = decide([withPower(1n, second)], before);
        expect(Math.abs(after.rhoPpm - before.rhoPpm)).toBeLessThanOrEqual(50_000);
        expect(Math.abs(after.gammaPpm - before.gammaPpm)).toBeLessThanOrEqual(50_000);
        after.expiries.forEach(({ theta }, i) => {
          const was = before.expiries[i]?.theta ?? 0n;
          expect(theta * 100n).toBeLessThanOrEqual(was * 105n + 100n);
          expect(theta * 100n).toBeGreaterThanOrEqual(was * 95n - 100n);
        });
      }),
    );
  });
});

describe("a vote on surfaces", () => {
  it("fits an extension beside all the feeds there may be", () => {
    const expiries = Array.from({ length: EXPIRIES_MAX }, (_, i) => ({
      expiryMs: BigInt(Number.MAX_SAFE_INTEGER - EXPIRIES_MAX + i),
      theta: (1n << 63n) - 1n,
      basisPpm: -1_000_000,
    }));
    for (let surfaces = 0; surfaces <= SURFACES_MAX; surfaces++) {
      const votes = Array.from({ length: surfaces }, (_, i) => ({
        surfaceId: 0xffff_ffff - i,
        rhoPpm: -999_999,
        etaPpm: 2_000_000,
        gammaPpm: 500_000,
        expiries,
      }));
      const feeds = Array.from({ length: feedsMax(surfaces) }, (_, i) => ({
        feedId: 0xffff_ffff - i,
        mantissa: (1n << 63n) - 1n,
        confidence: (1n << 63n) - 1n,
      }));
      const bytes = encodeExtension(feeds, votes);
      expect(bytes.length).toBeLessThanOrEqual(EXTENSION_BYTES_MAX);
      expect(decodeExtension(bytes)).toHaveProperty("vote");
    }
    expect(FEED_VOTE_BYTES_MAX * feedsMax(0)).toBeLessThanOrEqual(EXTENSION_BYTES_MAX);
  });

  it("is read back as it was written, and cut anywhere it is a vote or a fault", () => {
    fc.assert(
      fc.property(anyVote, fc.nat(), (vote, cut) => {
        const bytes = encodeExtension([], [vote]);
        expect(decodeExtension(bytes)).toEqual({
          vote: { feeds: [], transactions: new Uint8Array(0), surfaces: [vote] },
        });
        const decoded = decodeExtension(bytes.slice(0, cut % bytes.length));
        expect("vote" in decoded || decoded.fault.length > 0).toBe(true);
      }),
    );
  });
});
