import type { CheckTxResult } from "@keel/consensus/host/ports";
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import { sha256 } from "@keel/proto/bytes/sha256";
import { describe, expect, it } from "vitest";
import { ASIDE_ENTRY_BYTES, TURN_GAS } from "./limits.ts";
import type { PoolOptions } from "./pool.ts";
import { TransactionPool } from "./pool.ts";

/**
 * A transaction is text: "<lane>:<sequenced? s : u, or x which no vote may name>:<name>"; names in `bad` fail their check; the signer is what is before a dash. Names that begin with "soon" are
 * nameable up to time 9 and height 9, others for ever.
 */
function setUp(options: Partial<PoolOptions> = {}) {
  const bad = new Set<string>();
  const checks: string[] = [];
  const pool = new TransactionPool({
    app: {
      checkTx(tx, kind): Promise<CheckTxResult> {
        const text = Buffer.from(tx).toString();
        const [lane, order, name] = text.split(":") as [string, string, string];
        checks.push(`${kind} ${name}`);
        return Promise.resolve({
          code: bad.has(name) ? 5 : 0,
          data: new Uint8Array(0),
          log: "",
          info: "",
          gasWanted: name.includes("-") ? TURN_GAS : 10n,
          gasUsed: 0n,
          events: [],
          codespace: "sdk",
          lane: Number(lane),
          sender: order === "s" ? name : null,
          signer: name.split("-")[0],
          nameable:
            order !== "u"
              ? undefined
              : name.startsWith("soon")
                ? { timeNs: 9n, height: 9n }
                : { timeNs: 1_000n, height: null },
        });
      },
    },
    ...options,
  });
  const submit = (text: string) => pool.submit(Buffer.from(text), null);
  const reap = (bytes = 1e9): string[] =>
    pool.reap(bytes, null).map((tx) => Buffer.from(tx).toString());
  return { pool, bad, checks, submit, reap };
}

const at = { height: 1, timeNs: 1n };

const ok = {
  code: 0,
  data: new Uint8Array(0),
  log: "",
  info: "",
  gasWanted: 0n,
  gasUsed: 0n,
  events: [],
  codespace: "",
};

describe("transaction pool", () => {
  it("offers unordered transactions by lane, then sequenced ones as they came", async () => {
    const { submit, reap } = setUp();
    await Promise.all(
      ["3:s:a5", "3:u:place", "1:s:a6", "1:u:cancel", "2:u:post", "1:u:cancel2"].map(submit),
    );
    expect(reap()).toEqual([
      "1:u:cancel",
      "1:u:cancel2",
      "2:u:post",
      "3:u:place",
      "3:s:a5",
      "1:s:a6",
    ]);
    expect(reap(2 * 16)).toEqual(["1:u:cancel"]);
  });

  it("refuses duplicates, before and after inclusion, but lets a failed one come again", async () => {
    const { pool, bad, submit } = setUp();
    await submit("3:u:a");
    expect(await submit("3:u:a")).toMatchObject({
      kind: "refused",
      refusal: "duplicate",
      reason: "tx already exists in cache",
    });
    await pool.update(1, [Buffer.from("3:u:a")], [ok]);
    expect(await submit("3:u:a")).toMatchObject({ refusal: "duplicate" });
    bad.add("b");
    expect(await submit("3:u:b")).toMatchObject({ kind: "checked", result: { code: 5 } });
    bad.clear();
    expect(await submit("3:u:b")).toMatchObject({ kind: "checked", result: { code: 0 } });
  });

  it("checks what stays again after a block and drops what fails or is too old", async () => {
    const { pool, bad, checks, submit, reap } = setUp({ limits: { ttlBlocks: 2 } });
    await Promise.all(["3:u:a", "3:u:b", "3:u:c"].map(submit));
    bad.add("b");
    await pool.update(1, [Buffer.from("3:u:a")], [ok]);
    expect(reap()).toEqual(["3:u:c"]);
    expect(checks.slice(3)).toEqual(["recheck b", "recheck c"]);
    await pool.update(3, [], []);
    expect(reap()).toEqual([]);
  });

  it("admits nothing between the application's commit and the recheck, so that nothing is its own duplicate", async () => {
    // An application that refuses a name it has checked since the last commit, as it does with nonces.
    let used = new Set<string>();
    const { bad, submit, reap, pool, checks } = setUp();
    const has = bad.has.bind(bad);
    bad.has = (name) => has(name) || used.size === used.add(name).size;
    await submit("3:u:before");
    await pool.lock();
    used = new Set();
    const late = submit("3:u:late");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(checks).toEqual(["new before"]);
    await pool.update(1, [], []);
    expect(await late).toMatchObject({ kind: "checked", result: { code: 0 } });
    expect(checks).toEqual(["new before", "recheck before", "new late"]);
    expect(reap()).toEqual(["3:u:before", "3:u:late"]);
  });

  it("lets a block end while the signatures of a batch are judged, and admits batches in the order they came", async () => {
    const judged: (() => void)[] = [];
    const { pool, checks, submit } = setUp({
      prefill: () => new Promise((resolve) => judged.push(resolve)),
    });
    const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
    const first = submit("3:u:first");
    await turn();
    const second = submit("3:u:second");
    await turn();
    const third = submit("3:u:third");
    await turn();
    // Two batches are with the workers; the third waits for one of them.
    expect(judged).toHaveLength(2);
    await pool.lock();
    await pool.update(1, [], []);
    judged[1]?.();
    await turn();
    expect(checks).toEqual([]);
    judged[0]?.();
    await Promise.all([first, second]);
    expect(checks).toEqual(["new first", "new second"]);
    await turn();
    judged[2]?.();
    await third;
    expect(checks).toEqual(["new first", "new second", "new third"]);
  });

  it("checks again only what the next block may hold of a long backlog, and every sequenced one", async () => {
    const { pool, checks, submit } = setUp();
    const names = Array.from({ length: 2_100 }, (_, i) => `3:u:n${i}`);
    await Promise.all([...names, "3:s:last"].map(submit));
    for (const [included, rechecked] of [
      [0, 500],
      [800, 1_000],
    ] as const) {
      const before = checks.length;
      const block = names.splice(0, included).map((name) => Buffer.from(name));
      await pool.update(
        1,
        block,
        block.map(() => ok),
      );
      expect(checks.slice(before)).toHaveLength(rechecked + 1);
      expect(checks[before]).toBe(`recheck n${included}`);
      expect(checks.at(-1)).toBe("recheck last");
    }
  });

  it("offers of each lane what a block's gas could take, so that no lane hides the next", async () => {
    const { pool, submit } = setUp();
    const lanes = ["1:u", "2:u", "3:s"];
    const all = lanes.flatMap((lane) => Array.from({ length: 5 }, (_, i) => `${lane}:${lane}${i}`));
    await Promise.all(all.map(submit));
    const offered = pool.reap(1e9, 25n).map((tx) => Buffer.from(tx).toString().slice(0, 3));
    expect(offered).toEqual([
      ...Array(3).fill("1:u"),
      ...Array(3).fill("2:u"),
      ...Array(3).fill("3:s"),
    ]);
  });

  it("displaces lower-priority transactions when full, never higher ones", async () => {
    const { submit, reap } = setUp({ limits: { txsMax: 2 } });
    await submit("3:u:old");
    await submit("3:u:new");
    expect(await submit("3:u:more")).toMatchObject({ refusal: "full" });
    expect(await submit("1:u:cancel")).toMatchObject({ kind: "checked" });
    expect(reap()).toEqual(["1:u:cancel", "3:u:old"]);
  });

  it("bounds size and waiting checks without calling the application", async () => {
    const { submit, checks } = setUp({ limits: { txBytesMax: 8, pendingMax: 1 } });
    expect(await submit("3:u:too long")).toMatchObject({ refusal: "tooLarge" });
    const first = submit("3:u:a");
    expect(await submit("3:u:b")).toMatchObject({ refusal: "full" });
    await first;
    expect(checks).toEqual(["new a"]);
  });

  it("has young what votes may name and came within the last blocks, urgent apart, by the hash of its bytes", async () => {
    const { pool, submit } = setUp({ limits: { youngBlocks: 2 } });
    const young = () => {
      const { urgent, others } = pool.young(at);
      return [urgent, others].map((all) =>
        [...all].map(({ tx, hash }) => {
          expect(hash).toBe(bytesToLatin1(sha256(tx)));
          return Buffer.from(tx).toString();
        }),
      );
    };
    await submit("3:u:a");
    await submit("1:u:b");
    await pool.update(1, [], []);
    await submit("2:u:c");
    await submit("3:u:d");
    await submit("3:s:e");
    await submit("3:x:f");
    expect(young()).toEqual([["1:u:b"], ["3:u:a", "2:u:c", "3:u:d"]]);
    await pool.update(2, [Buffer.from("3:u:d")], [ok]);
    expect(young()).toEqual([[], ["2:u:c"]]);
    // They still wait for a block.
    expect(pool.size()).toBe(5);
  });

  it("has young nothing whose time to be named is over, and meets it no more", async () => {
    const { pool, submit } = setUp();
    for (const name of ["soon-1", "b-1", "soon-2"]) await submit(`3:u:${name}`);
    const young = (height: number, timeNs: bigint) =>
      [...pool.young({ height, timeNs }).others].map(({ tx }) =>
        Buffer.from(tx).toString().slice(4),
      );
    expect(young(9, 9n)).toEqual(["soon-1", "b-1", "soon-2"]);
    expect(young(10, 9n)).toEqual(["b-1"]);
    expect(young(9, 9n)).toEqual(["b-1"]);
    await submit("3:u:soon-3");
    expect(young(9, 10n)).toEqual(["b-1"]);
    expect(pool.size()).toBe(4);
  });

  it("gives signers turns among what is young", async () => {
    const { pool, submit } = setUp();
    const young = () =>
      [...pool.young(at).others].map(({ tx }) => Buffer.from(tx).toString().slice(4));
    for (const name of ["a-1", "a-2", "a-3", "b-1", "a-4", "b-2", "c-1"])
      await submit(`3:u:${name}`);
    expect(young()).toEqual(["a-1", "b-1", "c-1", "a-2", "b-2", "a-3", "a-4"]);
    // Who had a place in the block comes after those who had none.
    await pool.update(1, [Buffer.from("3:u:a-1")], [ok]);
    expect(young()).toEqual(["b-1", "c-1", "a-2", "b-2", "a-3", "a-4"]);
  });

  it("finds by key what it holds, and what votes may name that it refused or dropped, until newer ones take their place", async () => {
    const { pool, bad, submit } = setUp({ limits: { asideBytesMax: 2 * ASIDE_ENTRY_BYTES + 30 } });
    const found = (text: string) => {
      const key = bytesToLatin1(sha256(Buffer.from(text))).slice(0, 20);
      const tx = pool.find(key);
      return tx === undefined ? undefined : Buffer.from(tx).toString();
    };
    bad.add("refused").add("sequenced").add("never named");
    for (const text of ["3:u:held", "3:u:dropped", "3:u:refused"]) await submit(text);
    for (const text of ["3:s:sequenced", "3:x:never named"]) await submit(text);
    expect(found("3:u:held")).toBe("3:u:held");
    expect(found("3:u:refused")).toBe("3:u:refused");
    expect(found("3:s:sequenced")).toBeUndefined();
    expect(found("3:x:never named")).toBeUndefined();
    bad.add("dropped");
    await pool.update(1, [], []);
    expect(pool.size()).toBe(1);
    expect(found("3:u:dropped")).toBe("3:u:dropped");
    bad.add("another one");
    await submit("3:u:another one");
    expect(found("3:u:refused")).toBeUndefined();
    expect(found("3:u:another one")).toBe("3:u:another one");
    expect(found("3:u:nowhere")).toBeUndefined();
  });

  it("finds what one brought and it refused or dropped, however much another brings", async () => {
    const asideBytesMax = 5 * ASIDE_ENTRY_BYTES + 60;
    const { pool, bad, submit } = setUp({ limits: { asideBytesMax, txsMax: 1 } });
    const found = (text: string) =>
      pool.find(bytesToLatin1(sha256(Buffer.from(text))).slice(0, 20)) !== undefined;
    pool.onPeer("honest", "up");
    pool.onPeer("hostile", "up");
    bad.add("refused");
    await submit("1:u:refused");
    await pool.submit(Buffer.from("3:u:displaced"), "honest");
    await submit("1:u:cancel");
    for (let i = 0; i < 50; i++) await pool.submit(Buffer.from(`1:u:flood${i}`), "hostile");
    expect(["1:u:refused", "3:u:displaced", "1:u:flood0"].map(found)).toEqual([true, true, false]);
    expect(found("1:u:flood49")).toBe(true);
  });

  it("finds of what it has no room to check what is unordered, and no garbage", async () => {
    const { pool } = setUp({ limits: { pendingMax: 0 } });
    const [body, sequenced] = [Uint8Array.of(0x20, 1), Uint8Array.of(0x12, 0)];
    const raw = (bytes: Uint8Array) => Uint8Array.of(0x0a, bytes.length, ...bytes);
    const all = [raw(body), raw(sequenced), Uint8Array.of(1, 2, 3), new Uint8Array(0)];
    for (const tx of all) expect(await pool.submit(tx, null)).toMatchObject({ refusal: "full" });
    const found = all.map((tx) => pool.find(bytesToLatin1(sha256(tx)).slice(0, 20)) !== undefined);
    expect(found).toEqual([true, false, false, false]);
  });

  it("finds by key what waits for its check, until it is checked or its check breaks", async () => {
    let judge: (broken: boolean) => void = () => undefined;
    const { pool, submit } = setUp({
      prefill: () =>
        new Promise((resolve, reject) => {
          judge = (broken) => (broken ? reject(new Error("disk")) : resolve());
        }),
    });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const found = (text: string) =>
      pool.find(bytesToLatin1(sha256(Buffer.from(text))).slice(0, 20)) !== undefined;
    const broken = submit("3:s:a").catch(() => undefined);
    expect(found("3:s:a")).toBe(true);
    await turn();
    expect(found("3:s:a")).toBe(true);
    judge(true);
    await broken;
    await turn();
    expect(found("3:s:a")).toBe(false);
    const checked = submit("3:u:b");
    await turn();
    expect([found("3:u:b"), pool.size()]).toEqual([true, 0]);
    judge(false);
    await checked;
    expect([found("3:u:b"), pool.size()]).toEqual([true, 1]);
  });

  it("tells once that something is there", async () => {
    const { pool, submit } = setUp();
    let told = 0;
    pool.onAvailable(() => told++);
    await submit("3:u:a");
    await submit("3:u:b");
    expect(told).toBe(1);
    pool.onAvailable(() => told++);
    expect(told).toBe(2);
  });

  it("hands the application's failure to every waiting caller and goes on", async () => {
    let broken = true;
    const { submit } = setUp({
      prefill: () => (broken ? Promise.reject(new Error("disk")) : Promise.resolve()),
    });
    await expect(submit("3:u:a")).rejects.toThrow("disk");
    broken = false;
    expect(await submit("3:u:b")).toMatchObject({ kind: "checked" });
  });

  it("holds no more bytes than its bound of what waits for its check", async () => {
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { submit } = setUp({ limits: { pendingBytesMax: 25 }, prefill: () => held });
    const first = submit("3:u:0123456");
    const second = submit("3:u:abcdefg");
    expect(await submit("3:u:x")).toMatchObject({ refusal: "full" });
    // Also of those that are on their way.
    await new Promise((resolve) => setImmediate(resolve));
    expect(await submit("3:u:y")).toMatchObject({ refusal: "full" });
    go();
    expect(await Promise.all([first, second])).toMatchObject([
      { kind: "checked" },
      { kind: "checked" },
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await submit("3:u:z")).toMatchObject({ kind: "checked" });
  });

  it("keeps what was admitted when a later check of its batch breaks", async () => {
    let calls = 0;
    const { pool, submit } = setUp({
      app: {
        checkTx: () => {
          calls += 1;
          return calls === 2
            ? Promise.reject(new Error("broken"))
            : Promise.resolve({ ...ok, gasWanted: 1n, gasUsed: 0n, lane: 3, sender: null });
        },
      },
    });
    const [first, second] = await Promise.allSettled([submit("3:u:a"), submit("3:u:b")]);
    expect([first.status, second.status]).toEqual(["fulfilled", "rejected"]);
    expect(await submit("3:u:a")).toMatchObject({ refusal: "duplicate" });
    expect(pool.size()).toBe(1);
  });
});
