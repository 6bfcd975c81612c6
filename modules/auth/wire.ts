/**
 * One-pass protobuf reading of transactions, with the SDK's rules: unknown fields are refused, except that TxBody tolerates "non-critical" ones
 * (bit 11 of the field number set). Every refusal is sdk 2.
 */
import { recentText } from "@keel/proto/bytes/recent-text";
import { bytesToUtf8 } from "@keel/proto/bytes/utf8";
import type { ModuleError } from "../kit/errors.ts";
import { sdkError } from "../kit/sdk-errors.ts";

export function parseError(detail: string): ModuleError {
  return sdkError("txDecode", detail);
}

const ASCII_AT_ONCE_MAX = 128;

export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Of the message whose fields are being read. */
  #end: number;
  /** Set by `tag()`. */
  wireType = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** The next field's number, or 0 at the end. */
  next(): number {
    return this.#at >= this.#end ? 0 : this.tag();
  }

  /** The message in the present field, its fields read by `read` from this same reader. */
  nested<T>(read: (reader: WireReader) => T): T {
    const end = this.#delimited();
    const outer = this.#end;
    this.#end = end;
    const message = read(this);
    this.#at = end;
    this.#end = outer;
    return message;
  }

  /** Refuses a field that its message does not have, unless it may be ignored. */
  unknown(name: string, field: number, nonCritical: boolean = false): void {
    if (!nonCritical || isCritical(field))
      throw parseError(`errUnknownField "${name}": {TagNum: ${field}}`);
    this.skip();
  }

  /** Field number; remembers the wire type. */
  tag(): number {
    const tag = this.#number();
    this.wireType = tag & 7;
    const field = tag >>> 3;
    if (field === 0) throw parseError("field number 0");
    return field;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw parseError("unexpected EOF");
    return this.#bytes[this.#at++] as number;
  }

  /** Where the length-delimited field ends that begins here. */
  #delimited(): number {
    this.#expect(2);
    const length = this.#number();
    const end = this.#at + length;
    if (end > this.#end) throw parseError("unexpected EOF");
    return end;
  }

  /** A varint of at most 32 bits, in its shortest form. */
  #number(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 5; i++) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (byte === 0 && i > 0) throw parseError("varint not in its shortest form");
        if (value > 0xffffffff) throw parseError("number above 32 bits");
        return value;
      }
      scale *= 128;
    }
    throw parseError("number above 32 bits");
  }

  uint32(): number {
    this.#expect(0);
    return this.#number();
  }

  uint64(): bigint {
    this.#expect(0);
    let low = 0;
    let scale = 1;
    // Seven bytes are 49 bits, which a number holds exactly.
    for (let i = 0; i < 7; i++) {
      const byte = this.#byte();
      low += (byte & 127) * scale;
      if (byte < 128) {
        if (byte === 0 && i > 0) throw parseError("varint not in its shortest form");
        return BigInt(low);
      }
      scale *= 128;
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        if (value >> 64n !== 0n) throw parseError("number above 64 bits");
        if (byte === 0) throw parseError("varint not in its shortest form");
        return value;
      }
    }
    throw parseError("number above 64 bits");
  }

  boolean(): boolean {
    return this.uint64() !== 0n;
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const end = this.#delimited();
    const view = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return view;
  }

  text(): string {
    const end = this.#delimited();
    const start = this.#at;
    this.#at = end;
    if (end - start <= ASCII_AT_ONCE_MAX) {
      const text = this.#ascii(start, end);
      if (text !== null) return text;
    }
    try {
      return bytesToUtf8(this.#bytes.subarray(start, end));
    } catch {
      throw parseError("text is not UTF-8");
    }
  }

  /** Short ASCII, which a decoder's set-up costs more than reading; null for any other text. */
  #ascii(start: number, end: number): string | null {
    const bytes = this.#bytes;
    for (let at = start; at < end; at++) if ((bytes[at] as number) >= 0x80) return null;
    return recentText(bytes, start, end);
  }

  skip(): void {
    if (this.wireType === 0) this.uint64();
    else if (this.wireType === 1) this.#advance(8);
    else if (this.wireType === 2) this.bytes();
    else if (this.wireType === 5) this.#advance(4);
    else throw parseError(`wire type ${this.wireType}`);
  }

  #advance(count: number): void {
    this.#at += count;
    if (this.#at > this.#end) throw parseError("unexpected EOF");
  }

  #expect(wireType: number): void {
    if (this.wireType !== wireType)
      throw parseError(`wire type: expected ${wireType}, got ${this.wireType}`);
  }
}

/** Fields whose number has bit 11 set may be ignored by nodes that do not know them. */
function isCritical(field: number): boolean {
  return (field & (1 << 10)) === 0;
}

export type FieldReaders = Readonly<Record<number, (reader: WireReader) => void>>;

/** For what is read rarely: a table of readers. What every transaction has is read by loops, which cost a fraction. */
export function readMessage(name: string, reader: WireReader, fields: FieldReaders): void {
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    const read = fields[field];
    if (read === undefined) reader.unknown(name, field);
    else read(reader);
  }
}
