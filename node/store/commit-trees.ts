/**
 * The trees of all stores in memory: the committed versions that are kept, and at most one staged on top. Shared by the
 * durable and the memory-only commit store.
 */
import type { Node } from "./iavl/node.ts";
import { getKey, type Root, removeKey, setKey } from "./iavl/tree.ts";
import { leaves } from "./iavl/walk.ts";
import { bytesOf, latin1Of } from "./latin1.ts";
import { keyBytesMax, retainedChangesMax, valueBytesMax } from "./limits.ts";
import { appHashOf, proveInStores, type StoreRoots, sortedStoreNames } from "./multistore.ts";
import { HeightUnavailable, type ProvedValue, type Retention, type StoreChanges } from "./types.ts";

/** One version of all stores. */
export interface Version {
  readonly height: number;
  readonly roots: StoreRoots;
  readonly appHash: Uint8Array;
}

interface Kept extends Version {
  readonly sinceMs: number;
  /** Keys changed by this version. */
  readonly changes: number;
}

/** Latin-1 text. */
export interface Leaf {
  readonly key: string;
  readonly value: string;
}

export interface Staged extends Version {
  readonly changes: readonly StoreChanges[];
}

export class CommitTrees {
  readonly stores: readonly string[];
  readonly #retention: Retention;
  readonly #nowMs: () => number;
  /** Consecutive heights, oldest first, the committed one last; empty before the first commit. */
  readonly #kept: Kept[] = [];
  #keptChanges = 0;
  /** Versions brought back from disk, by height. */
  readonly #loaded = new Map<number, Version>();
  #latest: Version;
  #staged: Staged | null = null;

  constructor(stores: readonly string[], retention: Retention, nowMs: () => number) {
    this.stores = sortedStoreNames(stores);
    this.#retention = retention;
    this.#nowMs = nowMs;
    this.#latest = emptyVersion(this.stores);
  }

  get latest(): Version {
    return this.#latest;
  }

  get staged(): Staged | null {
    return this.#staged;
  }

  stage(height: number, changes: readonly StoreChanges[]): Uint8Array {
    if (this.#staged !== null) {
      throw new Error(
        `height ${this.#staged.height} is staged already: commit or discard it first`,
      );
    }
    const expected = this.#latest.height + 1;
    if (height < 1 || (height !== expected && this.#latest.height !== 0)) {
      throw new Error(`expected height ${expected}, got ${height}`);
    }
    const roots = applyChanges(this.#latest.roots, changes, height);
    this.#staged = { height, roots, appHash: appHashOf(roots), changes };
    return this.#staged.appHash;
  }

  discard(): void {
    this.#staged = null;
  }

  /** The staged version becomes the committed one. */
  advance(): void {
    const staged = this.#staged;
    if (staged === null) throw new Error("nothing is staged");
    this.#staged = null;
    this.#latest = staged;
    this.#keep(
      staged,
      staged.changes.reduce((sum, { changes }) => sum + changes.length, 0),
    );
  }

  /** Starts from versions read from disk, consecutive and ascending, forgetting everything held. */
  reset(versions: readonly Version[]): void {
    this.#kept.length = 0;
    this.#keptChanges = 0;
    this.#loaded.clear();
    this.#staged = null;
    for (const version of versions) {
      this.#latest = version;
      this.#keep(version, 0);
    }
  }

  #keep(version: Version, changes: number): void {
    const now = this.#nowMs();
    this.#kept.push({
      height: version.height,
      roots: version.roots,
      appHash: version.appHash,
      sinceMs: now,
      changes,
    });
    this.#keptChanges += changes;
    while (this.#kept.length > this.#retention.heights) {
      const oldest = this.#kept[0] as Kept;
      if (
        now - oldest.sinceMs <= this.#retention.durationMs &&
        this.#keptChanges <= retainedChangesMax
      )
        break;
      this.#kept.shift();
      this.#keptChanges -= oldest.changes;
    }
  }

  oldestHeight(): number {
    return this.#kept[0]?.height ?? 0;
  }

  /** The version at `height`, or null when it is not in memory. */
  at(height: number): Version | null {
    const oldest = this.oldestHeight();
    return this.#kept[height - oldest] ?? this.#loaded.get(height) ?? null;
  }

  /** Holds a version rebuilt from disk, dropping the ones held longest beyond `max`. */
  hold(version: Version, max: number): void {
    this.#loaded.set(version.height, version);
    for (const height of this.#loaded.keys()) {
      if (this.#loaded.size <= max) break;
      this.#loaded.delete(height);
    }
  }

  get(store: string, key: Uint8Array, height: number): Uint8Array | null {
    const value = getKey(rootIn(this.#require(height), store), latin1Of(key));
    return value === null ? null : bytesOf(value);
  }

  prove(store: string, key: Uint8Array, height: number): ProvedValue {
    return proveInStores(this.#require(height).roots, store, key);
  }

  *entries(store: string): Generator<readonly [Uint8Array, Uint8Array], void, undefined> {
    for (const leaf of leaves(rootIn(this.#latest, store))) {
      yield [bytesOf(leaf.key), bytesOf(leaf.value as string)];
    }
  }

  /** The committed version, held: it never changes, whatever is committed after it. */
  present(): { readonly height: number; readonly leavesOf: (store: string) => Iterable<Leaf> } {
    const version = this.#latest;
    return {
      height: version.height,
      leavesOf: (store) => leaves(rootIn(version, store)) as Iterable<Node & Leaf>,
    };
  }

  #require(height: number): Version {
    const version = this.at(height);
    if (version === null)
      throw new HeightUnavailable(height, this.oldestHeight(), this.#latest.height);
    return version;
  }
}

export function emptyVersion(stores: readonly string[]): Version {
  const roots: StoreRoots = new Map(stores.map((store) => [store, null]));
  return { height: 0, roots, appHash: appHashOf(roots) };
}

function rootIn(version: Version, store: string): Root {
  const root = version.roots.get(store);
  if (root === undefined) throw new Error(`no store named ${store}`);
  return root;
}

/** New roots at `height`; `roots` keep what they were. */
export function applyChanges(
  roots: StoreRoots,
  changes: readonly StoreChanges[],
  height: number,
): StoreRoots {
  const changed = new Map(roots);
  const seen = new Set<string>();
  for (const { store, changes: keys } of changes) {
    let root = changed.get(store);
    if (root === undefined) throw new Error(`no store named ${store}`);
    if (seen.has(store)) throw new Error(`store ${store} is changed twice at height ${height}`);
    seen.add(store);
    let before = "";
    for (const { key, value } of keys) {
      assertKey(store, before, key);
      before = key;
      if (value === null) {
        root = removeKey(root, key, height);
        continue;
      }
      if (value.length > valueBytesMax) {
        throw new Error(
          `store ${store}: expected a value of at most ${valueBytesMax} bytes, got ${value.length}`,
        );
      }
      root = setKey(root, key, value, height);
    }
    changed.set(store, root);
  }
  return changed;
}

function assertKey(store: string, before: string, key: string): void {
  if (key.length === 0 || key.length > keyBytesMax) {
    throw new Error(
      `store ${store}: expected a key of 1 to ${keyBytesMax} bytes, got ${key.length}`,
    );
  }
  if (before >= key) {
    throw new Error(`store ${store}: expected strictly ascending keys`);
  }
}
