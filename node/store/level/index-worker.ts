/** The thread that writes the search index. It shares the database with the main thread, which reads. */
import { parentPort, workerData } from "node:worker_threads";
import type { IndexAnswer } from "./index-writer.ts";
import { type BlockToIndex, indexBlock } from "./index-writes.ts";
import { openLevelDatabase } from "./level-database.ts";

const { directory } = workerData as { readonly directory: string };
const opened = openLevelDatabase(directory, "shared");
// Reported by the first write, which is where someone listens.
opened.catch(() => undefined);
let last: Promise<void> = Promise.resolve();

async function write(block: BlockToIndex): Promise<IndexAnswer> {
  try {
    await indexBlock(await opened, block);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** null: nothing more comes. */
parentPort?.on("message", (block: BlockToIndex | null) => {
  last = last.then(async () => {
    if (block !== null) return parentPort?.postMessage(await write(block));
    await (await opened.catch(() => null))?.close();
    parentPort?.close();
  });
});
