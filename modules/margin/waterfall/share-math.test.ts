import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { largestRemainder, shareLoss } from "./share-math.ts";

const quanta = fc.bigInt({ min: 0n, max: 10n ** 15n });

describe("largest remainder", () => {
  test("gives what is left over to the largest remainders, ties in order", () => {
    // 10 × 1/7 = 1.43, 10 × 3/7 = 4.29 twice.
    expect(largestRemainder(10n, [1n, 3n, 3n])).toEqual([2n, 4n, 4n]);
    expect(largestRemainder(2n, [1n, 1n, 1n])).toEqual([1n, 1n, 0n]);
    expect(largestRemainder(5n, [0n, 5n, 0n])).toEqual([0n, 5n, 0n]);
    expect(largestRemainder(5n, [0n, 0n])).toEqual([0n, 0n]);
  });

  test("is exact, and within one quantum of the share", () => {
    fc.assert(
      fc.property(quanta, fc.array(quanta, { minLength: 1, maxLength: 12 }), (total, weights) => {
        const all = weights.reduce((sum, weight) => sum + weight, 0n);
        fc.pre(all > 0n);
        const parts = largestRemainder(total, weights);
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(total);
        for (const [i, part] of parts.entries()) {
          const off = part * all - total * (weights[i] ?? 0n);
          expect(off > -all && off < all).toBe(true);
        }
      }),
    );
  });
});

describe("sharing a loss", () => {
  const bearer = (id: string, gain: bigint, room: bigint, size: bigint) => ({
    id,
    gain,
    room,
    size,
  });

  test("takes the same share of each gain while gains are enough", () => {
    const shared = shareLoss(50n, [
      bearer("a", 60n, 0n, 6n),
      bearer("b", 40n, 1_000n, 4n),
      bearer("c", 0n, 500n, 0n),
    ]);
    expect(shared.parts.map(({ byGain, bySize }) => [byGain, bySize])).toEqual([
      [30n, 0n],
      [20n, 0n],
      [0n, 0n],
    ]);
    expect(shared).toMatchObject({ byGains: 50n, bySize: 0n, left: 0n });
  });

  test("beyond that by size on the side that gained, and of nobody more than it is worth", () => {
    const shared = shareLoss(200n, [
      bearer("a", 60n, 10n, 6n),
      bearer("b", 40n, 1_000n, 4n),
      bearer("c", 0n, 500n, 0n),
    ]);
    // 100 of gains; of the other 100 the first can give ten, the second the rest; the long side none.
    expect(shared.parts.map(({ bySize }) => bySize)).toEqual([10n, 90n, 0n]);
    expect(shared).toMatchObject({ gains: 100n, byGains: 100n, bySize: 100n, left: 0n });
  });

  test("says what nobody can bear", () => {
    const shared = shareLoss(100n, [bearer("a", 5n, 5n, 1n)]);
    expect(shared).toMatchObject({ byGains: 5n, bySize: 5n, left: 90n });
  });

  test("sums to the loss, with each within its gain and room", () => {
    const one = fc.record({
      gain: quanta,
      room: quanta,
      size: fc.bigInt({ min: 0n, max: 1_000n }),
    });
    fc.assert(
      fc.property(quanta, fc.array(one, { minLength: 1, maxLength: 12 }), (missing, bearers) => {
        const all = bearers.map((each, id) => ({ id, ...each }));
        const { byGains, bySize, left, parts } = shareLoss(missing, all);
        expect(byGains + bySize + left).toBe(missing);
        let sum = 0n;
        for (const [i, part] of parts.entries()) {
          const { gain = 0n, room = 0n, size = 0n } = all[i] ?? {};
          expect(part.byGain <= gain && part.bySize <= room).toBe(true);
          if (part.bySize > 0n) expect(size > 0n).toBe(true);
          sum += part.byGain + part.bySize;
        }
        expect(sum).toBe(byGains + bySize);
        // Nobody who could still give is left out.
        if (left > 0n) {
          const able = all.filter(({ size }) => size > 0n);
          expect(able.reduce((rest, { room }) => rest + room, 0n)).toBe(bySize);
        }
      }),
    );
  });
});
