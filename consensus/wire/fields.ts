/** The kinds of field that Comet's messages use. A property whose kind is absent here does not occur on our wire. */

import { bytesToUtf8 } from "@keel/proto/bytes/utf8";
import type { Field, Message } from "./message.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

const int32Max = 2_147_483_647;
const uint32Max = 4_294_967_295;

interface Scalar<V> {
  readonly wireType: 0 | 1 | 2;
  readonly zero: V;
  readonly isZero: (value: V) => boolean;
  readonly put: (writer: Writer, value: V) => void;
  readonly get: (reader: Reader) => V;
}

function scalar<V>(number: number, kind: Scalar<V>): Field<V> {
  const tag = number * 8 + kind.wireType;
  return {
    number,
    wireType: kind.wireType,
    repeated: false,
    absent: kind.zero,
    write(writer, value) {
      if (kind.isZero(value)) return;
      writer.varint(tag);
      kind.put(writer, value);
    },
    read(reader) {
      const value = kind.get(reader);
      if (kind.isZero(value))
        throw reader.fail("not-canonical", `field ${number}: zero is not written`);
      return value;
    },
  };
}

function safe(number: number, min: number, max: number, fixed: boolean): Field<number> {
  return scalar(number, {
    wireType: fixed ? 1 : 0,
    zero: 0,
    isZero: (value) => value === 0,
    put(writer, value) {
      if (!Number.isSafeInteger(value) || value < min || value > max) {
        throw new RangeError(
          `field ${number}: expected an integer from ${min} to ${max}, got ${value}`,
        );
      }
      if (fixed) writer.fixed64(BigInt(value));
      else if (value < 0) writer.varint64(BigInt(value));
      else writer.varint(value);
    },
    get(reader) {
      const value = fixed ? reader.fixed64() : reader.signed64();
      if (value < BigInt(min) || value > BigInt(max)) {
        throw reader.fail(
          "out-of-range",
          `field ${number}: expected ${min} to ${max}, got ${value}`,
        );
      }
      return Number(value);
    },
  });
}

/** Signed varint within stated safe bounds. */
export function integer(number: number, min: number, max: number): Field<number> {
  return safe(number, min, max, false);
}

/** int64 that is never negative and stays a safe integer: heights. */
export function count64(number: number): Field<number> {
  return safe(number, 0, Number.MAX_SAFE_INTEGER, false);
}

/** The same as sfixed64, in sign bytes. */
export function fixedCount64(number: number): Field<number> {
  return safe(number, 0, Number.MAX_SAFE_INTEGER, true);
}

/** int32 that is never negative: rounds and indexes. */
export function count32(number: number): Field<number> {
  return safe(number, 0, int32Max, false);
}

/** int32 from −1: proof-of-lock round. */
export function roundOrNone(number: number): Field<number> {
  return safe(number, -1, int32Max, false);
}

export function uint32(number: number): Field<number> {
  return safe(number, 0, uint32Max, false);
}

export function int64(number: number): Field<bigint> {
  return scalar(number, {
    wireType: 0,
    zero: 0n,
    isZero: (value) => value === 0n,
    put(writer, value) {
      if (BigInt.asIntN(64, value) !== value) {
        throw new RangeError(`field ${number}: expected an int64, got ${value}`);
      }
      writer.varint64(value);
    },
    get: (reader) => reader.signed64(),
  });
}

export function uint64(number: number): Field<bigint> {
  return scalar(number, {
    wireType: 0,
    zero: 0n,
    isZero: (value) => value === 0n,
    put(writer, value) {
      if (BigInt.asUintN(64, value) !== value) {
        throw new RangeError(`field ${number}: expected a uint64, got ${value}`);
      }
      writer.varint64(value);
    },
    get: (reader) => reader.varint64(),
  });
}

export function boolean(number: number): Field<boolean> {
  return scalar(number, {
    wireType: 0,
    zero: false,
    isZero: (value) => !value,
    put: (writer) => writer.varint(1),
    get(reader) {
      if (reader.varint64() !== 1n)
        throw reader.fail("not-canonical", `field ${number}: expected 1`);
      return true;
    },
  });
}

/** A literal union over an enum's numbers; the literal of number 0, if there is one, is omitted on the wire. */
export function literal<V extends string>(
  number: number,
  codes: Readonly<Record<V, number>>,
): Field<V> {
  const byCode = new Map<bigint, V>();
  let zero: V | undefined;
  for (const name of Object.keys(codes) as V[]) {
    byCode.set(BigInt(codes[name]), name);
    if (codes[name] === 0) zero = name;
  }
  return {
    number,
    wireType: 0,
    repeated: false,
    absent: zero,
    write(writer, value) {
      if (value === zero) return;
      writer.varint(number * 8);
      writer.varint(codes[value]);
    },
    read(reader) {
      const code = reader.varint64();
      const value = byCode.get(code);
      if (value === undefined || value === zero) {
        throw reader.fail("invalid", `field ${number}: unknown code ${code}`);
      }
      return value;
    },
  };
}

const noBytes: Uint8Array = new Uint8Array(0);

/** Bytes of at most `max`; absent means empty. Decoded bytes are views of the input. */
export function bytes(number: number, max: number = Number.MAX_SAFE_INTEGER): Field<Uint8Array> {
  return scalar(number, {
    wireType: 2,
    zero: noBytes,
    isZero: (value) => value.length === 0,
    put(writer, value) {
      writer.varint(value.length);
      writer.raw(value);
    },
    get: (reader) => bounded(reader, number, max),
  });
}

/** UTF-8 text of at most `max` bytes. */
export function text(number: number, max: number = Number.MAX_SAFE_INTEGER): Field<string> {
  return scalar(number, {
    wireType: 2,
    zero: "",
    isZero: (value) => value === "",
    put(writer, value) {
      writer.text(value);
    },
    get: (reader) => bytesToUtf8(bounded(reader, number, max)),
  });
}

/** Embedded message that is always written, even when empty (gogoproto `nullable = false`). */
export function embedded<T>(number: number, codec: Message<T>): Field<T> {
  return {
    number,
    wireType: 2,
    repeated: false,
    absent: undefined,
    write(writer, value) {
      writer.varint(number * 8 + 2);
      const place = writer.open();
      codec.writeTo(writer, value);
      writer.close(place);
    },
    read: (reader) => codec.readFrom(reader.nested(codec.name)),
  };
}

/** Embedded message behind a pointer: null when absent. */
export function nullable<T>(number: number, codec: Message<T>): Field<T | null> {
  const inner = embedded(number, codec);
  return {
    ...inner,
    absent: null,
    write(writer, value) {
      if (value !== null) inner.write(writer, value);
    },
    read: (reader) => inner.read(reader, undefined),
  };
}

/** Repeated messages, at most `max`. */
export function repeated<T>(number: number, codec: Message<T>, max: number): Field<readonly T[]> {
  const inner = embedded(number, codec);
  return list(number, max, {
    write: (writer, value) => inner.write(writer, value),
    read: (reader) => inner.read(reader, undefined),
  });
}

/** Repeated bytes, at most `max`; empty elements are written. */
export function repeatedBytes(number: number, max: number): Field<readonly Uint8Array[]> {
  return list(number, max, {
    write(writer, value) {
      writer.varint(number * 8 + 2);
      writer.varint(value.length);
      writer.raw(value);
    },
    read: (reader) => reader.delimited(),
  });
}

/** Repeated UTF-8 texts, at most `max`. */
export function repeatedText(number: number, max: number): Field<readonly string[]> {
  return list(number, max, {
    write(writer, value) {
      writer.varint(number * 8 + 2);
      writer.text(value);
    },
    read: (reader) => bytesToUtf8(reader.delimited()),
  });
}

interface Element<T> {
  readonly write: (writer: Writer, value: T) => void;
  readonly read: (reader: Reader) => T;
}

function list<T>(number: number, max: number, element: Element<T>): Field<readonly T[]> {
  return {
    number,
    wireType: 2,
    repeated: true,
    absent: [],
    write(writer, value) {
      for (const one of value) element.write(writer, one);
    },
    read(reader, before) {
      // The array was made by the first occurrence and is not shared until the message is complete.
      const grown = (before ?? []) as T[];
      if (grown.length >= max)
        throw reader.fail("too-large", `field ${number}: expected at most ${max} elements`);
      grown.push(element.read(reader));
      return grown;
    },
  };
}

function bounded(reader: Reader, number: number, max: number): Uint8Array {
  const value = reader.delimited();
  if (value.length > max) {
    throw reader.fail(
      "too-large",
      `field ${number}: expected at most ${max} bytes, got ${value.length}`,
    );
  }
  return value;
}
