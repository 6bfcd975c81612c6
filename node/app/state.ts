/**
 * The application's memory: one live branch on which blocks are executed under an undo journal, forks of it for CheckTx and for queries at
 * recent heights, and the way of its changes into the commit store.
 */

import type { CollectionInfo, Registry } from "@keel/modules/kit/collections/schema";
import type { BlockHeader } from "@keel/modules/kit/context";
import { Branch, type CollectionId, type DirtyKey } from "@keel/modules/kit/store";
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import type { CommitStore, KeyChange, StoreChanges } from "../store/types.ts";

/** The state after one committed block. */
export interface CommittedView {
  readonly header: BlockHeader;
  readonly branch: Branch;
}

/** Of these, branches hold what lies in stores. */
interface CommittedInfo extends CollectionInfo {
  readonly prefix: string;
}

function isCommitted(info: CollectionInfo): info is CommittedInfo {
  return info.prefix !== null;
}

export class AppState {
  /** All that are committed, by store and within a store by prefix: the order of their keys in commits. */
  readonly #collections: readonly CommittedInfo[];
  readonly #committedIds: ReadonlySet<CollectionId>;
  readonly #store: CommitStore;
  readonly #queryHeights: number;
  readonly #live: Branch;
  /** Committed state as the base that changes are compared with. */
  #committed: Branch;
  /** Where the block in work began: 0, or after genesis. */
  #start = 0;
  readonly #views = new Map<number, CommittedView>();
  #check: Branch;

  /** `restore` makes in a loaded branch what is not committed. */
  constructor(
    registry: Registry,
    store: CommitStore,
    options: { readonly queryHeights: number; readonly restore: (branch: Branch) => void },
  ) {
    this.#collections = registry.collections
      .filter(isCommitted)
      .sort((a, b) => compareText(a.store, b.store) || compareText(a.prefix, b.prefix));
    this.#committedIds = new Set(this.#collections.map(({ id }) => id));
    this.#store = store;
    this.#queryHeights = options.queryHeights;
    this.#live = loadBranch(registry, store);
    options.restore(this.#live);
    this.#live.clearJournal();
    this.#committed = this.#live.fork();
    this.#check = this.#live.fork();
  }

  /** Blocks are executed here. */
  get live(): Branch {
    return this.#live;
  }

  /** CheckTx runs here; reset by each commit. */
  get check(): Branch {
    return this.#check;
  }

  /** What InitChain wrote stays when a block in work is dropped. */
  keepGenesis(): void {
    this.#start = this.#live.savepoint();
    this.#check = this.#live.fork();
  }

  /** Forgets everything of the block in work. */
  dropBlock(): void {
    this.#store.discard();
    this.#live.revert(this.#start);
  }

  /** Forgets genesis too, so that InitChain may be asked again. */
  dropAll(): void {
    this.#store.discard();
    this.#live.revert(0);
    this.#start = 0;
  }

  /** Hands the block's changes to the commit store; returns the app hash. */
  stage(height: number): Uint8Array {
    return this.#store.stage(height, this.#changes());
  }

  /** After the commit store has made the staged block durable. */
  advance(header: BlockHeader): void {
    this.#live.clearJournal();
    this.#start = 0;
    // Books that were asked about at a height are worth their memory while it is the newest: a hundred of them, of one large market, are gigabytes.
    this.#committed.forgetDerived();
    this.#committed = this.#live.fork();
    this.#check = this.#live.fork();
    this.remember({ header, branch: this.#committed });
  }

  remember(view: CommittedView): void {
    this.#views.set(view.header.height, view);
    this.#views.delete(view.header.height - this.#queryHeights);
  }

  /** The committed state that the node started from. */
  get committed(): Branch {
    return this.#committed;
  }

  viewAt(height: number): CommittedView | null {
    return this.#views.get(height) ?? null;
  }

  /** Per store in name order, per key ascending; what equals the committed bytes, or deletes what is not there, is left out. */
  #changes(): StoreChanges[] {
    const dirty = this.#live.dirty(this.#committedIds);
    const stores: { readonly store: string; readonly changes: KeyChange[] }[] = [];
    for (const info of this.#collections) {
      const keys = dirty.get(info.id);
      if (keys === undefined) continue;
      let last = stores[stores.length - 1];
      if (last?.store !== info.store) stores.push((last = { store: info.store, changes: [] }));
      // No prefix of a store begins another, so ascending keys in ascending prefixes are ascending altogether.
      for (const one of [...keys].sort(byKey)) {
        const value = changedValue(one, info);
        if (value !== undefined) last.changes.push({ key: info.prefix + one.key, value });
      }
    }
    return stores.filter(({ changes }) => changes.length > 0);
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byKey(a: DirtyKey, b: DirtyKey): number {
  return a.key < b.key ? -1 : 1;
}

/** undefined: nothing to commit. */
function changedValue(
  { before, value }: DirtyKey,
  info: CollectionInfo,
): string | null | undefined {
  if (before === value) return undefined;
  if (value === undefined) return null;
  const text = info.encode(value);
  return before !== undefined && info.encode(before) === text ? undefined : text;
}

function loadBranch(registry: Registry, store: CommitStore): Branch {
  const branch = Branch.empty(registry.collections.length);
  const byStore = new Map<string, CommittedInfo[]>();
  for (const info of registry.collections.filter(isCommitted)) {
    byStore.set(info.store, [...(byStore.get(info.store) ?? []), info]);
  }
  if (store.height === 0) return branch;
  for (const [name, infos] of byStore) {
    for (const [key, value] of store.entries(name)) {
      const text = bytesToLatin1(key);
      const info = infos.find((one) => text.startsWith(one.prefix));
      if (info === undefined)
        throw new Error(
          `store ${name} holds a key of no known collection (${text.charCodeAt(0)}…): this data directory was written by another release`,
        );
      branch.load(info.id, text.slice(info.prefix.length), info.decode(value));
    }
  }
  return branch;
}
