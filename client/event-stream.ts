/**
 * A WebSocket of transaction events that comes back by itself: after a break it opens again at the next endpoint and follows the same
 * accounts. What happened in between is the caller's to ask for (`onOpen`).
 */
import WebSocket from "isomorphic-ws";
import type { EndpointPool } from "./endpoints.ts";
import { readStreamMessage } from "./json-answer.ts";
import { RECONNECT_MAX_MS, RECONNECT_MIN_MS, WATCHED_ACCOUNTS_MAX } from "./limits.ts";
import type { RawTxResult } from "./tx-result.ts";

const SUBSCRIBE_TIMEOUT_MS = 3_000;
const allTxs = "tm.event='Tx'";

export interface EventStreamListener {
  onTx(result: RawTxResult): void;
  /** Events flow (again); earlier ones may have been missed. */
  onOpen(): void;
}

export class EventStream {
  readonly #pool: EndpointPool;
  readonly #listener: EventStreamListener;
  readonly #accounts = new Set<string>();
  /** Subscriptions of the open socket: query to whether the node confirmed it. */
  readonly #subscribed = new Map<string, boolean>();
  readonly #calls = new Map<number, string>();
  #waiting: { readonly query: string; readonly done: () => void }[] = [];
  #socket: WebSocket | null = null;
  #closed = false;
  #nextId = 1;
  #pauseMs: number = RECONNECT_MIN_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #endpoint = 0;

  constructor(pool: EndpointPool, listener: EventStreamListener) {
    this.#pool = pool;
    this.#listener = listener;
    this.#endpoint = pool.urls.indexOf(pool.current);
  }

  /** True when events of this account are arriving. */
  isFollowing(account: string): boolean {
    return this.#subscribed.get(this.#queryOf(account)) === true;
  }

  /** Resolves when events of the account flow, or when they cannot be had for now. Never rejects. */
  async follow(account: string): Promise<void> {
    if (this.#closed || this.isFollowing(account)) return;
    const known = this.#accounts.has(account);
    this.#accounts.add(account);
    // A node that refused, or cannot be reached, is not waited for with every transaction.
    if (known && this.#socket === null) return;
    const query = this.#queryOf(account);
    const done = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SUBSCRIBE_TIMEOUT_MS);
      this.#waiting.push({
        query,
        done: () => {
          clearTimeout(timer);
          resolve();
        },
      });
    });
    if (this.#socket === null) this.#open();
    else this.#subscribe();
    await done;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
    this.#settle(() => true);
  }

  #queryOf(account: string): string {
    return this.#accounts.size > WATCHED_ACCOUNTS_MAX
      ? allTxs
      : `${allTxs} AND tx.fee_payer='${account}'`;
  }

  #open(): void {
    if (this.#closed || this.#socket !== null) return;
    const url = this.#pool.urls[this.#endpoint % this.#pool.urls.length] as string;
    let socket: WebSocket;
    try {
      socket = new WebSocket(`${url.replace(/^http/, "ws")}/websocket`);
    } catch {
      this.#retry();
      return;
    }
    this.#socket = socket;
    socket.onopen = () => {
      if (this.#socket === socket) this.#subscribe();
    };
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket && typeof data === "string") this.#receive(data);
    };
    // An error is always followed by a close.
    socket.onerror = () => {};
    socket.onclose = () => {
      if (this.#socket === socket) this.#lost();
    };
  }

  #lost(): void {
    this.#socket = null;
    this.#subscribed.clear();
    this.#calls.clear();
    this.#settle(() => true);
    this.#endpoint++;
    this.#retry();
  }

  #retry(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, RECONNECT_MAX_MS);
  }

  #subscribe(): void {
    if (this.#socket?.readyState !== 1) return;
    for (const account of this.#accounts) {
      const query = this.#queryOf(account);
      if (this.#subscribed.has(query)) continue;
      // Past the bound one wide subscription takes the place of the narrow ones.
      if (query === allTxs && this.#subscribed.size > 0) {
        this.#send("unsubscribe_all", {});
        this.#subscribed.clear();
      }
      this.#subscribed.set(query, false);
      this.#calls.set(this.#send("subscribe", { query }), query);
    }
  }

  #send(method: string, params: Readonly<Record<string, string>>): number {
    const id = this.#nextId++;
    this.#socket?.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return id;
  }

  #receive(text: string): void {
    const message = readStreamMessage(text);
    if (message === null) return;
    const query = this.#calls.get(message.id);
    if (query === undefined) return;
    if (message.error !== null) {
      // Refused: the limits of this node are reached. Inclusion is polled for instead, and another node is tried.
      this.#socket?.close();
      return;
    }
    if (this.#subscribed.get(query) === false) {
      this.#subscribed.set(query, true);
      this.#pauseMs = RECONNECT_MIN_MS;
      this.#settle((waiting) => waiting === query || query === allTxs);
      this.#listener.onOpen();
    }
    for (const tx of message.txs) this.#listener.onTx(tx);
  }

  #settle(matches: (query: string) => boolean): void {
    const ready = this.#waiting.filter(({ query }) => matches(query));
    this.#waiting = this.#waiting.filter(({ query }) => !matches(query));
    for (const { done } of ready) done();
  }
}
