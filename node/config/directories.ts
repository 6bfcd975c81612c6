/** Making directories one by one: Node's own `recursive` never returns where a file system answers "no such file" for a new entry, as /proc does. */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENOTDIR: "there is a file in its way",
  ENOENT: "that file system takes no new directories",
  ENAMETOOLONG: "a name in it is too long",
};

/** Makes `path` and whatever is missing above it; what exists is kept. Throws one sentence that names the path and the reason. */
export function makeDirectory(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const each of missing) {
    try {
      mkdirSync(each);
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      // Somebody else has just made it.
      if (code === "EEXIST") continue;
      throw new Error(`the directory ${path} cannot be made: ${REASONS[code] ?? message}`);
    }
  }
  if (!statSync(path).isDirectory())
    throw new Error(`the directory ${path} cannot be made: ${REASONS["ENOTDIR"]}`);
}
