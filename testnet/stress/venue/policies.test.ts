import { describe, expect, it } from "vitest";
import { allocate, type Counterparty } from "./adl.ts";
import { dydxRules } from "./policies/dydx.ts";
import { hyperliquidRules } from "./policies/hyperliquid.ts";
import { keelRules, RECOMMENDED } from "./policies/keel.ts";
import type { Sick } from "./rules.ts";

const sick = (equity: number, maintenance: number, notional: number): Sick => ({
  ...{ equity, maintenance, notional: [notional, 0] },
  ...{ sickMs: 0, restedMs: 0, partlyClosed: false },
});

describe("what is closed", () => {
  it("follows the closed form of partial liquidation", () => {
    // 117,600 at 3 %, 1 % penalty and 0.4 % slippage: (1.25 m N − E) / (1.25 m − f − s).
    const [close] = keelRules().closes(sick(3_000, 3_528, 117_600));
    expect(close?.notional).toBeCloseTo((1.25 * 3_528 - 3_000) / (1.25 * 0.03 - 0.014), 6);
    const [full] = keelRules({ ...RECOMMENDED, close: "full" }).closes(sick(3_000, 3_528, 117_600));
    expect(full?.notional).toBe(117_600);
  });

  it("stands at dYdX's fillable price: 1.8 % from mark at zero equity, at mark at maintenance", () => {
    expect(dydxRules.closes(sick(0, 1_200, 100_000))[0]?.limit).toBeCloseTo(0.018, 12);
    expect(dydxRules.closes(sick(1_200, 1_200, 100_000))[0]?.limit).toBe(0);
    expect(dydxRules.closes(sick(0, 1_200, 100_000))[0]?.notional).toBe(10_000);
  });

  it("is a fifth first of what is large on Hyperliquid, whose maintenance has published tiers", () => {
    expect(hyperliquidRules.closes(sick(1, 1_250, 200_000))[0]?.notional).toBe(40_000);
    expect(hyperliquidRules.closes(sick(1, 1_250, 90_000))[0]?.notional).toBe(90_000);
    expect(hyperliquidRules.maintenance(0, 200_000_000)).toBeCloseTo(3_125_000, 6);
  });
});

describe("who is closed against a bankrupt position", () => {
  const short = (account: number, base: number, equity: number, profit = 0): Counterparty => ({
    ...{ account, base, notional: base * 50, equity, profit },
    ...{ entry: 50, mark: 50, long: false },
  });
  // Shorts of 5,000, 3,000 and 2,000 with 10,000, 600 and 1,000; 5,000 are to be closed.
  const others = [short(1, 100, 10_000, 900), short(2, 60, 600), short(3, 40, 1_000)];
  const closed = (rule: Parameters<typeof allocate>[0]): Record<number, number> =>
    Object.fromEntries(
      allocate(rule, others, 100, 0.5).map(({ account, base }) => [account, base * 50]),
    );

  it("cuts leverages to one level: the worked example", () => {
    const level = 5_000 / 11_600;
    const parts = closed("water-filling");
    expect(parts[1]).toBeCloseTo(5_000 - level * 10_000, 6);
    expect(parts[2]).toBeCloseTo(3_000 - level * 600, 6);
    expect(parts[3]).toBeCloseTo(2_000 - level * 1_000, 6);
  });

  it("takes half of everybody in proportion, and the top of a queue whole", () => {
    expect(closed("pro-rata")).toEqual({ 1: 2_500, 2: 1_500, 3: 1_000 });
    // Only the first has profit, though it has the least leverage.
    expect(closed("queue")).toEqual({ 1: 5_000 });
    expect(closed("profit-queue")[2]).toBe(3_000);
    expect(closed("random")).toEqual({ 2: 3_000, 3: 2_000 });
  });
});
