/** Replaces a small file so that after a power loss either the old or the new content is there, never a mixture. */
import { closeSync, fsync, fsyncSync, openSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

const sync = promisify(fsync);

/**
 * Temp file, fsync, rename, fsync of the directory; resolves when the new content survives anything. Only the two waits for the disk
 * leave the thread: a trip to the thread pool costs more than any of the other calls.
 */
export async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, "w", mode);
  try {
    writeFileSync(file, content);
    await sync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  const directory = openSync(dirname(path), "r");
  try {
    await sync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Makes renames and creations in a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
