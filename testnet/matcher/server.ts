/**
 * A matching engine outside the chain, over HTTP on loopback: `POST /documents` with base64 of a `SignedDocument`, `GET /documents/<hash>`,
 * `GET /book?market=…`. What it matches, the chain clears.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { formatDecimal } from "@keel/client/decimal";
import type { KeelSigningClient } from "@keel/client/signing-client";
import { base64ToBytes } from "@keel/proto/bytes/base64";
import { SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import { Side } from "@keel/proto/gen/keel/derivatives/v1/types";
import { Clearer } from "./clearer.ts";
import { type Entry, MatchEngine } from "./engine.ts";
import { BODY_BYTES_MAX, REQUEST_TIMEOUT_MS } from "./limits.ts";

export interface MatcherOptions {
  /** Submits and pays for the trades; it needs no collateral. The caller disconnects it. */
  readonly client: KeelSigningClient;
  readonly port: number;
}

export interface Matcher {
  readonly url: string;
  /** Resolves when every match so far is cleared or refused. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

interface Parts {
  readonly client: KeelSigningClient;
  readonly engine: MatchEngine;
  readonly clearer: Clearer;
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function startMatcher({ client, port }: MatcherOptions): Promise<Matcher> {
  const engine = new MatchEngine();
  const clearer = new Clearer({
    client,
    onRefused({ buyerHash, sellerHash }) {
      engine.drop(buyerHash);
      engine.drop(sellerHash);
    },
  });
  const server = createServer((request, response) => {
    answer(request, { client, engine, clearer })
      .then((body) => reply(response, 200, body))
      .catch((error: unknown) => {
        const status = error instanceof Refusal ? error.status : 400;
        reply(response, status, { error: error instanceof Error ? error.message : "refused" });
      });
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    idle: () => clearer.idle(),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await clearer.idle();
      await closed;
    },
  };
}

async function answer(request: IncomingMessage, parts: Parts): Promise<unknown> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (request.method === "POST" && url.pathname === "/documents")
    return await submit(request, parts);
  if (request.method !== "GET") throw new Refusal(405, "expected GET, or POST /documents");
  if (url.pathname === "/book") return book(parts.engine, url.searchParams.get("market") ?? "");
  const [, hash] = /^\/documents\/([0-9A-Fa-f]{64})$/.exec(url.pathname) ?? [];
  if (hash === undefined) throw new Refusal(404, "expected /documents, /documents/<hash> or /book");
  return state(parts, hash.toUpperCase());
}

async function submit(
  request: IncomingMessage,
  { client, engine, clearer }: Parts,
): Promise<unknown> {
  const { document, ...signature } = readSigned(await readBody(request));
  if (document?.chainId !== client.chain.chainId)
    throw new Refusal(422, `expected a document for ${client.chain.chainId}`);
  if (document.matcher !== "" && document.matcher !== client.address)
    throw new Refusal(422, `expected a document for ${client.address} or anyone`);
  const nowMs = Number((await client.chain.chainTimeNs()) / 1_000_000n);
  const { hash, matches } = engine.add({ document, ...signature }, nowMs);
  clearer.clear(matches);
  const resting = engine.find(hash);
  return {
    hash,
    matches: matches.map(({ price, size }) => ({ price, size })),
    resting: resting === undefined ? "0" : formatDecimal(resting.remaining),
  };
}

function readSigned(text: string): SignedDocument {
  try {
    return SignedDocument.decode(base64ToBytes(text.trim()));
  } catch {
    throw new Refusal(400, "expected base64 of a SignedDocument");
  }
}

function state({ engine, clearer }: Parts, hash: string): unknown {
  const resting = engine.find(hash);
  const fate = clearer.fate(hash);
  if (resting === undefined && fate === undefined) throw new Refusal(404, "unknown document");
  const remaining = resting === undefined ? "0" : formatDecimal(resting.remaining);
  return { hash, resting: remaining, lastTrade: fate ?? null };
}

function book(engine: MatchEngine, market: string): unknown {
  const level = ({ hash, document, remaining }: Entry) => ({
    hash,
    price: document.price,
    size: formatDecimal(remaining),
  });
  return {
    market,
    bids: engine.side(market, Side.SIDE_BUY).map(level),
    asks: engine.side(market, Side.SIDE_SELL).map(level),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > BODY_BYTES_MAX) throw new Refusal(413, `expected at most ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    "content-type": "application/json",
    ...(status === 413 ? { connection: "close" } : {}),
  });
  response.end(JSON.stringify(body));
}
