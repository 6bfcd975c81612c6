/** Threads that judge batches. Checks that arrive while all threads are busy are sent together when one is free. */
import { Worker } from "node:worker_threads";
import type { CryptoBackend } from "./backend.ts";
import { type PackedCheck, packChecks } from "./batch.ts";
import { BATCH_CHECKS_MAX, QUEUE_CHECKS_MAX } from "./limits.ts";

/** null: not judged; ask inline. */
type Verdict = boolean | null;

/** Checks asked together. */
interface Group {
  readonly verdicts: Verdict[];
  left: number;
  readonly done: (verdicts: readonly Verdict[]) => void;
}

interface Waiting {
  readonly check: PackedCheck;
  readonly group: Group;
  /** Among its group. */
  readonly at: number;
}

function answer({ group, at }: Waiting, verdict: Verdict): void {
  group.verdicts[at] = verdict;
  if (--group.left === 0) group.done(group.verdicts);
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

  /** Resolves with the answers in order, null where the pool cannot give one. Never rejects. */
  judge(checks: readonly PackedCheck[]): Promise<readonly Verdict[]> {
    const room = this.#slots.length === 0 ? 0 : Math.max(0, QUEUE_CHECKS_MAX - this.#queue.length);
    const taken = checks.slice(0, room);
    if (taken.length === 0) return Promise.resolve(checks.map(() => null));
    return new Promise((done) => {
      const verdicts = checks.map((): Verdict => null);
      const group: Group = { verdicts, left: taken.length, done };
      for (const [at, check] of taken.entries()) this.#queue.push({ check, group, at });
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
    for (const waiting of this.#queue.splice(0)) answer(waiting, null);
    await Promise.all(slots.map((slot) => slot.worker.terminate()));
  }

  #start(backend: CryptoBackend): Slot {
    const worker = new Worker(new URL(file, import.meta.url), { workerData: { backend } });
    const slot: Slot = { worker, batch: [] };
    worker.on("message", (results: Uint8Array) => {
      const batch = slot.batch;
      slot.batch = [];
      for (const [i, waiting] of batch.entries()) answer(waiting, results[i] === 1);
      this.#dispatch();
    });
    // A thread that dies takes nothing with it: its checks are done inline from then on.
    const gone = (): void => {
      const at = this.#slots.indexOf(slot);
      if (at >= 0) this.#slots.splice(at, 1);
      this.#abandon(slot);
      if (this.#slots.length > 0) return;
      for (const waiting of this.#queue.splice(0)) answer(waiting, null);
    };
    worker.on("error", gone);
    worker.on("exit", gone);
    worker.unref();
    return slot;
  }

  #abandon(slot: Slot): void {
    const batch = slot.batch;
    slot.batch = [];
    for (const waiting of batch) answer(waiting, null);
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (this.#queue.length === 0) return;
      if (slot.batch.length > 0) continue;
      slot.batch = this.#queue.slice(0, BATCH_CHECKS_MAX);
      this.#queue = this.#queue.slice(slot.batch.length);
      const packed = packChecks(slot.batch.map((waiting) => waiting.check));
      slot.worker.postMessage(packed, [packed.buffer as ArrayBuffer]);
    }
  }
}
