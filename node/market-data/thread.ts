/** The reader on a thread of its own, as the main thread sees it: calls go one after another and are answered in that order. */
import { Worker } from "node:worker_threads";
import type { HistoryHeight } from "./history-records.ts";
import type { Retention } from "./history-writer.ts";
import type { AccountSeed, BlockInput, Published, SnapshotTail } from "./reader.ts";
import { type RefusalCode, StreamRefusal, type Topic } from "./topics.ts";

export interface ReaderOptions {
  /** Of `market.db`, which the main thread has open too. */
  readonly directory: string;
  readonly retention: Retention;
  readonly addressPrefix: string;
}

/** Keys and values of state, one after another: lengths are of a key, then its value, and so on. */
export interface PackedEntries {
  readonly bytes: Uint8Array;
  readonly lengths: Uint32Array;
}

export type ReaderCall =
  | { readonly kind: "open" }
  | ({ readonly kind: "load" } & PackedEntries)
  | { readonly kind: "begin"; readonly height: number }
  | ({ readonly kind: "block" } & BlockInput)
  | { readonly kind: "follow"; readonly topic: Topic; readonly seed: AccountSeed | null }
  | { readonly kind: "unfollow"; readonly key: string }
  | { readonly kind: "close" };

export type ReaderAnswer =
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "refused"; readonly code: RefusalCode; readonly message: string }
  | { readonly kind: "failed"; readonly reason: string };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

const file = import.meta.url.endsWith(".ts") ? "./reader-worker.ts" : "./reader-worker.js";

export class ReaderThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  readonly #exited: Promise<void>;
  #ended: Error | null = null;
  #closing = false;

  /** `onFailed` is called once, when the thread has failed or ended without being asked to. */
  constructor(options: ReaderOptions, onFailed: (error: Error) => void) {
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: options });
    const fail = (error: Error): void => {
      if (this.#ended !== null) return;
      this.#ended = error;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      if (!this.#closing) onFailed(error);
    };
    this.#worker.on("message", (answer: ReaderAnswer) => {
      const one = this.#waiting.shift();
      if (answer.kind === "done") one?.resolve(answer.value);
      else if (answer.kind === "refused")
        one?.reject(new StreamRefusal(answer.code, answer.message));
      else {
        const error = new Error(answer.reason);
        one?.reject(error);
        fail(error);
      }
    });
    this.#worker.on("error", fail);
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", (code) => {
        fail(new Error(`the thread of market data ended with code ${code}`));
        resolve();
      });
    });
    this.#worker.unref();
  }

  open(): Promise<HistoryHeight> {
    return this.#call<HistoryHeight>({ kind: "open" });
  }

  load(entries: PackedEntries): Promise<void> {
    const { bytes, lengths } = entries;
    return this.#call<void>({ kind: "load", bytes, lengths }, [
      bytes.buffer as ArrayBuffer,
      lengths.buffer as ArrayBuffer,
    ]);
  }

  begin(height: number): Promise<void> {
    return this.#call<void>({ kind: "begin", height });
  }

  block(input: BlockInput): Promise<Published> {
    return this.#call<Published>({ kind: "block", ...input });
  }

  /** Rejects with StreamRefusal. */
  follow(topic: Topic, seed: AccountSeed | null): Promise<SnapshotTail> {
    return this.#call<SnapshotTail>({ kind: "follow", topic, seed });
  }

  unfollow(key: string): void {
    this.#call<void>({ kind: "unfollow", key }).catch(() => undefined);
  }

  /** After what was asked before. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#ended === null) {
      this.#worker.ref();
      this.#call<void>({ kind: "close" }).catch(() => undefined);
    } else {
      await this.#worker.terminate();
    }
    await this.#exited;
  }

  #call<T>(call: ReaderCall, transfer: readonly ArrayBuffer[] = []): Promise<T> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(call, transfer);
    }) as Promise<T>;
  }
}
