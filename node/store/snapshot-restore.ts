/**
 * State sync: building the store from what a peer offers. Nothing from a peer counts until the
 * app hash of the whole equals the one a light client has verified.
 */
import type { Snapshot } from "@keel/consensus/host/ports";
import { equalBytes } from "@keel/proto/bytes/compare";
import { sha256 } from "@keel/proto/bytes/sha256";
import type { ApplicationStore } from "./level/application-store.ts";
import { heightKey, placeKey, prefixes } from "./level/keys.ts";
import { baseKey, encodeBase } from "./level/prune.ts";
import { encodeManifest, type SnapshotManifest } from "./level/snapshots.ts";
import { snapshotChunkBytesMax, snapshotChunksMax } from "./limits.ts";
import { appHashOf } from "./multistore.ts";
import { SnapshotDecoder, snapshotFormat } from "./snapshot-codec.ts";
import type { Database } from "./types.ts";

export type ChunkAnswer =
  /** Taken; the last one also makes the restored state durable. */
  | "accept"
  /** Not the chunk announced: fetch it again, from another peer. */
  | "retry"
  /** The announced content itself is wrong: give this snapshot up. */
  | "reject";

export class SnapshotRestore {
  readonly #database: Database;
  readonly #store: ApplicationStore;
  readonly #snapshot: Snapshot;
  readonly #appHash: Uint8Array;
  readonly #nowMs: () => number;
  readonly #decoder: SnapshotDecoder;
  #next = 0;
  #rejected = false;

  private constructor(options: RestoreOptions) {
    this.#database = options.database;
    this.#store = options.store;
    this.#snapshot = options.snapshot;
    this.#appHash = options.appHash;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#decoder = new SnapshotDecoder(options.store.stores, options.snapshot.height);
  }

  /** Null when the offer is not one this node can take: its format, bounds or hash, or because it has state already. */
  static begin(options: RestoreOptions): SnapshotRestore | null {
    const { height, format, chunks, hash, metadata } = options.snapshot;
    if (format !== snapshotFormat || options.store.height !== 0) return null;
    if (!Number.isSafeInteger(height) || height < 1) return null;
    if (chunks < 1 || chunks > snapshotChunksMax || metadata.length !== chunks * 32) return null;
    return equalBytes(sha256(metadata), hash) ? new SnapshotRestore(options) : null;
  }

  /** True once every chunk was accepted. */
  get done(): boolean {
    return this.#next === this.#snapshot.chunks;
  }

  /** Index of the chunk wanted next: they are taken in order. */
  get next(): number {
    return this.#next;
  }

  async apply(index: number, chunk: Uint8Array): Promise<ChunkAnswer> {
    if (this.#rejected || this.done) return "reject";
    const { height, metadata } = this.#snapshot;
    const announced = metadata.subarray(this.#next * 32, this.#next * 32 + 32);
    if (index !== this.#next || chunk.length > snapshotChunkBytesMax) return "retry";
    if (!equalBytes(sha256(chunk), announced)) return "retry";
    if (!this.#decodes(() => this.#decoder.add(chunk))) return "reject";
    await this.#database.write(
      [{ key: placeKey(prefixes.snapshotChunk, height, index), value: chunk }],
      "buffered",
    );
    if (index === this.#snapshot.chunks - 1 && !(await this.#finish())) return "reject";
    this.#next++;
    return "accept";
  }

  async #finish(): Promise<boolean> {
    const { height, metadata, chunks } = this.#snapshot;
    let roots: ReturnType<SnapshotDecoder["finish"]> = new Map();
    const decoded = this.#decodes(() => {
      roots = this.#decoder.finish();
    });
    if (!decoded) return false;
    if (!equalBytes(appHashOf(roots), this.#appHash)) {
      this.#rejected = true;
      return false;
    }
    const manifest: SnapshotManifest = {
      height,
      committedAtMs: this.#nowMs(),
      appHash: this.#appHash,
      chunkHashes: Array.from({ length: chunks }, (_, i) => metadata.slice(i * 32, i * 32 + 32)),
    };
    const batch = [
      { key: heightKey(prefixes.snapshotManifest, height), value: encodeManifest(manifest) },
      { key: baseKey, value: encodeBase(height) },
    ];
    await this.#store.adopt({ height, roots, appHash: this.#appHash }, batch, manifest);
    return true;
  }

  /** Whatever a peer's bytes make the decoder throw is a refusal of the snapshot, not a fault of ours. */
  #decodes(work: () => void): boolean {
    try {
      work();
      return true;
    } catch {
      this.#rejected = true;
      return false;
    }
  }
}

export interface RestoreOptions {
  readonly database: Database;
  /** Opened on `database`, empty. */
  readonly store: ApplicationStore;
  readonly snapshot: Snapshot;
  /** Verified by a light client: `app_hash` of header `snapshot.height` + 1. */
  readonly appHash: Uint8Array;
  /** Wall clock in milliseconds; decides only what is pruned. */
  readonly nowMs?: () => number;
}
