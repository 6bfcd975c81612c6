/**
 * Protobuf messages as tables of fields, with gogoproto's rules: scalars at zero are omitted, non-nullable embedded messages are
 * always written, nullable ones are `null` when absent, fields ascend. Decoding accepts exactly what encoding writes.
 */

import { DecodeError } from "@keel/proto/bytes/decode-error";
import { Reader, type WireType } from "./reader.ts";
import { Writer } from "./writer.ts";

/** How one property of a record is written under its field number. */
export interface Field<V> {
  readonly number: number;
  readonly wireType: WireType;
  /** Writes tag and value, or nothing when the value is the omitted one. */
  write(writer: Writer, value: V): void;
  /** Value of one occurrence; `before` is what the earlier occurrences gave, undefined at the first. */
  read(reader: Reader, before: V | undefined): V;
  readonly repeated: boolean;
  /** Value of an absent field; undefined when the field is always written. */
  readonly absent: V | undefined;
}

export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

/** A message's codec. */
export interface Message<T> {
  readonly name: string;
  encode(value: T): Uint8Array;
  /** Strict: `encode(decode(bytes))` is `bytes`. Throws only `DecodeError`. */
  decode(bytes: Uint8Array): T;
  writeTo(writer: Writer, value: T): void;
  readFrom(reader: Reader): T;
}

export interface MessageOptions<T> {
  /** Longest accepted encoding when the message stands alone. */
  readonly bytesMax?: number;
  /** Rules beyond shape, for messages that are never valid otherwise; returns what is wrong, or null. */
  readonly check?: (value: T) => string | null;
}

/** Builds a codec from its field table; fields are written in ascending number whatever the table's order. */
export function message<T extends object>(
  name: string,
  fields: Fields<T>,
  options: MessageOptions<T> = {},
): Message<T> {
  const ordered = (Object.keys(fields) as (keyof T & string)[])
    .map((key) => ({ key, field: fields[key] as Field<T[keyof T]> }))
    .sort((a, b) => a.field.number - b.field.number);
  const byNumber = new Map(ordered.map((entry) => [entry.field.number, entry]));
  const bytesMax = options.bytesMax;

  function writeTo(writer: Writer, value: T): void {
    for (const { key, field } of ordered) field.write(writer, value[key]);
  }

  function readFrom(reader: Reader): T {
    const found: Partial<Record<string, unknown>> = {};
    let last = 0;
    while (!reader.done) {
      const tag = reader.tag();
      const number = tag >>> 3;
      const entry = byNumber.get(number);
      if (entry === undefined) throw reader.fail("unknown-field", `unknown field ${number}`);
      const { key, field } = entry;
      if ((tag & 7) !== field.wireType) {
        throw reader.fail(
          "malformed",
          `field ${key}: expected wire type ${field.wireType}, got ${tag & 7}`,
        );
      }
      if (number < last || (number === last && !field.repeated)) {
        throw reader.fail("not-canonical", `field ${key}: expected ascending fields, each once`);
      }
      last = number;
      found[key] = field.read(reader, found[key] as T[keyof T] | undefined);
    }
    for (const { key, field } of ordered) {
      if (found[key] !== undefined) continue;
      if (field.absent === undefined) throw reader.fail("not-canonical", `expected field ${key}`);
      found[key] = field.absent;
    }
    const value = found as T;
    const problem = options.check?.(value) ?? null;
    if (problem !== null) throw reader.fail("invalid", problem);
    return value;
  }

  return {
    name,
    writeTo,
    readFrom,
    encode(value: T): Uint8Array {
      const writer = new Writer();
      writeTo(writer, value);
      return writer.finish();
    },
    decode(bytes: Uint8Array): T {
      if (bytesMax !== undefined && bytes.length > bytesMax) {
        throw new DecodeError(
          "too-large",
          `${name}: expected at most ${bytesMax} bytes, got ${bytes.length}`,
        );
      }
      // One copy, so that decoded views neither pin nor follow a caller's (network) buffer.
      return readFrom(new Reader(name, new Uint8Array(bytes)));
    },
  };
}

/** The same wire form under another record: `to` before writing, `from` after reading. */
export function mapped<T, W>(
  codec: Message<W>,
  to: (value: T) => W,
  from: (wire: W) => T,
): Message<T> {
  return {
    name: codec.name,
    encode: (value) => codec.encode(to(value)),
    decode: (bytes) => from(codec.decode(bytes)),
    writeTo: (writer, value) => codec.writeTo(writer, to(value)),
    readFrom: (reader) => from(codec.readFrom(reader)),
  };
}

/** For records written more than once: their bytes are kept as long as the record itself. Records must not change. */
export function remembered<T extends object>(codec: Message<T>): Message<T> {
  const known = new WeakMap<T, Uint8Array>();
  const encode = (value: T): Uint8Array => {
    let bytes = known.get(value);
    if (bytes === undefined) {
      bytes = codec.encode(value);
      known.set(value, bytes);
    }
    return bytes;
  };
  return { ...codec, encode, writeTo: (writer, value) => writer.raw(encode(value)) };
}
