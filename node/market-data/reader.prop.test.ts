/** Over random blocks: what a follower keeps from the texts is what the state says, and history is what the trades come to. */

import { defaultAuctionTerms } from "@keel/modules/derivatives/defaults";
import {
  QueryOrderBookRequest,
  QueryOrderBookResponse,
  QueryOrdersRequest,
  QueryOrdersResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { QueryAccountRequest, QueryAccountResponse } from "@keel/proto/gen/keel/margin/v1/query";
import { describe, expect, it } from "vitest";
import { auctionMarketState } from "../app/testing/auction-load.ts";
import type { TestChain } from "../app/testing/chain.ts";
import { depositMessage, priceTx } from "../app/testing/market-load.ts";
import { MemoryDatabase } from "../store/level/memory-database.ts";
import { type Candle, candleView, lengthMs, RESOLUTIONS } from "./candles.ts";
import { HistoryReader, NEWEST } from "./history-reader.ts";
import type { OrderUpdate } from "./order-updates.ts";
import type { PlacedPrint } from "./prints.ts";
import { openMarketReader } from "./reader.ts";
import {
  KeptBook,
  keepAll,
  MARKET,
  type ReadChain,
  randomTxs,
  readChain,
  seeded,
  textsOf,
} from "./testing.ts";

const BLOCKS = 25;
const ACCOUNTS = 5;

async function query<Q, R>(
  chain: TestChain,
  path: string,
  codec: { encode(value: Q): { finish(): Uint8Array } },
  request: Q,
  answer: { decode(bytes: Uint8Array): R },
): Promise<R> {
  const data = codec.encode(request).finish();
  const result = await chain.app.query({ path, data, height: 0, prove: false });
  if (result.code !== 0) throw new Error(result.log);
  return answer.decode(result.value);
}

const bookOf = (chain: TestChain) =>
  query(
    chain,
    "/keel.derivatives.v1.Query/OrderBook",
    QueryOrderBookRequest,
    { market: MARKET, depth: 500 },
    QueryOrderBookResponse,
  );

async function opened(appState: Record<string, unknown> = {}): Promise<ReadChain> {
  const read = await readChain({ extensionsFrom: 1, accounts: ACCOUNTS, appState });
  await read.chain.start();
  await read.decide([]);
  const deposits = read.chain.accounts.map((one) => one.sign([depositMessage(one, "500000000")]));
  await read.decide([priceTx(read.chain), ...deposits]);
  return read;
}

const topics = (chain: TestChain) => {
  const account = `${chain.account(0).address}/0`;
  return {
    account,
    book: { key: `book:${MARKET}`, channel: "book", market: MARKET } as const,
    trades: { key: `trades:${MARKET}`, channel: "trades", market: MARKET } as const,
    candles: {
      key: `candles:1m:${MARKET}`,
      channel: "candles",
      market: MARKET,
      resolution: "1m",
    } as const,
    orders: { key: `orders:${account}`, channel: "orders", account } as const,
    fills: { key: `fills:${account}`, channel: "fills", account } as const,
    positions: { key: `positions:${account}`, channel: "positions", account } as const,
  };
};

const dataOf = (tail: string): unknown => JSON.parse(`{"type":"snapshot"${tail}`).data;

/** The same, worked out from all trades at once. */
function naiveCandles(trades: readonly PlacedPrint[], resolution: (typeof RESOLUTIONS)[number]) {
  const groups = new Map<number, PlacedPrint[]>();
  for (const trade of trades) {
    const start = trade.timeMs - (trade.timeMs % lengthMs(resolution));
    groups.set(start, [...(groups.get(start) ?? []), trade]);
  }
  return [...groups].map(([start, mine]) => {
    const prices = mine.map(({ price }) => Number(price));
    const thousandths = mine.reduce((sum, { size }) => sum + Math.round(Number(size) * 1000), 0);
    return {
      start_ms: start,
      open: mine[0]?.price,
      high: `${Math.max(...prices)}`,
      low: `${Math.min(...prices)}`,
      close: mine.at(-1)?.price,
      volume: `${thousandths / 1000}`,
      trades: mine.length,
    };
  });
}

async function allTrades(database: MemoryDatabase): Promise<PlacedPrint[]> {
  const history = new HistoryReader(database);
  const found: PlacedPrint[] = [];
  for (let before = NEWEST; ; ) {
    const { items, next } = await history.trades(1, before, 7);
    found.push(...items);
    if (next === null) return found.reverse();
    before = next;
  }
}

async function allCandles(read: ReadChain, resolution: (typeof RESOLUTIONS)[number]) {
  const range = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, limit: 1000 };
  const found: Candle[] = await new HistoryReader(read.database).candles(1, resolution, range);
  const { Market } = await import("@keel/proto/gen/keel/derivatives/v1/types");
  const { instrumentOf } = await import("@keel/modules/derivatives/instruments");
  const { btcPerpetual } = await import("../app/testing/market-genesis.ts");
  const instrument = instrumentOf(Market.fromPartial({ ...btcPerpetual(), id: 1, status: 1 }));
  return found.map((candle) => candleView(instrument, candle));
}

describe.each([
  ["that matches at once", {}],
  ["with batch auctions", auctionMarketState(defaultAuctionTerms())],
])("in a market %s", (_name, appState) => {
  it.each([1, 2])(
    "followers keep what the state says, block by block (seed %i)",
    { timeout: 120_000 },
    async (seed) => {
      const read = await opened(appState);
      const { chain, reader } = read;
      const pick = seeded(seed);
      const followed = topics(chain);
      const book = new KeptBook();
      const orders = new Map<string, OrderUpdate>();
      const trades: unknown[] = [];
      const fills: unknown[] = [];
      let candles = new Map<number, unknown>();
      let positions: unknown;
      for (let block = 0; block < BLOCKS; block++) {
        if (block === 5) {
          book.take(dataOf((await reader.follow(followed.book, null)).tail) as never);
          for (const order of dataOf(
            (await reader.follow(followed.orders, null)).tail,
          ) as OrderUpdate[])
            orders.set(order.order_id, order);
          for (const topic of [
            followed.trades,
            followed.fills,
            followed.candles,
            followed.positions,
          ])
            await reader.follow(topic, topic.channel === "positions" ? await seedOf(chain) : null);
        }
        const { response, published } = await read.decide(randomTxs(chain, pick));
        expect(published.height).toBe(chain.height);
        if (block < 5) continue;

        for (const message of textsOf(published, followed.book.key))
          book.take(message["data"] as never);
        const asked = await bookOf(chain);
        expect(book.sorted("bids")).toEqual(asked.bids);
        expect(book.sorted("asks")).toEqual(asked.asks);
        expect([BigInt(book.sequence), book.checksum()]).toEqual([asked.sequence, asked.checksum]);

        for (const message of textsOf(published, followed.orders.key)) {
          for (const order of message["data"] as OrderUpdate[]) {
            if (order.status === "open" || order.status === "waiting")
              orders.set(order.order_id, order);
            else orders.delete(order.order_id);
          }
        }
        const open = await query(
          chain,
          "/keel.derivatives.v1.Query/Orders",
          QueryOrdersRequest,
          { owner: chain.account(0).address, subaccount: 0, market: MARKET },
          QueryOrdersResponse,
        );
        const kept = [...orders.values()].map((one) => [one.order_id, one.remaining, one.price]);
        const stored = open.orders.map((one) => [
          one.orderId.toString(),
          one.remainingSize,
          one.price,
        ]);
        expect(kept.sort()).toEqual(stored.sort());

        for (const message of textsOf(published, followed.trades.key))
          trades.push(...(message["data"] as unknown[]));
        for (const message of textsOf(published, followed.fills.key))
          fills.push(...(message["data"] as unknown[]));
        for (const message of textsOf(published, followed.candles.key))
          for (const candle of message["data"] as { start_ms: number }[])
            candles = candles.set(candle.start_ms, candle);
        for (const message of textsOf(published, followed.positions.key))
          positions = message["data"];
        expect(response.txResults[0]?.code).toBe(0);
      }
      expect(chain.faults).toEqual([]);
      expect(trades.length).toBeGreaterThan(10);
      expect(fills.length).toBeGreaterThan(3);

      const stored = await allTrades(read.database);
      expect(trades).toEqual(
        stored.slice(-trades.length).map((one) =>
          expect.objectContaining({
            id: `${one.height}-${one.number}`,
            price: one.price,
            size: one.size,
          }),
        ),
      );
      for (const resolution of RESOLUTIONS) {
        const made = await allCandles(read, resolution);
        expect(made).toEqual(
          naiveCandles(stored, resolution).map((one) => expect.objectContaining(one)),
        );
      }
      expect(await lastCandle(read)).toEqual([...candles.values()].at(-1));

      const account = await query(
        chain,
        "/keel.margin.v1.Query/Account",
        QueryAccountRequest,
        { owner: chain.account(0).address, subaccount: 0 },
        QueryAccountResponse,
      );
      const held = positions as { positions: { market: string; size: string }[] };
      const lots = BigInt(account.account?.positions[0]?.lots ?? "0");
      expect(held.positions.map(({ size }) => Number(size) * 1000)).toEqual(
        lots === 0n ? [] : [expect.closeTo(Number(lots), 6)],
      );
    },
  );
});

async function lastCandle(read: ReadChain): Promise<unknown> {
  return (await allCandles(read, "1m")).at(-1);
}

async function seedOf(chain: TestChain) {
  const key = Uint8Array.from([1, ...chain.account(0).bytes, 0, 0, 0, 0]);
  return { height: chain.height, value: chain.store.get("margin", key, chain.height) };
}

describe("a reader that starts later", () => {
  it("makes the same history of the same blocks, wherever it was stopped before", async () => {
    const read = await opened();
    const pick = seeded(9);
    for (let block = 0; block < 12; block++) await read.decide(randomTxs(read.chain, pick));
    const whole = await dump(read.database);
    for (const stopAt of [1, 7, 14]) {
      const database = new MemoryDatabase();
      const options = { database, retention: keepAll, addressPrefix: "keel" };
      const first = await openMarketReader(options);
      for (const input of read.inputs.slice(0, stopAt)) await first.block(input);
      // A crash keeps some of the batches, never a part of one.
      const crashed = database.crashed(Math.floor(stopAt / 2));
      const second = await openMarketReader({ ...options, database: crashed });
      expect(second.history.height).toBe(Math.floor(stopAt / 2));
      for (const input of read.inputs) await second.block(input);
      expect(await dump(crashed)).toEqual(whole);
      expect(second.history).toEqual({ height: read.chain.height, since: 1 });
    }
  });
});

async function dump(database: MemoryDatabase): Promise<string[]> {
  const records: string[] = [];
  const all = { from: Uint8Array.of(0), to: Uint8Array.of(255) };
  for await (const [key, value] of database.range(all))
    records.push(`${Buffer.from(key).toString("hex")} ${Buffer.from(value).toString("hex")}`);
  return records;
}
