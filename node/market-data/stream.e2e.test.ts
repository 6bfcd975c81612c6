/** `/stream` and the history methods of one running node, by hand-made sockets and requests; and a node that has neither. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { TestSigner } from "../app/testing/signer.ts";
import { initHome } from "../cli/init.ts";
import { homePaths, readConfig } from "../config/files.ts";
import type { FileValues } from "../config/template.ts";
import { createGenesisText } from "../genesis/create.ts";
import { createLogger } from "../logging/logger.ts";
import { type RunningNode, startNode } from "../node.ts";
import { MESSAGE_BYTES_MAX, MESSAGES_BURST_MAX } from "./limits.ts";

const MARKET = "BTC-USD-PERP";
const holder = new TestSigner("stream holder", "keel-stream-1", "keel");
const homes: string[] = [];
const nodes: RunningNode[] = [];

async function start(values: FileValues): Promise<RunningNode> {
  const home = mkdtempSync(join(tmpdir(), "keel-stream-"));
  homes.push(home);
  const { pubKey } = await initHome(home, {
    "rpc.laddr": "tcp://127.0.0.1:0",
    "p2p.laddr": "tcp://127.0.0.1:0",
    "oracle.source": "generator",
    "crypto.workers": 0,
    "consensus.empty_block_interval": "150ms",
    "consensus.min_block_interval": "50ms",
    ...values,
  });
  const genesis = createGenesisText({
    chainId: "keel-stream-1",
    genesisTime: timestampFromMs(Date.now()),
    validators: [{ pubKey, power: 10n, name: "one" }],
    accounts: [{ address: holder.address, coins: [{ denom: "ukeel", amount: 1_000_000n }] }],
    authority: null,
  });
  writeFileSync(homePaths(home).genesis, genesis);
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  const node = await startNode({
    config: readConfig(home),
    log: createLogger({ level: "error", format: "plain", stream }),
    onFatal: (sentence) => {
      throw new Error(sentence);
    },
  });
  nodes.push(node);
  while (node.state().lastHeight < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  return node;
}

let node: RunningNode;

beforeAll(async () => {
  node = await start({ "market_data.max_stream_clients": 2 });
  // The reader starts beside the node.
  while (Number((await get(node, "market_data_status")).result?.["height"]) < 3)
    await new Promise((resolve) => setTimeout(resolve, 20));
}, 60_000);

afterAll(async () => {
  for (const one of nodes) await one.stop();
  for (const home of homes) rmSync(home, { recursive: true, force: true });
}, 30_000);

interface Talk {
  readonly socket: WebSocket;
  readonly closed: Promise<readonly [number, string]>;
  /** The next message that is no heartbeat. */
  next(): Promise<Record<string, unknown>>;
}

async function talk(to: RunningNode = node, path = "/stream"): Promise<Talk> {
  const socket = new WebSocket(`ws://127.0.0.1:${to.rpcPort}${path}`);
  const messages: Record<string, unknown>[] = [];
  const waiting: ((message: Record<string, unknown>) => void)[] = [];
  socket.on("message", (data) => {
    const message = JSON.parse(data.toString()) as Record<string, unknown>;
    if (message["type"] === "heartbeat") return;
    const one = waiting.shift();
    if (one === undefined) messages.push(message);
    else one(message);
  });
  const closed = new Promise<readonly [number, string]>((resolve) => {
    socket.on("close", (code, reason) => resolve([code, reason.toString()]));
  });
  await new Promise<void>((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
  });
  return {
    socket,
    closed,
    next: () => {
      const one = messages.shift();
      return one === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(one);
    },
  };
}

async function get(from: RunningNode, path: string) {
  const response = await fetch(`http://127.0.0.1:${from.rpcPort}/${path}`);
  const body = (await response.json()) as {
    result?: Record<string, unknown>;
    error?: { code: number; data: string };
  };
  return body;
}

const say = ({ socket }: Talk, message: unknown): void => socket.send(JSON.stringify(message));

describe("/stream", () => {
  it("gives every channel a snapshot, and marks as they move", async () => {
    const one = await talk();
    const account = holder.address;
    const asked = [
      { channel: "book", market: MARKET },
      { channel: "trades", market: MARKET },
      { channel: "candles", market: MARKET, resolution: "1m" },
      { channel: "orders", account },
      { channel: "fills", account },
      { channel: "positions", account },
    ];
    for (const [id, topic] of asked.entries()) {
      say(one, { op: "subscribe", id, ...topic });
      const snapshot = await one.next();
      expect(snapshot).toMatchObject({ type: "snapshot", id, channel: topic.channel });
      expect(snapshot["height"]).toBeGreaterThan(0);
    }
    say(one, { op: "subscribe", channel: "marks", market: MARKET });
    const marks = await one.next();
    expect(marks).toMatchObject({ type: "snapshot", channel: "marks" });
    const moved = await one.next();
    expect(moved).toMatchObject({ type: "update", channel: "marks", data: { fresh: true } });
    const { index_price, mark_price } = moved["data"] as Record<string, string>;
    expect(Number(index_price)).toBeGreaterThan(0);
    expect(Math.abs(Number(index_price) - Number(mark_price))).toBeLessThan(1);
    say(one, { op: "subscribe", channel: "marks", market: "NONE", id: 9 });
    let refused = await one.next();
    while (refused["type"] === "update") refused = await one.next();
    expect(refused).toMatchObject({ type: "error", id: 9, code: "unknown-market" });
    one.socket.close();
    await one.closed;
  });

  it("closes a socket that sends too much at once or too often, and refuses one too many", async () => {
    const large = await talk();
    large.socket.send(JSON.stringify({ op: "ping", pad: "x".repeat(MESSAGE_BYTES_MAX) }));
    expect((await large.closed)[0]).toBe(1009);
    const often = await talk();
    for (let i = 0; i <= MESSAGES_BURST_MAX + 20; i++) say(often, { op: "ping" });
    expect(await often.closed).toEqual([1008, "too-many-messages"]);
    const [first, second] = [await talk(), await talk()];
    const third = await talk();
    expect(await third.closed).toEqual([1013, "too-many-clients"]);
    first.socket.send(Uint8Array.of(1, 2, 3));
    expect(await first.next()).toMatchObject({ type: "error", code: "bad-message" });
    for (const one of [first, second]) {
      one.socket.close();
      await one.closed;
    }
    await expect(talk(node, "/streams")).rejects.toThrow();
    expect((await get(node, "health")).result).toEqual({});
  });
});

describe("history methods", () => {
  it("answer for a market without a trade, and refuse what they do not understand", async () => {
    const candles = await get(node, `candles?market="${MARKET}"&resolution="1m"`);
    expect(candles.result).toMatchObject({ market: MARKET, candles: [], complete_since: 1 });
    expect((await get(node, `trades?market="${MARKET}"`)).result).toMatchObject({
      trades: [],
      next: null,
    });
    const fills = await get(node, `fills?account="${holder.address}"`);
    expect(fills.result).toMatchObject({ account: `${holder.address}/0`, fills: [] });
    expect((await get(node, `funding_history?market="${MARKET}"`)).result).toMatchObject({
      next: null,
    });
    expect((await get(node, "market_data_status")).result).toMatchObject({ complete_since: 1 });
    for (const path of [
      "candles",
      'candles?market="NONE"&resolution="1m"',
      `candles?market="${MARKET}"&resolution="2m"`,
      `candles?market="${MARKET}"&resolution="1m"&limit=1001`,
      `trades?market="${MARKET}"&before="x"`,
      `trades?market="${MARKET}"&limit=0`,
      'fills?account="keel1"',
      'funding_history?market="NONE"',
    ])
      expect((await get(node, path)).error?.code, path).toBe(-32602);
  });
});

describe("a node whose market data is switched off", () => {
  it("has no stream and says so of its history", async () => {
    const off = await start({ "market_data.enabled": false });
    await expect(talk(off)).rejects.toThrow();
    const { error } = await get(off, `trades?market="${MARKET}"`);
    expect(error?.data).toBe("market data is switched off on this node");
  }, 60_000);
});
