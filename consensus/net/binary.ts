/**
 * The tiny binary format of peer messages: a tag byte, then fields in fixed order; integers are shortest-form varints, byte strings
 * and lists carry their count. Reading is strict: every count is checked against its limit and the bytes left before anything is
 * allocated, and trailing bytes are refused.
 */
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { bytesToUtf8, utf8ToBytes } from "@keel/proto/bytes/utf8";

export class BinaryWriter {
  #bytes: Uint8Array;
  #at = 0;

  /** `sizeHint`: expected length; the buffer grows when it is exceeded. */
  constructor(sizeHint: number = 64) {
    this.#bytes = new Uint8Array(Math.max(sizeHint, 16));
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
    return this;
  }

  /** A safe integer ≥ 0. */
  uint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`uint: expected a safe integer from 0, got ${value}`);
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
    return this;
  }

  /** A safe integer ≥ −1, written as its successor. */
  uintOrMinusOne(value: number): this {
    return this.uint(value + 1);
  }

  bytes(value: Uint8Array): this {
    this.uint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  text(value: string): this {
    return this.bytes(utf8ToBytes(value));
  }

  /** Count, then eight bits a byte, lowest first, unused bits zero. */
  bits(value: readonly boolean[]): this {
    this.uint(value.length);
    const packed = new Uint8Array((value.length + 7) >> 3);
    for (let i = 0; i < value.length; i++) {
      if (value[i] === true) packed[i >> 3] = (packed[i >> 3] as number) | (1 << (i & 7));
    }
    this.#reserve(packed.length);
    this.#bytes.set(packed, this.#at);
    this.#at += packed.length;
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}

export class BinaryReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new DecodeError("truncated", "message: expected one more byte");
    this.#at += 1;
    return value;
  }

  /** A safe integer from 0 to `max`. */
  uint(max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && i > 0)
          throw new DecodeError("not-canonical", "message: expected the shortest varint");
        if (value > max)
          throw new DecodeError("out-of-range", `message: expected at most ${max}, got ${value}`);
        return value;
      }
      scale *= 0x80;
    }
    throw new DecodeError("out-of-range", "message: expected a varint of at most 8 bytes");
  }

  uintOrMinusOne(max: number): number {
    return this.uint(max + 1) - 1;
  }

  /** A view, not a copy: the frame it lies in is the receiver's own. */
  bytes(max: number): Uint8Array {
    const length = this.uint(max);
    return this.#view(length);
  }

  text(max: number): string {
    return bytesToUtf8(this.bytes(max));
  }

  bits(max: number): boolean[] {
    const length = this.uint(max);
    const packed = this.#view((length + 7) >> 3);
    const out = new Array<boolean>(length);
    for (let i = 0; i < length; i++) out[i] = ((packed[i >> 3] as number) & (1 << (i & 7))) !== 0;
    const used = length & 7;
    if (used !== 0 && (packed[packed.length - 1] as number) >> used !== 0) {
      throw new DecodeError("not-canonical", "bit array: expected unused bits to be zero");
    }
    return out;
  }

  /** Bytes not yet read. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  end(): void {
    if (this.left !== 0)
      throw new DecodeError("malformed", `message: expected its end, got ${this.left} more bytes`);
  }

  #view(length: number): Uint8Array {
    if (length > this.left)
      throw new DecodeError(
        "truncated",
        `message: expected ${length} more bytes, got ${this.left}`,
      );
    const view = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return view;
  }
}
