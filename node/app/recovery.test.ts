import { ics23 } from "@confio/ics23";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { describe, expect, it } from "vitest";
import { createVerifier } from "../crypto/verifier.ts";
import { openApplicationStore } from "../store/level/application-store.ts";
import { MemoryDatabase } from "../store/level/memory-database.ts";
import { storeNames } from "./app.ts";
import { TestChain } from "./testing/chain.ts";

/** The same transfers for every chain given the same heights. */
async function run(chain: TestChain, heights: number): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = [];
  for (let i = 0; i < heights; i++) {
    const height = chain.height + 1;
    const [from, to] = [chain.account(height % 3), chain.account((height + 1) % 3)];
    from.sequence = BigInt(Math.floor((height - 1 - ((height - 1) % 3)) / 3));
    const bad = from.send(to, "9999999999uusdc", { sequence: 99n });
    const { appHash, txResults } = await chain.decide([from.send(to, `${height}uusdc`), bad]);
    expect(txResults.map(({ code }) => code)).toEqual([0, 32]);
    hashes.push(appHash);
  }
  return hashes;
}

describe("the application's state", () => {
  it("comes back from the commit store with the same app hashes", async () => {
    const straight = await run(await new TestChain().start(), 9);
    const database = new MemoryDatabase();
    const open = () => openApplicationStore(database, { stores: storeNames });
    const before = await new TestChain({ store: await open() }).start();
    const first = await run(before, 4);
    const after = new TestChain({ store: await open() });
    const info = await after.app.info();
    expect(info.lastHeight).toBe(4);
    expect(info.lastAppHash).toEqual(first.at(-1));
    expect(after.app.exportGenesis()).toEqual(before.app.exportGenesis());
    expect([...first, ...(await run(after, 5))]).toEqual(straight);
  });

  it("still knows what was sent unordered, and lets it go with its time, the same with and without a stop", async () => {
    const database = new MemoryDatabase();
    const open = () => openApplicationStore(database, { stores: storeNames });
    const straight = await new TestChain().start();
    const before = await new TestChain({ store: await open() }).start();
    const until = straight.timeNs() + 10_000_000_000n;
    const [a, b] = [straight.account(0), straight.account(1)];
    const used = a.send(b, "1uusdc", { unorderedUntilNs: until });
    // Its ante fails after the nonce was noted: nothing of it stays.
    const unpaid = b.send(a, "1uusdc", { unorderedUntilNs: until, sequence: 3n });
    const poor = b.send(a, "9999999999uusdc", { unorderedUntilNs: until + 1n });
    for (const chain of [straight, before])
      expect((await chain.decide([used, unpaid, poor])).txResults.map(({ code }) => code)).toEqual([
        0, 18, 5,
      ]);
    const after = new TestChain({ store: await open() });
    expect(after.app.exportGenesis()).toEqual(straight.app.exportGenesis());
    const again = b.send(a, "1uusdc", { unorderedUntilNs: until });
    for (const chain of [straight, after])
      expect((await chain.decide([used, again, poor])).txResults.map(({ code }) => code)).toEqual([
        18, 0, 18,
      ]);
    const nonces = (chain: TestChain): unknown =>
      (chain.app.exportGenesis() as { auth: { unordered_nonces?: unknown[] } }).auth
        .unordered_nonces?.length;
    expect([nonces(straight), nonces(after)]).toEqual([3, 3]);
    for (let i = 0; i < 12; i++) {
      const [one, other] = [await straight.decide([]), await after.decide([])];
      expect(one.appHash).toEqual(other.appHash);
    }
    expect([nonces(straight), nonces(after)]).toEqual([undefined, undefined]);
  });

  it("is the same whatever checks the signatures", async () => {
    const native = await run(await new TestChain().start(), 4);
    const js = createVerifier({ backend: "js", workers: 0, cacheEntries: 0 });
    expect(await run(await new TestChain({ verifier: js }).start(), 4)).toEqual(native);
    const threads = createVerifier({ backend: "native", workers: 1 });
    const chain = await new TestChain({ verifier: threads }).start();
    const tx = chain.account(1).send(chain.account(2), "1uusdc", { sequence: 0n });
    await chain.app.prefill([tx, tx, Uint8Array.of(1)]);
    expect(await run(chain, 4)).toEqual(native);
    await threads.close();
  });

  it("imports what it exports", async () => {
    const chain = await new TestChain().start();
    await run(chain, 3);
    const exported = chain.app.exportGenesis() as Record<string, unknown>;
    const copy = await new TestChain({ appState: exported }).start();
    await copy.decide([]);
    const again = copy.app.exportGenesis() as Record<string, unknown>;
    for (const name of ["auth", "bank", "oracle", "insurance", "margin"])
      expect(again[name], name).toEqual(exported[name]);
  });

  it("refuses a genesis it cannot read, naming the place", async () => {
    const start = (appState: Record<string, unknown>) => new TestChain({ appState }).start();
    await expect(start({ staking: {} })).rejects.toThrow("app_state.staking");
    await expect(start({ margin: { params: { colour: 1 } } })).rejects.toThrow(
      /app_state\.margin: .*colour/,
    );
    await expect(start({ bank: { balances: [{ address: "x", coins: [] }] } })).rejects.toThrow(
      "app_state.bank",
    );
    await expect(start({ oracle: undefined })).rejects.toThrow("app_state.oracle");
  });

  it("proves a balance, and the absence of one, against the app hash", async () => {
    const chain = await new TestChain().start();
    const hashes = await run(chain, 3);
    const owner = chain.account(0).bytes;
    const key = Uint8Array.from([2, 20, ...owner, ...utf8ToBytes("ukeel")]);
    const ask = (data: Uint8Array) =>
      chain.app.query({ path: "/store/bank/key", data, height: 2, prove: true });
    const there = await ask(key);
    expect(new TextDecoder().decode(there.value)).toBe("1000000000");
    expect(there.proofOps?.map(({ type }) => type)).toEqual(["ics23:iavl", "ics23:simple"]);
    const [inner, outer] = (there.proofOps ?? []).map(({ data }) =>
      ics23.CommitmentProof.decode(data),
    );
    const { iavlSpec, tendermintSpec, calculateExistenceRoot, verifyMembership } = await import(
      "@confio/ics23"
    );
    const root = calculateExistenceRoot(inner?.exist as ics23.IExistenceProof);
    expect(
      verifyMembership(inner as ics23.ICommitmentProof, iavlSpec, root, key, there.value),
    ).toBe(true);
    expect(
      verifyMembership(
        outer as ics23.ICommitmentProof,
        tendermintSpec,
        hashes[1] as Uint8Array,
        utf8ToBytes("bank"),
        root,
      ),
    ).toBe(true);
    const absent = await ask(Uint8Array.from([2, 20, ...owner, ...utf8ToBytes("zzz")]));
    expect(absent.code).toBe(0);
    expect(absent.value).toHaveLength(0);
    expect(absent.proofOps).toHaveLength(2);
    expect(
      (await chain.app.query({ path: "/store/none/key", data: key, height: 2, prove: true })).code,
    ).not.toBe(0);
  });
});
