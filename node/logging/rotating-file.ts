/**
 * A log file that never grows beyond its bound: when it would, it becomes `<file>.1`, what was that becomes `.2` and so on, and the oldest goes. Written in
 * place, a line at a time: what a node said before it died is there. A disk that is full costs lines of the log, never the node.
 */
import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { Writable } from "node:stream";

export interface RotationOptions {
  /** Bytes of one file, at least one line. */
  readonly bytesMax: number;
  /** Older files that are kept beside it. */
  readonly kept: number;
}

/** Throws Node's own error when the file cannot be opened. */
export function rotatingFile(path: string, { bytesMax, kept }: RotationOptions): Writable {
  // null: it could not be opened again; the number of a closed file may be another's by now.
  let file: number | null = openSync(path, "a");
  let size = fstatSync(file).size;

  function close(): void {
    const open = file;
    file = null;
    if (open !== null) closeSync(open);
  }

  function opened(): number {
    if (file === null) {
      file = openSync(path, "a");
      size = fstatSync(file).size;
    }
    return file;
  }

  function rotate(): void {
    close();
    rmSync(`${path}.${kept}`, { force: true });
    for (let number = kept - 1; number >= 1; number--) move(`${path}.${number}`, number + 1);
    if (kept > 0) renameSync(path, `${path}.1`);
    else rmSync(path, { force: true });
  }

  function move(from: string, number: number): void {
    try {
      renameSync(from, `${path}.${number}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        opened();
        if (size > 0 && size + chunk.length > bytesMax) rotate();
        const open = opened();
        size += writeSync(open, chunk);
      } catch {
        // Nowhere to say it.
      }
      done();
    },
    final(done) {
      close();
      done();
    },
  });
}
