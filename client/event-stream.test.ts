import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import { afterEach, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { EndpointPool } from "./endpoints.ts";
import { EventStream } from "./event-stream.ts";
import type { RawTxResult } from "./tx-result.ts";

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: { readonly query?: string };
}

/** A node's WebSocket: confirms subscriptions (or refuses them) and sends events to those who asked. */
async function startSocketNode(refuse = false) {
  const http: Server = createServer();
  const server = new WebSocketServer({ server: http, path: "/websocket" });
  const calls: Call[] = [];
  const sockets = new Set<WebSocket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("message", (data) => {
      const call: Call = JSON.parse(String(data));
      calls.push(call);
      const error = { code: -32603, message: "Internal error", data: "limit reached" };
      socket.send(
        JSON.stringify({ jsonrpc: "2.0", id: call.id, ...(refuse ? { error } : { result: {} }) }),
      );
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const emit = (query: string, tx: string): void => {
    const { id } = calls.findLast((call) => call.params.query === query) as Call;
    const result = {
      code: 5,
      codespace: "x",
      log: "no",
      data: null,
      gas_wanted: "9",
      gas_used: "8",
    };
    const events = [{ type: "tx", attributes: [{ key: "fee", value: "", index: true }] }];
    const TxResult = { height: "12", tx, result: { ...result, events } };
    const data = { type: "tendermint/event/Tx", value: { TxResult } };
    for (const socket of sockets)
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: { query, data, events: {} } }));
  };
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    calls,
    emit,
    queries: () => calls.filter((call) => call.method === "subscribe").map((c) => c.params.query),
    dropAll: () => {
      for (const socket of sockets) socket.terminate();
    },
    async stop() {
      for (const socket of sockets) socket.terminate();
      server.close();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function follow(urls: string[]) {
  const seen: RawTxResult[] = [];
  const state = { opened: 0 };
  const stream = new EventStream(new EndpointPool(urls), {
    onTx: (result) => seen.push(result),
    onOpen: () => state.opened++,
  });
  stops.push(() => stream.close());
  return { stream, seen, state };
}

async function until(done: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!done()) {
    expect(Date.now()).toBeLessThan(deadline);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const narrow = (account: string): string => `tm.event='Tx' AND tx.fee_payer='${account}'`;

test("an account's transactions arrive, failed ones with their codes", async () => {
  const node = await startSocketNode();
  stops.push(() => node.stop());
  const { stream, seen } = follow([node.url]);
  await stream.follow("alice");
  expect(stream.isFollowing("alice")).toBe(true);
  node.emit(narrow("alice"), "AQI=");
  await until(() => seen.length === 1);
  expect(seen[0]).toEqual({
    hash: bytesToHex(sha256(Uint8Array.of(1, 2))),
    height: 12,
    code: 5,
    codespace: "x",
    log: "no",
    data: new Uint8Array(0),
    gasWanted: 9n,
    gasUsed: 8n,
    events: [{ type: "tx", attributes: [{ key: "fee", value: "" }] }],
  });
});

test("more accounts than a node takes subscriptions are followed by one wide subscription", async () => {
  const node = await startSocketNode();
  stops.push(() => node.stop());
  const { stream } = follow([node.url]);
  for (const account of ["a", "b", "c", "d"]) await stream.follow(account);
  expect(node.queries()).toEqual(["a", "b", "c", "d"].map(narrow));
  await stream.follow("e");
  expect(node.calls.slice(4).map(({ method }) => method)).toEqual(["unsubscribe_all", "subscribe"]);
  expect(node.queries().at(-1)).toBe("tm.event='Tx'");
  for (const account of ["a", "e"]) expect(stream.isFollowing(account)).toBe(true);
  await stream.follow("f");
  expect(node.calls).toHaveLength(6);
});

test("a lost connection comes back at the next endpoint and says that events were missed", async () => {
  const [one, two] = [await startSocketNode(), await startSocketNode()];
  stops.push(
    () => one.stop(),
    () => two.stop(),
  );
  const { stream, state } = follow([one.url, two.url]);
  await stream.follow("alice");
  one.dropAll();
  await until(() => two.queries().length === 1 && state.opened === 2);
  expect(stream.isFollowing("alice")).toBe(true);
});

test("a node that refuses subscriptions holds nobody up", async () => {
  const node = await startSocketNode(true);
  stops.push(() => node.stop());
  const { stream } = follow([node.url]);
  await stream.follow("alice");
  expect(stream.isFollowing("alice")).toBe(false);
});

test("an endpoint that is not there holds nobody up", async () => {
  const node = await startSocketNode();
  await node.stop();
  const { stream } = follow([node.url]);
  await stream.follow("alice");
  await stream.follow("alice");
  expect(stream.isFollowing("alice")).toBe(false);
});
