/** The server against raw bytes that no client library would send. */
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { RpcServer } from "./server.ts";
import { startRpcServer } from "./server.ts";
import { SubscriptionHub } from "./subscriptions.ts";

let server: RpcServer | null = null;
afterEach(async () => {
  await server?.stop();
  server = null;
});

async function start(): Promise<number> {
  server = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    methods: { health: { params: [], handle: () => ({}) } },
    subscriptions: new SubscriptionHub({ clientsMax: 1, perClientMax: 1 }),
    corsOrigins: [],
    bodyBytesMax: 1_000,
    connectionsMax: 10,
    log: () => undefined,
  });
  return server.port;
}

/** Sends the bytes and waits until the server has closed the connection. */
function closedAfter(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (data) => {
      answer += data.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
  });
}

const upgrade = (target: string): string =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

describe("the RPC server", () => {
  it("closes an upgrade to a path that is none, and goes on", async () => {
    const port = await start();
    const broken: unknown[] = [];
    const record = (error: unknown): void => void broken.push(error);
    process.prependOnceListener("uncaughtException", record);
    for (const target of ["//", "//:99999", "http://[", "/other"]) {
      expect(await closedAfter(port, upgrade(target)), target).not.toMatch(/ 101 /);
    }
    process.off("uncaughtException", record);
    expect(broken).toEqual([]);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  });
});
