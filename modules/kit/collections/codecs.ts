/** Key and value codecs of the typed collections. Keys become latin-1 strings whose order is the order of their bytes. */
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import { recentText } from "@keel/proto/bytes/recent-text";
import { AssertionError, assert } from "../errors.ts";
import type { ProtoCodec } from "../module.ts";

export interface KeyCodec<K> {
  encode(key: K): string;
  /** Reads a key at `offset`; returns it with the offset behind it. */
  decode(text: string, offset: number): readonly [K, number];
}

export interface ValueCodec<V> {
  encode(value: V): Uint8Array;
  decode(bytes: Uint8Array): V;
  /** Encoded length in bytes: what gas charges. Absent: the encoding is made to measure it. */
  size?(value: V): number;
}

const chars: readonly string[] = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i));
/** Addresses and what is shorter; longer bytes are values, which do not come again. */
const RECENT_MAX = 32;

export function bytesToKey(bytes: Uint8Array): string {
  return bytes.length <= RECENT_MAX ? recentText(bytes, 0, bytes.length) : bytesToLatin1(bytes);
}

export function keyToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function take(text: string, offset: number, length: number): string {
  if (offset + length > text.length)
    throw new AssertionError(`key ends early: expected ${length} more bytes at ${offset}`);
  return text.slice(offset, offset + length);
}

const U64_MAX = (1n << 64n) - 1n;

/** Made only when something is wrong: the text of an assert is made every time. */
function outOfRange(kind: string, key: number | bigint): AssertionError {
  return new AssertionError(`${kind} key out of range: ${key}`);
}

export const u8Key: KeyCodec<number> = {
  encode(key) {
    if (!(Number.isInteger(key) && key >= 0 && key < 256)) throw outOfRange("u8", key);
    return chars[key] as string;
  },
  decode: (text, offset) => [take(text, offset, 1).charCodeAt(0), offset + 1],
};

/** Ids are small, and the same ones are asked for all the time: one text each, which is then equal to itself at a glance. */
const SMALL = 4096;
const smallKeys: (string | undefined)[] = Array.from({ length: SMALL });

/** Big-endian 4 bytes. */
export const u32Key: KeyCodec<number> = {
  encode(key) {
    if (key >= 0 && key < SMALL) {
      const known = smallKeys[key];
      if (known !== undefined) return known;
    }
    if (!(Number.isInteger(key) && key >= 0 && key <= 0xffffffff)) throw outOfRange("u32", key);
    const text = String.fromCharCode(key >>> 24, (key >>> 16) & 255, (key >>> 8) & 255, key & 255);
    if (key < SMALL) smallKeys[key] = text;
    return text;
  },
  decode(text, offset) {
    const part = take(text, offset, 4);
    let value = 0;
    for (let i = 0; i < 4; i++) value = value * 256 + part.charCodeAt(i);
    return [value, offset + 4];
  },
};

/** Big-endian 8 bytes. */
export const u64Key: KeyCodec<bigint> = {
  encode(key) {
    if (key < 0n || key > U64_MAX) throw outOfRange("u64", key);
    const high = Number(key >> 32n);
    const low = Number(key & 0xffffffffn);
    return String.fromCharCode(
      high >>> 24,
      (high >>> 16) & 255,
      (high >>> 8) & 255,
      high & 255,
      low >>> 24,
      (low >>> 16) & 255,
      (low >>> 8) & 255,
      low & 255,
    );
  },
  decode(text, offset) {
    const [high] = u32Key.decode(text, offset);
    const [low] = u32Key.decode(text, offset + 4);
    return [(BigInt(high) << 32n) | BigInt(low), offset + 8];
  },
};

/** Safe integers ≥ 0 as big-endian 8 bytes. */
export const heightKey: KeyCodec<number> = {
  encode(key) {
    if (!(Number.isSafeInteger(key) && key >= 0)) throw outOfRange("height", key);
    // The low half by its bits, the high half by an exact division: what is left of a safe integer is a multiple of 2^32.
    const low = key >>> 0;
    const high = (key - low) / 4_294_967_296;
    return String.fromCharCode(
      high >>> 24,
      (high >>> 16) & 255,
      (high >>> 8) & 255,
      high & 255,
      low >>> 24,
      (low >>> 16) & 255,
      (low >>> 8) & 255,
      low & 255,
    );
  },
  decode(text, offset) {
    const [value, end] = u64Key.decode(text, offset);
    return [Number(value), end];
  },
};

/** Raw bytes to the end of the key; only as the last part. */
export const rawBytesKey: KeyCodec<Uint8Array> = {
  encode: bytesToKey,
  decode: (text, offset) => [keyToBytes(text.slice(offset)), text.length],
};

/** Exactly `length` raw bytes. */
export function fixedBytesKey(length: number): KeyCodec<Uint8Array> {
  return {
    encode(key) {
      assert(key.length === length, `expected a key of ${length} bytes, got ${key.length}`);
      return bytesToKey(key);
    },
    decode: (text, offset) => [keyToBytes(take(text, offset, length)), offset + length],
  };
}

/** One length byte, then the bytes (the SDK's length-prefixed address). */
export const prefixedBytesKey: KeyCodec<Uint8Array> = {
  encode(key) {
    if (key.length > 255) throw outOfRange("length-prefixed", key.length);
    return (chars[key.length] as string) + bytesToKey(key);
  },
  decode(text, offset) {
    const length = take(text, offset, 1).charCodeAt(0);
    return [keyToBytes(take(text, offset + 1, length)), offset + 1 + length];
  },
};

/** Text already restricted to one-byte characters (denoms, symbols), to the end of the key; only as the last part. */
export const asciiKey: KeyCodec<string> = {
  encode(key) {
    for (let i = 0; i < key.length; i++) assert(key.charCodeAt(i) < 128, "key text must be ASCII");
    return key;
  },
  decode: (text, offset) => [text.slice(offset), text.length],
};

/** ASCII text without NUL, closed by one NUL byte. */
export const terminatedKey: KeyCodec<string> = {
  encode(key) {
    assert(!key.includes("\0"), "key text must not contain NUL");
    return `${asciiKey.encode(key)}\0`;
  },
  decode(text, offset) {
    const end = text.indexOf("\0", offset);
    assert(end >= 0, "terminated key without NUL");
    return [text.slice(offset, end), end + 1];
  },
};

export function pairKey<A, B>(a: KeyCodec<A>, b: KeyCodec<B>): KeyCodec<readonly [A, B]> {
  return {
    encode: ([first, second]) => a.encode(first) + b.encode(second),
    decode(text, offset) {
      const [first, middle] = a.decode(text, offset);
      const [second, end] = b.decode(text, middle);
      return [[first, second], end];
    },
  };
}

export function tripleKey<A, B, C>(
  a: KeyCodec<A>,
  b: KeyCodec<B>,
  c: KeyCodec<C>,
): KeyCodec<readonly [A, B, C]> {
  return {
    encode: ([first, second, third]) => a.encode(first) + b.encode(second) + c.encode(third),
    decode(text, offset) {
      const [first, afterFirst] = a.decode(text, offset);
      const [second, afterSecond] = b.decode(text, afterFirst);
      const [third, end] = c.decode(text, afterSecond);
      return [[first, second, third], end];
    },
  };
}

/** Values are immutable messages: mutating a stored one is a bug. */
export function protoValue<V>(codec: ProtoCodec<V>, size?: (value: V) => number): ValueCodec<V> {
  return {
    encode: (value) => codec.encode(value).finish(),
    decode: (bytes) => codec.decode(bytes),
    ...(size === undefined ? {} : { size }),
  };
}

/** A marker without content: key sets. One zero-length value cannot be proved by ICS-23, so the value is one byte 0x01. */
export const markerValue: ValueCodec<true> = {
  encode: () => Uint8Array.of(1),
  decode: () => true,
  size: () => 1,
};

/** Big-endian u64. */
export const u64Value: ValueCodec<bigint> = {
  encode: (value) => keyToBytes(u64Key.encode(value)),
  decode: (bytes) => u64Key.decode(bytesToKey(bytes), 0)[0],
  size: () => 8,
};

/** Decimal text of an integer, as the SDK stores math.Int. */
export const intTextValue: ValueCodec<bigint> = {
  encode: (value) => keyToBytes(value.toString()),
  decode(bytes) {
    const text = bytesToKey(bytes);
    assert(/^-?(0|[1-9][0-9]*)$/.test(text), `expected an integer in decimal text, got "${text}"`);
    return BigInt(text);
  },
  size: (value) => value.toString().length,
};
