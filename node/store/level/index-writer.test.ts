import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { txHash } from "@keel/consensus/wire/block";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { afterEach, describe, expect, test } from "vitest";
import { parseQuery } from "../query-grammar.ts";
import type { Database } from "../types.ts";
import { type IndexWriter, threadWriter } from "./index-writer.ts";
import type { BlockToIndex } from "./index-writes.ts";
import { openLevelDatabase } from "./level-database.ts";
import { MemoryDatabase } from "./memory-database.ts";
import { eventOf, makeBlocks, responseOf, resultOf } from "./testing.ts";
import { openTxIndex } from "./tx-index.ts";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "keel-index-"));
  directories.push(directory);
  return join(directory, "index.db");
}

const made = makeBlocks(30);
const blocks = made.map(({ stored }) => stored.block);
const result = responseOf([resultOf([eventOf("e", ["k", "v"])])]);

async function opened(directory: string): Promise<{
  readonly index: Awaited<ReturnType<typeof openTxIndex>>;
  readonly close: () => Promise<void>;
}> {
  const database: Database = await openLevelDatabase(directory, "shared");
  const index = await openTxIndex(database, threadWriter(directory));
  const close = async (): Promise<void> => {
    await index.close();
    await database.close();
  };
  return { index, close };
}

describe("the thread that writes the index", () => {
  test("what was handed over is found by the next question, and again after a restart", async () => {
    const directory = newDirectory();
    const first = await opened(directory);
    for (const [i, block] of blocks.entries()) {
      // Not awaited, as a question that comes right behind the commit.
      const taken = first.index.index({ block, result });
      const hash = txHash(utf8ToBytes(`tx of ${i + 1}`));
      expect(await first.index.get(hash)).toMatchObject({
        height: i + 1,
        index: 0,
        result: result.txResults[0],
      });
      await taken;
    }
    expect(await first.index.searchTxs(parseQuery("e.k='v'"))).toHaveLength(30);
    await first.close();
    const second = await opened(directory);
    expect(second.index.height).toBe(30);
    expect(await second.index.searchTxs(parseQuery("e.k='v' AND tx.height>28"))).toEqual([
      { height: 29, index: 0 },
      { height: 30, index: 0 },
    ]);
    await second.close();
  });

  test("its failure reaches who commits and who asks", async () => {
    const directory = newDirectory();
    // Held by this thread alone, so the other cannot open it.
    const database = await openLevelDatabase(directory);
    const index = await openTxIndex(database, threadWriter(directory));
    const [one, two] = blocks;
    if (one === undefined || two === undefined) throw new Error("expected blocks");
    await index.index({ block: one, result });
    await expect(index.get(new Uint8Array(32))).rejects.toThrow("in use by another process");
    await expect(index.index({ block: two, result })).rejects.toThrow("in use by another process");
    await index.close();
    await database.close();
  });
});

test("who commits waits once too many blocks are on their way", async () => {
  const written: number[] = [];
  const releases: (() => void)[] = [];
  const slow: IndexWriter = {
    heightsBehindMax: 2,
    write: ({ height }: BlockToIndex) =>
      new Promise((resolve) => {
        releases.push(() => {
          written.push(height);
          resolve();
        });
      }),
    close: async () => undefined,
  };
  const index = await openTxIndex(new MemoryDatabase(), slow);
  const [a, b, c] = blocks.map((block) => () => index.index({ block, result }));
  await a?.();
  await b?.();
  let isTaken = false;
  const third = c?.().then(() => {
    isTaken = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isTaken).toBe(false);
  releases.shift()?.();
  await third;
  expect(written).toEqual([1]);
});
