/** Merkle tree of RFC 6962's shape over SHA-256, as every list hash of a header and the parts of a block use it. */

import { concatBytes, equalBytes } from "@keel/proto/bytes/compare";
import { sha256, sha256Each } from "@keel/proto/bytes/sha256";
import { bytes, count64, repeatedBytes } from "./fields.ts";
import { hashBytes, proofAuntsMax } from "./limits.ts";
import { type Message, message } from "./message.ts";
import type { Proof } from "./types.ts";

/** Hashing is synchronous and copies its input, so one scratch each saves an allocation per node. */
const innerScratch = new Uint8Array(1 + 2 * hashBytes);
innerScratch[0] = 1;
const noPrefix = new Uint8Array(0);
const leafPrefix = Uint8Array.of(0);
const innerPrefix = Uint8Array.of(1);

/** SHA256(0x00 ‖ item). */
export function leafHash(item: Uint8Array): Uint8Array {
  const prefixed = new Uint8Array(1 + item.length);
  prefixed.set(item, 1);
  return sha256(prefixed);
}

/** SHA256(0x01 ‖ left ‖ right), both 32 bytes. */
export function innerHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  innerScratch.set(left, 1);
  innerScratch.set(right, 1 + hashBytes);
  return sha256(innerScratch);
}

/**
 * Root over `items`; SHA256("") of none. Splitting at the largest power of two is the same as pairing neighbours level by level,
 * with an odd last one going up as it is; levels are hashed many at a time.
 */
export function merkleRoot(items: readonly Uint8Array[]): Uint8Array {
  if (items.length === 0) return sha256(new Uint8Array(0));
  let level = sha256Each(items, leafPrefix);
  while (level.length > hashBytes) {
    const pairs = chunks(level, 2 * hashBytes);
    const odd = level.subarray(pairs.length * 2 * hashBytes);
    const above = sha256Each(pairs, innerPrefix);
    level = odd.length === 0 ? above : concatBytes(above, odd);
  }
  return level;
}

/** SHA256 of each: 32 bytes. */
export function hashEach(items: readonly Uint8Array[]): Uint8Array[] {
  return chunks(sha256Each(items, noPrefix), hashBytes);
}

/** Parts of `size` bytes, as views; a shorter rest is left out. */
function chunks(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from(
    { length: Math.floor(bytes.length / size) },
    (_, index) => new Uint8Array(bytes.buffer, bytes.byteOffset + index * size, size),
  );
}

export interface ProvedList {
  readonly root: Uint8Array;
  readonly proofs: readonly Proof[];
}

/** Root over `items` and an inclusion proof of each. */
export function proveAll(items: readonly Uint8Array[]): ProvedList {
  const leaves = items.map(leafHash);
  const aunts: Uint8Array[][] = items.map(() => []);
  const root =
    leaves.length === 0 ? sha256(new Uint8Array(0)) : rangeProving(leaves, 0, leaves.length, aunts);
  const proofs = leaves.map((leaf, index) => ({
    total: items.length,
    index,
    leafHash: leaf,
    aunts: aunts[index] as readonly Uint8Array[],
  }));
  return { root, proofs };
}

/** True when `proof` shows `item` at its index under `root`. */
export function verifyProof(root: Uint8Array, item: Uint8Array, proof: Proof): boolean {
  const leaf = leafHash(item);
  if (!equalBytes(leaf, proof.leafHash)) return false;
  const computed = rootFromProof(proof);
  return computed !== null && equalBytes(computed, root);
}

/** Root that `proof` leads to, or null when its shape does not fit its total and index. */
export function rootFromProof(proof: Proof): Uint8Array | null {
  if (proof.index < 0 || proof.index >= proof.total || proof.aunts.length > proofAuntsMax)
    return null;
  // From the root downward: at each level the split tells on which side the leaf lies. Then hashes are folded upward.
  const leafIsLeft: boolean[] = [];
  let index = proof.index;
  let total = proof.total;
  while (total > 1) {
    const left = splitPoint(total);
    const isLeft = index < left;
    leafIsLeft.push(isLeft);
    if (isLeft) {
      total = left;
    } else {
      index -= left;
      total -= left;
    }
  }
  if (leafIsLeft.length !== proof.aunts.length || proofProblem(proof) !== null) return null;
  let hash = proof.leafHash;
  for (const aunt of proof.aunts) {
    hash = leafIsLeft.pop() === true ? innerHash(hash, aunt) : innerHash(aunt, hash);
  }
  return hash;
}

/** Largest power of two strictly smaller than `total` (≥ 2). */
function splitPoint(total: number): number {
  let split = 1;
  while (split * 2 < total) split *= 2;
  return split;
}

function rangeProving(
  leaves: readonly Uint8Array[],
  from: number,
  to: number,
  aunts: Uint8Array[][],
): Uint8Array {
  if (to - from === 1) return leaves[from] as Uint8Array;
  const middle = from + splitPoint(to - from);
  const left = rangeProving(leaves, from, middle, aunts);
  const right = rangeProving(leaves, middle, to, aunts);
  for (let i = from; i < middle; i++) aunts[i]?.push(right);
  for (let i = middle; i < to; i++) aunts[i]?.push(left);
  return innerHash(left, right);
}

/** `tendermint.crypto.Proof`. */
export const proofMessage: Message<Proof> = message<Proof>(
  "Proof",
  {
    total: count64(1),
    index: count64(2),
    leafHash: bytes(3, hashBytes),
    aunts: repeatedBytes(4, proofAuntsMax),
  },
  { check: proofProblem },
);

function proofProblem(proof: Proof): string | null {
  if (proof.leafHash.length !== hashBytes)
    return `expected a leaf hash of 32 bytes, got ${proof.leafHash.length}`;
  const odd = proof.aunts.find((aunt) => aunt.length !== hashBytes);
  return odd === undefined ? null : `expected aunts of 32 bytes, got ${odd.length}`;
}
