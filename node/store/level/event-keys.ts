/**
 * Entries of the event index. Key: prefix, tag and value (length-prefixed), then height; value: the indexes of the transactions of that
 * height which have it. All entries of one tag and value lie together in the order of the chain, and what most transactions of a
 * block share (their action, market, fee) is written once per block.
 */
import { Writer } from "@keel/consensus/wire/writer";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { indexedValueBytesMax } from "../limits.ts";
import type { Write } from "../types.ts";
import { eachField, type Span } from "./encoded-response.ts";
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
  return withValue(tagPrefix(prefix, tag), utf8ToBytes(value));
}

function withValue(head: Uint8Array, value: Uint8Array): Uint8Array {
  const key = Buffer.alloc(head.length + 2 + value.length);
  key.set(head);
  key.writeUInt16BE(value.length, head.length);
  key.set(value, head.length + 2);
  return key;
}

/** All values of a tag. */
export function tagPrefix(prefix: EventPrefix, tag: string): Uint8Array {
  return withTag(prefix, utf8ToBytes(tag));
}

function withTag(prefix: EventPrefix, tag: Uint8Array): Uint8Array {
  const key = Buffer.alloc(3 + tag.length);
  key[0] = prefix;
  key.writeUInt16BE(tag.length, 1);
  key.set(tag, 3);
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

/** Of `Event` and `EventAttribute`, see `consensus/wire/abci.ts`. */
const EVENT_TYPE = 1;
const EVENT_ATTRIBUTES = 2;
const ATTRIBUTE_KEY = 1;
const ATTRIBUTE_VALUE = 2;
const ATTRIBUTE_INDEX = 3;

/**
 * Collects the searchable attributes of one block from encoded events. Those too long to index are left out: they cannot be
 * searched for.
 */
export class EventEntries {
  readonly #bytes: Buffer;
  /** Event type, then the whole encoded attribute, both as latin-1 text of their bytes, to ascending indexes. */
  readonly #types = new Map<string, Map<string, number[]>>();

  /** `bytes` hold all events to come. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  add(events: readonly Span[], index: number): void {
    for (const event of events) {
      let attributes: Map<string, number[]> | null = null;
      eachField(this.#bytes, event, (field, start, end) => {
        const text = this.#bytes.toString("latin1", start, end);
        if (field === EVENT_TYPE) attributes = this.#ofType(text);
        else if (field === EVENT_ATTRIBUTES && attributes !== null) note(attributes, text, index);
      });
    }
  }

  writes(prefix: EventPrefix, height: number): Write[] {
    const writes: Write[] = [];
    for (const [type, attributes] of this.#types) {
      for (const [attribute, indexes] of attributes) {
        const key = keyOf(prefix, type, attribute, height);
        if (key !== null) writes.push({ key, value: encodeIndexes(indexes) });
      }
    }
    return writes;
  }

  #ofType(type: string): Map<string, number[]> {
    let attributes = this.#types.get(type);
    if (attributes === undefined) this.#types.set(type, (attributes = new Map()));
    return attributes;
  }
}

function note(attributes: Map<string, number[]>, attribute: string, index: number): void {
  const indexes = attributes.get(attribute);
  if (indexes === undefined) attributes.set(attribute, [index]);
  else if (indexes[indexes.length - 1] !== index) indexes.push(index);
}

/** Key of an encoded attribute at a height; null when it is not searchable. Put together in one piece: a busy block has ten thousand. */
function keyOf(
  prefix: EventPrefix,
  type: string,
  attribute: string,
  height: number,
): Uint8Array | null {
  const { key, value, searchable } = fieldsOf(attribute);
  if (!searchable || key === "") return null;
  const tag = `${type}.${key}`;
  if (isTooLong(tag) || isTooLong(value)) return null;
  const out = Buffer.allocUnsafe(3 + tag.length + 2 + value.length + heightBytes);
  out[0] = prefix;
  let at = out.writeUInt16BE(tag.length, 1);
  at += out.write(tag, at, "latin1");
  at = out.writeUInt16BE(value.length, at);
  at += out.write(value, at, "latin1");
  out.writeBigUInt64BE(BigInt(height), at);
  return out;
}

/** Of an `EventAttribute` in our own encoding, as latin-1 text of its bytes: fields ascend, and a false index is not written. */
function fieldsOf(attribute: string): {
  readonly key: string;
  readonly value: string;
  readonly searchable: boolean;
} {
  let at = 0;
  const field = (number: number): string => {
    if (attribute.charCodeAt(at) !== number * 8 + 2) return "";
    at++;
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = attribute.charCodeAt(at++);
      length += (byte & 127) * scale;
      if (byte < 128) break;
    }
    return attribute.slice(at, (at += length));
  };
  const key = field(ATTRIBUTE_KEY);
  const value = field(ATTRIBUTE_VALUE);
  return { key, value, searchable: attribute.charCodeAt(at) === ATTRIBUTE_INDEX * 8 };
}

/**
 * Latin-1 text of UTF-8 bytes. Counted in UTF-16 units, of which bytes are never fewer. Four bytes are the longest that a pair of units can
 * take, so this also bounds the bytes of the length prefixes.
 */
function isTooLong(text: string): boolean {
  if (text.length <= indexedValueBytesMax) return false;
  return Buffer.from(text, "latin1").toString("utf8").length > indexedValueBytesMax;
}

/** Each as its distance from the one before. */
function encodeIndexes(indexes: readonly number[]): Uint8Array {
  const [only] = indexes;
  // Most attributes of an order are its own.
  if (indexes.length === 1 && only !== undefined && only < 128) return Uint8Array.of(only);
  const writer = new Writer(2 * indexes.length + 8);
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
