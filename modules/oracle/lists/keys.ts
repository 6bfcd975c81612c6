/**
 * Transactions by the first 20 bytes of their SHA-256. A key is those bytes as latin-1 text, whose order is the order of the bytes; a list is keys
 * one after the other as bytes, strictly ascending.
 */
import { bytesToLatin1, concatBytes, latin1ToBytes } from "@keel/proto/bytes/compare";
import { sha256Each } from "@keel/proto/bytes/sha256";
import { TX_KEY_BYTES } from "../limits.ts";

const none: Uint8Array = new Uint8Array(0);
const HASH_BYTES = 32;

/** In the order of the transactions. */
export function txKeys(txs: readonly Uint8Array[]): string[] {
  const hashes = sha256Each(txs, none);
  return txs.map((_, i) =>
    bytesToLatin1(hashes.subarray(HASH_BYTES * i, HASH_BYTES * i + TX_KEY_BYTES)),
  );
}

/** Of a transaction, by its SHA-256 as latin-1 text. */
export function keyOfHash(hash: string): string {
  return hash.slice(0, TX_KEY_BYTES);
}

/** Null: well-formed. Otherwise why not, in one sentence. */
export function listFault(list: Uint8Array, countMax: number): string | null {
  if (list.length % TX_KEY_BYTES !== 0) {
    return `expected hashes of ${TX_KEY_BYTES} bytes, got ${list.length} bytes`;
  }
  const keys = keysOf(list);
  if (keys.length > countMax) {
    return `expected at most ${countMax} transactions, got ${keys.length}`;
  }
  for (let i = 1; i < keys.length; i++) {
    if ((keys[i] as string) <= (keys[i - 1] as string)) {
      return `expected ascending transactions, number ${i} is not`;
    }
  }
  return null;
}

/** Of a well-formed list. */
export function keysOf(list: Uint8Array): string[] {
  const keys: string[] = [];
  for (let at = 0; at < list.length; at += TX_KEY_BYTES) {
    keys.push(bytesToLatin1(list.subarray(at, at + TX_KEY_BYTES)));
  }
  return keys;
}

/** Of keys in any order, each once. */
export function listOf(keys: readonly string[]): Uint8Array {
  return concatBytes(...ascending(keys).map(latin1ToBytes));
}

export function ascending(keys: readonly string[]): string[] {
  return [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
