/**
 * A node's `/stream`, typed: books that check themselves, trades, candles, marks, and an account's orders, fills and positions. A lost connection
 * comes back by itself at the next endpoint, and everything followed begins again with a snapshot.
 */
import IsomorphicWebSocket from "isomorphic-ws";
import { EndpointPool, type Endpoints } from "./endpoints.ts";
import { KeelConnectionError } from "./errors.ts";
import { RECONNECT_MAX_MS, RECONNECT_MIN_MS, STREAM_SILENCE_MS } from "./limits.ts";
import { LiveBook } from "./live-book.ts";
import {
  type CandleResolution,
  type Channel,
  type StreamMessageOf,
  type TopicNames,
  topicKey,
} from "./stream-topics.ts";

/** The parts of a browser's WebSocket that are used. */
export interface WebSocketLike {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface MarketStreamOptions {
  /** Default: the global WebSocket, in Node the package `ws`. */
  readonly webSocket?: new (
    url: string,
  ) => WebSocketLike;
}

export interface Following {
  /** The first snapshot has come. Rejects with KeelConnectionError when the node refuses (code "rpc") or the stream is closed before. */
  readonly ready: Promise<void>;
  stop(): void;
}

/** A book, and how often it had to begin again since a gap or a wrong checksum. */
export interface FollowedBook extends Following {
  readonly book: LiveBook;
  readonly resyncs: number;
}

interface Followed {
  readonly names: TopicNames;
  readonly onMessage: (message: StreamMessageOf<Channel>) => void;
  readonly onLost: () => void;
  readonly onEnded: (reason: string) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const OPEN = 1;

export class MarketStream {
  readonly #pool: EndpointPool;
  readonly #webSocket: new (
    url: string,
  ) => WebSocketLike;
  readonly #followed = new Map<string, Followed>();
  #socket: WebSocketLike | null = null;
  #endpoint: number;
  #closed = false;
  #pauseMs: number = RECONNECT_MIN_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #nextId = 1;
  readonly #requests = new Map<number, string>();

  constructor(endpoints: Endpoints | EndpointPool, options: MarketStreamOptions = {}) {
    this.#pool = endpoints instanceof EndpointPool ? endpoints : new EndpointPool(endpoints);
    this.#endpoint = this.#pool.urls.indexOf(this.#pool.current);
    this.#webSocket =
      options.webSocket ?? (IsomorphicWebSocket as unknown as new (url: string) => WebSocketLike);
  }

  /** Keeps the book of a market. `onChange` is called after every snapshot and update that fits. */
  book(market: string, onChange: (book: LiveBook) => void = () => undefined): FollowedBook {
    const names = { channel: "book", market } as const;
    const book = new LiveBook(market);
    let resyncs = 0;
    const following = this.follow(
      names,
      (message) => {
        // On their way since before the snapshot that was asked for.
        if (message.type === "update" && !book.isCurrent) return;
        const fits =
          message.type === "snapshot"
            ? book.reset(message.data, message.height)
            : book.update(message.data, message.height);
        if (fits) {
          onChange(book);
          return;
        }
        resyncs += 1;
        this.#again(names);
      },
      { onLost: () => book.lost() },
    );
    return {
      ...following,
      book,
      get resyncs() {
        return resyncs;
      },
    };
  }

  trades(market: string, onMessage: (message: StreamMessageOf<"trades">) => void): Following {
    return this.follow({ channel: "trades", market }, onMessage);
  }

  candles(
    market: string,
    resolution: CandleResolution,
    onMessage: (message: StreamMessageOf<"candles">) => void,
  ): Following {
    return this.follow({ channel: "candles", market, resolution }, onMessage);
  }

  /** Mark, index, funding rate, open interest, best prices. */
  marks(market: string, onMessage: (message: StreamMessageOf<"marks">) => void): Following {
    return this.follow({ channel: "marks", market }, onMessage);
  }

  /** `account` is "keel1…/0". A snapshot holds what is open; an update what changed, with its state after the block. */
  orders(account: string, onMessage: (message: StreamMessageOf<"orders">) => void): Following {
    return this.follow({ channel: "orders", account }, onMessage);
  }

  fills(account: string, onMessage: (message: StreamMessageOf<"fills">) => void): Following {
    return this.follow({ channel: "fills", account }, onMessage);
  }

  positions(
    account: string,
    onMessage: (message: StreamMessageOf<"positions">) => void,
  ): Following {
    return this.follow({ channel: "positions", account }, onMessage);
  }

  /**
   * Follows any topic, each once per stream. `onLost`: the connection broke, and a snapshot will tell what came meanwhile. `onEnded`: the node ended
   * it ("market-removed").
   */
  follow<C extends Channel>(
    names: TopicNames & { readonly channel: C },
    onMessage: (message: StreamMessageOf<C>) => void,
    more: { readonly onLost?: () => void; readonly onEnded?: (reason: string) => void } = {},
  ): Following {
    const key = topicKey(names);
    if (this.#closed || this.#followed.has(key))
      throw new KeelConnectionError(
        "rpc",
        this.#closed ? "the stream is closed" : `${names.channel} is followed already`,
      );
    const ready = new Promise<void>((resolve, reject) => {
      this.#followed.set(key, {
        names,
        onMessage: onMessage as Followed["onMessage"],
        onLost: more.onLost ?? (() => undefined),
        onEnded: more.onEnded ?? (() => undefined),
        resolve,
        reject,
      });
    });
    // Whoever does not wait for it is not to be stopped by it.
    ready.catch(() => undefined);
    if (this.#socket === null) this.#open();
    else this.#request("subscribe", names);
    return {
      ready,
      stop: () => {
        if (!this.#followed.delete(key)) return;
        this.#request("unsubscribe", names);
      },
    };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    for (const { reject } of this.#followed.values())
      reject(new KeelConnectionError("unreachable", "the stream was closed"));
    this.#followed.clear();
  }

  #open(): void {
    if (this.#closed || this.#socket !== null) return;
    clearTimeout(this.#retry);
    const url = this.#pool.urls[this.#endpoint % this.#pool.urls.length] as string;
    let socket: WebSocketLike;
    try {
      socket = new this.#webSocket(`${url.replace(/^http/, "ws")}/stream`);
    } catch {
      this.#lost();
      return;
    }
    this.#socket = socket;
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      for (const { names } of this.#followed.values()) this.#request("subscribe", names);
    };
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      if (this.#socket === socket && typeof data === "string") this.#receive(data);
    };
    // An error is always followed by a close.
    socket.onerror = () => undefined;
    socket.onclose = () => {
      if (this.#socket === socket) this.#lost();
    };
    this.#listen();
  }

  /** A node says something every few seconds. */
  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      const socket = this.#socket;
      this.#lost();
      socket?.close();
    }, STREAM_SILENCE_MS);
  }

  #lost(): void {
    this.#socket = null;
    clearTimeout(this.#silence);
    this.#requests.clear();
    for (const { onLost } of this.#followed.values()) onLost();
    if (this.#closed) return;
    this.#endpoint += 1;
    this.#retry = setTimeout(() => this.#open(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, RECONNECT_MAX_MS);
  }

  #request(op: "subscribe" | "unsubscribe", names: TopicNames): void {
    if (this.#socket?.readyState !== OPEN) return;
    const id = this.#nextId++;
    if (op === "subscribe") this.#requests.set(id, topicKey(names));
    this.#socket.send(JSON.stringify({ op, id, ...names }));
  }

  /** Another snapshot of what is followed. */
  #again(names: TopicNames): void {
    this.#request("unsubscribe", names);
    this.#request("subscribe", names);
  }

  #receive(text: string): void {
    const message = readMessage(text);
    if (message === null) return;
    this.#listen();
    const { type } = message;
    if (type === "error") {
      this.#refused(message);
      return;
    }
    const followed = this.#followed.get(topicKey(message as unknown as TopicNames));
    if (followed === undefined) return;
    if (type === "ended") {
      this.#followed.delete(topicKey(followed.names));
      followed.onEnded(String(message["reason"]));
      return;
    }
    if (type !== "snapshot" && type !== "update") return;
    this.#pauseMs = RECONNECT_MIN_MS;
    const { data, height, time_ms: timeMs } = message;
    followed.onMessage({ type, data, height, timeMs } as StreamMessageOf<Channel>);
    if (type === "snapshot") {
      this.#requests.delete(Number(message["id"]));
      followed.resolve();
    }
  }

  #refused(message: Readonly<Record<string, unknown>>): void {
    const id = Number(message["id"]);
    const key = this.#requests.get(id);
    const followed = key === undefined ? undefined : this.#followed.get(key);
    this.#requests.delete(id);
    if (key === undefined || followed === undefined) return;
    if (message["code"] === "busy") {
      // Too much at once, or the node's reader is starting.
      setTimeout(() => {
        if (this.#followed.get(key) === followed) this.#request("subscribe", followed.names);
      }, RECONNECT_MIN_MS);
      return;
    }
    this.#followed.delete(key);
    const reason = `${String(message["code"])}: ${String(message["message"])}`.slice(0, 300);
    followed.reject(new KeelConnectionError("rpc", reason));
    followed.onEnded(reason);
  }
}

function readMessage(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}
