/** Appends protobuf to one growing buffer. Nested messages are written in place, and moved only where their length takes more than a byte. */

import { allocate } from "@keel/proto/bytes/allocate";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";

/** The longest content whose length prefix is one byte. */
const oneByteMax = 127;
const int64Mask = (1n << 64n) - 1n;

/** Buffers of writers that have ended: a new one costs more than most messages. */
const spares: Uint8Array[] = [];
/** Writers open at once: a few, nested. */
const sparesMax = 8;
/** A larger one is let go. */
const spareBytesMax = 65_536;
const ended = new Uint8Array(0);

export class Writer {
  #bytes: Uint8Array;
  #length = 0;

  constructor(sizeHint: number = 256) {
    this.#bytes = spares.pop() ?? new Uint8Array(sizeHint);
  }

  /** What was written, possibly as part of a slab: its `buffer` is not its own. Ends the writer, whose buffer goes to the next. */
  finish(): Uint8Array {
    const written = allocate(this.#length);
    written.set(this.#bytes.subarray(0, this.#length));
    if (spares.length < sparesMax && this.#bytes.length <= spareBytesMax) spares.push(this.#bytes);
    this.#bytes = ended;
    this.#length = 0;
    return written;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** Unsigned, a safe integer. */
  varint(value: number): void {
    this.#room(10);
    this.#putVarint(value);
  }

  /** Where there is room. */
  #putVarint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Two's complement 64-bit: a negative number takes ten bytes. */
  varint64(value: bigint): void {
    this.#room(10);
    let rest = value & int64Mask;
    while (rest > 0x7fn) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  fixed64(value: bigint): void {
    this.#room(8);
    let rest = value & int64Mask;
    for (let i = 0; i < 8; i++) {
      this.#bytes[this.#length++] = Number(rest & 0xffn);
      rest >>= 8n;
    }
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Text whose characters are bytes, as stores hold keys and values. */
  latin1(text: string): void {
    const { length } = text;
    this.#room(length);
    for (let i = 0; i < length; i++) this.#bytes[this.#length + i] = text.charCodeAt(i);
    this.#length += length;
  }

  /** Length prefix, then the text in UTF-8. Short ASCII, which is most of what events hold, goes in without a copy. */
  text(text: string): void {
    const { length } = text;
    if (length > oneByteMax) {
      this.#encoded(text);
      return;
    }
    this.#room(1 + length);
    const start = this.#length;
    this.#bytes[start] = length;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) {
        this.#encoded(text);
        return;
      }
      this.#bytes[start + 1 + i] = unit;
    }
    this.#length = start + 1 + length;
  }

  #encoded(text: string): void {
    const bytes = utf8ToBytes(text);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Begins a length-prefixed message; what is appended until `close` with the returned place is its content. */
  open(): number {
    this.#room(1);
    return this.#length++;
  }

  /** Room for one byte of length was left, which is enough for most; longer content is moved once. */
  close(place: number): void {
    const size = this.#length - place - 1;
    if (size <= oneByteMax) {
      this.#bytes[place] = size;
      return;
    }
    const end = this.#length;
    const more = varintSize(size) - 1;
    this.#room(more);
    this.#bytes.copyWithin(place + 1 + more, place + 1, end);
    this.#length = place;
    this.#putVarint(size);
    this.#length = end + more;
  }

  /** Length prefix, then whatever `write` appends. */
  delimited(write: () => void): void {
    const place = this.open();
    write();
    this.close(place);
  }

  #room(more: number): void {
    const need = this.#length + more;
    if (need <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(need, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Bytes an unsigned varint takes. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}
