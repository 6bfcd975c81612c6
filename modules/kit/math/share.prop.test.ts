import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SHARE_BITS, shareOf, takeShare } from "./share.ts";

const LIMIT = 1n << SHARE_BITS;

describe("a share of a safe integer", () => {
  it("is an integer less than two from the exact product", () => {
    const a = fc.bigInt({ min: 1n - LIMIT, max: LIMIT - 1n });
    const count = fc.bigInt({ min: -LIMIT, max: LIMIT });
    fc.assert(
      fc.property(a, count, (value, share) => {
        const found = takeShare(Number(value), shareOf(share));
        expect(Number.isSafeInteger(found)).toBe(true);
        const apart = (BigInt(found) << SHARE_BITS) - value * share;
        expect(apart < 2n * LIMIT && apart > -2n * LIMIT).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it("is all of it, nothing of it, or its negative at the ends", () => {
    for (const value of [0, 1, -1, 2 ** 52 - 1, 1 - 2 ** 52]) {
      expect(takeShare(value, shareOf(LIMIT)) - value).toBe(0);
      expect(takeShare(value, shareOf(-LIMIT)) + value).toBe(0);
      expect(BigInt(takeShare(value, shareOf(0n)))).toBe(0n);
    }
  });
});
