/**
 * The SDK's rule for messages inside a transaction: a field the message type does not have is refused, so that nobody signs what nobody reads.
 * Walks the bytes against a table of known fields; nothing is decoded.
 */

/** Field number → what it holds. */
export type FieldTable = ReadonlyMap<number, KnownField>;

export interface KnownField {
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wireType: number;
  /** A repeated number, which may also come packed. */
  readonly packable: boolean;
  /** Fields of a nested message; looked up late, since types may contain themselves. */
  readonly nested: (() => FieldTable) | null;
}

/** Nesting deeper than this is no message of ours. */
const DEPTH_MAX = 16;

/** Why the bytes are not made of known fields, or null. */
export function unknownFieldProblem(bytes: Uint8Array, table: FieldTable): string | null {
  return walk(bytes, 0, bytes.length, table, 0);
}

function walk(
  bytes: Uint8Array,
  from: number,
  end: number,
  table: FieldTable,
  depth: number,
): string | null {
  if (depth > DEPTH_MAX) return "nested too deep";
  let at = from;
  while (at < end) {
    const tag = readVarint(bytes, at, end);
    if (tag < 0) return "malformed tag";
    at += varintSize;
    const number = tag >>> 3;
    const wireType = tag & 7;
    const field = table.get(number);
    if (field === undefined) return `unknown field ${number}`;
    const isPacked = wireType === 2 && field.packable;
    if (wireType !== field.wireType && !isPacked)
      return `field ${number}: expected wire type ${field.wireType}, got ${wireType}`;
    if (wireType === 2) {
      const length = readVarint(bytes, at, end);
      if (length < 0) return `field ${number}: malformed length`;
      at += varintSize;
      if (length > end - at) return `field ${number}: ends early`;
      if (field.nested !== null) {
        const problem = walk(bytes, at, at + length, field.nested(), depth + 1);
        if (problem !== null) return problem;
      }
      at += length;
    } else {
      const size = wireType === 0 ? skipVarint(bytes, at, end) : wireType === 1 ? 8 : 4;
      if (size < 0 || at + size > end) return `field ${number}: ends early`;
      at += size;
    }
  }
  return null;
}

/** Bytes taken by the last `readVarint`. */
let varintSize = 0;

/** A tag or length of at most 32 bits; −1 when malformed. */
function readVarint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 5 && at + i < end; i++) {
    const byte = bytes[at + i] as number;
    value += (byte & 127) * scale;
    if (byte < 128) {
      varintSize = i + 1;
      return value <= 0xffffffff ? value : -1;
    }
    scale *= 128;
  }
  return -1;
}

function skipVarint(bytes: Uint8Array, at: number, end: number): number {
  for (let i = 0; i < 10 && at + i < end; i++) if ((bytes[at + i] as number) < 128) return i + 1;
  return -1;
}
