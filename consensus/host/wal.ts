/**
 * The write-ahead log on disk: every input of the round machine, in order, so that a restarted node knows again what it has
 * seen, locked and signed. The head file is `<path>`; full ones become `<path>.000000`, `<path>.000001`, …
 */
import { closeSync, fdatasync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { mkdir, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import { syncDirectory } from "./durable-file.ts";
import {
  walFileBytesMax,
  walPendingBytesMax,
  walRecordBytesMax,
  walTotalBytesMax,
} from "./limits.ts";
import type { WriteAheadLog } from "./ports.ts";
import { encodeEndHeight, encodeRecord, scanWal, type WalEntry } from "./wal-frames.ts";

const datasync = promisify(fdatasync);

export interface WalOptions {
  readonly path: string;
  readonly recordBytesMax?: number;
  readonly fileBytesMax?: number;
  readonly totalBytesMax?: number;
}

/** The log cannot be trusted; the message says what to do. Fatal at start. */
export class WalDamaged extends Error {
  override readonly name = "WalDamaged";
}

/** Opens or creates the log. A torn tail is cut off; damage before intact entries throws WalDamaged. */
export async function openWal(options: WalOptions): Promise<WriteAheadLog> {
  const recordBytesMax = options.recordBytesMax ?? walRecordBytesMax;
  await mkdir(dirname(options.path), { recursive: true });
  let fd = openSync(options.path, "a+");
  syncDirectory(dirname(options.path));
  let headBytes: number;
  try {
    headBytes = await recoverHead(fd, options.path, recordBytesMax);
  } catch (error) {
    closeSync(fd);
    throw error;
  }

  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let closed = false;
  // Flushes queue behind each other: rotation must not swap the file under a running sync.
  let tail: Promise<void> = Promise.resolve();

  const drain = (): void => {
    if (pendingBytes === 0) return;
    const chunk = Buffer.concat(pending, pendingBytes);
    pending = [];
    pendingBytes = 0;
    for (let written = 0; written < chunk.length; ) written += writeSync(fd, chunk, written);
    headBytes += chunk.length;
  };
  const push = (frame: Uint8Array): void => {
    if (closed) throw new Error("the write-ahead log is closed");
    pending.push(frame);
    pendingBytes += frame.length;
    if (pendingBytes > walPendingBytesMax) drain();
  };
  const rotate = async (): Promise<void> => {
    const numbers = await rotatedNumbers(options.path);
    closeSync(fd);
    await rename(options.path, rotatedPath(options.path, (numbers.at(-1) ?? -1) + 1));
    fd = openSync(options.path, "a+");
    headBytes = 0;
    await dropOldest(options.path, options.totalBytesMax ?? walTotalBytesMax, recordBytesMax);
    syncDirectory(dirname(options.path));
  };
  const sync = async (): Promise<void> => {
    drain();
    await datasync(fd);
    if (headBytes >= (options.fileBytesMax ?? walFileBytesMax)) await rotate();
  };
  const flush = (): Promise<void> => {
    const run = tail.then(sync);
    tail = run.catch(() => undefined);
    return run;
  };

  return {
    append(record) {
      if (record.length > recordBytesMax) {
        throw new RangeError(
          `log record: expected at most ${recordBytesMax} bytes, got ${record.length}`,
        );
      }
      push(encodeRecord(record));
    },
    flush,
    async readAfterEndHeight(height) {
      await flush();
      return readAfter(options.path, height, recordBytesMax);
    },
    async writeEndHeight(height) {
      push(encodeEndHeight(height));
      await flush();
    },
    async close() {
      if (closed) return;
      await flush();
      closed = true;
      closeSync(fd);
    },
  };
}

async function recoverHead(fd: number, path: string, recordBytesMax: number): Promise<number> {
  const bytes = await readFile(path);
  const scan = scanWal(bytes, recordBytesMax);
  if (scan.tail === "damaged") throw damaged(path, scan.validBytes);
  if (scan.tail === "torn") {
    ftruncateSync(fd, scan.validBytes);
    fsyncSync(fd);
  }
  return scan.validBytes;
}

/** Newest file first, until the mark is found. */
async function readAfter(
  path: string,
  height: number,
  recordBytesMax: number,
): Promise<readonly Uint8Array[] | null> {
  const files = [
    ...(await rotatedNumbers(path)).map((number) => rotatedPath(path, number)),
    path,
  ].reverse();
  let later: Uint8Array[] = [];
  for (const file of files) {
    const scan = scanWal(await readFile(file), recordBytesMax);
    if (scan.tail !== "clean") throw damaged(file, scan.validBytes);
    const mark = scan.entries.findLastIndex(
      (entry) => entry.type === "endHeight" && entry.height === height,
    );
    later = [...recordsOf(scan.entries.slice(mark + 1)), ...later];
    if (mark >= 0) return later;
  }
  return null;
}

function recordsOf(entries: readonly WalEntry[]): Uint8Array[] {
  return entries.flatMap((entry) => (entry.type === "record" ? [entry.record] : []));
}

function damaged(path: string, offset: number): WalDamaged {
  return new WalDamaged(
    `the write-ahead log ${path} is damaged at byte ${offset} and readable again after it: ` +
      "check the disk, then restore this file from a copy or move it aside before starting again",
  );
}

function rotatedPath(path: string, number: number): string {
  return `${path}.${String(number).padStart(6, "0")}`;
}

async function rotatedNumbers(path: string): Promise<number[]> {
  const prefix = `${basename(path)}.`;
  const numbers: number[] = [];
  for (const name of await readdir(dirname(path))) {
    const suffix = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    if (/^\d{6,12}$/.test(suffix)) numbers.push(Number(suffix));
  }
  return numbers.sort((a, b) => a - b);
}

/** Drops files from the oldest on, but none from the last end-of-height mark onwards: the height in progress needs them. */
async function dropOldest(
  path: string,
  totalBytesMax: number,
  recordBytesMax: number,
): Promise<void> {
  const numbers = await rotatedNumbers(path);
  const sizes = await Promise.all(
    numbers.map(async (number) => (await stat(rotatedPath(path, number))).size),
  );
  let total = sizes.reduce((sum, size) => sum + size, 0);
  if (total <= totalBytesMax) return;
  let keepFrom = numbers.length - 1;
  for (; keepFrom > 0; keepFrom--) {
    const scan = scanWal(
      await readFile(rotatedPath(path, numbers[keepFrom] as number)),
      recordBytesMax,
    );
    if (scan.entries.some((entry) => entry.type === "endHeight")) break;
  }
  for (let index = 0; index < keepFrom && total > totalBytesMax; index++) {
    await unlink(rotatedPath(path, numbers[index] as number));
    total -= sizes[index] as number;
  }
}
