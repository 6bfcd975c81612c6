/**
 * Branching in-memory state behind the typed collections.
 *
 * Each collection is one copy-on-write B+tree from encoded key to decoded, immutable value. A branch holds one tree per collection;
 * forking is O(collections) and shares all nodes. Writes are undo-logged, so savepoints nest: order, message, transaction,
 * market step, block. Keys are latin-1 strings (one character per byte): comparing them compares the bytes.
 */
import { type BTree, createBTree } from "./btree.ts";
import { AssertionError, assert } from "./errors.ts";

/** Position of a collection in the registry; assigned when the schema is built. */
export type CollectionId = number;

export interface ReadState {
  get(collection: CollectionId, key: string): unknown;
  /** Ascending (or descending) over keys in [from, to). The callback returns true to stop. No writes to this collection meanwhile. */
  range(
    collection: CollectionId,
    from: string,
    to: string | undefined,
    visit: (key: string, value: unknown) => unknown,
    descending?: boolean,
  ): void;
  size(collection: CollectionId): number;
  /** Grows with every write of this branch to the collection, undone ones included: while it stands, what was read still holds. */
  writes(collection: CollectionId): number;
  /** In-memory structures derived from this branch's state (an order book): the owner keeps them in step through `onRevert`. */
  readonly derived: WeakMap<object, unknown>;
}

export interface WriteState extends ReadState {
  set(collection: CollectionId, key: string, value: unknown): void;
  /** As `set` where the key holds nothing, in one walk; else changes nothing and returns false. */
  add(collection: CollectionId, key: string, value: unknown): boolean;
  delete(collection: CollectionId, key: string): void;
  /** Registers an undo step for a derived in-memory structure; runs when the enclosing savepoint is reverted. */
  onRevert(undo: () => void): void;
  savepoint(): number;
  /** Undoes everything since the savepoint, newest first. */
  revert(savepoint: number): void;
}

type Tree = BTree<unknown>;
/** One write; `previous` or `value` undefined: the key was absent before, or is absent since. */
interface Written {
  readonly collection: CollectionId;
  readonly key: string;
  readonly previous: unknown;
  readonly value: unknown;
}

type Undo = Written | (() => void);

/** One key written since the journal was last cleared, with what it held then and holds now. Undefined: nothing. */
export interface DirtyKey {
  readonly key: string;
  readonly before: unknown;
  value: unknown;
}

export class Branch implements WriteState {
  derived: WeakMap<object, unknown> = new WeakMap();
  readonly #trees: Tree[];
  /**
   * Of each collection the key asked for last, and what it holds: an order asks for the same market, prices and accounts many times, and writes
   * what it has just read.
   */
  readonly #lastKeys: (string | undefined)[];
  readonly #lastValues: unknown[];
  readonly #writes: number[];
  #journal: Undo[] = [];

  private constructor(trees: Tree[]) {
    this.#trees = trees;
    this.#lastKeys = trees.map(() => undefined);
    this.#lastValues = trees.map(() => undefined);
    this.#writes = trees.map(() => 0);
  }

  static empty(collections: number): Branch {
    return new Branch(Array.from({ length: collections }, () => createBTree<unknown>()));
  }

  /** An independent branch of the present state, sharing unchanged nodes. Derived structures are not carried over. */
  fork(): Branch {
    return new Branch(this.#trees.map((tree) => tree.clone()));
  }

  /** What is asked of it makes them anew. Only of a branch that nothing is written to: no inverse may be waiting for one of them. */
  forgetDerived(): void {
    this.derived = new WeakMap();
  }

  get(collection: CollectionId, key: string): unknown {
    if (this.#lastKeys[collection] === key) return this.#lastValues[collection];
    const value = this.#tree(collection).get(key);
    this.#lastKeys[collection] = key;
    this.#lastValues[collection] = value;
    return value;
  }

  set(collection: CollectionId, key: string, value: unknown): void {
    assert(value !== undefined, "a collection value may not be undefined");
    this.#journal.push({ collection, key, previous: this.get(collection, key), value });
    this.#put(collection, key, value);
  }

  add(collection: CollectionId, key: string, value: unknown): boolean {
    assert(value !== undefined, "a collection value may not be undefined");
    if (!this.#tree(collection).set(key, value, false)) return false;
    this.#journal.push({ collection, key, previous: undefined, value });
    this.#written(collection, key, value);
    return true;
  }

  delete(collection: CollectionId, key: string): void {
    const previous = this.get(collection, key);
    if (previous === undefined) return;
    this.#journal.push({ collection, key, previous, value: undefined });
    this.#put(collection, key, undefined);
  }

  #put(collection: CollectionId, key: string, value: unknown): void {
    const tree = this.#tree(collection);
    if (value === undefined) tree.delete(key);
    else tree.set(key, value);
    this.#written(collection, key, value);
  }

  #written(collection: CollectionId, key: string, value: unknown): void {
    (this.#writes[collection] as number)++;
    this.#lastKeys[collection] = key;
    this.#lastValues[collection] = value;
  }

  range(
    collection: CollectionId,
    from: string,
    to: string | undefined,
    visit: (key: string, value: unknown) => unknown,
    descending = false,
  ): void {
    const tree = this.#tree(collection);
    if (descending) {
      for (const [key, value] of tree.entriesReversed(to, undefined, true)) {
        if (key < from) return;
        if (visit(key, value) === true) return;
      }
      return;
    }
    for (const [key, value] of tree.entries(from)) {
      if (to !== undefined && key >= to) return;
      if (visit(key, value) === true) return;
    }
  }

  size(collection: CollectionId): number {
    return this.#tree(collection).size;
  }

  writes(collection: CollectionId): number {
    return this.#writes[collection] as number;
  }

  onRevert(undo: () => void): void {
    this.#journal.push(undo);
  }

  savepoint(): number {
    return this.#journal.length;
  }

  revert(savepoint: number): void {
    assert(savepoint <= this.#journal.length, "savepoint was already reverted");
    while (this.#journal.length > savepoint) {
      const undo = this.#journal.pop() as Undo;
      if (typeof undo === "function") undo();
      else this.#put(undo.collection, undo.key, undo.previous);
    }
  }

  /** Every key written since the journal was last cleared, once, by collection; of those `asked` for. Order is unspecified. */
  dirty(asked?: ReadonlySet<CollectionId>): ReadonlyMap<CollectionId, readonly DirtyKey[]> {
    const found = new Map<CollectionId, Map<string, DirtyKey>>();
    for (const undo of this.#journal) {
      if (typeof undo === "function") continue;
      const { collection, key, previous, value } = undo;
      if (asked?.has(collection) === false) continue;
      let keys = found.get(collection);
      if (keys === undefined) found.set(collection, (keys = new Map()));
      const known = keys.get(key);
      // The first write knows what was there when the journal began, the last one what is there now.
      if (known === undefined) keys.set(key, { key, before: previous, value });
      else known.value = value;
    }
    const out = new Map<CollectionId, DirtyKey[]>();
    for (const [collection, keys] of found) out.set(collection, [...keys.values()]);
    return out;
  }

  /** Makes everything so far permanent: savepoints taken before are void. */
  clearJournal(): void {
    this.#journal = [];
  }

  /** Loads committed entries at start-up, without journal. */
  load(collection: CollectionId, key: string, value: unknown): void {
    this.#put(collection, key, value);
  }

  #tree(collection: CollectionId): Tree {
    const tree = this.#trees[collection];
    // The text of an assert is made even when nothing is wrong.
    if (tree === undefined) throw new AssertionError(`unknown collection ${collection}`);
    return tree;
  }
}
