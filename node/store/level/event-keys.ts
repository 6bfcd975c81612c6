/**
 * Keys of the event index: prefix, tag and value (length-prefixed), then height, transaction index and event number. All entries of
 * one tag and value lie together in the order of the chain.
 */
import type { Event } from "@keel/consensus/wire/abci";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { indexedValueBytesMax } from "../limits.ts";
import { type prefixes as allPrefixes, prefixes } from "./keys.ts";

export type EventPrefix = typeof allPrefixes.txByEvent | typeof allPrefixes.blockByEvent;

/** Where something happened. `index` is 0 for a block's own events. */
export interface Place {
  readonly height: number;
  readonly index: number;
}

const placeBytes = 8 + 4 + 4;

/** Tag and value as the beginning of a key. */
export function valuePrefix(prefix: EventPrefix, tag: string, value: string): Uint8Array {
  const valueBytes = utf8ToBytes(value);
  const head = tagPrefix(prefix, tag);
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
  const key = Buffer.alloc(head.length + 8);
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

/** One key per searchable attribute. Attributes too long to index are left out: they cannot be searched for. */
export function eventKeys(
  prefix: EventPrefix,
  events: readonly Event[],
  { height, index }: Place,
): Uint8Array[] {
  const keys: Uint8Array[] = [];
  events.forEach((event, number) => {
    if (event.type === "") return;
    for (const attribute of event.attributes) {
      if (!attribute.index || attribute.key === "") continue;
      const tag = `${event.type}.${attribute.key}`;
      // Four bytes are the longest a UTF-16 unit pair can take, so this bound in units also bounds the bytes of the length prefixes.
      if (tag.length > indexedValueBytesMax || attribute.value.length > indexedValueBytesMax)
        continue;
      const head = valuePrefix(prefix, tag, attribute.value);
      const key = Buffer.alloc(head.length + placeBytes);
      key.set(head);
      key.writeBigUInt64BE(BigInt(height), head.length);
      key.writeUInt32BE(index, head.length + 8);
      key.writeUInt32BE(number, head.length + 12);
      keys.push(key);
    }
  });
  return keys;
}

export function placeOfEventKey(key: Uint8Array): Place {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const at = key.length - placeBytes;
  return { height: Number(view.getBigUint64(at)), index: view.getUint32(at + 8) };
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
