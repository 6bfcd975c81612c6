import { describe, expect, it } from "vitest";
import { quotes, StressGauge } from "./quoting.ts";

const terms = { depth: 400_000, inventoryUnit: 500_000, tick: 0.1, lot: 0.0001 };
const depthOf = (levels: ReturnType<typeof quotes>, side: string): number =>
  levels.filter((l) => l.side === side).reduce((sum, l) => sum + l.price * l.size, 0);

describe("stress", () => {
  it("rises at once with a fast move and fades over minutes", () => {
    const gauge = new StressGauge();
    expect(gauge.observe(1_000, 100)).toBe(0);
    expect(gauge.observe(20_000, 98)).toBeCloseTo(100 / 98 - 1);
    const later = gauge.observe(200_000, 98);
    expect(later).toBeGreaterThan(0);
    expect(later).toBeLessThan(0.0083);
  });

  it("does not fear a slow move", () => {
    const gauge = new StressGauge();
    for (let i = 0; i < 60; i++) gauge.observe(1_000 + i * 60_001, 100 - i * 0.05);
    expect(gauge.observe(1_000 + 60 * 60_001, 97)).toBeLessThan(0.001);
  });
});

describe("quotes", () => {
  it("stand on both sides of mark, full size when calm", () => {
    const levels = quotes(100_000, 0, 0, terms);
    for (const { side, price } of levels)
      expect(side === "buy" ? price < 100_000 : price > 100_000).toBe(true);
    expect(depthOf(levels, "buy")).toBeGreaterThan(390_000);
    expect(depthOf(levels, "sell")).toBeLessThan(410_000);
  });

  it("shrink and widen when the market runs", () => {
    const calm = quotes(100_000, 0, 0, terms);
    const panic = quotes(100_000, 0, 0.03, terms);
    expect(depthOf(panic, "buy")).toBeLessThan(depthOf(calm, "buy") / 50);
    const best = Math.max(...panic.filter((l) => l.side === "buy").map((l) => l.price));
    expect(best).toBeLessThan(98_000);
    expect(best).toBeGreaterThan(97_000);
  });

  it("lean against the inventory without crossing mark", () => {
    const long = quotes(100_000, 5_000_000, 0, terms);
    const flat = quotes(100_000, 0, 0, terms);
    const best = (levels: typeof long, side: "buy" | "sell"): number =>
      levels
        .filter((l) => l.side === side)
        .reduce(
          (b, l) => (side === "buy" ? Math.max(b, l.price) : Math.min(b, l.price)),
          side === "buy" ? 0 : Infinity,
        );
    expect(best(long, "buy")).toBeLessThan(best(flat, "buy"));
    expect(best(long, "sell")).toBeLessThanOrEqual(best(flat, "sell"));
    expect(best(long, "sell")).toBeGreaterThan(100_000);
  });
});
