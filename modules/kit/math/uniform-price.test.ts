import { describe, expect, it } from "vitest";
import { allocate, clearingPrice, type Interest, type Level, levelsOf } from "./uniform-price.ts";

const WIDE = { low: 1, high: 1_000_000 };

/** "price:lots …" */
function levels(text: string): Level[] {
  return text.split(" ").map((word) => {
    const [ticks = "", lots = ""] = word.split(":");
    return { ticks: Number(ticks), lots: Number(lots) };
  });
}

function price(bids: string, asks: string, mark: number, range = WIDE) {
  const found = clearingPrice(levels(bids), levels(asks), mark, range);
  return found === null ? null : [found.ticks, found.volume, found.demand - found.supply];
}

function shares(text: string, volume: number): number[] {
  const orders: Interest[] = levels(text).map((level, at) => ({ ...level, id: at + 1 }));
  return allocate(orders, volume);
}

describe("the price of an auction", () => {
  it("trades most, then leaves least over, then is nearest to the reference", () => {
    expect(price("105:10", "100:10", 90)).toEqual([100, 10, 0]);
    expect(price("105:10", "100:10", 103)).toEqual([103, 10, 0]);
    expect(price("105:10", "100:10", 200)).toEqual([105, 10, 0]);
    // 104 and 105 trade 20, the others 10.
    expect(price("105:20", "100:10 104:10", 90)).toEqual([104, 20, 0]);
    // From 100 to 102 nothing is left over; at 103 the second seller would be left over.
    expect(price("105:10", "100:10 103:5", 104)).toEqual([102, 10, 0]);
    // As much is left over on either side of the step from 102 to 103: nearest to the reference.
    expect(price("102:10 110:5".split(" ").reverse().join(" "), "90:10", 108)).toEqual([
      102, 10, 5,
    ]);
  });

  it("stays in its range, and there is none where nothing trades", () => {
    expect(price("99:10", "100:10", 100)).toBeNull();
    expect(price("105:10", "100:10", 90, { low: 102, high: 110 })).toEqual([102, 10, 0]);
    expect(price("105:10", "100:10", 90, { low: 106, high: 110 })).toBeNull();
    expect(clearingPrice([], levels("100:1"), 100, WIDE)).toBeNull();
  });

  it("joins orders of one price", () => {
    expect(levelsOf(levels("5:1 5:2 4:7"))).toEqual([
      { ticks: 5, lots: 3 },
      { ticks: 4, lots: 7 },
    ]);
  });
});

describe("the shares of an auction", () => {
  it("go to better prices in full, and by size at the price where the volume ends", () => {
    expect(shares("105:10 104:30 104:10 103:99", 30)).toEqual([10, 15, 5, 0]);
    expect(shares("105:10 104:30", 40)).toEqual([10, 30]);
    expect(shares("105:10", 0)).toEqual([0]);
  });

  it("round by largest remainder, ties to the larger and then the lower id", () => {
    // Quotas 2.5, 2.5, 5: one lot beyond the whole parts.
    expect(shares("100:5 100:5 100:10", 10)).toEqual([3, 2, 5]);
    // Quotas 0.5, 1.5: equal remainders, the larger order.
    expect(shares("100:1 100:3", 2)).toEqual([0, 2]);
    // Quotas 1.6, 0.4.
    expect(shares("100:4 100:1", 2)).toEqual([2, 0]);
    expect(shares("100:2147483647 100:2147483647", 2_147_483_647)).toEqual([
      1_073_741_824, 1_073_741_823,
    ]);
  });
});

/** Tick 1, lot 0.1. The worked example of Injective's documentation, whose two tables give the last buy 0.2 and 0.1. */
describe("Injective's worked example", () => {
  const resting = { bids: "64210:1 64205:3 64200:2", asks: "64250:5 64370:2 64390:3" };
  const asks = `64180:2 64220:4 ${resting.asks}`;

  it("gives the same volume and fills; at their spot price where that is the reference", () => {
    const bids = `64370:4 64360:2 ${resting.bids}`;
    // They clear the spot market at the middle of the resting book, 64,230.
    expect(price(bids, asks, 64_230)).toEqual([64_230, 6, 0]);
    expect(shares("64370:4 64360:2", 6)).toEqual([4, 2]);
    expect(shares("64180:2 64220:4", 6)).toEqual([2, 4]);
  });

  it("is cleared below their perpetual's 64,300, where a resting seller at 64,250 would be left out", () => {
    // They match pairs until prices no longer cross and only then choose a price, the mark. 0.5 offered at 64,250 would take 64,300 and gets
    // nothing. Here the price is part of the choice: up to 64,249 everyone who accepts it is filled, so nearest to the mark is 64,249.
    const bids = `64370:4 64360:2 ${resting.bids}`;
    expect(price(bids, asks, 64_300)).toEqual([64_249, 6, 0]);
    const other = `64370:4 64360:1 ${resting.bids}`;
    expect(price(other, asks, 64_300)).toEqual([64_249, 5, -1]);
    expect(shares("64180:2 64220:4", 5)).toEqual([2, 3]);
  });

  it("sells at market at one price, where they fill resting orders each at its own", () => {
    // 0.1 at 64,210 and 0.2 at 64,205 make their 64,206.67. One price for all that fills 0.3 and leaves least over: 64,205.
    expect(price(resting.bids, "64100:3", 64_300)).toEqual([64_205, 3, 1]);
    expect(shares("64210:1 64205:3", 3)).toEqual([1, 2]);
  });
});
