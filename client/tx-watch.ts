/**
 * Waits for transactions to be included: by event where the node streams them, by asking where it does not. One watch serves any
 * number of transactions of any number of accounts over one socket.
 */
import type { Comet38Client } from "@cosmjs/tendermint-rpc";
import { hexToBytes } from "@keel/proto/bytes/hex";
import type { EndpointPool } from "./endpoints.ts";
import { KeelConnectionError } from "./errors.ts";
import { EventStream } from "./event-stream.ts";
import { POLL_INTERVAL_MS, POLL_INTERVAL_STREAMING_MS, POLLS_AT_ONCE_MAX } from "./limits.ts";
import type { RawTxResult } from "./tx-result.ts";

export interface WatchedTx {
  /** Upper-case hex. */
  readonly hash: string;
  /** Who pays its fee. */
  readonly account: string;
  /** How long to wait, by this machine's clock. */
  readonly timeoutMs: number;
  /** Unordered transactions: chain time, in nanoseconds, after which it cannot be included. */
  readonly expiresAtNs?: bigint;
}

interface Pending extends WatchedTx {
  readonly resolve: (result: RawTxResult) => void;
  readonly reject: (error: Error) => void;
  readonly deadline: number;
  pollAt: number;
  polling: boolean;
}

export interface TxWatchPorts {
  readonly comet: Comet38Client;
  readonly endpoints: EndpointPool;
  /** Latest known block time in nanoseconds. */
  readonly chainTimeNs: () => Promise<bigint>;
  /** False: only asks. */
  readonly streaming: boolean;
}

export class TxWatch {
  readonly #ports: TxWatchPorts;
  readonly #pending = new Map<string, Pending>();
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

  /** The execution result, successful or not. Rejects with KeelConnectionError when it does not come. */
  wait(tx: WatchedTx): Promise<RawTxResult> {
    if (this.#closed) return Promise.reject(gone(tx.hash));
    const now = Date.now();
    return new Promise((resolve, reject) => {
      const pollAt = now + this.#intervalMs(tx.account);
      const deadline = now + tx.timeoutMs;
      this.#pending.set(tx.hash, { ...tx, resolve, reject, deadline, pollAt, polling: false });
      this.#timer ??= setInterval(() => this.#tick(), 100);
    });
  }

  /** Stops waiting for a transaction that was not accepted. */
  forget(hash: string): void {
    this.#remove(hash);
  }

  close(): void {
    this.#closed = true;
    this.#stream?.close();
    for (const [hash, { reject }] of [...this.#pending]) {
      this.#remove(hash);
      reject(gone(hash));
    }
  }

  #remove(hash: string): Pending | undefined {
    const pending = this.#pending.get(hash);
    this.#pending.delete(hash);
    if (this.#pending.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    return pending;
  }

  #settle(result: RawTxResult): void {
    this.#remove(result.hash)?.resolve(result);
  }

  #askForAll(): void {
    for (const pending of this.#pending.values()) pending.pollAt = 0;
  }

  #intervalMs(account: string): number {
    return this.#stream?.isFollowing(account) ? POLL_INTERVAL_STREAMING_MS : POLL_INTERVAL_MS;
  }

  #tick(): void {
    const now = Date.now();
    let polling = 0;
    for (const pending of [...this.#pending.values()]) {
      if (pending.polling) polling++;
      else if (now >= pending.deadline) {
        this.#remove(pending.hash);
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
  async #poll({ hash, expiresAtNs }: Pending): Promise<void> {
    try {
      // Read before the transaction: otherwise it could be included between the two answers.
      const timeNs = expiresAtNs === undefined ? 0n : await this.#ports.chainTimeNs();
      const found = await this.#find(hash);
      if (found !== null) this.#settle(found);
      else if (expiresAtNs !== undefined && timeNs > expiresAtNs) {
        const message = `${hash} was not included before its timeout`;
        this.#remove(hash)?.reject(new KeelConnectionError("expired", message, hash));
      }
    } catch {
      // The endpoints are away for the moment.
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
