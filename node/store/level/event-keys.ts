/**
 * Entries of the event index. Key: prefix, tag and value (length-prefixed), then height; value: the indexes of the transactions of that
 * height which have it. All entries of one tag and value lie together in the order of the chain, and what most transactions of a
 * block share (their action, market, fee) is written once per block.
 */
import type { Event } from "@keel/consensus/wire/abci";
import { Writer } from "@keel/consensus/wire/writer";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { indexedValueBytesMax } from "../limits.ts";
import type { Write } from "../types.ts";
import { type prefixes as allPrefixes, prefixes } from "./keys.ts";
import { RecordReader } from "./records.ts";

export type EventPrefix = typeof allPrefixes.txByEvent | typeof allPrefixes.blockByEvent;

/** Where something happened. `index` is 0 for a block's own events. */
export interface Place {
  readonly height: number;
  readonly index: number;
}

const heightBytes = 8;

/** Tag and value as the beginning of a key. */
export function valuePrefix(prefix: EventPrefix, tag: string, value: string): Uint8Array {
  return withValue(tagPrefix(prefix, tag), value);
}

function withValue(head: Uint8Array, value: string): Uint8Array {
  const valueBytes = utf8ToBytes(value);
  const key = Buffer.alloc(head.length + 2 + valueBytes.length);
  key.set(head);
  key.writeUInt16BE(valueBytes.length, head.length);
  key.set(valueBytes, head.length + 2);
  return key;
}

/** All values of a tag. */
export function tagPrefix(prefix: EventPrefix, tag: string): Uint8Array {
  const tagBytes = utf8ToBytes(tag);
  const key = Buffer.alloc(3 + tagBytes.length);
  key[0] = prefix;
  key.writeUInt16BE(tagBytes.length, 1);
  key.set(tagBytes, 3);
  return key;
}

/** `head` followed by a height: a bound for scanning one value's entries. */
export function atHeight(head: Uint8Array, height: number): Uint8Array {
  const key = Buffer.alloc(head.length + heightBytes);
  key.set(head);
  key.writeBigUInt64BE(BigInt(height), head.length);
  return key;
}

/** The first key after all that begin with `head`. */
export function afterPrefix(head: Uint8Array): Uint8Array {
  const key = Uint8Array.from(head);
  for (let i = key.length - 1; i >= 0; i--) {
    const byte = key[i] as number;
    if (byte < 255) {
      key[i] = byte + 1;
      return key.slice(0, i + 1);
    }
  }
  throw new RangeError("expected a prefix that is not all 0xff");
}

/** Collects the searchable attributes of one block. Those too long to index are left out: they cannot be searched for. */
export class EventEntries {
  /** Event type, attribute key, attribute value, ascending indexes. */
  readonly #types = new Map<string, Map<string, Map<string, number[]>>>();

  add(events: readonly Event[], index: number): void {
    for (const { type, attributes } of events) {
      if (type === "") continue;
      for (const attribute of attributes) {
        const { key, value } = attribute;
        if (!attribute.index || key === "") continue;
        // Four bytes are the longest a UTF-16 unit pair can take, so this bound in units also bounds the bytes of the length prefixes.
        if (type.length + 1 + key.length > indexedValueBytesMax) continue;
        if (value.length > indexedValueBytesMax) continue;
        const keys = entry(this.#types, type, newMap<Map<string, number[]>>);
        const values = entry(keys, key, newMap<number[]>);
        const indexes = entry(values, value, newList);
        if (indexes.at(-1) !== index) indexes.push(index);
      }
    }
  }

  writes(prefix: EventPrefix, height: number): Write[] {
    const writes: Write[] = [];
    for (const [type, keys] of this.#types) {
      for (const [key, values] of keys) {
        const head = tagPrefix(prefix, `${type}.${key}`);
        for (const [value, indexes] of values) {
          const entryKey = atHeight(withValue(head, value), height);
          writes.push({ key: entryKey, value: encodeIndexes(indexes) });
        }
      }
    }
    return writes;
  }
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

const newMap = <V>(): Map<string, V> => new Map();
const newList = (): number[] => [];

/** Each as its distance from the one before. */
function encodeIndexes(indexes: readonly number[]): Uint8Array {
  const writer = new Writer(indexes.length + 2);
  let before = 0;
  for (const index of indexes) {
    writer.varint(index - before);
    before = index;
  }
  return writer.finish();
}

export function placesOfEntry(key: Uint8Array, value: Uint8Array): Place[] {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const height = Number(view.getBigUint64(key.length - heightBytes));
  const reader = new RecordReader(`index entry of height ${height}`, value);
  const places: Place[] = [];
  for (let index = 0; !reader.done; ) {
    index += reader.varint();
    places.push({ height, index });
  }
  return places;
}

/** Value part of a key whose tag part is `head`. */
export function valueOfEventKey(key: Uint8Array, head: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const start = head.length + 2;
  return bytes.toString("utf8", start, start + bytes.readUInt16BE(head.length));
}

export function comparePlaces(a: Place, b: Place): number {
  return a.height - b.height || a.index - b.index;
}

export const eventPrefixes: { readonly tx: EventPrefix; readonly block: EventPrefix } = {
  tx: prefixes.txByEvent,
  block: prefixes.blockByEvent,
};
