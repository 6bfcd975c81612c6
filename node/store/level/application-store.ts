/**
 * The durable commit store. A commit is one synced batch (changelog, response, latest version); every so many heights a snapshot is
 * written in the background, and what neither recovery nor retention needs any more is pruned.
 */

import type { Snapshot } from "@keel/consensus/host/ports";
import { equalBytes } from "@keel/proto/bytes/compare";
import { CommitTrees, type Leaf, type Version } from "../commit-trees.ts";
import {
  provableHeights,
  provableMs,
  rebuiltHeightsMax,
  snapshotIntervalHeights,
  snapshotsKeptMin,
} from "../limits.ts";
import { appHashOf } from "../multistore.ts";
import { snapshotFormat } from "../snapshot-codec.ts";
import {
  type CommitExtra,
  type CommitStore,
  type Database,
  HeightUnavailable,
  type ProvedValue,
  type Retention,
  type StoreChanges,
  StoreCorrupt,
  type Write,
} from "../types.ts";
import { decodeLatest, encodeChangelog, encodeLatest } from "./changelog.ts";
import { heightKey, heightOfKey, prefixes, singleKey } from "./keys.ts";
import { pruneApplicationStore, readBase } from "./prune.ts";
import { rebuildVersion } from "./rebuild.ts";
import { openBytes, sealBytes } from "./records.ts";
import {
  listManifests,
  offered,
  readChunk,
  type SnapshotManifest,
  sweepChunks,
  writeSnapshot,
} from "./snapshots.ts";

export interface ApplicationStoreOptions {
  readonly stores: readonly string[];
  /** What stays provable, in memory first and then from disk. Default: the limits' 100 heights and 10 minutes. */
  readonly retention?: Retention;
  readonly snapshotIntervalHeights?: number;
  readonly snapshotsKeptMin?: number;
  /** Wall clock in milliseconds; decides only what is pruned. */
  readonly nowMs?: () => number;
}

/** Recovers the last committed version; rejects with `StoreCorrupt` when what is on disk does not add up. */
export async function openApplicationStore(
  database: Database,
  options: ApplicationStoreOptions,
): Promise<ApplicationStore> {
  const retention = options.retention ?? { heights: provableHeights, durationMs: provableMs };
  const trees = new CommitTrees(options.stores, retention, options.nowMs ?? Date.now);
  const manifests = await listManifests(database);
  await sweepChunks(database, manifests);
  const record = await database.get(singleKey(prefixes.meta));
  if (record !== null) {
    const latest = decodeLatest(record);
    if (latest.stores.join() !== trees.stores.join()) {
      throw new Error(
        `application.db holds stores ${latest.stores.join()}, expected ${trees.stores.join()}`,
      );
    }
    trees.reset(await recover(database, { trees, manifests, latest, heights: retention.heights }));
  }
  return new ApplicationStore(database, trees, manifests, { ...options, retention });
}

interface Recovery {
  readonly trees: CommitTrees;
  readonly manifests: readonly SnapshotManifest[];
  readonly latest: { readonly height: number; readonly appHash: Uint8Array };
  readonly heights: number;
}

/** The last `heights` versions on disk. Only the newest is hashed and compared; older ones hash when first asked for. */
async function recover(
  database: Database,
  { trees, manifests, latest, heights }: Recovery,
): Promise<Version[]> {
  const versions: Version[] = [];
  const { height } = latest;
  const newest = await rebuildVersion(database, {
    stores: trees.stores,
    manifests,
    height,
    onVersion: (version) => {
      if (version.height > height - heights) versions.push(version);
    },
  });
  if (!equalBytes(appHashOf(newest.roots), latest.appHash)) {
    throw new StoreCorrupt(
      `application.db: the trees of height ${height} do not give its app hash`,
    );
  }
  return versions;
}

export class ApplicationStore implements CommitStore {
  readonly #database: Database;
  readonly #trees: CommitTrees;
  readonly #options: ApplicationStoreOptions & { readonly retention: Retention };
  readonly #nowMs: () => number;
  #manifests: SnapshotManifest[];
  #committing = false;
  #closed = false;
  #snapshotting: Promise<void> | null = null;
  /** A snapshot or pruning that failed: the disk is broken, and the next commit says so. */
  #backgroundFailure: unknown = null;
  /** Rebuilding and pruning one after another, so that none reads what the other removes. */
  #exclusive: Promise<unknown> = Promise.resolve();
  #loadsWaiting = 0;

  constructor(
    database: Database,
    trees: CommitTrees,
    manifests: readonly SnapshotManifest[],
    options: ApplicationStoreOptions & { readonly retention: Retention },
  ) {
    this.#database = database;
    this.#trees = trees;
    this.#manifests = [...manifests];
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
  }

  get stores(): readonly string[] {
    return this.#trees.stores;
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
    if (this.#committing) throw new Error("expected no discard while a commit is being written");
    this.#trees.discard();
  }

  /** When this rejects nothing has moved in memory, but the disk may hold the height: the process must stop. */
  async commit(extra: CommitExtra = {}): Promise<void> {
    const staged = this.#trees.staged;
    if (staged === null || this.#committing)
      throw new Error("expected one staged version to commit");
    if (this.#backgroundFailure !== null) throw this.#backgroundFailure;
    this.#committing = true;
    const committedAtMs = this.#nowMs();
    try {
      const { height, appHash } = staged;
      const changelog = encodeChangelog({ height, committedAtMs, appHash }, staged.changes);
      const latest = encodeLatest({ height, appHash, stores: this.#trees.stores });
      const batch: Write[] = [
        { key: heightKey(prefixes.changelog, height), value: changelog },
        { key: singleKey(prefixes.meta), value: latest },
      ];
      if (extra.response !== undefined) {
        const value = sealBytes(extra.response);
        batch.push({ key: heightKey(prefixes.appResponse, height), value });
      }
      await this.#database.write(batch, "synced");
      this.#trees.advance();
    } finally {
      this.#committing = false;
    }
    this.#maybeSnapshot(committedAtMs);
  }

  /** The response given to `commit` of `height`, or null. */
  async loadResponse(height: number): Promise<Uint8Array | null> {
    const record = await this.#database.get(heightKey(prefixes.appResponse, height));
    if (record === null) return null;
    return openBytes(`response of height ${height}`, record);
  }

  entries(store: string): Iterable<readonly [Uint8Array, Uint8Array]> {
    return this.#trees.entries(store);
  }

  /** What the commit of `height` changed, as `readChangelog` reads it, or null when it is pruned or not there yet. */
  async loadChangelog(height: number): Promise<Uint8Array | null> {
    return this.#database.get(heightKey(prefixes.changelog, height));
  }

  /** The stores at the last committed height, readable for as long as one likes while later heights are committed. */
  present(): { readonly height: number; readonly leavesOf: (store: string) => Iterable<Leaf> } {
    return this.#trees.present();
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

  /** Lowest height that `load` can bring back. */
  async oldestOnDisk(): Promise<number> {
    const base = await readBase(this.#database);
    if (base > 0) return base;
    const range = {
      from: heightKey(prefixes.changelog, 0),
      to: Uint8Array.of(prefixes.changelog + 1),
      limit: 1,
    };
    for await (const [key] of this.#database.range(range)) return heightOfKey(key);
    return 0;
  }

  async load(height: number): Promise<void> {
    if (this.#trees.at(height) !== null) return;
    if (this.#loadsWaiting >= rebuiltHeightsMax) {
      throw new Error(`too many past heights asked for at once, at most ${rebuiltHeightsMax}`);
    }
    this.#loadsWaiting++;
    try {
      await this.#exclusively(async () => {
        const lowest = await this.oldestOnDisk();
        if (height < lowest || height > this.height || height < 1) {
          throw new HeightUnavailable(height, lowest, this.height);
        }
        if (this.#trees.at(height) !== null) return;
        const { stores } = this.#trees;
        const version = await rebuildVersion(this.#database, {
          stores,
          manifests: this.#manifests,
          height,
        });
        this.#trees.hold(version, rebuiltHeightsMax);
      });
    } finally {
      this.#loadsWaiting--;
    }
  }

  /** Whole snapshots, lowest first. */
  get manifests(): readonly SnapshotManifest[] {
    return this.#manifests;
  }

  listSnapshots(): readonly Snapshot[] {
    return this.#manifests.map(offered).reverse();
  }

  async loadSnapshotChunk(
    height: number,
    format: number,
    index: number,
  ): Promise<Uint8Array | null> {
    const manifest = this.#manifests.find((one) => one.height === height);
    if (format !== snapshotFormat || manifest === undefined) return null;
    return readChunk(this.#database, manifest, index);
  }

  /** Writes a snapshot of the newest version now; resolves when it is durable. */
  async snapshot(): Promise<void> {
    await this.#snapshotting;
    if (this.height === 0) return;
    this.#startSnapshot(this.#nowMs());
    await this.#snapshotting;
    if (this.#backgroundFailure !== null) throw this.#backgroundFailure;
  }

  /** Takes over a restored version whose chunks are in the database already. The store must be empty. */
  async adopt(
    version: Version,
    batch: readonly Write[],
    manifest: SnapshotManifest,
  ): Promise<void> {
    if (this.height !== 0)
      throw new Error(`expected an empty store to restore into, got height ${this.height}`);
    const { height, appHash } = version;
    const latest = encodeLatest({ height, appHash, stores: this.#trees.stores });
    await this.#database.write(
      [...batch, { key: singleKey(prefixes.meta), value: latest }],
      "synced",
    );
    this.#manifests = [manifest];
    this.#trees.reset([version]);
  }

  /** Abandons a snapshot under way and waits for background work; the database stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#snapshotting;
    await this.#exclusive.catch(() => undefined);
  }

  #maybeSnapshot(committedAtMs: number): void {
    const last = this.#manifests[this.#manifests.length - 1]?.height ?? 0;
    const interval = this.#options.snapshotIntervalHeights ?? snapshotIntervalHeights;
    if (this.#snapshotting !== null || this.#closed || this.height - last < interval) return;
    this.#startSnapshot(committedAtMs);
  }

  #startSnapshot(committedAtMs: number): void {
    const work = this.#writeSnapshot(this.#trees.latest, committedAtMs).catch((error: unknown) => {
      this.#backgroundFailure = error;
    });
    this.#snapshotting = work.finally(() => {
      this.#snapshotting = null;
    });
  }

  async #writeSnapshot(version: Version, committedAtMs: number): Promise<void> {
    if (this.#manifests.some(({ height }) => height === version.height)) return;
    const isStopped = (): boolean => this.#closed;
    const manifest = await writeSnapshot(this.#database, version, { committedAtMs, isStopped });
    if (manifest === null) return;
    this.#manifests.push(manifest);
    await this.#exclusively(async () => {
      this.#manifests = await pruneApplicationStore(this.#database, this.#manifests, {
        latestHeight: this.height,
        nowMs: this.#nowMs(),
        retention: this.#options.retention,
        snapshotsKeptMin: this.#options.snapshotsKeptMin ?? snapshotsKeptMin,
      });
    });
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    const turn = this.#exclusive.catch(() => undefined).then(work);
    this.#exclusive = turn.catch(() => undefined);
    await turn;
  }
}
