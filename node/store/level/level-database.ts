/** The `Database` port on LevelDB. The only file that knows the package. */
import { dirname } from "node:path";
import { Level } from "level";
import { makeDirectory } from "../../config/directories.ts";
import type { Database, Range, Write } from "../types.ts";

/**
 * Opens or creates `directory`. Rejects with one plain sentence when another process holds it or the disk refuses. Threads of this process
 * may share it, each with its own `Database`, when all open it so.
 */
export async function openLevelDatabase(
  directory: string,
  use: "alone" | "shared" = "alone",
): Promise<Database> {
  makeDirectory(dirname(directory));
  const level = new Level<Uint8Array, Uint8Array>(directory, {
    keyEncoding: "view",
    valueEncoding: "view",
    cacheSize: 32 * 1024 * 1024,
    writeBufferSize: 16 * 1024 * 1024,
    multithreading: use === "shared",
  });
  try {
    await level.open();
  } catch (error) {
    throw new Error(openFailure(directory, error), { cause: error });
  }
  return new LevelDatabase(level);
}

function openFailure(directory: string, error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  if (cause?.code === "LEVEL_LOCKED") return `database ${directory} is in use by another process`;
  return `database ${directory} cannot be opened: ${cause?.message ?? String(error)}`;
}

class LevelDatabase implements Database {
  readonly #level: Level<Uint8Array, Uint8Array>;

  constructor(level: Level<Uint8Array, Uint8Array>) {
    this.#level = level;
  }

  async get(key: Uint8Array): Promise<Uint8Array | null> {
    return (await this.#level.get(key)) ?? null;
  }

  /** As a chained batch: the one that takes an array copies every operation and costs three times as much. */
  async write(batch: readonly Write[], durability: "synced" | "buffered"): Promise<void> {
    const chained = this.#level.batch();
    for (const { key, value } of batch) {
      if (value === null) chained.del(key);
      else chained.put(key, value);
    }
    // `sync` is LevelDB's own option; the package's common types do not know it.
    const options: object = { sync: durability === "synced" };
    await chained.write(options);
  }

  async *range({
    from,
    to,
    reverse,
    limit,
  }: Range): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
    const iterator = this.#level.iterator({
      gte: from,
      lt: to,
      reverse: reverse ?? false,
      limit: limit ?? -1,
    });
    yield* iterator;
  }

  async close(): Promise<void> {
    await this.#level.close();
  }
}
