import { describe, expect, test } from "vitest";
import { StoreCorrupt } from "../types.ts";
import { openBlockStore } from "./block-store.ts";
import { heightKey, prefixes } from "./keys.ts";
import { MemoryDatabase } from "./memory-database.ts";
import { makeBlocks, type TestBlock } from "./testing.ts";

const blocks = makeBlocks(20);
const at = (height: number): TestBlock => blocks[height - 1] as TestBlock;

async function storeOf(count: number, database: MemoryDatabase = new MemoryDatabase()) {
  const store = await openBlockStore(database);
  for (const { stored, seenCommit } of blocks.slice(0, count)) await store.save(stored, seenCommit);
  return { store, database };
}

describe("block store", () => {
  test("gives back what was saved, by height and by hash, also after a restart", async () => {
    const { database, store } = await storeOf(20);
    for (const one of [store, await openBlockStore(database)]) {
      expect([one.base(), one.height()]).toEqual([1, 20]);
      for (let height = 1; height <= 20; height++) {
        expect(await one.load(height)).toEqual(at(height).stored);
        expect(await one.loadByHash(at(height).stored.blockId.hash)).toEqual(at(height).stored);
        expect(await one.loadSeenCommit(height)).toEqual(at(height).seenCommit);
      }
      expect(await one.load(0)).toBeNull();
      expect(await one.load(21)).toBeNull();
      expect(await one.loadByHash(new Uint8Array(32))).toBeNull();
    }
  });

  test("the canonical commit is the next block's, and none at the tip", async () => {
    const { store } = await storeOf(5);
    for (let height = 1; height < 5; height++) {
      expect(await store.loadCommit(height)).toEqual(at(height + 1).stored.block.lastCommit);
    }
    expect(await store.loadCommit(5)).toBeNull();
    expect(await store.loadCommit(0)).toBeNull();
  });

  test("starts empty, at any first height, and takes only the next block", async () => {
    const store = await openBlockStore(new MemoryDatabase());
    expect([store.base(), store.height()]).toEqual([0, 0]);
    expect(await store.load(1)).toBeNull();
    await store.save(at(7).stored, at(7).seenCommit);
    expect([store.base(), store.height()]).toEqual([7, 7]);
    await expect(store.save(at(9).stored, at(9).seenCommit)).rejects.toThrow(
      "expected block 8, got 9",
    );
    await expect(store.save(at(7).stored, at(7).seenCommit)).rejects.toThrow(
      "expected block 8, got 7",
    );
    await expect(store.save(at(8).stored, at(7).seenCommit)).rejects.toThrow("got that of 7");
  });

  test("pruning removes blocks, commits and hashes below the height, and nothing above", async () => {
    const { store, database } = await storeOf(20);
    expect(await store.prune(15)).toBe(14);
    expect([store.base(), store.height()]).toEqual([15, 20]);
    expect(await store.load(14)).toBeNull();
    expect(await store.loadByHash(at(14).stored.blockId.hash)).toBeNull();
    expect(await store.loadSeenCommit(14)).toBeNull();
    expect(await store.loadCommit(14)).toBeNull();
    expect(await database.get(heightKey(prefixes.block, 14))).toBeNull();
    expect(await store.load(15)).toEqual(at(15).stored);
    expect(await store.loadCommit(15)).toEqual(at(16).stored.block.lastCommit);
    expect(await store.prune(15)).toBe(0);
    await expect(store.prune(21)).rejects.toThrow("from block 20 at most, got 21");
  });

  test("a failure at any write leaves whole blocks up to the last one acknowledged", async () => {
    for (let batches = 0; batches < 12; batches++) {
      const database = new MemoryDatabase({ batchesUntilFailure: batches });
      let acknowledged = 0;
      let pruning = false;
      const store = await openBlockStore(database);
      try {
        for (const { stored, seenCommit } of blocks.slice(0, 9)) {
          await store.save(stored, seenCommit);
          acknowledged++;
        }
        pruning = true;
        await store.prune(6);
      } catch (error) {
        expect((error as Error).message).toContain("on purpose");
      }
      const after = await openBlockStore(database.crashed());
      expect(after.height()).toBe(acknowledged);
      if (!pruning && acknowledged > 0) expect(after.base()).toBe(1);
      for (let height = Math.max(1, after.base()); height <= acknowledged; height++) {
        expect(await after.load(height)).toEqual(at(height).stored);
      }
      if (acknowledged === 9) {
        await after.prune(8);
        for (let height = 1; height < 8; height++) {
          expect(await after.loadByHash(at(height).stored.blockId.hash)).toBeNull();
        }
      }
    }
  });

  test("a damaged or missing block is one sentence", async () => {
    const { database } = await storeOf(3);
    const key = heightKey(prefixes.block, 2);
    const record = (await database.get(key)) as Uint8Array;
    const flipped = record.slice();
    flipped[40] = (flipped[40] as number) ^ 4;
    await database.write([{ key, value: flipped }], "synced");
    const store = await openBlockStore(database);
    await expect(store.load(2)).rejects.toThrow(
      /^block 2: checksum mismatch; restore the data directory/,
    );
    await database.write([{ key, value: null }], "synced");
    await expect(store.load(2)).rejects.toThrow(StoreCorrupt);
  });

  test("a seen commit may stand alone after a state sync", async () => {
    const { store } = await storeOf(0);
    await store.saveSeenCommit(at(4).seenCommit);
    expect(await store.loadSeenCommit(4)).toEqual(at(4).seenCommit);
    await store.save(at(5).stored, at(5).seenCommit);
    expect(store.base()).toBe(5);
  });
});
