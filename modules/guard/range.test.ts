import type { PriceBucket } from "@keel/proto/gen/keel/guard/v1/types";
import { describe, expect, it } from "vitest";
import { minimum } from "../kit/math/mul-div.ts";
import { moveOf, watched } from "./range.ts";

const HORIZON = 60_000n;

/** Values one second apart from second 0. */
function walk(values: readonly bigint[]): readonly PriceBucket[] {
  let buckets: readonly PriceBucket[] = [];
  values.forEach((value, second) => {
    buckets = watched(buckets, value, BigInt(second) * 1000n, HORIZON);
  });
  return buckets;
}

describe("a price range", () => {
  it("measures from the extreme that was left, up and down, rounded down", () => {
    const buckets = walk([100n, 130n, 100n]);
    expect(moveOf(buckets, 90n)).toEqual({ movePpm: 307_692n, from: 130n, to: 90n });
    expect(moveOf(buckets, 150n)).toEqual({ movePpm: 500_000n, from: 100n, to: 150n });
    expect(moveOf([], 7n)).toEqual({ movePpm: 0n, from: 7n, to: 7n });
  });

  it("equals the extreme of all values of the horizon, and remembers at most one part more than it", () => {
    const values = Array.from({ length: 400 }, (_, i) => 1000n + BigInt((i * 7919) % 613));
    for (let end = 1; end <= values.length; end += 7) {
      const seen = values.slice(0, end);
      const buckets = walk(seen);
      const value = seen[end - 1] as bigint;
      const low = (from: number) => seen.slice(from).reduce((a, b) => minimum(a, b));
      const inside = Number(HORIZON) / 1000;
      const most = low(Math.max(0, end - inside - 4));
      const least = low(Math.max(0, end - inside));
      const found = buckets.reduce((a, b) => minimum(a, BigInt(b.low)), value);
      expect(found >= most && found <= least).toBe(true);
      expect(buckets.length).toBeLessThanOrEqual(17);
    }
  });

  it("is not written again while a value brings nothing new", () => {
    const buckets = walk([100n, 110n]);
    expect(watched(buckets, 105n, 2000n, HORIZON)).toBe(buckets);
  });
});
