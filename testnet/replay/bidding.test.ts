import { expect, it } from "vitest";
import { keeperBids, unwinding } from "./bidding.ts";

const terms = { clip: 100_000, inventoryMax: 250_000, tick: 0.1, lot: 0.0001 };

it("bids on both sides beyond mark, farther when the market runs", () => {
  const [buy, sell] = keeperBids(50_000, 0, 0, terms);
  expect([buy?.side, buy?.worstTicks, buy?.lots]).toEqual(["buy", 499_500n, 20_000n]);
  expect([sell?.side, sell?.worstTicks, sell?.lots]).toEqual(["sell", 500_500n, 20_000n]);
  expect(keeperBids(50_000, 0, 0.02, terms)[0]?.worstTicks).toBe(497_000n);
  expect(keeperBids(50_000, 0, 0.5, terms)[0]?.worstTicks).toBe(485_000n);
});

it("bids no more than it may still hold, and always for what takes it back", () => {
  const long = keeperBids(50_000, 200_000, 0, terms);
  expect(long.map(({ side, lots }) => [side, lots])).toEqual([
    ["buy", 10_000n],
    ["sell", 20_000n],
  ]);
  expect(keeperBids(50_000, 250_000, 0, terms).map(({ side }) => side)).toEqual(["sell"]);
  expect(keeperBids(50_000, -250_000, 0, terms).map(({ side }) => side)).toEqual(["buy"]);
});

it("sells again what it bought, a part at a time, just beyond mark", () => {
  const order = unwinding(50_000, 2, terms);
  expect([order?.side, order?.size]).toEqual(["sell", 0.5]);
  expect(order?.price).toBeCloseTo(50_025);
  expect(unwinding(50_000, -2, terms)).toMatchObject({ side: "buy" });
  expect(unwinding(50_000, 0, terms)).toBeNull();
  // The last of it goes at once.
  expect(unwinding(50_000, 0.01, terms)?.size).toBeCloseTo(0.01);
});
