/**
 * The app hash: an RFC 6962 Merkle tree over the stores sorted by name, as the SDK's root multistore makes it, and the
 * two-step proof (key in its store's tree, store's root in the app hash) that light clients verify.
 */
import { merkleRoot } from "@keel/consensus/wire/merkle";
import { concatBytes } from "@keel/proto/bytes/compare";
import { sha256 } from "@keel/proto/bytes/sha256";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { hashTrees, rootHash } from "./iavl/hash.ts";
import { getKey, type Root } from "./iavl/tree.ts";
import {
  type CommitmentProof,
  encodeCommitmentProof,
  type InnerOp,
  provePresenceOrAbsence,
} from "./ics23.ts";
import { bytesOf, latin1Of } from "./latin1.ts";

/** One root per store, all stores present, in ascending name order. */
export type StoreRoots = ReadonlyMap<string, Root>;

export interface ProofOp {
  readonly type: string;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
}

/** Plain code-unit order: store names are ASCII, so it is the order of their bytes. */
export function sortedStoreNames(names: readonly string[]): readonly string[] {
  const sorted = [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  sorted.forEach((name, i) => {
    if (!/^[a-z][a-z0-9_-]{0,126}$/.test(name))
      throw new Error(`store name: expected lower-case ASCII, got ${JSON.stringify(name)}`);
    if (name === sorted[i - 1]) throw new Error(`store name ${name} given twice`);
  });
  return sorted;
}

/** 32 bytes. */
export function appHashOf(roots: StoreRoots): Uint8Array {
  // All stores in one pass: the lanes of the hash function stay full.
  hashTrees([...roots.values()]);
  return merkleRoot(storeItems(roots));
}

/** `proofOps` lead from the key (present or absent) to the app hash of `roots`. */
export function proveInStores(
  roots: StoreRoots,
  store: string,
  key: Uint8Array,
): { value: Uint8Array | null; proofOps: ProofOp[] } {
  const root = roots.get(store);
  if (root === undefined) throw new Error(`no store named ${store}`);
  const text = latin1Of(key);
  const value = getKey(root, text);
  return {
    value: value === null ? null : bytesOf(value),
    proofOps: [
      { type: "ics23:iavl", key, data: encodeCommitmentProof(provePresenceOrAbsence(root, text)) },
      {
        type: "ics23:simple",
        key: utf8ToBytes(store),
        data: encodeCommitmentProof(storeProof(roots, store)),
      },
    ],
  };
}

function storeProof(roots: StoreRoots, store: string): CommitmentProof {
  const index = [...roots.keys()].indexOf(store);
  return {
    exist: {
      key: utf8ToBytes(store),
      value: rootHash(roots.get(store) ?? null),
      leafPrefix: leafTag,
      path: merklePath(storeItems(roots), index),
    },
  };
}

const leafTag: Uint8Array = Uint8Array.of(0);
const innerTag: Uint8Array = Uint8Array.of(1);

/** Merkle items: name and root, each length-prefixed. A store's root is hashed once more here. */
function storeItems(roots: StoreRoots): Uint8Array[] {
  return [...roots].map(([name, root]) => {
    const nameBytes = utf8ToBytes(name);
    const value = sha256(rootHash(root));
    return concatBytes(Uint8Array.of(nameBytes.length), nameBytes, Uint8Array.of(32), value);
  });
}

/** From the leaf up. */
function merklePath(items: readonly Uint8Array[], index: number): InnerOp[] {
  if (items.length <= 1) return [];
  const split = splitPoint(items.length);
  const [left, right] = [items.slice(0, split), items.slice(split)];
  if (index < split) {
    return [...merklePath(left, index), { prefix: innerTag, suffix: merkleRoot(right) }];
  }
  const prefix = concatBytes(innerTag, merkleRoot(left));
  return [...merklePath(right, index - split), { prefix, suffix: new Uint8Array() }];
}

/** The largest power of two strictly below `count`. */
function splitPoint(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}
