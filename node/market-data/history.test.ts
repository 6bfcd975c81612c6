import { instrumentOf } from "@keel/modules/derivatives/instruments";
import { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { btcPerpetual } from "../app/testing/market-genesis.ts";
import { MemoryDatabase } from "../store/level/memory-database.ts";
import { HistoryReader, NEWEST } from "./history-reader.ts";
import { type HistoryWriter, openHistoryWriter, type Retention } from "./history-writer.ts";
import { isOfTheBook, type PlacedPrint, printOf } from "./prints.ts";
import { keepAll } from "./testing.ts";
import { fillView } from "./views.ts";

const instrument = instrumentOf(Market.fromPartial({ ...btcPerpetual(), id: 1, status: 1 }));
const find = (symbol: string) => (symbol === "BTC-PERP" ? instrument : undefined);
const marketOf = (id: number) => (id === 1 ? instrument : undefined);

const attributes = {
  market: "BTC-PERP",
  price: "65000.5",
  size: "0.002",
  side: "sell",
  maker: "keel1m/0",
  maker_order_id: "4",
  maker_fee: "-0.01",
  taker: "keel1t/1",
  taker_order_id: "9",
  taker_fee: "0.05",
  liquidation: "false",
};

function trade(height: number, number: number, timeMs: number): PlacedPrint {
  const print = printOf({ type: "trade", attributes }, find);
  if (print === null) throw new Error("expected a trade");
  return { ...print, height, number, timeMs };
}

describe("prints", () => {
  it("show both sides of a trade, each with its order, role and fee", () => {
    const print = trade(7, 2, 1_000);
    expect(print.parties.map((party) => fillView({ print, party }))).toEqual([
      expect.objectContaining({
        id: "7-2",
        side: "sell",
        role: "taker",
        fee: "0.05",
        order_id: "9",
      }),
      expect.objectContaining({
        id: "7-2",
        side: "buy",
        role: "maker",
        fee: "-0.01",
        order_id: "4",
      }),
    ]);
    expect(isOfTheBook(print)).toBe(true);
  });

  it.each<[string, Record<string, string>, unknown]>([
    [
      "auction_fill",
      {
        account: "keel1a/0",
        order_id: "3",
        side: "buy",
        price: "65000",
        size: "0.001",
        fee: "0.02",
      },
      { kind: "auction", isTrade: false, price: "65000", size: "0.001" },
    ],
    [
      "external_trade",
      {
        price: "65000",
        size: "0.1",
        side: "buy",
        buyer: "keel1b/0",
        buyer_fee: "1",
        seller: "keel1s/0",
        seller_fee: "2",
      },
      { kind: "external", isTrade: true, side: "buy" },
    ],
    [
      "deleverage",
      {
        account: "keel1a/0",
        counterparty: "keel1c/0",
        side: "sell",
        lots: "5",
        price_ticks: "650000",
      },
      { kind: "deleverage", isTrade: false, price: "65000", size: "0.005" },
    ],
    [
      "backstop_takeover",
      { account: "keel1a/0", backstop: "keel1v/1", side: "buy", lots: "5", mark_ticks: "650000" },
      { kind: "backstop", isTrade: false, price: "65000", size: "0.005" },
    ],
    [
      "position_settled",
      { account: "keel1a/0", lots: "-5", value_per_lot: "65000000", amount: "1" },
      { kind: "settlement", isTrade: false, price: "65000", size: "0.005" },
    ],
    [
      "position_transferred",
      { from: "keel1a/0", to: "keel1b/0", size: "-0.25", price: "65000", collateral: "1" },
      { kind: "transfer", isTrade: false, price: "65000", size: "0.25" },
    ],
  ])("are made of %s, which makes no candle", (type, more, expected) => {
    const print = printOf({ type, attributes: { market: "BTC-PERP", ...more } }, find);
    expect(print).toMatchObject(expected as object);
    expect(print === null || isOfTheBook(print)).toBe(false);
  });

  it("tell which way a position went that was settled, taken over or given away", () => {
    const sides = (type: string, more: Record<string, string>) =>
      printOf({ type, attributes: { market: "BTC-PERP", ...more } }, find)?.parties.map(
        ({ account, side }) => [account, side],
      );
    const settled = { account: "a", value_per_lot: "1" };
    expect(sides("position_settled", { ...settled, lots: "-5" })).toEqual([["a", "buy"]]);
    expect(sides("position_settled", { ...settled, lots: "5" })).toEqual([["a", "sell"]]);
    expect(sides("position_transferred", { from: "a", to: "b", size: "1", price: "1" })).toEqual([
      ["a", "sell"],
      ["b", "buy"],
    ]);
  });

  it("are none for events that are no prints, and of markets that are not known", () => {
    expect(printOf({ type: "order_placed", attributes }, find)).toBeNull();
    expect(printOf({ type: "trade", attributes: { ...attributes, market: "X" } }, find)).toBeNull();
  });
});

describe("history", () => {
  const minuteMs = 60_000;

  async function written(retention: Retention, minutes: number) {
    const database = new MemoryDatabase();
    const writer = await openHistoryWriter(database, retention);
    for (let height = 1; height <= minutes; height++) await block(writer, height);
    return { database, writer, history: new HistoryReader(database) };
  }

  async function block(writer: HistoryWriter, height: number): Promise<void> {
    const timeMs = height * minuteMs;
    const prints = [trade(height, 0, timeMs), trade(height, 1, timeMs)];
    const point = { timeMs, rate8hPpm: `${height}`, index: "0" };
    const funding = [{ market: 1, point }];
    await writer.write({ height, timeMs, prints, funding }, marketOf);
  }

  it("is read in pages from the newest on, without a gap or a repeat", async () => {
    const { history } = await written({ ...keepAll, periods: 1e6 }, 10);
    const ids: string[] = [];
    for (let before = NEWEST; ; ) {
      const { items, next } = await history.fills("keel1t/1", null, before, 3);
      ids.push(...items.map(({ print }) => `${print.height}-${print.number}`));
      if (next === null) break;
      before = next;
    }
    expect(ids).toHaveLength(20);
    expect(new Set(ids).size).toBe(20);
    expect(ids[0]).toBe("10-1");
    const none = await history.fills("keel1t/1", 2, NEWEST, 3);
    expect(none).toEqual({ items: [], next: null });
    expect((await history.fills("keel1t/10", null, NEWEST, 3)).items).toEqual([]);
    expect(await history.marketOf("BTC-PERP")).toBe(1);
    expect(await history.marketOf("BTC-PER")).toBeNull();
  });

  it("keeps trades and fills for its time, candles and rates by their number, and every index with them", async () => {
    const { database, history } = await written(
      { ...keepAll, printsMs: 30 * minuteMs, periods: 20 },
      100,
    );
    const trades = await history.trades(1, NEWEST, 1000);
    expect(trades.items.at(-1)?.height).toBe(71);
    expect(trades.items).toHaveLength(60);
    const fills = await history.fills("keel1m/0", null, NEWEST, 1000);
    expect(fills.items).toHaveLength(60);
    const all = { fromMs: 0, toMs: 1e12, limit: 1000 };
    expect(await history.candles(1, "1m", all)).toHaveLength(20);
    expect(await history.candles(1, "5m", all)).toHaveLength(20);
    expect((await history.candles(1, "1h", all)).map(({ trades: count }) => count)).toEqual([
      118, 82,
    ]);
    expect((await history.funding(1, 1e12, 1000))[0]?.rate8hPpm).toBe("100");
    let records = 0;
    for await (const _ of database.range({ from: Uint8Array.of(0x42), to: Uint8Array.of(0x45) }))
      records += 1;
    // A print, a trade of its market, a fill of each side.
    expect(records).toBe(60 * 4);
  });

  it("takes no block twice, and says since when it is whole after one was left out", async () => {
    const { database, history, writer } = await written({ ...keepAll, periods: 100 }, 3);
    await block(writer, 2);
    expect(await history.at()).toEqual({ height: 3, since: 1 });
    expect((await history.trades(1, NEWEST, 100)).items).toHaveLength(6);
    await block(writer, 7);
    expect(await history.at()).toEqual({ height: 7, since: 7 });
    const again = await openHistoryWriter(database, { ...keepAll, periods: 100 });
    expect(again.at).toEqual({ height: 7, since: 7 });
    const [hour] = await history.candles(1, "1h", { fromMs: 0, toMs: 1e12, limit: 10 });
    expect(hour).toMatchObject({
      trades: 8,
      lots: 16n,
      openTicks: 650_005,
      quanta: 16n * 65_000_500n,
    });
  });
});
