import { expect, it } from "vitest";
import { FundLimit, SecondLook, Trough } from "./outcome.ts";

it("seconds count while an hour has asked more than a quarter of the fund", () => {
  const limit = new FundLimit(1_000);
  limit.step(0, 1_000, 250);
  expect(limit.seconds).toBe(0);
  limit.step(1_000, 1_000, 1);
  expect(limit.seconds).toBe(1);
  limit.step(3_599_000, 1_000, 0);
  expect(limit.seconds).toBe(2);
  limit.step(3_600_001, 1_000, 0);
  expect(limit.seconds).toBe(2);
});

it("an account is judged once, ten minutes after its first liquidation, or at the end", () => {
  const look = new SecondLook<number>();
  const long = (mark: number): number => 10 + (mark - 100);
  look.liquidated(1, 0, long);
  look.liquidated(1, 5_000, long);
  look.liquidated(2, 300_000, long);
  look.step(599_999, 120, false);
  expect([look.accounts, look.falses]).toEqual([2, 0]);
  look.step(600_000, 95, false);
  expect(look.falses).toBe(1);
  look.step(600_001, 85, true);
  expect(look.falses).toBe(1);
});

it("a trough is the deepest fall below the start", () => {
  const trough = new Trough();
  for (const level of [1.2, 0.9, 1.1]) trough.see(level);
  expect(trough.fall).toBeCloseTo(0.1, 12);
});
