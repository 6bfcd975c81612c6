/** What one commit writes: the block's changes by store, and the record that names the newest version. */
import { removeKey, setKey } from "../iavl/tree.ts";
import { latin1Of } from "../latin1.ts";
import type { StoreRoots } from "../multistore.ts";
import { type StoreChanges, StoreCorrupt } from "../types.ts";
import { openRecord, sealRecord } from "./records.ts";

export interface ChangelogHeader {
  readonly height: number;
  /** Wall clock of this node, for retention only. */
  readonly committedAtMs: number;
  readonly appHash: Uint8Array;
}

/** header, store count, then per store: name, change count, per change key and 0 (delete) or value length + 1 and value. */
export function encodeChangelog(
  header: ChangelogHeader,
  changes: readonly StoreChanges[],
): Uint8Array {
  return sealRecord((writer) => {
    writer.varint(header.height);
    writer.varint(header.committedAtMs);
    writer.raw(header.appHash);
    writer.varint(changes.length);
    for (const { store, changes: keys } of changes) {
      writer.varint(store.length);
      writer.latin1(store);
      writer.varint(keys.length);
      for (const { key, value } of keys) {
        writer.varint(key.length);
        writer.latin1(key);
        if (value === null) {
          writer.varint(0);
        } else {
          writer.varint(value.length + 1);
          writer.latin1(value);
        }
      }
    }
  }, 16 * 1024);
}

export interface Replayed {
  readonly header: ChangelogHeader;
  readonly roots: StoreRoots;
}

/** A change of one key: null deletes. The value is a view into the record. */
export type VisitChange = (store: string, key: string, value: Uint8Array | null) => void;

/** Calls back with every change in the record of `height`, in its order. */
export function readChangelog(
  record: Uint8Array,
  height: number,
  visit: VisitChange,
): ChangelogHeader {
  const name = `changelog of height ${height}`;
  const reader = openRecord(name, record);
  const header = {
    height: reader.varint(),
    committedAtMs: reader.varint(),
    appHash: reader.bytes(32).slice(),
  };
  if (header.height !== height) throw new StoreCorrupt(`${name}: it is of height ${header.height}`);
  for (let stores = reader.varint(); stores > 0; stores--) {
    const store = reader.text();
    for (let keys = reader.varint(); keys > 0; keys--) {
      const key = reader.text();
      const tag = reader.varint();
      visit(store, key, tag === 0 ? null : reader.bytes(tag - 1));
    }
  }
  reader.finish();
  return header;
}

/** Applies the record of `height` to `roots`. Roots are not hashed here: a replay hashes only where it must compare. */
export function replayChangelog(record: Uint8Array, roots: StoreRoots, height: number): Replayed {
  const changed = new Map(roots);
  const header = readChangelog(record, height, (store, key, value) => {
    const root = changed.get(store);
    if (root === undefined)
      throw new StoreCorrupt(`changelog of height ${height}: unknown store ${store}`);
    changed.set(
      store,
      value === null ? removeKey(root, key, height) : setKey(root, key, latin1Of(value), height),
    );
  });
  return { header, roots: changed };
}

export interface LatestRecord {
  readonly height: number;
  readonly appHash: Uint8Array;
  readonly stores: readonly string[];
}

export function encodeLatest({ height, appHash, stores }: LatestRecord): Uint8Array {
  return sealRecord((writer) => {
    writer.varint(height);
    writer.raw(appHash);
    writer.varint(stores.length);
    for (const store of stores) {
      writer.varint(store.length);
      writer.latin1(store);
    }
  });
}

export function decodeLatest(record: Uint8Array): LatestRecord {
  const reader = openRecord("latest version", record);
  const height = reader.varint();
  const appHash = reader.bytes(32).slice();
  const stores: string[] = [];
  for (let count = reader.varint(); count > 0; count--) stores.push(reader.text());
  reader.finish();
  return { height, appHash, stores };
}
