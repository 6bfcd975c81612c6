/**
 * The byte layout of the write-ahead log: crc32c (4 B big-endian) ‖ length (4 B big-endian) ‖ payload, the checksum over the
 * payload. A payload is one kind byte and a body: 1 = a record, 2 = an end-of-height mark (height, 8 B big-endian).
 */
import { crc32c } from "./crc32c.ts";

export const frameHeaderBytes = 8;
const kindRecord = 1;
const kindEndHeight = 2;

export type WalEntry =
  | { readonly type: "record"; readonly record: Uint8Array }
  | { readonly type: "endHeight"; readonly height: number };

export interface WalScan {
  readonly entries: readonly WalEntry[];
  /** Bytes up to the end of the last valid entry before the first invalid one. */
  readonly validBytes: number;
  /** What stands after `validBytes`. "torn": nothing readable, an interrupted write. "damaged": valid entries follow. */
  readonly tail: "clean" | "torn" | "damaged";
}

export function encodeRecord(record: Uint8Array): Uint8Array {
  return frame(kindRecord, record);
}

export function encodeEndHeight(height: number): Uint8Array {
  const body = new Uint8Array(8);
  new DataView(body.buffer).setBigUint64(0, BigInt(height));
  return frame(kindEndHeight, body);
}

function frame(kind: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frameHeaderBytes + 1 + body.length);
  const view = new DataView(bytes.buffer);
  bytes[frameHeaderBytes] = kind;
  bytes.set(body, frameHeaderBytes + 1);
  view.setUint32(0, crc32c(bytes, frameHeaderBytes));
  view.setUint32(4, 1 + body.length);
  return bytes;
}

/** The entry at `offset` and where it ends, or null when no intact entry stands there. */
function entryAt(
  bytes: Uint8Array,
  offset: number,
  recordBytesMax: number,
): { readonly entry: WalEntry; readonly end: number } | null {
  const start = offset + frameHeaderBytes;
  if (start + 1 > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(offset + 4);
  const end = start + length;
  if (length < 1 || length > recordBytesMax + 1 || end > bytes.length) return null;
  const kind = bytes[start];
  if (kind !== kindRecord && (kind !== kindEndHeight || length !== 9)) return null;
  if (crc32c(bytes, start, end) !== view.getUint32(offset)) return null;
  if (kind === kindRecord)
    return { entry: { type: "record", record: bytes.slice(start + 1, end) }, end };
  const height = view.getBigUint64(start + 1);
  if (height > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  return { entry: { type: "endHeight", height: Number(height) }, end };
}

/**
 * Reads a whole file. Appends reach the disk in order (the size of a file never covers unwritten bytes on the journalling
 * file systems in use), so an interrupted write leaves an unreadable tail and nothing after it. An intact entry behind an
 * unreadable one therefore means that synced bytes have changed, and no truncation may hide that.
 */
export function scanWal(bytes: Uint8Array, recordBytesMax: number): WalScan {
  const entries: WalEntry[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const found = entryAt(bytes, offset, recordBytesMax);
    if (found === null) break;
    entries.push(found.entry);
    offset = found.end;
  }
  if (offset === bytes.length) return { entries, validBytes: offset, tail: "clean" };
  for (let probe = offset + 1; probe + frameHeaderBytes < bytes.length; probe++) {
    if (entryAt(bytes, probe, recordBytesMax) !== null)
      return { entries, validBytes: offset, tail: "damaged" };
  }
  return { entries, validBytes: offset, tail: "torn" };
}
