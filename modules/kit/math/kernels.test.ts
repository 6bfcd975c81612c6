import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModuleError } from "../errors.ts";
import { atBits, INV_SQRT_2PI, LN2, PI } from "./constants.ts";
import { expQ, expWad } from "./exp.ts";
import { divNearest, Q_BITS, Q_ONE, qFromWad, WAD } from "./fixed-point.ts";
import { lnRatioQ, lnWad } from "./log.ts";
import { cdfQ, densityQ, normalCdf, normalDensity } from "./normal.ts";
import { bitLength, integerSqrt, sqrtWad } from "./square-root.ts";
import * as exact from "./testing/exact-math.ts";

/** A number in Q as Exact. */
function fromQ(value: bigint): exact.Exact {
  return exact.ratio(value, Q_ONE);
}

/** |value − truth| in units of 2^-120. */
function ulps(value: bigint, truth: exact.Exact): number {
  const difference = fromQ(value) - truth;
  const scaled = ((difference < 0n ? -difference : difference) * Q_ONE * 1000n) / exact.ONE;
  return Number(scaled) / 1000;
}

function q(min: bigint, max: bigint): fc.Arbitrary<bigint> {
  return fc.bigInt({ min: min * Q_ONE, max: max * Q_ONE });
}

const runs = { numRuns: 400 };

describe("kernels at 2^-120, against series of 108 places", () => {
  test("constants are right to their last used bit", () => {
    expect(ulps(atBits(PI, Q_BITS), exact.PI)).toBeLessThanOrEqual(0.501);
    expect(ulps(atBits(LN2, Q_BITS), exact.ln(2n * exact.ONE))).toBeLessThanOrEqual(0.501);
    expect(ulps(atBits(INV_SQRT_2PI, Q_BITS), exact.density(0n))).toBeLessThanOrEqual(0.501);
  });

  test("e^x: 12 ulp at and below zero, relatively 20 + x above", () => {
    fc.assert(
      fc.property(q(-90n, 0n), q(-1n, 0n), q(0n, 100n), (far, near, up) => {
        expect(ulps(expQ(far), exact.exp(fromQ(far)))).toBeLessThanOrEqual(12);
        expect(ulps(expQ(near), exact.exp(fromQ(near)))).toBeLessThanOrEqual(12);
        const truth = exact.exp(fromQ(up));
        const relative = (ulps(expQ(up), truth) * Number(exact.ONE)) / Number(truth);
        expect(relative).toBeLessThanOrEqual(20 + Number(up >> Q_BITS));
      }),
      runs,
    );
    expect(expQ(0n)).toBe(Q_ONE);
  });

  test("ln(a/b): 10 ulp and one per power of two", () => {
    const price = fc.bigInt({ min: 1n, max: 10n ** 33n });
    const nudge = fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n });
    fc.assert(
      fc.property(price, price, nudge, (a, b, step) => {
        for (const top of [a, b + step > 0n ? b + step : b]) {
          const truth = exact.ln(exact.ratio(top, b));
          const twos = Math.abs(bitLength(top) - bitLength(b));
          expect(ulps(lnRatioQ(top, b), truth)).toBeLessThanOrEqual(10 + twos);
        }
      }),
      runs,
    );
    expect(lnRatioQ(7n, 7n)).toBe(0n);
  });

  test("N(x) and its density: 20 and 8 ulp", () => {
    fc.assert(
      fc.property(q(-13n, 13n), (x) => {
        expect(ulps(cdfQ(x), exact.cdf(fromQ(x)))).toBeLessThanOrEqual(20);
        expect(ulps(densityQ(x), exact.density(fromQ(x)))).toBeLessThanOrEqual(8);
        expect(cdfQ(x) + cdfQ(-x)).toBe(Q_ONE);
      }),
      runs,
    );
    expect(cdfQ(1000n * Q_ONE)).toBe(Q_ONE);
    expect(densityQ(1000n * Q_ONE)).toBe(0n);
  });

  test("series about neighbouring points meet half-way", () => {
    for (let i = 0n; i < 400n; i += 1n) {
      const middle = ((2n * i + 1n) * Q_ONE) / 64n;
      expect(ulps(cdfQ(middle), exact.cdf(fromQ(middle)))).toBeLessThanOrEqual(20);
      expect(ulps(cdfQ(middle - 1n), exact.cdf(fromQ(middle - 1n)))).toBeLessThanOrEqual(20);
    }
  });

  test("the square root is the exact floor", () => {
    const bits = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 400n }), bits, (seed, size) => {
        for (const n of [
          seed >> BigInt(400 - size),
          (seed >> 300n) ** 2n,
          (seed >> 300n) ** 2n - 1n,
        ]) {
          if (n < 0n) continue;
          const root = integerSqrt(n);
          expect(root * root <= n && n < (root + 1n) ** 2n).toBe(true);
        }
        expect(bitLength(seed)).toBe(seed === 0n ? 0 : seed.toString(2).length);
      }),
    );
    for (let n = 0n; n < 5_000n; n += 1n) {
      const root = integerSqrt(n);
      expect(root * root <= n && n < (root + 1n) ** 2n).toBe(true);
    }
  });
});

describe("functions at 1e-18", () => {
  test("their errors are the stated ones", () => {
    const any = fc.bigInt({ min: -14n * WAD, max: 14n * WAD });
    const small = fc.bigInt({ min: -60n * WAD, max: 36n * WAD });
    const positive = fc.bigInt({ min: 1n, max: 10n ** 40n });
    fc.assert(
      fc.property(any, small, positive, (x, e, p) => {
        const at = exact.exactFromWad(x);
        expect(exact.errorUnits(normalCdf(x), exact.cdf(at))).toBeLessThanOrEqual(0.5001);
        expect(exact.errorUnits(normalDensity(x), exact.density(at))).toBeLessThanOrEqual(0.5001);
        const exponential = exact.exp(exact.exactFromWad(e));
        expect(exact.errorUnits(expWad(e), exponential)).toBeLessThanOrEqual(1);
        const log = exact.ln(exact.exactFromWad(p));
        expect(exact.errorUnits(lnWad(p), log)).toBeLessThanOrEqual(0.5001);
        expect(sqrtWad(p)).toBe(integerSqrt(p * WAD));
      }),
      runs,
    );
  });

  test("they rise where they should, and the density falls away from zero", () => {
    const pair = fc.tuple(
      fc.bigInt({ min: -20n * WAD, max: 20n * WAD }),
      fc.bigInt({ min: 0n, max: WAD }),
    );
    fc.assert(
      fc.property(pair, ([x, step]) => {
        expect(normalCdf(x + step)).toBeGreaterThanOrEqual(normalCdf(x));
        expect(expWad(x + step)).toBeGreaterThanOrEqual(expWad(x));
        const magnitude = x < 0n ? -x : x;
        expect(normalDensity(magnitude + step)).toBeLessThanOrEqual(normalDensity(magnitude));
        if (x > 0n) expect(lnWad(x + step)).toBeGreaterThanOrEqual(lnWad(x));
      }),
    );
  });

  test("extremes are defined, and what lies outside is refused by name", () => {
    expect(expWad(-(10n ** 60n))).toBe(0n);
    expect(expWad(0n)).toBe(WAD);
    expect(normalCdf(10n ** 40n)).toBe(WAD);
    expect(normalCdf(-(10n ** 40n))).toBe(0n);
    expect(normalDensity(10n ** 40n)).toBe(0n);
    expect(sqrtWad(0n)).toBe(0n);
    expect(sqrtWad(4n * WAD)).toBe(2n * WAD);
    expect(qFromWad(-1n)).toBe(-1329227995784915873n);
    expect([divNearest(3n, 2n), divNearest(-3n, 2n), divNearest(5n, 3n)]).toEqual([2n, -1n, 2n]);
    for (const refused of [
      () => expWad(100n * WAD + 1n),
      () => lnWad(0n),
      () => lnWad(-1n),
      () => sqrtWad(-1n),
      () => sqrtWad(10n ** 60n + 1n),
    ])
      expect(refused).toThrow(ModuleError);
    expect(() => lnWad(0n)).toThrow(/^x must be within \[1, 10+\], got 0$/);
  });
});
