import type { Snapshot } from "@keel/consensus/host/ports";
import { sha256 } from "@keel/proto/bytes/sha256";
import { describe, expect, test } from "vitest";
import { createInner, createLeaf } from "./iavl/node.ts";
import { type ApplicationStore, openApplicationStore } from "./level/application-store.ts";
import { MemoryDatabase } from "./level/memory-database.ts";
import { appHashOf } from "./multistore.ts";
import { encodeSnapshot, SnapshotDecoder } from "./snapshot-codec.ts";
import { SnapshotRestore } from "./snapshot-restore.ts";
import { commitNext, createTestChain, sortedModel, stateOf, testStores } from "./testing.ts";

const open = (database: MemoryDatabase): Promise<ApplicationStore> =>
  openApplicationStore(database, { stores: testStores, snapshotIntervalHeights: 1_000 });

/** A store of 30 heights with a snapshot of its newest, and the chain behind it. */
async function serving() {
  const store = await open(new MemoryDatabase());
  const chain = createTestChain(21, 40, 5_000);
  for (let height = 1; height <= 30; height++) await commitNext(store, chain);
  await store.snapshot();
  const snapshot = store.listSnapshots()[0] as Snapshot;
  const chunks: Uint8Array[] = [];
  for (let index = 0; index < snapshot.chunks; index++) {
    chunks.push((await store.loadSnapshotChunk(30, 1, index)) as Uint8Array);
  }
  return { store, chain, snapshot, chunks };
}

/** The same content announced in other chunks. */
function announced(height: number, chunks: readonly Uint8Array[]): Snapshot {
  const metadata = Uint8Array.from(Buffer.concat(chunks.map((chunk) => sha256(chunk))));
  return { height, format: 1, chunks: chunks.length, hash: sha256(metadata), metadata };
}

describe("state sync", () => {
  test("a restored node has the same state and app hash, survives a restart, and commits on with the same hashes", async () => {
    const { store, chain, snapshot, chunks } = await serving();
    const database = new MemoryDatabase();
    const target = await open(database);
    const restore = SnapshotRestore.begin({
      database,
      store: target,
      snapshot,
      appHash: store.appHash,
    });
    for (const [index, chunk] of chunks.entries())
      expect(await restore?.apply(index, chunk)).toBe("accept");
    expect(restore?.done).toBe(true);
    expect(target.height).toBe(30);
    expect(target.appHash).toEqual(store.appHash);
    expect(stateOf(target)).toEqual(sortedModel(chain.model));
    const restarted = await open(database.crashed());
    expect(stateOf(restarted)).toEqual(sortedModel(chain.model));
    expect(restarted.listSnapshots()).toEqual(store.listSnapshots());
    for (let height = 31; height <= 40; height++) {
      const changes = chain.next();
      const appHash = store.stage(height, changes);
      expect(target.stage(height, changes)).toEqual(appHash);
      expect(restarted.stage(height, changes)).toEqual(appHash);
      await Promise.all([store.commit(), target.commit(), restarted.commit()]);
    }
    await expect(restarted.load(29)).rejects.toThrow("lowest height is 30");
    expect((await open(database.crashed())).height).toBe(40);
  });

  test("many small chunks restore like one large", async () => {
    const { store, chunks } = await serving();
    const decoder = new SnapshotDecoder([...testStores], 30);
    for (const chunk of chunks) decoder.add(chunk);
    const small = [...encodeSnapshot(decoder.finish(), 200)];
    expect(small.length).toBeGreaterThan(20);
    const database = new MemoryDatabase();
    const target = await open(database);
    const snapshot = announced(30, small);
    const restore = SnapshotRestore.begin({
      database,
      store: target,
      snapshot,
      appHash: store.appHash,
    });
    for (const [index, chunk] of small.entries())
      expect(await restore?.apply(index, chunk)).toBe("accept");
    expect(target.appHash).toEqual(store.appHash);
  });

  test("a crash before the last chunk leaves an empty store", async () => {
    const { store, chunks } = await serving();
    const decoder = new SnapshotDecoder([...testStores], 30);
    for (const chunk of chunks) decoder.add(chunk);
    const small = [...encodeSnapshot(decoder.finish(), 2_000)];
    const database = new MemoryDatabase();
    const snapshot = announced(30, small);
    const target = await open(database);
    const restore = SnapshotRestore.begin({
      database,
      store: target,
      snapshot,
      appHash: store.appHash,
    });
    for (const [index, chunk] of small.slice(0, -1).entries()) await restore?.apply(index, chunk);
    const after = await open(database.crashed(database.bufferedBatches));
    expect(after.height).toBe(0);
    expect(after.listSnapshots()).toEqual([]);
  });

  test("offers of another format, with wrong bounds or hash, or to a node with state are refused", async () => {
    const { store, snapshot } = await serving();
    const database = new MemoryDatabase();
    const target = await open(database);
    const { appHash } = store;
    const begin = (change: Partial<Snapshot>, into: ApplicationStore = target) =>
      SnapshotRestore.begin({
        database,
        store: into,
        snapshot: { ...snapshot, ...change },
        appHash,
      });
    expect(begin({})).not.toBeNull();
    expect(begin({ format: 2 })).toBeNull();
    expect(begin({ height: 0 })).toBeNull();
    expect(begin({ chunks: 0, metadata: new Uint8Array() })).toBeNull();
    expect(begin({ chunks: snapshot.chunks + 1 })).toBeNull();
    expect(begin({ chunks: 20_000, metadata: new Uint8Array(20_000 * 32) })).toBeNull();
    expect(begin({ hash: new Uint8Array(32) })).toBeNull();
    expect(begin({}, store)).toBeNull();
  });

  test("a chunk that is not the one announced is asked for again; chunks out of order too", async () => {
    const { store, snapshot, chunks } = await serving();
    const database = new MemoryDatabase();
    const target = await open(database);
    const restore = SnapshotRestore.begin({
      database,
      store: target,
      snapshot,
      appHash: store.appHash,
    });
    const first = chunks[0] as Uint8Array;
    const flipped = first.slice();
    flipped[50] = (flipped[50] as number) ^ 1;
    expect(await restore?.apply(0, flipped)).toBe("retry");
    expect(await restore?.apply(1, first)).toBe("retry");
    expect(await restore?.apply(0, first.subarray(1))).toBe("retry");
    expect(await restore?.apply(0, first)).toBe("accept");
  });

  test("content that does not give the trusted app hash is rejected, whatever its chunks hash to", async () => {
    const { chunks, snapshot } = await serving();
    const database = new MemoryDatabase();
    const target = await open(database);
    const restore = SnapshotRestore.begin({
      database,
      store: target,
      snapshot,
      appHash: new Uint8Array(32),
    });
    expect(await restore?.apply(0, chunks[0] as Uint8Array)).toBe("reject");
    expect(await restore?.apply(0, chunks[0] as Uint8Array)).toBe("reject");
    expect(target.height).toBe(0);
    expect((await open(database.crashed(database.bufferedBatches))).height).toBe(0);
  });

  test("a flipped bit anywhere in the content is noticed", async () => {
    const { store, chunks } = await serving();
    const whole = Uint8Array.from(Buffer.concat(chunks));
    const database = new MemoryDatabase();
    const target = await open(database);
    for (let at = 0; at < whole.length; at += 1 + Math.floor(whole.length / 80)) {
      const bad = whole.slice();
      bad[at] = (bad[at] as number) ^ 0x20;
      const snapshot = announced(30, [bad]);
      const restore = SnapshotRestore.begin({
        database,
        store: target,
        snapshot,
        appHash: store.appHash,
      });
      expect(await restore?.apply(0, bad), `byte ${at}`).toBe("reject");
    }
    expect(target.height).toBe(0);
  });
});

describe("the decoder refuses", () => {
  const leaf = (key: string) => createLeaf(key, "v", 1);
  const encode = (root: ReturnType<typeof leaf>): Uint8Array =>
    [...encodeSnapshot(new Map([["a", root]]))][0] as Uint8Array;
  const decode = (bytes: Uint8Array) => {
    const decoder = new SnapshotDecoder(["a"], 1);
    decoder.add(bytes);
    return decoder.finish();
  };

  test("trees out of order, unbalanced, of a future version, and other stores", () => {
    const good = createInner("2", leaf("1"), leaf("2"), 1);
    expect(appHashOf(decode(encode(good)))).toEqual(appHashOf(new Map([["a", good]])));
    expect(() => decode(encode(createInner("1", leaf("2"), leaf("1"), 1)))).toThrow(
      "keys out of order",
    );
    expect(() => decode(encode(createInner("1", leaf("1"), leaf("1"), 1)))).toThrow(
      "keys out of order",
    );
    const chain = createInner(
      "2",
      leaf("1"),
      createInner("3", leaf("2"), createInner("4", leaf("3"), leaf("4"), 1), 1),
      1,
    );
    expect(() => decode(encode(chain))).toThrow("unbalanced tree");
    expect(() => decode(encode(createLeaf("1", "v", 2)))).toThrow("node of version 2");
    expect(() => new SnapshotDecoder(["b"], 1).add(encode(good))).toThrow(
      "expected store b, got a",
    );
    expect(() => new SnapshotDecoder(["a", "b"], 1).finish()).toThrow(
      "expected 2 whole stores, got 0",
    );
  });

  test("leaves without end, nodes without children and records cut short", () => {
    const begin = [1, 1, 0x61];
    const leaves = Array.from({ length: 80 }, (_, i) => [2, 1, 1, i, 0]).flat();
    expect(() => decode(Uint8Array.from([...begin, ...leaves]))).toThrow("unbalanced tree");
    expect(() => decode(Uint8Array.from([...begin, 3, 1]))).toThrow("inner node without children");
    expect(() => decode(Uint8Array.from([...begin, 2, 1, 5, 0x61]))).toThrow("cut short");
    expect(() => decode(Uint8Array.from([...begin, 2, 1, 1, 1, 0, 2, 1, 1, 2, 0, 4]))).toThrow(
      "ends with 2 trees",
    );
    expect(() => decode(Uint8Array.from([...begin, 9]))).toThrow("unknown record 9");
    expect(() => decode(Uint8Array.from([2, 1, 1, 1, 0]))).toThrow(
      "expected the beginning of a store",
    );
  });
});
