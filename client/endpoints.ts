/**
 * JSON-RPC over HTTP against several nodes: a call that gets no answer is asked of the next one. Safe for broadcasts too, because a
 * transaction that a node holds already is refused as a duplicate and never runs twice.
 */
import type { RpcClient } from "@cosmjs/tendermint-rpc";
import { KeelConnectionError, KeelInputError } from "./errors.ts";
import { CALL_TIMEOUT_MS, ENDPOINT_PAUSE_MS, ENDPOINT_ROUNDS, ENDPOINTS_MAX } from "./limits.ts";

type Request = Parameters<RpcClient["execute"]>[0];
type Response = Awaited<ReturnType<RpcClient["execute"]>>;

/** One address or several of the same chain: "http://127.0.0.1:26657". */
export type Endpoints = string | readonly string[];

export const delay = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

export class EndpointPool implements RpcClient {
  readonly urls: readonly string[];
  #current = 0;

  constructor(endpoints: Endpoints) {
    const list = typeof endpoints === "string" ? [endpoints] : [...endpoints];
    if (list.length === 0 || list.length > ENDPOINTS_MAX)
      throw new KeelInputError(
        "invalid-option",
        "rpc",
        `expected 1 to ${ENDPOINTS_MAX} endpoints, got ${list.length}`,
      );
    this.urls = list.map(checkedUrl);
  }

  /** The node that answered last; event streams open there. */
  get current(): string {
    return this.urls[this.#current] as string;
  }

  /** Turns to the next node; `failed` is the one that let us down, so that several callers turn only once. */
  advance(failed: string): void {
    if (this.current === failed) this.#current = (this.#current + 1) % this.urls.length;
  }

  async execute(request: Request): Promise<Response> {
    let problem: unknown;
    for (let attempt = 0; attempt < this.urls.length * ENDPOINT_ROUNDS; attempt++) {
      if (attempt > 0 && attempt % this.urls.length === 0) await delay(ENDPOINT_PAUSE_MS);
      const url = this.current;
      try {
        return await call(url, request);
      } catch (error) {
        if (error instanceof KeelConnectionError && error.code === "rpc") {
          error.attempts = attempt + 1;
          throw error;
        }
        problem = error;
        this.advance(url);
      }
    }
    const reason = problem instanceof Error ? (problem.cause ?? problem) : problem;
    throw new KeelConnectionError(
      "unreachable",
      `no answer from ${this.urls.join(", ")}: ${reason instanceof Error ? reason.message : String(reason)}`,
      undefined,
      problem,
    );
  }

  disconnect(): void {
    // Nothing is kept open between calls.
  }
}

async function call(url: string, request: Request): Promise<Response> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  const body: unknown = await answer.json();
  if (typeof body !== "object" || body === null)
    throw new KeelConnectionError("bad-answer", `${url}: expected a JSON-RPC answer`);
  const { error } = body as {
    error?: { code?: number; message?: string; data?: unknown } | string;
  };
  if (typeof error === "string")
    throw new KeelConnectionError("bad-answer", `${url}: HTTP ${answer.status}: ${error}`);
  if (error !== undefined && error !== null)
    throw new KeelConnectionError(
      "rpc",
      `${request.method}: ${error.message ?? "error"}${error.data === undefined ? "" : `: ${String(error.data)}`}`,
    );
  if (!("result" in body))
    throw new KeelConnectionError("bad-answer", `${url}: expected a result, HTTP ${answer.status}`);
  return body as unknown as Response;
}

function checkedUrl(text: string): string {
  const url = text.replace(/^tcp:/, "http:").replace(/\/+$/, "");
  if (!/^https?:\/\/[^/\s]+/.test(url))
    throw new KeelInputError(
      "invalid-option",
      "rpc",
      `expected an address like http://127.0.0.1:26657, got ${JSON.stringify(text)}`,
    );
  return url;
}
