/**
 * Waits for transactions to be included: by event where the node streams them, by asking where it does not. One watch serves any
 * number of transactions of any number of accounts over one socket.
 */
import type { Comet38Client } from "@cosmjs/tendermint-rpc";
import { hexToBytes } from "@keel/proto/bytes/hex";
import type { LatestBlock } from "./chain-clock.ts";
import type { EndpointPool } from "./endpoints.ts";
import { KeelConnectionError } from "./errors.ts";
import { EventStream } from "./event-stream.ts";
import {
  IDLE_BLOCKS_MAX,
  POLL_INTERVAL_MS,
  POLL_INTERVAL_STREAMING_MS,
  POLLS_AT_ONCE_MAX,
} from "./limits.ts";
import type { RawTxResult } from "./tx-result.ts";

export interface WatchedTx {
  /** Upper-case hex. */
  readonly hash: string;
  /** Who pays its fee. */
  readonly account: string;
  /** How long to wait, by this machine's clock. */
  readonly timeoutMs: number;
  /** Unordered transactions: chain time, in nanoseconds, after which nothing takes it in, but a round that was put off before. */
  readonly expiresAtNs?: bigint;
}

interface Pending extends WatchedTx {
  readonly resolve: (result: RawTxResult) => void;
  readonly reject: (error: Error) => void;
  readonly deadline: number;
  pollAt: number;
  polling: boolean;
  /** From this height on it is certain that it will not be included; known once a block is past its time. */
  goneAt?: number;
}

export interface TxWatchPorts {
  readonly comet: Comet38Client;
  readonly endpoints: EndpointPool;
  readonly latest: () => Promise<LatestBlock>;
  /** False: only asks. */
  readonly streaming: boolean;
}

export interface TxWait {
  /** The execution result, successful or not. Rejects with KeelConnectionError when it does not come. */
  readonly result: Promise<RawTxResult>;
  /** Stops waiting: the transaction was not accepted. `result` stays open. */
  forget(): void;
}

const TICK_MS = 100;

export class TxWatch {
  readonly #ports: TxWatchPorts;
  /** By hash; several may wait for one, since two programs can send the very same transaction. */
  readonly #pending = new Map<string, Set<Pending>>();
  #stream: EventStream | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #closed = false;

  constructor(ports: TxWatchPorts) {
    this.#ports = ports;
  }

  /** Call before the broadcast: an event that comes first would be missed. */
  async prepare(account: string): Promise<void> {
    if (!this.#ports.streaming || this.#closed) return;
    this.#stream ??= new EventStream(this.#ports.endpoints, {
      onTx: (result) => this.#settle(result),
      onOpen: () => this.#askForAll(),
    });
    await this.#stream.follow(account);
  }

  wait(tx: WatchedTx): TxWait {
    if (this.#closed) return { result: Promise.reject(gone(tx.hash)), forget: () => {} };
    const now = Date.now();
    let forget = (): void => {};
    const result = new Promise<RawTxResult>((resolve, reject) => {
      const pollAt = now + this.#intervalMs(tx.account);
      const deadline = now + tx.timeoutMs;
      const pending = { ...tx, resolve, reject, deadline, pollAt, polling: false };
      const same = this.#pending.get(tx.hash) ?? new Set();
      this.#pending.set(tx.hash, same.add(pending));
      this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
      forget = () => this.#remove(pending);
    });
    return { result, forget };
  }

  close(): void {
    this.#closed = true;
    this.#stream?.close();
    for (const pending of this.#all()) {
      this.#remove(pending);
      pending.reject(gone(pending.hash));
    }
  }

  #remove(pending: Pending): void {
    const same = this.#pending.get(pending.hash);
    same?.delete(pending);
    if (same?.size === 0) this.#pending.delete(pending.hash);
    if (this.#pending.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #settle(result: RawTxResult): void {
    for (const pending of [...(this.#pending.get(result.hash) ?? [])]) {
      this.#remove(pending);
      pending.resolve(result);
    }
  }

  #all(): Pending[] {
    return [...this.#pending.values()].flatMap((same) => [...same]);
  }

  #askForAll(): void {
    for (const pending of this.#all()) pending.pollAt = 0;
  }

  #intervalMs(account: string): number {
    return this.#stream?.isFollowing(account) ? POLL_INTERVAL_STREAMING_MS : POLL_INTERVAL_MS;
  }

  #tick(): void {
    const now = Date.now();
    let polling = 0;
    for (const pending of this.#all()) {
      if (pending.polling) polling++;
      else if (now >= pending.deadline) {
        this.#remove(pending);
        pending.reject(
          new KeelConnectionError(
            "not-included-in-time",
            `${pending.hash} was accepted but not included within ${pending.timeoutMs} ms`,
            pending.hash,
          ),
        );
      } else if (now >= pending.pollAt && polling < POLLS_AT_ONCE_MAX) {
        polling++;
        pending.polling = true;
        void this.#poll(pending).finally(() => {
          pending.polling = false;
          pending.pollAt = Date.now() + this.#intervalMs(pending.account);
        });
      }
    }
  }

  /** Never rejects: no answer now only means asking again later. */
  async #poll(pending: Pending): Promise<void> {
    const { hash, expiresAtNs } = pending;
    try {
      // Read before the transaction: otherwise it could be included between the two answers.
      const latest = expiresAtNs === undefined ? null : await this.#ports.latest();
      if (latest !== null && expiresAtNs !== undefined && latest.timeNs > expiresAtNs)
        pending.goneAt ??= latest.height + IDLE_BLOCKS_MAX;
      const found = await this.#find(hash);
      if (found !== null) this.#settle(found);
      else if (latest !== null && latest.height >= (pending.goneAt ?? Number.POSITIVE_INFINITY)) {
        const message = `${hash} was not included before its timeout`;
        this.#remove(pending);
        pending.reject(new KeelConnectionError("expired", message, hash));
      }
    } catch (error) {
      // The endpoints are away for the moment: ask again. Anything else will not get better.
      if (error instanceof KeelConnectionError && error.code === "unreachable") return;
      this.#remove(pending);
      const reason = error instanceof Error ? error.message : String(error);
      pending.reject(new KeelConnectionError("bad-answer", reason, hash, error));
    }
  }

  async #find(hash: string): Promise<RawTxResult | null> {
    try {
      const { height, result } = await this.#ports.comet.tx({ hash: hexToBytes(hash) });
      return {
        hash,
        height,
        code: result.code,
        codespace: result.codespace ?? "",
        log: result.log ?? "",
        data: result.data ?? new Uint8Array(0),
        gasWanted: result.gasWanted,
        gasUsed: result.gasUsed,
        events: result.events,
      };
    } catch (error) {
      if (error instanceof KeelConnectionError && error.code === "rpc") return null;
      throw error;
    }
  }
}

function gone(hash: string): KeelConnectionError {
  return new KeelConnectionError("unreachable", "the client was disconnected", hash);
}
