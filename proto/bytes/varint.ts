/** Base-128 varints of up to 64 bits, by bigint. Decoding accepts only the shortest form. */

import { DecodeError } from "./decode-error.ts";

const twoTo63 = 1n << 63n;
const twoTo64 = 1n << 64n;

export interface Decoded<T> {
  readonly value: T;
  /** Offset of the first byte after the value. */
  readonly next: number;
}

/** Unsigned varint of 0 ≤ `value` < 2^64; 1 to 10 bytes. */
export function encodeUvarint(value: bigint | number): Uint8Array {
  let rest = BigInt(value);
  if (rest < 0n || rest >= twoTo64) {
    throw new RangeError(`uvarint: expected 0 to 2^64-1, got ${rest}`);
  }
  if (rest < 0x80n) return Uint8Array.of(Number(rest));
  const out: number[] = [];
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}

/** Unsigned varint at `offset`; throws `DecodeError` when it is cut short, above 64 bits or longer than needed. */
export function decodeUvarint(bytes: Uint8Array, offset: number = 0): Decoded<bigint> {
  let low = 0;
  let at = offset;
  // Up to four groups fit an ordinary integer, which is nearly every varint met.
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = byteAt(bytes, at++);
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) return finish(byte, shift, BigInt(low), at);
  }
  let value = BigInt(low);
  for (let shift = 28; shift < 70; shift += 7) {
    const byte = byteAt(bytes, at++);
    value |= BigInt(byte & 0x7f) << BigInt(shift);
    if (byte < 0x80) {
      if (value >= twoTo64)
        throw new DecodeError("out-of-range", "varint: expected at most 64 bits");
      return finish(byte, shift, value, at);
    }
  }
  throw new DecodeError("out-of-range", "varint: expected at most 10 bytes");
}

/** Zig-zag varint of a signed 64-bit integer (Go's `binary.PutVarint`). */
export function encodeVarint(value: bigint | number): Uint8Array {
  const signed = BigInt(value);
  if (signed < -twoTo63 || signed >= twoTo63) {
    throw new RangeError(`varint: expected -2^63 to 2^63-1, got ${signed}`);
  }
  return encodeUvarint(signed >= 0n ? signed << 1n : (-signed << 1n) - 1n);
}

/** Zig-zag varint at `offset`. */
export function decodeVarint(bytes: Uint8Array, offset: number = 0): Decoded<bigint> {
  const { value, next } = decodeUvarint(bytes, offset);
  return { value: (value & 1n) === 0n ? value >> 1n : -((value + 1n) >> 1n), next };
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) {
    throw new DecodeError("truncated", `varint: expected a byte at ${at}, got the end`);
  }
  return byte;
}

function finish(last: number, shift: number, value: bigint, next: number): Decoded<bigint> {
  if (last === 0 && shift > 0) {
    throw new DecodeError(
      "not-canonical",
      "varint: expected the shortest form, got a zero last byte",
    );
  }
  return { value, next };
}
