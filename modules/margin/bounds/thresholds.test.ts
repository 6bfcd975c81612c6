import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NEVER, Thresholds } from "./thresholds.ts";

function above(thresholds: Thresholds, level: number): number[] {
  const found: number[] = [];
  thresholds.above(level, (holder) => void found.push(holder));
  return found.sort((a, b) => a - b);
}

const value = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 });
const action = fc.record({
  kind: fc.constantFrom("add" as const, "add" as const, "set" as const, "remove" as const),
  pick: fc.nat(),
  value,
});

describe("thresholds", () => {
  it("above a level are those of a plain list, whatever was expected, added, changed and removed", () => {
    const many = fc.array(action, { maxLength: 600, size: "max" });
    fc.assert(
      fc.property(many, value, fc.nat({ max: 700 }), (actions, level, room) => {
        const thresholds = new Thresholds(room);
        const places = new Map<number, { place: number; value: number }>();
        let next = 0;
        for (const one of actions) {
          const holders = [...places.keys()];
          const holder = holders[one.pick % holders.length];
          const kept = holder === undefined ? undefined : places.get(holder);
          if (one.kind === "add" || holder === undefined || kept === undefined) {
            places.set(next, { place: thresholds.add(next, one.value), value: one.value });
            next += 1;
          } else if (one.kind === "set") {
            thresholds.set(kept.place, one.value);
            places.set(holder, { place: kept.place, value: one.value });
          } else {
            thresholds.remove(kept.place);
            places.delete(holder);
          }
        }
        const expected = [...places].filter(([, kept]) => kept.value > level);
        expect(above(thresholds, level)).toEqual(expected.map(([holder]) => holder).sort(byNumber));
        expect(thresholds.size).toBe(places.size);
        const all: number[] = [];
        thresholds.each((holder) => void all.push(holder));
        expect(all.sort(byNumber)).toEqual([...places.keys()].sort(byNumber));
      }),
      { numRuns: 300 },
    );
  });

  it("finds one among a hundred thousand, and never one that waits for nothing", () => {
    const thresholds = new Thresholds();
    const places = Array.from({ length: 100_000 }, (_, holder) => thresholds.add(holder, NEVER));
    expect(above(thresholds, -(2 ** 30))).toEqual([]);
    thresholds.set(places[77_777] as number, 5);
    expect(above(thresholds, 4)).toEqual([77_777]);
    expect(above(thresholds, 5)).toEqual([]);
    expect(thresholds.byteLength).toBeLessThan(100_000 * 14);
  });
});

function byNumber(a: number, b: number): number {
  return a - b;
}
