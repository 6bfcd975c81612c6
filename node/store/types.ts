/** What the application needs from the commitment layer, and what that layer needs from the disk. */
import type { Snapshot } from "@keel/consensus/host/ports";
import type { ProofOp } from "./multistore.ts";

/** One block's writes to one store. */
export interface StoreChanges {
  readonly store: string;
  /** Strictly ascending keys; a null value deletes. */
  readonly changes: readonly KeyChange[];
}

export interface KeyChange {
  /** Latin-1 text, as the trees hold keys and values. */
  readonly key: string;
  readonly value: string | null;
}

export interface ProvedValue {
  readonly value: Uint8Array | null;
  /** `ics23:iavl`, then `ics23:simple`; the pair verifies against `app_hash` of header `height` + 1. */
  readonly proofOps: readonly ProofOp[];
}

/** Stores exist from genesis: their names are given when it is opened, and an empty one counts in the app hash. */
export interface CommitStore {
  /** Last committed height; 0 before the first. */
  readonly height: number;
  /** Of the last committed height; of all stores empty before the first. */
  readonly appHash: Uint8Array;
  /**
   * Applies `changes` to the trees in memory and returns the app hash; nothing is durable yet. The first height may be any from
   * 1; then each must be the next. A throw leaves nothing staged.
   */
  stage(height: number, changes: readonly StoreChanges[]): Uint8Array;
  /** Forgets what is staged, if anything. */
  discard(): void;
  /** Makes what is staged durable in one synced batch; only then do `height` and `appHash` move. */
  commit(extra?: CommitExtra): Promise<void>;
  /** Every key and value of `store` at the last committed height, ascending. Do not commit while iterating. */
  entries(store: string): Iterable<readonly [Uint8Array, Uint8Array]>;
  /** Throws `HeightUnavailable` outside `oldestHeight()` to `height`. */
  get(store: string, key: Uint8Array, height: number): Uint8Array | null;
  /** As `get`, with a proof of presence or absence. */
  prove(store: string, key: Uint8Array, height: number): ProvedValue;
  /** Snapshots on disk, newest first. */
  listSnapshots(): readonly Snapshot[];
  /** Null when there is no such snapshot, format or chunk (any more). */
  loadSnapshotChunk(height: number, format: number, index: number): Promise<Uint8Array | null>;
  /** Lowest height that `get` and `prove` answer at once. */
  oldestHeight(): number;
  /** Makes an older `height` answerable for a while, from disk where there is one. Rejects with `HeightUnavailable`. */
  load(height: number): Promise<void>;
}

export interface CommitExtra {
  /** The encoded FinalizeBlock response of the height, kept beside it. */
  readonly response?: Uint8Array;
}

/** How long past heights stay readable. A height stays while either rule asks for it. */
export interface Retention {
  readonly heights: number;
  readonly durationMs: number;
}

/** A height that was pruned or is not there yet. A refusal, not a fault. */
export class HeightUnavailable extends Error {
  readonly height: number;
  readonly lowest: number;

  constructor(height: number, lowest: number, highest: number) {
    super(
      height > highest
        ? `height ${height} is not available, latest height is ${highest}`
        : `height ${height} is not available, lowest height is ${lowest}`,
    );
    this.name = "HeightUnavailable";
    this.height = height;
    this.lowest = lowest;
  }
}

/** What is on disk is not what was written. The node must stop; the message says what to do. */
export class StoreCorrupt extends Error {
  constructor(what: string) {
    super(
      `${what}; restore the data directory from a backup, or remove it and let the node sync again`,
    );
    this.name = "StoreCorrupt";
  }
}

export type Write =
  | { readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly key: Uint8Array; readonly value: null };

export interface Range {
  /** Inclusive. */
  readonly from: Uint8Array;
  /** Exclusive. */
  readonly to: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** Ordered keys to values on disk. A batch is applied whole or not at all. */
export interface Database {
  get(key: Uint8Array): Promise<Uint8Array | null>;
  /** `synced` returns when this batch and all before it survive a power cut; `buffered` ones may be lost, the last first. */
  write(batch: readonly Write[], durability: "synced" | "buffered"): Promise<void>;
  range(range: Range): AsyncIterable<readonly [Uint8Array, Uint8Array]>;
  close(): Promise<void>;
}
