import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseBars, readBars } from "./csv.ts";
import { createGenerator } from "./generator.ts";
import { createReplay, priceAt } from "./replay.ts";

const HEADER = "open_time_ms,open,high,low,close,volume,trades";
const ROWS = `${HEADER}\n60000,100.5,103,99.25,102,1,1\n120000,102,102.5,90,91,1,1\n`;
const OCTOBER = new URL("../../../shared/data/btcusdt-1m-2025-10-10.csv", import.meta.url).pathname;

describe("csv bars", () => {
  it("plays open, extremes in the plausible order, and close", () => {
    const bars = parseBars(ROWS, "prices.csv");
    const at = (ms: number): number => Number(priceAt(bars, ms)) / 1e8;
    expect([0, 60_000, 75_000, 90_000, 105_000].map(at)).toEqual([100.5, 100.5, 99.25, 103, 102]);
    expect([120_000, 135_000, 150_000, 165_000, 9e9].map(at)).toEqual([102, 102.5, 90, 91, 91]);
  });

  it("names file, line and reason of a bad line", () => {
    const bad: [string, string][] = [
      [`${HEADER}\n60000,1,2,1,x,1,1\n`, 'f.csv:2: expected a decimal as close, got "x"'],
      [`${HEADER}\n60000,1,2\n`, "f.csv:2: expected 7 fields, got 3"],
      [`${HEADER}\nnow,1,2,1,1,1,1\n`, 'f.csv:2: expected a whole number as time, got "now"'],
      [
        `${HEADER}\n60000,1,2,1,1,1,1\n60000,1,2,1,1,1,1\n`,
        "f.csv:3: expected a time after 60000, got 60000",
      ],
      [`${HEADER}\n60000,1,2,1.5,1,1,1\n`, "f.csv:2: expected open between low and high"],
      [`${HEADER}\n60000,0,2,0,1,1,1\n`, "f.csv:2: expected open above zero"],
      ["a,b\n1,2\n", 'f.csv:1: expected a column "unix_timestamp" or "open_time_ms", got "a,b"'],
      [`${HEADER}\n60000,1,2,1,1,1,1\n`, "f.csv:3: expected at least two rows"],
    ];
    for (const [text, message] of bad) expect(() => parseBars(text, "f.csv")).toThrow(message);
    expect(() => readBars("/nonexistent/prices.csv")).toThrow(
      /^\/nonexistent\/prices\.csv: no such file$/,
    );
  });

  it("reads the crash of 10 October 2025", ({ skip }) => {
    skip(!existsSync(OCTOBER), `no price file ${OCTOBER}`);
    const { bars, intervalMs } = readBars(OCTOBER);
    expect([bars.length, intervalMs]).toEqual([131, 60_000]);
    const lows = bars.map((bar) => Number(bar.low) / 1e8);
    expect(Math.min(...lows)).toBe(101_516.5);
  });

  it("quotes a confidence width", () => {
    const feed = createReplay("BTC-USD", parseBars(ROWS, "f.csv"), () => 60_000);
    expect(feed.latest()).toEqual([
      { symbol: "BTC-USD", priceE8: 10_050_000_000n, confidenceE8: 2_010_000n },
    ]);
  });
});

describe("generator", () => {
  const options = { symbol: "BTC-USD", seed: 7, startMs: 0, startPrice: 60_000 };

  it("is a function of seed and time, however often it is asked", () => {
    let now = 0;
    const often = createGenerator(options, () => now);
    for (now = 0; now < 3_600_000; now += 777) often.latest();
    now = 3_600_000;
    const once = createGenerator(options, () => 3_600_000);
    expect(often.latest()).toEqual(once.latest());
    const other = createGenerator({ ...options, seed: 8 }, () => 3_600_000);
    expect(other.latest()).not.toEqual(once.latest());
  });

  it("has calm hours and crashes, and stays above its floor", () => {
    let now = 0;
    const feed = createGenerator({ ...options, seed: 3 }, () => now);
    const widths = new Set<string>();
    let worst = 0;
    let before = 60_000;
    for (now = 0; now < 48 * 3_600_000; now += 60_000) {
      const [quote] = feed.latest();
      const price = Number(quote?.priceE8 ?? 0n) / 1e8;
      worst = Math.min(worst, price / before - 1);
      before = price;
      widths.add(((Number(quote?.confidenceE8) / Number(quote?.priceE8)) * 1e6).toFixed(0));
      expect(price).toBeGreaterThanOrEqual(60_000 * 0.02);
    }
    expect(widths).toEqual(new Set(["200", "2000"]));
    expect(worst).toBeLessThan(-0.02);
  });
});
