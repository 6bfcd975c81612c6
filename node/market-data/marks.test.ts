import { QueryMarketResponse } from "@keel/proto/gen/keel/derivatives/v1/query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { btcPerpetual } from "../app/testing/market-genesis.ts";
import { MARKS_INTERVAL_MS, MARKS_PAUSE_SHARE } from "./limits.ts";
import { Marks } from "./marks.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("marks", () => {
  it("are read again after a pause that grows with what reading them takes", async () => {
    const readMs = 1_000;
    const reads: number[] = [];
    const view = QueryMarketResponse.fromPartial({ market: { market: btcPerpetual() } });
    const marks = new Marks(
      {
        async query({ path }) {
          const isMarket = path.endsWith("/Market");
          if (isMarket) reads.push(performance.now());
          if (isMarket) await new Promise((resolve) => setTimeout(resolve, readMs));
          const value = isMarket ? QueryMarketResponse.encode(view).finish() : new Uint8Array(0);
          return { code: isMarket ? 0 : 1, value, height: 1 } as never;
        },
      },
      () => undefined,
    );
    const followed = marks.follow({ channel: "marks", market: "BTC-PERP", key: "marks:BTC-PERP" });
    await vi.advanceTimersByTimeAsync(readMs);
    await followed;
    for (let ms = 0; ms < 12_000; ms += 50) {
      marks.committed(ms, ms);
      await vi.advanceTimersByTimeAsync(50);
    }
    marks.close();
    const pauses = reads.slice(2).map((at, i) => at - (reads[i + 1] as number) - readMs);
    expect(reads.length).toBeGreaterThanOrEqual(4);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(MARKS_PAUSE_SHARE * readMs);
    expect(MARKS_INTERVAL_MS).toBeLessThan(readMs);
  });
});
