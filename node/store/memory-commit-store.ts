/** A commit store without a disk: the same trees, hashes and proofs, for tests, benches and simulations. */
import type { Snapshot } from "@keel/consensus/host/ports";
import { CommitTrees } from "./commit-trees.ts";
import { provableHeights, provableMs } from "./limits.ts";
import {
  type CommitStore,
  HeightUnavailable,
  type ProvedValue,
  type Retention,
  type StoreChanges,
} from "./types.ts";

export interface MemoryCommitStoreOptions {
  readonly stores: readonly string[];
  /** Default: the limits' 100 heights and 10 minutes. */
  readonly retention?: Retention;
  /** Monotonic milliseconds; default a clock that stands still, so that only the heights rule drops versions. */
  readonly nowMs?: () => number;
}

export class MemoryCommitStore implements CommitStore {
  readonly #trees: CommitTrees;

  constructor({ stores, retention, nowMs }: MemoryCommitStoreOptions) {
    // Standing still must not mean that nothing is ever old enough to drop.
    const fallback = {
      heights: provableHeights,
      durationMs: nowMs === undefined ? -1 : provableMs,
    };
    this.#trees = new CommitTrees(stores, retention ?? fallback, nowMs ?? (() => 0));
  }

  get height(): number {
    return this.#trees.latest.height;
  }

  get appHash(): Uint8Array {
    return this.#trees.latest.appHash;
  }

  stage(height: number, changes: readonly StoreChanges[]): Uint8Array {
    return this.#trees.stage(height, changes);
  }

  discard(): void {
    this.#trees.discard();
  }

  async commit(): Promise<void> {
    this.#trees.advance();
  }

  entries(store: string): Iterable<readonly [Uint8Array, Uint8Array]> {
    return this.#trees.entries(store);
  }

  get(store: string, key: Uint8Array, height: number): Uint8Array | null {
    return this.#trees.get(store, key, height);
  }

  prove(store: string, key: Uint8Array, height: number): ProvedValue {
    return this.#trees.prove(store, key, height);
  }

  oldestHeight(): number {
    return this.#trees.oldestHeight();
  }

  /** Nothing is written down, so there is nothing to offer. */
  listSnapshots(): readonly Snapshot[] {
    return [];
  }

  async loadSnapshotChunk(): Promise<null> {
    return null;
  }

  async load(height: number): Promise<void> {
    if (this.#trees.at(height) === null) {
      throw new HeightUnavailable(height, this.oldestHeight(), this.height);
    }
  }
}
