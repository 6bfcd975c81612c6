/**
 * Branching in-memory state behind the typed collections.
 *
 * Each collection is one copy-on-write B+tree from encoded key to decoded, immutable value. A branch holds one tree per collection;
 * forking is O(collections) and shares all nodes. Writes are undo-logged, so savepoints nest: order, message, transaction,
 * market step, block. Keys are latin-1 strings (one character per byte): comparing them compares the bytes.
 */
import { type BTree, createBTree } from "./btree.ts";
import { assert } from "./errors.ts";

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
  /** In-memory structures derived from this branch's state (an order book): the owner keeps them in step through `onRevert`. */
  readonly derived: WeakMap<object, unknown>;
}

export interface WriteState extends ReadState {
  set(collection: CollectionId, key: string, value: unknown): void;
  delete(collection: CollectionId, key: string): void;
  /** Registers an undo step for a derived in-memory structure; runs when the enclosing savepoint is reverted. */
  onRevert(undo: () => void): void;
  savepoint(): number;
  /** Undoes everything since the savepoint, newest first. */
  revert(savepoint: number): void;
}

type Tree = BTree<unknown>;
type Undo =
  | {
      readonly collection: CollectionId;
      readonly key: string;
      readonly previous: unknown;
    }
  | (() => void);

/** One changed key since the journal was last cleared. `value` undefined means deleted. */
export interface DirtyKey {
  readonly collection: CollectionId;
  readonly key: string;
  readonly value: unknown;
}

export class Branch implements WriteState {
  readonly derived: WeakMap<object, unknown> = new WeakMap();
  readonly #trees: Tree[];
  #journal: Undo[] = [];

  private constructor(trees: Tree[]) {
    this.#trees = trees;
  }

  static empty(collections: number): Branch {
    return new Branch(Array.from({ length: collections }, () => createBTree<unknown>()));
  }

  /** An independent branch of the present state, sharing unchanged nodes. Derived structures are not carried over. */
  fork(): Branch {
    return new Branch(this.#trees.map((tree) => tree.clone()));
  }

  get(collection: CollectionId, key: string): unknown {
    return this.#tree(collection).get(key);
  }

  set(collection: CollectionId, key: string, value: unknown): void {
    assert(value !== undefined, "a collection value may not be undefined");
    const tree = this.#tree(collection);
    this.#journal.push({ collection, key, previous: tree.get(key) });
    tree.set(key, value);
  }

  delete(collection: CollectionId, key: string): void {
    const tree = this.#tree(collection);
    const previous = tree.get(key);
    if (previous === undefined) return;
    this.#journal.push({ collection, key, previous });
    tree.delete(key);
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
      else if (undo.previous === undefined) this.#tree(undo.collection).delete(undo.key);
      else this.#tree(undo.collection).set(undo.key, undo.previous);
    }
  }

  /** Every key written since the journal was last cleared, once, with its present value. Order is unspecified. */
  dirty(): DirtyKey[] {
    const seen: (Set<string> | undefined)[] = [];
    const out: DirtyKey[] = [];
    for (const undo of this.#journal) {
      if (typeof undo === "function") continue;
      const { collection, key } = undo;
      const keys = (seen[collection] ??= new Set());
      if (keys.has(key)) continue;
      keys.add(key);
      out.push({ collection, key, value: this.#tree(collection).get(key) });
    }
    return out;
  }

  /** Makes everything so far permanent: savepoints taken before are void. */
  clearJournal(): void {
    this.#journal = [];
  }

  /** Loads committed entries at start-up, without journal. */
  load(collection: CollectionId, key: string, value: unknown): void {
    this.#tree(collection).set(key, value);
  }

  #tree(collection: CollectionId): Tree {
    const tree = this.#trees[collection];
    assert(tree !== undefined, `unknown collection ${collection}`);
    return tree;
  }
}
