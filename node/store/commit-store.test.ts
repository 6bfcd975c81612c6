import {
  iavlSpec,
  ics23,
  tendermintSpec,
  verifyMembership,
  verifyNonMembership,
} from "@confio/ics23";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { describe, expect, test } from "vitest";
import { openApplicationStore } from "./level/application-store.ts";
import { MemoryDatabase } from "./level/memory-database.ts";
import { MemoryCommitStore } from "./memory-commit-store.ts";
import { commitNext, createTestChain, sortedModel, stateOf, testStores } from "./testing.ts";
import { type CommitStore, HeightUnavailable, type Retention } from "./types.ts";

const key = utf8ToBytes;

interface Options {
  readonly retention?: Retention;
  readonly nowMs?: () => number;
}

const variants: [string, (options?: Options) => Promise<CommitStore>][] = [
  ["memory", async (options) => new MemoryCommitStore({ stores: testStores, ...options })],
  [
    "application",
    (options) => openApplicationStore(new MemoryDatabase(), { stores: testStores, ...options }),
  ],
];

describe.each(variants)("commit store compliance: %s", (_, open) => {
  test("before the first commit every store is empty and the app hash is that of empty stores", async () => {
    const store = await open();
    expect(store.height).toBe(0);
    expect(store.appHash).toEqual((await open()).appHash);
    expect([...store.entries("bank")]).toEqual([]);
    expect(() => store.get("bank", key("a"), 0)).toThrow(HeightUnavailable);
  });

  test("a staged version is not visible, and is gone when discarded", async () => {
    const store = await open();
    const before = store.appHash;
    const changes = [{ store: "bank", changes: [{ key: "a", value: "1" }] }];
    const staged = store.stage(1, changes);
    expect(staged).not.toEqual(before);
    expect(store.height).toBe(0);
    expect(store.appHash).toEqual(before);
    store.discard();
    store.discard();
    await expect(store.commit()).rejects.toThrow("staged");
    expect(store.stage(1, changes)).toEqual(staged);
    await store.commit();
    expect(store.height).toBe(1);
    expect(store.appHash).toEqual(staged);
    expect(store.get("bank", key("a"), 1)).toEqual(key("1"));
  });

  test("the same changes give the same app hash whatever was staged and discarded between", async () => {
    const [plain, retried] = [await open(), await open()];
    const [chain, same, other] = [createTestChain(7), createTestChain(7), createTestChain(8)];
    for (let height = 1; height <= 30; height++) {
      retried.stage(height, other.next());
      retried.discard();
      expect(await commitNext(retried, same)).toEqual(await commitNext(plain, chain));
    }
    expect(stateOf(plain)).toEqual(sortedModel(chain.model));
  });

  test("the first height may be any, the next must follow", async () => {
    const store = await open();
    store.stage(1000, [{ store: "acc", changes: [{ key: "a", value: "1" }] }]);
    await store.commit();
    expect(() => store.stage(1000, [])).toThrow("expected height 1001, got 1000");
    expect(() => store.stage(1002, [])).toThrow("expected height 1001, got 1002");
    store.stage(1001, []);
    expect(() => store.stage(1001, [])).toThrow("staged already");
    await store.commit();
    expect(store.oldestHeight()).toBe(1000);
    expect(() => store.get("acc", key("a"), 999)).toThrow(
      "height 999 is not available, lowest height is 1000",
    );
    expect(() => store.get("acc", key("a"), 1002)).toThrow(
      "height 1002 is not available, latest height is 1001",
    );
  });

  test("an empty block keeps the app hash", async () => {
    const store = await open();
    const appHash = await commitNext(store, createTestChain(1));
    expect(store.stage(2, [])).toEqual(appHash);
    await store.commit();
    expect(store.height).toBe(2);
  });

  test("setting equal bytes and deleting an absent key do not move the app hash", async () => {
    const store = await open();
    store.stage(1, [{ store: "acc", changes: [{ key: "a", value: "1" }] }]);
    await store.commit();
    const changes = [
      { key: "a", value: "1" },
      { key: "b", value: null },
    ];
    expect(store.stage(2, [{ store: "acc", changes }])).toEqual(store.appHash);
  });

  test.each([
    ["an unknown store", [{ store: "nope", changes: [] }], "no store named nope"],
    [
      "one store twice",
      [
        { store: "acc", changes: [] },
        { store: "acc", changes: [] },
      ],
      "changed twice",
    ],
    [
      "descending keys",
      [
        {
          store: "acc",
          changes: [
            { key: "b", value: null },
            { key: "a", value: null },
          ],
        },
      ],
      "ascending",
    ],
    [
      "equal keys",
      [
        {
          store: "acc",
          changes: [
            { key: "a", value: "1" },
            { key: "a", value: null },
          ],
        },
      ],
      "ascending",
    ],
    ["an empty key", [{ store: "acc", changes: [{ key: "", value: "1" }] }], "1 to 65536 bytes"],
  ])("refuses %s and stages nothing", async (_name, changes, message) => {
    const store = await open();
    const before = store.appHash;
    expect(() => store.stage(1, changes)).toThrow(message);
    await expect(store.commit()).rejects.toThrow();
    expect(store.appHash).toEqual(before);
    await commitNext(store, createTestChain(1));
  });

  test("past heights stay readable and provable as they were", async () => {
    const store = await open();
    const chain = createTestChain(3);
    const hashes = new Map<number, Uint8Array>();
    const values = new Map<number, string | undefined>();
    for (let height = 1; height <= 40; height++) {
      hashes.set(height, await commitNext(store, chain));
      values.set(height, chain.model.get("bank")?.get("k0007"));
    }
    for (let height = 1; height <= 40; height++) {
      const expected = values.get(height);
      const { value, proofOps } = store.prove("bank", key("k0007"), height);
      expect(value).toEqual(expected === undefined ? null : key(expected));
      const [inner, outer] = proofOps.map((op) => ics23.CommitmentProof.decode(op.data));
      const root = outer?.exist?.value as Uint8Array;
      const appHash = hashes.get(height) as Uint8Array;
      expect(
        verifyMembership(
          outer as ics23.ICommitmentProof,
          tendermintSpec,
          appHash,
          key("bank"),
          root,
        ),
      ).toBe(true);
      expect(
        value === null
          ? verifyNonMembership(inner as ics23.ICommitmentProof, iavlSpec, root, key("k0007"))
          : verifyMembership(inner as ics23.ICommitmentProof, iavlSpec, root, key("k0007"), value),
      ).toBe(true);
    }
  });

  test("a height is dropped only when both the heights rule and the time rule let it go", async () => {
    let now = 0;
    const store = await open({ retention: { heights: 5, durationMs: 100 }, nowMs: () => now });
    const chain = createTestChain(4);
    for (let height = 1; height <= 10; height++) await commitNext(store, chain);
    expect(store.oldestHeight()).toBe(1);
    now = 101;
    await commitNext(store, chain);
    expect(store.oldestHeight()).toBe(7);
    expect(() => store.get("bank", key("k0001"), 6)).toThrow(HeightUnavailable);
    await store.load(7);
    await expect(store.load(12)).rejects.toThrow("height 12 is not available, latest height is 11");
  });
});

test("both variants agree on every app hash", async () => {
  const stores = await Promise.all(variants.map(([, open]) => open()));
  const chains = stores.map(() => createTestChain(11));
  for (let height = 1; height <= 50; height++) {
    const hashes = await Promise.all(
      stores.map((store, i) => commitNext(store, chains[i] as never)),
    );
    expect(hashes[1]).toEqual(hashes[0]);
  }
});
