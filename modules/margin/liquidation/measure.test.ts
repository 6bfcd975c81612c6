import type { MarketMeasure } from "@keel/proto/gen/keel/margin/v1/ladder";
import { describe, expect, it } from "vitest";
import { averageQuanta, countedDepth, flowCapacity, flowUsed, measured } from "./measure.ts";
import { defaultLadder } from "./terms.ts";

const terms = defaultLadder();
const START = 1_000_000n;

function reading(timeMs: bigint, value: bigint, depth = 1_000n) {
  return { timeMs, quantaPerLot: value, notionalPerLot: value, bidDepth: depth, askDepth: depth };
}

function after(known: MarketMeasure, seconds: number, value: bigint, depth?: bigint) {
  return measured(
    terms,
    known,
    1,
    reading(known.sampledMs + BigInt(seconds * 1_000), value, depth),
  );
}

const first = measured(terms, undefined, 1, reading(START, 50_000_000n));

describe("what is measured of a market", () => {
  it("begins with what it sees", () => {
    expect(averageQuanta(first)).toBe(50_000_000n);
    expect(first.variance).toBe("0");
  });

  it("has forgotten all but 1/e of a price after a minute, in one step or in sixty", () => {
    const jump = 50_000_000 * 0.9;
    const wanted = jump + 5_000_000 / Math.E;
    expect(Number(averageQuanta(after(first, 60, 45_000_000n)))).toBeCloseTo(wanted, -1);
    let steps = first;
    for (let i = 0; i < 60; i++) steps = after(steps, 1, 45_000_000n);
    expect(Number(averageQuanta(steps))).toBeCloseTo(wanted, -1);
  });

  it("knows a jump of a tenth as an hourly volatility of a tenth, and forgets it with the hour", () => {
    const jumped = after(first, 1, 55_000_000n);
    const volatility = ({ variance }: MarketMeasure) => Math.sqrt(Number(variance) / 2 ** 64);
    expect(volatility(jumped)).toBeCloseTo(Math.log(1.1), 3);
    let calm = jumped;
    for (let i = 0; i < 60; i++) calm = after(calm, 60, 55_000_000n);
    expect(volatility(calm)).toBeCloseTo(Math.log(1.1) / Math.sqrt(Math.E), 2);
  });

  it("counts the lesser of the depth now and its average, less a fifth", () => {
    const shown = after(first, 1, 50_000_000n, 1_000_000n);
    expect(Number(shown.bidDepth)).toBeLessThan(5_000);
    expect(countedDepth(1_000_000n, 1_000n, 800_000n)).toBe(800n);
    expect(countedDepth(100n, 1_000n, 800_000n)).toBe(80n);
  });
});

describe("the flow that a book is given", () => {
  it("is a quarter of its depth, and always one clip", () => {
    expect(flowCapacity(terms, 4_000n, 500n)).toBe(1_000n);
    expect(flowCapacity(terms, 0n, 500n)).toBe(500n);
  });

  it("is forgiven within ten seconds, and no sooner", () => {
    const used = { ...first, sold: "1000", bought: "300" };
    const at = (side: "sell" | "buy", ms: bigint): bigint =>
      flowUsed(terms, used, { side, capacity: 1_000n, nowMs: START + ms });
    expect(at("sell", 0n)).toBe(1_000n);
    expect(at("sell", 5_000n)).toBe(500n);
    expect(at("buy", 5_000n)).toBe(0n);
    expect(at("sell", 10_000n)).toBe(0n);
  });
});
