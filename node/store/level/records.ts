/** Framing of what we write to disk: a checksum and a format version in front of every record, read back with bounds checks. */
import { crc32 } from "node:zlib";
import { Writer } from "@keel/consensus/wire/writer";
import { StoreCorrupt } from "../types.ts";

/** First byte of every record body. */
const recordVersion = 1;
/** Checksum and version. */
const HEAD_BYTES = 5;

/** crc32 of the rest (4 bytes, big-endian), version byte, body. */
export function sealRecord(write: (writer: Writer) => void, sizeHint: number = 256): Uint8Array {
  const writer = new Writer(sizeHint);
  for (let i = 0; i < 4; i++) writer.byte(0);
  writer.byte(recordVersion);
  write(writer);
  return sealed(writer.finish());
}

/** The record, with its checksum put in front. */
function sealed(record: Uint8Array): Uint8Array {
  new DataView(record.buffer, record.byteOffset).setUint32(0, crc32(record.subarray(4)));
  return record;
}

/** `name` says in an error which record it was, such as `changelog of height 57`. */
export function openRecord(name: string, record: Uint8Array): RecordReader {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  if (record.length < 5 || view.getUint32(0) !== crc32(record.subarray(4))) {
    throw new StoreCorrupt(`${name}: checksum mismatch`);
  }
  if (record[4] !== recordVersion) {
    throw new StoreCorrupt(`${name}: expected record version ${recordVersion}, got ${record[4]}`);
  }
  return new RecordReader(name, record, 5);
}

/** Reads what `Writer` wrote; running off the end is corruption. */
export class RecordReader {
  readonly #name: string;
  readonly #bytes: Buffer;
  #at: number;

  constructor(name: string, bytes: Uint8Array, at: number = 0) {
    this.#name = name;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.#cut();
    this.#at++;
    return byte;
  }

  /** A safe integer. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value))
        throw new StoreCorrupt(`${this.#name}: number out of range`);
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  /** A view into the record. */
  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw this.#cut();
    const view = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  }

  /** Length-prefixed bytes as latin-1. */
  text(): string {
    const length = this.varint();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw this.#cut();
    const text = this.#bytes.toString("latin1", this.#at, end);
    this.#at = end;
    return text;
  }

  lengthPrefixed(): Uint8Array {
    return this.bytes(this.varint());
  }

  /** Everything left. */
  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }

  finish(): void {
    if (!this.done) throw new StoreCorrupt(`${this.#name}: unexpected bytes at the end`);
  }

  #cut(): StoreCorrupt {
    return new StoreCorrupt(`${this.#name}: cut short`);
  }
}

/** A record that is nothing but `bytes`. */
export function sealBytes(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEAD_BYTES + bytes.length);
  record[HEAD_BYTES - 1] = recordVersion;
  record.set(bytes, HEAD_BYTES);
  return sealed(record);
}

/** Inverse of `sealBytes`: a view into the record. */
export function openBytes(name: string, record: Uint8Array): Uint8Array {
  return openRecord(name, record).rest();
}
