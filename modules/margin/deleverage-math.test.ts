import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { minimum } from "../kit/math/mul-div.ts";
import type { Counterparty } from "./deleverage-math.ts";
import { allocateDeleveraging, compareLeverage } from "./deleverage-math.ts";

function party(id: string, lots: bigint, equity: bigint): Counterparty<string> {
  return { id, lots, equity };
}

describe("allocateDeleveraging", () => {
  it("cuts only the highest leverages, to one level", () => {
    // Leverages 10, 5 and 1: taking 60 brings the first down to 4 and leaves the others; taking 75 brings two to 2.5 each.
    const parties = [party("a", 100n, 10n), party("b", 50n, 10n), party("c", 10n, 10n)];
    expect(allocateDeleveraging(parties, 50n)).toEqual([{ id: "a", lots: 50n }]);
    expect(allocateDeleveraging(parties, 70n)).toEqual([
      { id: "a", lots: 60n },
      { id: "b", lots: 10n },
    ]);
  });

  it("takes everything there is when that is not enough", () => {
    expect(allocateDeleveraging([party("a", 3n, 1n), party("b", 4n, 1n)], 10n)).toEqual([
      { id: "b", lots: 4n },
      { id: "a", lots: 3n },
    ]);
  });

  it("takes accounts without equity first", () => {
    expect(allocateDeleveraging([party("a", 100n, 1n), party("z", 5n, 0n)], 4n)).toEqual([
      { id: "z", lots: 4n },
    ]);
  });

  it("breaks ties by account", () => {
    expect(allocateDeleveraging([party("b", 4n, 2n), party("a", 4n, 2n)], 1n)).toEqual([
      { id: "a", lots: 1n },
    ]);
  });

  it("closes exactly what is needed, never more than held, and never raises the highest leverage", () => {
    const parties = fc.uniqueArray(
      fc.record({
        id: fc.string({ minLength: 1, maxLength: 4 }),
        lots: fc.bigInt({ min: 1n, max: 1_000n }),
        equity: fc.bigInt({ min: 0n, max: 1_000n }),
      }),
      { selector: (one) => one.id, minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(parties, fc.bigInt({ min: 1n, max: 20_000n }), (all, needed) => {
        const total = all.reduce((sum, one) => sum + one.lots, 0n);
        const parts = allocateDeleveraging(all, needed);
        const closed = parts.reduce((sum, one) => sum + one.lots, 0n);
        expect(closed).toBe(minimum(needed, total));
        const after = all.map((one) => {
          const lots = parts.find((part) => part.id === one.id)?.lots ?? 0n;
          expect(lots).toBeLessThanOrEqual(one.lots);
          return { ...one, lots: one.lots - lots };
        });
        // Whoever was not touched is no more leveraged than the level, up to one lot of rounding on either side.
        const untouched = after.filter((one) => !parts.some((part) => part.id === one.id));
        for (const cut of after.filter((one) => parts.some((part) => part.id === one.id))) {
          for (const other of untouched) {
            if (other.lots <= 1n) continue;
            const lowered = { ...other, id: "~~~~~", lots: other.lots - 1n };
            const raised = { ...cut, lots: cut.lots + 2n };
            expect(compareLeverage({ ...raised, id: "" }, lowered)).toBe(-1);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
