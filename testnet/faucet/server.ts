/** The faucet's HTTP face, in the shape of CosmJS's: `POST /credit {"denom","address"}`, `GET /status`, `GET /health`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { KeelSigningClient } from "@keel/client/signing-client";
import { CreditDesk, FaucetRefusal } from "./desk.ts";
import { BODY_BYTES_MAX, REQUEST_TIMEOUT_MS } from "./limits.ts";

export interface FaucetOptions {
  /** Holds the coins. The caller disconnects it. */
  readonly client: KeelSigningClient;
  /** What one credit pays, in base units, by denom. */
  readonly credits: Readonly<Record<string, bigint>>;
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Per address and denom; default one minute. */
  readonly cooldownMs?: number;
  /** Default 200 ms. */
  readonly tickMs?: number;
}

export interface Faucet {
  readonly url: string;
  /** Pays what waits and closes the port. */
  stop(): Promise<void>;
}

const COOLDOWN_MS = 60_000;
const TICK_MS = 200;

/** Rejects with one sentence when the port is taken. */
export async function startFaucet(options: FaucetOptions): Promise<Faucet> {
  const { client, credits, port, host = "127.0.0.1" } = options;
  const desk = new CreditDesk({
    client,
    credits,
    cooldownMs: options.cooldownMs ?? COOLDOWN_MS,
    tickMs: options.tickMs ?? TICK_MS,
    now: () => performance.now(),
  });
  const server = createServer((request, response) => {
    handle(request, { client, credits, desk })
      .catch((error: unknown) => failure(error))
      .then(({ status, body, type }) => reply(response, status, body, type))
      .catch(() => response.destroy());
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  await listen(server, port, host);
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      await desk.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type: "text/plain" | "application/json";
}

interface Parts {
  readonly client: KeelSigningClient;
  readonly credits: Readonly<Record<string, bigint>>;
  readonly desk: CreditDesk;
}

async function handle(request: IncomingMessage, parts: Parts): Promise<Answer> {
  const path = (request.url ?? "/").split("?")[0];
  if (request.method === "OPTIONS") return text(204, "");
  if (path === "/credit") {
    if (request.method !== "POST") throw new FaucetRefusal(405, "expected POST");
    const { address, denom } = readCredit(await readBody(request));
    await parts.desk.credit(address, denom);
    return text(200, "ok");
  }
  if (request.method !== "GET") throw new FaucetRefusal(405, "expected GET");
  if (path === "/health" || path === "/healthz" || path === "/") return text(200, "ok");
  if (path === "/status") return json(200, await status(parts));
  throw new FaucetRefusal(404, "expected /credit, /status or /health");
}

async function status({ client, credits, desk }: Parts): Promise<unknown> {
  const balances = await client.chain.balances(client.address);
  return {
    status: "ok",
    nodeUrl: client.chain.endpoints.current,
    chainId: client.chain.chainId,
    chainTokens: Object.keys(credits),
    availableTokens: balances
      .filter(({ denom, amount }) => BigInt(amount) >= (credits[denom] ?? BigInt(amount) + 1n))
      .map(({ denom }) => denom),
    holder: { address: client.address, balance: balances },
    distributors: [],
    credits: Object.fromEntries(
      Object.entries(credits).map(([denom, amount]) => [denom, amount.toString()]),
    ),
    waiting: desk.waiting,
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > BODY_BYTES_MAX)
      throw new FaucetRefusal(413, `expected at most ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function readCredit(body: string): { address: string; denom: string } {
  const expected = `expected {"denom": "...", "address": "..."}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new FaucetRefusal(400, expected);
  }
  if (typeof parsed !== "object" || parsed === null) throw new FaucetRefusal(400, expected);
  const { address, denom } = parsed as Record<string, unknown>;
  if (typeof address !== "string" || typeof denom !== "string")
    throw new FaucetRefusal(400, expected);
  return { address, denom };
}

const text = (status: number, body: string): Answer => ({ status, body, type: "text/plain" });
const json = (status: number, body: unknown): Answer => ({
  status,
  body: JSON.stringify(body),
  type: "application/json",
});

function failure(error: unknown): Answer {
  if (error instanceof FaucetRefusal) return text(error.status, error.message);
  return text(500, error instanceof Error ? error.message : "internal error");
}

function reply(response: ServerResponse, status: number, body: string, type: string): void {
  response.writeHead(status, {
    "content-type": type,
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "content-type",
    // The rest of an oversized body is not read.
    ...(status === 413 ? { connection: "close" } : {}),
  });
  response.end(body);
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(taken ? new Error(`port ${port} on ${host} is in use by another program`) : error);
    });
    server.listen(port, host, resolve);
  });
}
