import { instrumentOf } from "@keel/modules/derivatives/instruments";
import { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { btcPerpetual } from "../app/testing/market-genesis.ts";
import { prefixes } from "../store/level/keys.ts";
import { MemoryDatabase } from "../store/level/memory-database.ts";
import { HistoryReader, NEWEST } from "./history-reader.ts";
import { type HistoryWriter, openHistoryWriter, type Retention } from "./history-writer.ts";
import { GONE_PRUNED_PER_BLOCK } from "./limits.ts";
import type { PlacedPrint } from "./prints.ts";
import { keepAll } from "./testing.ts";

const minuteMs = 60_000;
const perpetual = instrumentOf(Market.fromPartial({ ...btcPerpetual(), id: 1, status: 1 }));
const everything = { fromMs: 0, toMs: 1e15, limit: 1_000_000 };

/** A chain of markets by number; those in `listed` are in its state. */
class Scene {
  readonly database: MemoryDatabase = new MemoryDatabase();
  readonly history: HistoryReader = new HistoryReader(this.database);
  readonly listed: Set<number> = new Set();
  writer!: HistoryWriter;
  height = 0;

  async open(retention: Partial<Retention>): Promise<this> {
    this.writer = await openHistoryWriter(this.database, { ...keepAll, printsMs: 0, ...retention });
    return this;
  }

  /** One minute, in which these markets trade under these names. */
  async block(...traded: (readonly [market: number, symbol: string])[]): Promise<void> {
    const height = ++this.height;
    const timeMs = height * minuteMs;
    const prints = traded.map(([market, symbol], number): PlacedPrint => {
      const parties = [
        { account: "keel1a/0", side: "buy", role: "", orderId: "", fee: "0" },
      ] as const;
      const price = { price: "65000", size: "0.001", side: "buy" } as const;
      return {
        ...price,
        height,
        number,
        timeMs,
        market,
        symbol,
        kind: "book",
        isTrade: true,
        parties,
      };
    });
    const funding = traded.map(([market]) => ({
      market,
      point: { timeMs, rate8hPpm: "1", index: "0" },
    }));
    await this.writer.write({ height, timeMs, prints, funding }, (id) =>
      this.listed.has(id) ? perpetual : undefined,
    );
  }

  async idle(minutes: number): Promise<void> {
    for (let i = 0; i < minutes; i++) await this.block();
  }

  async candles(market: number): Promise<number> {
    return (await this.history.candles(market, "1m", everything)).length;
  }

  /** Records of candles, rates, names and ends. */
  async records(): Promise<number> {
    let count = 0;
    for (const prefix of [
      prefixes.candle,
      prefixes.fundingRate,
      prefixes.marketBySymbol,
      prefixes.goneMarket,
    ]) {
      const range = { from: Uint8Array.of(prefix), to: Uint8Array.of(prefix + 1) };
      for await (const _ of this.database.range(range)) count += 1;
    }
    return count;
  }
}

describe("a market that is gone", () => {
  it("keeps its history for its time, and then everything of it leaves, and of no other", async () => {
    const scene = await new Scene().open({ goneMs: 30 * minuteMs });
    scene.listed.add(1).add(2);
    for (let i = 0; i < 10; i++) await scene.block([1, "OLD"], [2, "LIVE"]);
    scene.listed.delete(1);
    await scene.idle(20);
    expect([await scene.candles(1), await scene.candles(2)]).toEqual([10, 10]);
    expect(await scene.history.marketOf("OLD")).toBe(1);
    const live = await scene.records();
    await scene.idle(20);
    expect([await scene.candles(1), await scene.candles(2)]).toEqual([0, 10]);
    expect(await scene.history.funding(1, 1e15, 100)).toEqual([]);
    expect(await scene.history.marketOf("OLD")).toBeNull();
    expect(await scene.history.marketOf("LIVE")).toBe(2);
    // Half of the candles, rates and names, and the record of its end.
    expect(await scene.records()).toBe((live - 1) / 2);
    await scene.idle(100);
    expect(await scene.candles(2)).toBe(10);
  });

  it("is not forgotten while fills of it are found by its name", async () => {
    const scene = await new Scene().open({ goneMs: 0, printsMs: 60 * minuteMs });
    scene.listed.add(1);
    await scene.block([1, "OLD"]);
    scene.listed.delete(1);
    await scene.idle(55);
    expect((await scene.history.trades(1, NEWEST, 10)).items).toHaveLength(1);
    expect(await scene.history.marketOf("OLD")).toBe(1);
    await scene.idle(10);
    expect((await scene.history.trades(1, NEWEST, 10)).items).toHaveLength(0);
    expect(await scene.history.marketOf("OLD")).toBeNull();
  });

  it("leaves sooner when there are too many, the oldest first", async () => {
    const scene = await new Scene().open({ goneMarkets: 2 });
    for (let market = 1; market <= 5; market++) {
      scene.listed.add(market);
      await scene.block([market, `M${market}`]);
      scene.listed.delete(market);
      await scene.idle(10);
    }
    const kept = await Promise.all([1, 2, 3, 4, 5].map((market) => scene.candles(market)));
    expect(kept).toEqual([0, 0, 0, 1, 1]);
  });

  it("loses a bounded number of records per block", async () => {
    const scene = await new Scene().open({ goneMs: minuteMs });
    scene.listed.add(1);
    for (let i = 0; i < 2 * GONE_PRUNED_PER_BLOCK; i++) await scene.block([1, "OLD"]);
    scene.listed.delete(1);
    let before = await scene.records();
    for (let block = 0; (await scene.history.marketOf("OLD")) !== null; block++) {
      if (block > 50) throw new Error("never forgotten");
      await scene.idle(1);
      const now = await scene.records();
      expect(before - now).toBeLessThanOrEqual(GONE_PRUNED_PER_BLOCK + 2);
      before = now;
    }
    expect(await scene.records()).toBe(0);
  });

  it("is found after a restart, counted from when it was seen first, and also when it went while nobody looked", async () => {
    const scene = await new Scene().open({ goneMs: 30 * minuteMs });
    scene.listed.add(1).add(2).add(3);
    await scene.block([1, "ONE"], [2, "TWO"], [3, "THREE"]);
    scene.listed.delete(1);
    await scene.idle(20);
    await scene.open({ goneMs: 30 * minuteMs });
    scene.listed.delete(2);
    await scene.idle(15);
    expect([await scene.candles(1), await scene.candles(2), await scene.candles(3)]).toEqual([
      0, 1, 1,
    ]);
    await scene.idle(30);
    expect([await scene.candles(2), await scene.candles(3)]).toEqual([0, 1]);
  });

  it("does not take its name along when another market has it", async () => {
    const scene = await new Scene().open({ goneMs: 10 * minuteMs });
    scene.listed.add(1);
    await scene.block([1, "SAME"]);
    scene.listed.delete(1);
    scene.listed.add(2);
    await scene.block([2, "SAME"]);
    await scene.idle(30);
    expect([await scene.candles(1), await scene.candles(2)]).toEqual([0, 1]);
    expect(await scene.history.marketOf("SAME")).toBe(2);
  });

  it("comes back when it was listed all along and only looked gone", async () => {
    const scene = await new Scene().open({ goneMs: 10 * minuteMs });
    scene.listed.add(1);
    await scene.block([1, "ONE"]);
    scene.listed.delete(1);
    await scene.idle(5);
    scene.listed.add(1);
    await scene.idle(30);
    expect(await scene.candles(1)).toBe(1);
    expect(await scene.history.marketOf("ONE")).toBe(1);
  });
});
