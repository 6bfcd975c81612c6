/** Reads protobuf that must be in its one canonical form; everything else is a `DecodeError` naming the message. */

import { DecodeError, type DecodeErrorCode } from "@keel/proto/bytes/decode-error";

export type WireType = 0 | 1 | 2;

const int64Sign = 1n << 63n;

export class Reader {
  readonly name: string;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(name: string, bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.name = name;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  fail(code: DecodeErrorCode, message: string): DecodeError {
    return new DecodeError(code, `${this.name}: ${message} (at byte ${this.#at})`);
  }

  /** Field number × 8 + wire type. */
  tag(): number {
    const tag = this.varint64();
    if (tag > 0xffff_ffffn) throw this.fail("malformed", "expected a field tag");
    return Number(tag);
  }

  /** Unsigned 64-bit varint in the shortest form. */
  varint64(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#next();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) throw this.#notShortest();
        return BigInt(low);
      }
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#next();
      if (shift === 63n && byte > 1) throw this.fail("out-of-range", "expected at most 64 bits");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0) throw this.#notShortest();
        return value;
      }
    }
    throw this.fail("out-of-range", "expected at most 64 bits");
  }

  /** Two's complement. */
  signed64(): bigint {
    const value = this.varint64();
    return value >= int64Sign ? value - int64Sign - int64Sign : value;
  }

  fixed64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 8n) value |= BigInt(this.#next()) << shift;
    return value >= int64Sign ? value - int64Sign - int64Sign : value;
  }

  /** A view, not a copy. */
  delimited(): Uint8Array {
    const { start, end } = this.#span();
    return this.#bytes.subarray(start, end);
  }

  /** Reader over a nested message. */
  nested(name: string): Reader {
    const { start, end } = this.#span();
    return new Reader(name, this.#bytes, start, end);
  }

  #span(): { start: number; end: number } {
    const length = this.varint64();
    if (length > BigInt(this.#end - this.#at)) {
      throw this.fail("truncated", `expected ${length} more bytes, got ${this.#end - this.#at}`);
    }
    const start = this.#at;
    this.#at += Number(length);
    return { start, end: this.#at };
  }

  #next(): number {
    if (this.#at >= this.#end) throw this.fail("truncated", "expected another byte");
    return this.#bytes[this.#at++] as number;
  }

  #notShortest(): DecodeError {
    return this.fail("not-canonical", "expected the shortest varint");
  }
}
