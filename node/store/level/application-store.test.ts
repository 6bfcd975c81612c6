import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { afterEach, describe, expect, test } from "vitest";
import {
  commitNext,
  createTestChain,
  type Model,
  sortedModel,
  stateOf,
  testStores,
} from "../testing.ts";
import { type Database, HeightUnavailable, StoreCorrupt } from "../types.ts";
import {
  type ApplicationStore,
  type ApplicationStoreOptions,
  openApplicationStore,
} from "./application-store.ts";
import { heightKey, placeKey, prefixes, singleKey } from "./keys.ts";
import { openLevelDatabase } from "./level-database.ts";
import { MemoryDatabase } from "./memory-database.ts";

const brief: ApplicationStoreOptions = {
  stores: testStores,
  retention: { heights: 5, durationMs: 0 },
  snapshotIntervalHeights: 7,
  snapshotsKeptMin: 2,
  nowMs: () => 1_000,
};

const open = (
  database: Database,
  options: Partial<ApplicationStoreOptions> = {},
): Promise<ApplicationStore> => openApplicationStore(database, { ...brief, ...options });

/** App hash and state by height of the chain of `seed`, from a run without faults. */
async function referenceOf(
  seed: number,
  heights: number,
): Promise<{ appHash: Uint8Array; model: Model }[]> {
  const store = await open(new MemoryDatabase());
  const chain = createTestChain(seed);
  const reference = [{ appHash: store.appHash, model: stateOf(store) }];
  for (let i = 0; i < heights; i++) {
    reference.push({
      appHash: await commitNext(store, chain),
      model: sortedModel(structuredClone(chain.model)),
    });
  }
  return reference;
}

/** Commits up to `heights`, letting background snapshots finish, until something throws. Returns the last height acknowledged. */
async function runUntilFailure(database: Database, seed: number, heights: number): Promise<number> {
  let acknowledged = 0;
  try {
    const store = await open(database);
    acknowledged = store.height;
    const chain = createTestChain(seed);
    for (let height = 1; height <= heights; height++) {
      const changes = chain.next();
      if (height <= store.height) continue;
      store.stage(height, changes);
      await store.commit({ response: utf8ToBytes(`response ${height}`) });
      acknowledged = height;
      if (height % 7 === 0) await store.snapshot();
    }
    await store.close();
  } catch (error) {
    if (!(error as Error).message.includes("on purpose")) throw error;
  }
  return acknowledged;
}

describe("recovery", () => {
  test("after a failure at any write, with any unsynced tail lost, the state is that of the last committed batch", async () => {
    const heights = 24;
    const reference = await referenceOf(5, heights);
    for (let batches = 0; ; batches++) {
      const database = new MemoryDatabase({ batchesUntilFailure: batches });
      const acknowledged = await runUntilFailure(database, 5, heights);
      for (let kept = 0; kept <= Math.min(database.bufferedBatches, 3); kept++) {
        const recovered = await open(database.crashed(kept));
        expect(recovered.height, `failure at batch ${batches}`).toBe(acknowledged);
        const expected = reference[acknowledged];
        expect(recovered.appHash).toEqual(expected?.appHash);
        expect(stateOf(recovered)).toEqual(expected?.model);
      }
      // And it goes on to the same end.
      const again = database.crashed();
      expect(await runUntilFailure(again, 5, heights)).toBe(heights);
      expect((await open(again)).appHash).toEqual(reference[heights]?.appHash);
      if (acknowledged === heights && database.bufferedBatches === 0) break;
      expect(batches).toBeLessThan(200);
    }
  });

  test("a snapshot cut short leaves no chunks behind at the next start", async () => {
    const database = new MemoryDatabase();
    await runUntilFailure(database, 5, 6);
    await database.write(
      [{ key: placeKey(prefixes.snapshotChunk, 6, 0), value: utf8ToBytes("cut") }],
      "synced",
    );
    await database.write(
      [{ key: placeKey(prefixes.snapshotChunk, 6, 1), value: utf8ToBytes("short") }],
      "synced",
    );
    await open(database);
    expect(await database.get(placeKey(prefixes.snapshotChunk, 6, 0))).toBeNull();
    expect(await database.get(placeKey(prefixes.snapshotChunk, 6, 1))).toBeNull();
  });

  test("responses are kept beside their height", async () => {
    const database = new MemoryDatabase();
    await runUntilFailure(database, 5, 3);
    const store = await open(database);
    expect(await store.loadResponse(2)).toEqual(utf8ToBytes("response 2"));
    expect(await store.loadResponse(4)).toBeNull();
  });

  test("heights in memory before a restart are provable after it", async () => {
    const database = new MemoryDatabase();
    await runUntilFailure(database, 5, 20);
    const store = await open(database);
    expect(store.oldestHeight()).toBe(16);
    expect(store.prove("bank", utf8ToBytes("k0001"), 16).proofOps).toHaveLength(2);
  });
});

describe("past heights", () => {
  test("are rebuilt from snapshot and changelogs while retention keeps them, and refused below", async () => {
    const database = new MemoryDatabase();
    const reference = await referenceOf(6, 40);
    await runUntilFailure(database, 6, 40);
    const store = await open(database);
    const lowest = await store.oldestOnDisk();
    expect(lowest).toBe(28);
    expect(store.manifests.map(({ height }) => height)).toEqual([28, 35]);
    for (const height of [28, 30, 35, 36, 40]) {
      await store.load(height);
      for (const [key, value] of reference[height]?.model.get("bank") ?? []) {
        expect(store.get("bank", utf8ToBytes(key), height)).toEqual(utf8ToBytes(value));
      }
    }
    await expect(store.load(27)).rejects.toThrow(HeightUnavailable);
    await expect(store.load(27)).rejects.toThrow("height 27 is not available, lowest height is 28");
    await expect(store.load(41)).rejects.toThrow("latest height is 40");
    expect(await database.get(heightKey(prefixes.changelog, 28))).toBeNull();
    expect(await database.get(heightKey(prefixes.appResponse, 28))).toBeNull();
    expect(await database.get(heightKey(prefixes.changelog, 29))).not.toBeNull();
  });

  test("only a few rebuilds may wait at once", async () => {
    const database = new MemoryDatabase();
    await runUntilFailure(database, 6, 30);
    const store = await open(database, { retention: { heights: 1, durationMs: 0 } });
    const loads = [22, 23, 24, 25, 26].map((height) => store.load(height));
    const results = await Promise.allSettled(loads);
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(1);
  });
});

describe("corruption is found at start and said in one sentence", () => {
  const flips: [string, Uint8Array, string][] = [
    ["a changelog", heightKey(prefixes.changelog, 17), "changelog of height 17: checksum mismatch"],
    ["the latest record", singleKey(prefixes.meta), "latest version: checksum mismatch"],
    [
      "a snapshot chunk",
      placeKey(prefixes.snapshotChunk, 14, 0),
      "snapshot of height 14, chunk 0: checksum mismatch",
    ],
    [
      "a manifest",
      heightKey(prefixes.snapshotManifest, 14),
      "snapshot manifest of height 14: checksum mismatch",
    ],
  ];
  test.each(flips)("a flipped bit in %s", async (_, key, message) => {
    const database = new MemoryDatabase();
    await runUntilFailure(database, 5, 18);
    const record = (await database.get(key)) as Uint8Array;
    for (const at of [0, 5, record.length - 1]) {
      const flipped = record.slice();
      flipped[at] = (flipped[at] as number) ^ 1;
      await database.write([{ key, value: flipped }], "synced");
      await expect(open(database)).rejects.toThrow(StoreCorrupt);
      await expect(open(database)).rejects.toThrow(message);
    }
  });

  test("a missing changelog or chunk", async () => {
    for (const [key, message] of [
      [heightKey(prefixes.changelog, 16), "changelog of height 16: missing"],
      [heightKey(prefixes.changelog, 18), "changelog of height 18: missing"],
      [placeKey(prefixes.snapshotChunk, 14, 0), "snapshot of height 14, chunk 0: missing"],
    ] as const) {
      const database = new MemoryDatabase();
      await runUntilFailure(database, 5, 18);
      await database.write([{ key, value: null }], "synced");
      await expect(open(database)).rejects.toThrow(message);
    }
  });

  test("records that are whole but not of this history", async () => {
    const [one, other] = [new MemoryDatabase(), new MemoryDatabase()];
    await runUntilFailure(one, 5, 18);
    await runUntilFailure(other, 9, 18);
    const key = heightKey(prefixes.changelog, 17);
    await one.write([{ key, value: (await other.get(key)) as Uint8Array }], "synced");
    await expect(open(one)).rejects.toThrow("the trees of height 18 do not give its app hash");
  });

  test("other store names than those on disk", async () => {
    const database = new MemoryDatabase();
    await runUntilFailure(database, 5, 2);
    await expect(open(database, { stores: ["acc", "bank"] })).rejects.toThrow(
      "application.db holds stores acc,bank,margin, expected acc,bank",
    );
  });
});

test("a snapshot that cannot be written stops the node at its next commit", async () => {
  const database = new MemoryDatabase({ batchesUntilFailure: 3 });
  const store = await open(database, { snapshotIntervalHeights: 3 });
  const chain = createTestChain(1);
  for (let i = 0; i < 3; i++) await commitNext(store, chain);
  await expect(store.snapshot()).rejects.toThrow("on purpose");
  await expect(commitNext(store, chain)).rejects.toThrow("on purpose");
});

describe("on LevelDB", () => {
  const directories: string[] = [];
  const directory = (): string => {
    const path = mkdtempSync(join(tmpdir(), "keel-store-"));
    directories.push(path);
    return path;
  };
  afterEach(() => {
    for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true });
  });

  test("a reopened store goes on where it was", async () => {
    const path = join(directory(), "data", "application.db");
    const reference = await referenceOf(5, 25);
    for (const heights of [9, 16, 25]) {
      const database = await openLevelDatabase(path);
      expect(await runUntilFailure(database, 5, heights)).toBe(heights);
      await database.close();
    }
    const database = await openLevelDatabase(path);
    const store = await open(database);
    expect(store.appHash).toEqual(reference[25]?.appHash);
    expect(stateOf(store)).toEqual(reference[25]?.model);
    await expect(openLevelDatabase(path)).rejects.toThrow(
      /application\.db is in use by another process$/,
    );
    await database.close();
  });

  test("a log torn at any byte gives some earlier committed height, whole", async () => {
    const source = join(directory(), "application.db");
    const reference = await referenceOf(5, 12);
    const database = await openLevelDatabase(source);
    await runUntilFailure(database, 5, 6);
    await database.close();
    const log = readdirSync(source).find((name) => name.endsWith(".log")) as string;
    const size = readFileSync(join(source, log)).length;
    const seen = new Set<number>();
    for (let left = size; left >= 0; left -= Math.max(1, Math.floor(size / 40))) {
      const copy = join(directory(), "application.db");
      cpSync(source, copy, { recursive: true });
      truncateSync(join(copy, log), left);
      const torn = await openLevelDatabase(copy);
      const store = await open(torn);
      expect(store.appHash).toEqual(reference[store.height]?.appHash);
      expect(stateOf(store)).toEqual(reference[store.height]?.model);
      seen.add(store.height);
      await torn.close();
    }
    expect(seen.size).toBeGreaterThan(4);
  });

  test("a directory that is a file is one plain sentence", async () => {
    const path = join(directory(), "application.db");
    writeFileSync(path, "not a directory");
    await expect(openLevelDatabase(path)).rejects.toThrow(/cannot be opened/);
  });
});
