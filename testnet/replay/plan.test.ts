import { expect, it } from "vitest";
import { LEVERAGE_MAX, LEVERAGE_MIN, planTraders } from "./plan.ts";

it("is a function of the seed", () => {
  expect(planTraders(60, 7)).toEqual(planTraders(60, 7));
  expect(planTraders(60, 8)).not.toEqual(planTraders(60, 7));
});

it("has three longs for two shorts, and leverages in every part of the range on both sides", () => {
  const traders = planTraders(60, 1);
  for (const [side, count] of [
    ["buy", 36],
    ["sell", 24],
  ] as const) {
    const leverages = traders.filter((t) => t.side === side).map((t) => t.leverage);
    expect(leverages).toHaveLength(count);
    leverages.sort((a, b) => a - b);
    const width = (LEVERAGE_MAX - LEVERAGE_MIN) / count;
    for (const [i, leverage] of leverages.entries()) {
      expect(leverage).toBeGreaterThanOrEqual(LEVERAGE_MIN + width * i);
      expect(leverage).toBeLessThanOrEqual(LEVERAGE_MIN + width * (i + 1));
    }
  }
});
