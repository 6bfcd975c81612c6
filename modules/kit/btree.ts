/** The one import of sorted-btree. The package is CommonJS: loaders differ in whether its class comes as is or under `default`. */
import imported from "sorted-btree";

/** A copy-on-write B+tree with latin-1 string keys in byte order. */
export type BTree<V> = imported.default<string, V>;

type Constructor = typeof imported.default;
const SortedBTree: Constructor =
  typeof imported === "function" ? (imported as unknown as Constructor) : imported.default;

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function createBTree<V>(): BTree<V> {
  return new SortedBTree<string, V>(undefined, compareKeys);
}
