/**
 * The `Database` port in memory, with a disk that can fail: it may refuse the n-th batch, and `crashed()` gives what a power cut
 * would leave, every synced batch and some prefix of the buffered ones after it. For tests and simulations.
 */
import { bytesOf, latin1Of } from "../latin1.ts";
import type { Database, Range, Write } from "../types.ts";

export interface MemoryDatabaseOptions {
  /** Batches that succeed before the disk fails for good; default no failure. */
  readonly batchesUntilFailure?: number;
}

export class MemoryDatabase implements Database {
  /** Latin-1 keys, so that string order is byte order. */
  readonly #records: Map<string, Uint8Array>;
  readonly #durable: Map<string, Uint8Array>;
  #buffered: (readonly Write[])[] = [];
  #batchesLeft: number;
  #sorted: string[] | null = null;

  constructor(
    { batchesUntilFailure }: MemoryDatabaseOptions = {},
    records: ReadonlyMap<string, Uint8Array> = new Map(),
  ) {
    this.#records = new Map(records);
    this.#durable = new Map(records);
    this.#batchesLeft = batchesUntilFailure ?? Number.POSITIVE_INFINITY;
  }

  /** What is found after a crash that kept the first `bufferedKept` batches written since the last synced one. */
  crashed(bufferedKept: number = 0, options: MemoryDatabaseOptions = {}): MemoryDatabase {
    const left = new Map(this.#durable);
    for (const batch of this.#buffered.slice(0, bufferedKept)) apply(left, batch);
    return new MemoryDatabase(options, left);
  }

  /** Batches a crash now could lose. */
  get bufferedBatches(): number {
    return this.#buffered.length;
  }

  async get(key: Uint8Array): Promise<Uint8Array | null> {
    return this.#records.get(latin1Of(key)) ?? null;
  }

  async write(batch: readonly Write[], durability: "synced" | "buffered"): Promise<void> {
    if (this.#batchesLeft <= 0) throw new Error("disk failed (on purpose)");
    this.#batchesLeft--;
    const copy = batch.map(
      ({ key, value }) => ({ key: key.slice(), value: value?.slice() ?? null }) as Write,
    );
    apply(this.#records, copy);
    this.#sorted = null;
    this.#buffered.push(copy);
    if (durability === "synced") {
      for (const one of this.#buffered) apply(this.#durable, one);
      this.#buffered = [];
    }
  }

  async *range({
    from,
    to,
    reverse,
    limit,
  }: Range): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
    this.#sorted ??= [...this.#records.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const low = latin1Of(from);
    const high = latin1Of(to);
    const keys = this.#sorted.filter((key) => key >= low && key < high);
    if (reverse) keys.reverse();
    const snapshot = keys
      .slice(0, limit ?? keys.length)
      .map((key) => [key, this.#records.get(key) as Uint8Array] as const);
    for (const [key, value] of snapshot) yield [bytesOf(key), value];
  }

  async close(): Promise<void> {}
}

function apply(records: Map<string, Uint8Array>, batch: readonly Write[]): void {
  for (const { key, value } of batch) {
    if (value === null) records.delete(latin1Of(key));
    else records.set(latin1Of(key), value);
  }
}
