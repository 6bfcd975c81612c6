/** Two validators with market data: a book kept from the stream, and histories that agree through kills and a lost database. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { candles, fills, trades } from "@keel/client/history";
import { KeelClient } from "@keel/client/keel-client";
import { MarketStream } from "@keel/client/market-stream";
import { KeelSigningClient } from "@keel/client/signing-client";
import type { StreamFill, StreamOrder, StreamTrade } from "@keel/client/stream-topics";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { roleWallet } from "../keys/roles.ts";
import { commonHeight, looksOf } from "./chain-history.ts";
import type { TestNetwork } from "./harness.ts";
import { createTestNetwork } from "./harness.ts";

const WAIT_MS = 90_000;
const MARKET = "BTC-USD-PERP";

let test: TestNetwork;
let chain: KeelClient;
let stream: MarketStream;

const rpcOf = (index: number): string => test.network.nodes[index]?.rpc as string;

beforeAll(async () => {
  test = await createTestNetwork(2, { "market_data.enabled": true });
  test.network.start();
  await test.network.waitForHeight(3, WAIT_MS);
  chain = await KeelClient.connect(rpcOf(0));
  stream = new MarketStream(rpcOf(0));
}, WAIT_MS + 30_000);

afterAll(async () => {
  stream?.close();
  chain?.disconnect();
  await test.remove();
});

async function trader(name: Parameters<typeof roleWallet>[0]): Promise<KeelSigningClient> {
  const client = await KeelSigningClient.connectWithSigner(chain, (await roleWallet(name)).signer, {
    unordered: true,
  });
  await client.deposit("100000");
  return client;
}

/** Bids and asks around the mark that meet each other now and then. */
async function trade(traders: readonly KeelSigningClient[], rounds: number, salt: number) {
  for (let round = 0; round < rounds; round++) {
    const { markPrice } = await chain.market(MARKET);
    const mark = Math.round(Number(markPrice));
    await Promise.all(
      traders.map((one, who) =>
        one.batch({
          orders: [0, 1, 2].map((at) => {
            const side = (round + who + at) % 2 === 0 ? ("buy" as const) : ("sell" as const);
            const away = ((round * 7 + at * 5 + who * 3 + salt) % 13) - 4;
            const price = `${mark + (side === "buy" ? -away : away) * 10}`;
            return { market: MARKET, side, price, size: `0.00${1 + ((round + at) % 5)}` };
          }),
        }),
      ),
    );
  }
}

async function waitFor(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Everything a node's history says about the market, once it has come to `height`. */
async function historyOf(rpc: string, account: string, height: number) {
  const client = await KeelClient.connect(rpc, { streaming: false });
  try {
    await waitFor(`history of ${rpc}`, async () => {
      try {
        return (await trades(client, MARKET)).height >= height;
      } catch {
        return false;
      }
    });
    const all: StreamTrade[] = [];
    for (let before: string | undefined; ; ) {
      const page = await trades(client, MARKET, { limit: 40, ...(before ? { before } : {}) });
      all.push(...page.items.filter((one) => one.height <= height));
      if (page.next === null) break;
      before = page.next;
    }
    const mine = await fills(client, account, { limit: 1000 });
    const resolutions = ["1m", "5m", "15m", "1h", "4h", "1d"] as const;
    return {
      since: mine.completeSince,
      trades: all,
      fills: mine.items.filter((one) => one.height <= height),
      candles: await Promise.all(resolutions.map((each) => candles(client, MARKET, each))),
    };
  } finally {
    client.disconnect();
  }
}

describe("market data of a running network", () => {
  it("keeps a subscriber's book, and the histories of both nodes, in agreement with the chain", {
    timeout: 4 * WAIT_MS,
  }, async () => {
    const [alice, bob] = [await trader("alice"), await trader("bob")];
    const account = `${alice.address}/0`;
    const { book, ready } = stream.book(MARKET);
    const seen: StreamTrade[] = [];
    const filled: StreamFill[] = [];
    const orders = new Map<string, StreamOrder>();
    let size = "0";
    const following = [
      stream.trades(MARKET, ({ data, type }) => void (type === "update" && seen.push(...data))),
      stream.fills(account, ({ data, type }) => void (type === "update" && filled.push(...data))),
      stream.orders(account, ({ data }) => {
        for (const order of data) {
          if (order.status === "open") orders.set(order.order_id, order);
          else orders.delete(order.order_id);
        }
      }),
      stream.positions(account, ({ data }) => {
        size = data.positions[0]?.size ?? "0";
      }),
    ];
    await Promise.all([ready, ...following.map((one) => one.ready)]);

    await trade([alice, bob], 8, 0);
    const [, victim] = test.network.nodes;
    if (victim === undefined) throw new Error("expected two nodes");
    await victim.process.kill();
    victim.process.start();
    await trade([alice, bob], 5, 3);
    await victim.process.kill();
    // A lost database is made again from the blocks' records.
    rmSync(join(victim.process.home, "data", "market.db"), { recursive: true });
    victim.process.start();
    await trade([alice, bob], 5, 5);

    const height = await commonHeight(looksOf(test.network));
    await waitFor("the stream", () => book.height >= height || book.sequence > 0);
    await waitFor("the same book", async () => {
      const asked = await chain.orderBook(MARKET, 500);
      if (asked.sequence !== BigInt(book.sequence)) return false;
      expect(book.checksum()).toBe(asked.checksum);
      expect(book.bids()).toEqual(asked.bids);
      expect(book.asks()).toEqual(asked.asks);
      return true;
    });
    const byOrders = await chain.ask((await import("@keel/client/queries")).methods.bookOrders, {
      market: MARKET,
      limit: 0,
    });
    expect([byOrders.checksum, byOrders.sequence]).toEqual([
      book.checksum(),
      BigInt(book.sequence),
    ]);
    expect([...orders.keys()].sort()).toEqual(
      (await alice.openOrders()).map(({ orderId }) => orderId.toString()).sort(),
    );
    expect(size).toBe((await alice.positions())[0]?.size ?? "0");
    expect(seen.length).toBeGreaterThan(10);
    expect(filled.length).toBeGreaterThan(5);

    const last = await commonHeight(looksOf(test.network));
    const [one, other] = await Promise.all(
      [0, 1].map((index) => historyOf(rpcOf(index), account, last)),
    );
    expect(other).toEqual(one);
    expect(one?.since).toBe(1);
    expect(one?.trades.slice(0, seen.length)).toEqual([...seen].reverse());
    expect(one?.fills.slice(0, filled.length)).toEqual([...filled].reverse());
    const volume = one?.trades.reduce(
      (sum, { size: lots }) => sum + Math.round(Number(lots) * 1e6),
      0,
    );
    for (const made of one?.candles ?? []) {
      const total = made.reduce((sum, candle) => sum + Math.round(Number(candle.volume) * 1e6), 0);
      expect(total).toBe(volume);
    }
  });
});
