/** Threads that judge batches. Checks that arrive while all threads are busy are sent together when one is free. */
import { Worker } from "node:worker_threads";
import type { CryptoBackend } from "./backend.ts";
import { type PackedCheck, packChecks } from "./batch.ts";
import { BATCH_CHECKS_MAX, QUEUE_CHECKS_MAX } from "./limits.ts";

interface Waiting {
  readonly check: PackedCheck;
  /** null: not judged; ask inline. */
  readonly done: (valid: boolean | null) => void;
}

interface Slot {
  readonly worker: Worker;
  batch: readonly Waiting[];
}

const file = import.meta.url.endsWith(".ts") ? "./verify-worker.ts" : "./verify-worker.js";

export class WorkerPool {
  readonly #slots: Slot[];
  #queue: Waiting[] = [];
  #scheduled = false;

  constructor(workers: number, backend: CryptoBackend) {
    this.#slots = Array.from({ length: workers }, () => this.#start(backend));
  }

  /** Resolves with the answer, or null when the pool cannot give one. Never rejects. */
  judge(check: PackedCheck): Promise<boolean | null> {
    if (this.#slots.length === 0 || this.#queue.length >= QUEUE_CHECKS_MAX)
      return Promise.resolve(null);
    return new Promise((done) => {
      this.#queue.push({ check, done });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // Everything asked in this turn of the event loop goes in one batch.
      setImmediate(() => {
        this.#scheduled = false;
        this.#dispatch();
      });
    });
  }

  async close(): Promise<void> {
    const slots = this.#slots.splice(0);
    for (const slot of slots) this.#abandon(slot);
    for (const waiting of this.#queue.splice(0)) waiting.done(null);
    await Promise.all(slots.map((slot) => slot.worker.terminate()));
  }

  #start(backend: CryptoBackend): Slot {
    const worker = new Worker(new URL(file, import.meta.url), { workerData: { backend } });
    const slot: Slot = { worker, batch: [] };
    worker.on("message", (results: Uint8Array) => {
      const batch = slot.batch;
      slot.batch = [];
      batch.forEach((waiting, i) => void waiting.done(results[i] === 1));
      this.#dispatch();
    });
    // A thread that dies takes nothing with it: its checks are done inline from then on.
    const gone = (): void => {
      const at = this.#slots.indexOf(slot);
      if (at >= 0) this.#slots.splice(at, 1);
      this.#abandon(slot);
      if (this.#slots.length === 0) for (const waiting of this.#queue.splice(0)) waiting.done(null);
    };
    worker.on("error", gone);
    worker.on("exit", gone);
    worker.unref();
    return slot;
  }

  #abandon(slot: Slot): void {
    const batch = slot.batch;
    slot.batch = [];
    for (const waiting of batch) waiting.done(null);
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (this.#queue.length === 0) return;
      if (slot.batch.length > 0) continue;
      slot.batch = this.#queue.slice(0, BATCH_CHECKS_MAX);
      this.#queue = this.#queue.slice(slot.batch.length);
      slot.worker.postMessage(packChecks(slot.batch.map((waiting) => waiting.check)));
    }
  }
}
