import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { heightKey, u64Key } from "./codecs.ts";

describe("a height as a key", () => {
  it("is the same eight bytes as a bigint of its value, over all safe integers", () => {
    const edges = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    const heights = fc.oneof(fc.constantFrom(...edges), fc.maxSafeNat());
    fc.assert(
      fc.property(heights, (height) => {
        const text = heightKey.encode(height);
        expect(text).toBe(u64Key.encode(BigInt(height)));
        expect(heightKey.decode(text, 0)).toEqual([height, 8]);
      }),
    );
  });

  it("is refused below zero, between integers and beyond them", () => {
    for (const height of [-1, 0.5, Number.MAX_SAFE_INTEGER + 1, Number.NaN]) {
      expect(() => heightKey.encode(height)).toThrow("height key out of range");
    }
  });
});
