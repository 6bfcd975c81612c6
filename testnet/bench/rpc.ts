/** The load's side of a node's RPC: batches over a few kept-open connections, and the arrival of block headers. */
import { Agent, request } from "node:http";
import WebSocket from "ws";

const REQUEST_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

export interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly data?: string };
}

export class RpcConnections {
  readonly #url: URL;
  readonly #agent: Agent;

  constructor(url: string, connections: number) {
    this.#url = new URL(url);
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Posts a prepared JSON-RPC body. */
  post(body: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        this.#url,
        {
          method: "POST",
          agent: this.#agent,
          timeout: REQUEST_TIMEOUT_MS,
          headers: {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            try {
              resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")));
            } catch (error) {
              reject(error);
            }
          });
        },
      );
      outgoing.on("timeout", () => outgoing.destroy(new Error("the node did not answer in time")));
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  async call<T>(method: string, params: object): Promise<T> {
    const answer = (await this.post(
      JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    )) as Answer;
    if (answer.error !== undefined)
      throw new Error(`${method}: ${answer.error.message} ${answer.error.data ?? ""}`);
    return answer.result as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}

export interface HeaderArrival {
  readonly height: number;
  /** performance.now() */
  readonly atMs: number;
}

/** Headers as the node publishes them, each with the time it got here. */
export class HeaderStream {
  readonly arrivals: HeaderArrival[] = [];
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static open(url: string): Promise<HeaderStream> {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}/websocket`);
    const stream = new HeaderStream(socket);
    return new Promise((resolve, reject) => {
      socket.on("error", reject);
      socket.on("open", () =>
        socket.send(
          JSON.stringify({
            jsonrpc: "2.0",
            id: 1,
            method: "subscribe",
            params: { query: "tm.event='NewBlockHeader'" },
          }),
        ),
      );
      socket.on("message", (data) => {
        const atMs = performance.now();
        const message = JSON.parse(String(data)) as {
          error?: { data?: string };
          result?: { data?: { value?: { header?: { height: string } } } };
        };
        if (message.error !== undefined) reject(new Error(message.error.data));
        const height = message.result?.data?.value?.header?.height;
        if (height === undefined) resolve(stream);
        else stream.arrivals.push({ height: Number(height), atMs });
      });
    });
  }

  /** The pool is emptied before the block is published, so a header may come after its transactions are gone. */
  async reach(height: number, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while ((this.arrivals.at(-1)?.height ?? 0) < height) {
      if (performance.now() > deadline)
        throw new Error(`the header of height ${height} did not come in time`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  close(): void {
    this.#socket.terminate();
  }
}
