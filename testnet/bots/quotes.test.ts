import { describe, expect, test } from "vitest";
import { needsRequote, type QuoteShape, quotes } from "./quotes.ts";

const shape: QuoteShape = {
  levels: 3,
  halfSpreadPpm: 500n,
  stepPpm: 500n,
  sizeLots: 10n,
  inventoryMaxLots: 100n,
  skewPpm: 2_000n,
};
const mark = 600_000n;

describe("quotes", () => {
  test("stand around the mark in layers, larger further out", () => {
    const flat = quotes(mark, 0n, shape);
    expect(flat.filter(({ side }) => side === "buy")).toEqual([
      { side: "buy", ticks: 599_700n, lots: 10n },
      { side: "buy", ticks: 599_400n, lots: 20n },
      { side: "buy", ticks: 599_100n, lots: 30n },
    ]);
    expect(flat.filter(({ side }) => side === "sell").map(({ ticks }) => ticks)).toEqual([
      600_300n,
      600_600n,
      600_900n,
    ]);
  });

  test("move against the inventory and stop enlarging it at the bound", () => {
    const [flat, long] = [quotes(mark, 0n, shape), quotes(mark, 50n, shape)];
    for (const [index, quote] of long.entries())
      expect(quote.ticks).toBeLessThanOrEqual(flat[index]?.ticks ?? 0n);
    expect(quotes(mark, 100n, shape).map(({ side }) => side)).toEqual(["sell", "sell", "sell"]);
    expect(quotes(mark, -500n, shape).map(({ side }) => side)).toEqual(["buy", "buy", "buy"]);
  });

  test.each([1n, 2n, 50n, mark])("never cross the mark or each other, at a mark of %s", (at) => {
    for (const held of [-99n, -10n, 0n, 10n, 99n]) {
      const all = quotes(at, held, shape);
      for (const { side, ticks } of all) {
        expect(ticks).toBeGreaterThan(0n);
        expect(side === "buy" ? ticks < at : ticks > at).toBe(true);
      }
    }
    expect(quotes(0n, 0n, shape)).toEqual([]);
  });

  test("are replaced when the mark has moved, a layer is missing or was half eaten, and left alone otherwise", () => {
    const wanted = quotes(mark, 0n, shape);
    expect(needsRequote(wanted, [...wanted].reverse(), 100n)).toBe(false);
    expect(needsRequote(quotes(mark + 30n, 0n, shape), wanted, 100n)).toBe(false);
    expect(needsRequote(quotes(mark + 300n, 0n, shape), wanted, 100n)).toBe(true);
    expect(needsRequote(wanted, wanted.slice(1), 100n)).toBe(true);
    const eaten = wanted.map((quote, index) => (index === 0 ? { ...quote, lots: 4n } : quote));
    expect(needsRequote(wanted, eaten, 100n)).toBe(true);
    expect(needsRequote([], [], 100n)).toBe(false);
  });
});
