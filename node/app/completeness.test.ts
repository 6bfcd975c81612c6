/** Complete or empty: what validators named stands first in a block and wholly, or the block holds nothing but its update. */
import { txKeys } from "@keel/modules/oracle/lists/keys";
import { latin1ToBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { describe, expect, it } from "vitest";
import { TransactionPool } from "../mempool/pool.ts";
import { completenessProblem } from "./completeness.ts";
import { fillBlock, type LanedTx, laneCap, laneProblem } from "./lanes.ts";
import type { PendingSource } from "./listing.ts";
import { oracleTxOf } from "./oracle-tx.ts";
import type { TestChain } from "./testing/chain.ts";
import { byKey, holding, listingChain, transfers, youngOf } from "./testing/listing-chain.ts";
import { listingCommit, priceTx } from "./testing/market-load.ts";

const PRICE = 6_500_000n;

/** Everybody names these for the next block. */
const commitNaming = (chain: TestChain, named: readonly Uint8Array[]) =>
  listingCommit(chain, PRICE, () => named);

/** Whether validators take a block with these after an update whose votes name `named`. */
async function accepts(
  chain: TestChain,
  named: readonly Uint8Array[],
  txs: readonly Uint8Array[],
): Promise<boolean> {
  const update = oracleTxOf(commitNaming(chain, named));
  const salt = `judged ${bytesToHex(latin1ToBytes(txKeys(txs).join("")))} ${named.length}`;
  return chain.app.processProposal(chain.proposed([update, ...txs], salt));
}

const four = (chain: TestChain) =>
  byKey(transfers(chain, 4)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

describe("a block", () => {
  it("that leaves out one that is listed is refused, and an empty one is not", async () => {
    const chain = await listingChain();
    const [a, b, c, d] = four(chain);
    expect(await accepts(chain, [a, b, c], [a, b, c])).toBe(true);
    expect(await accepts(chain, [a, b, c], [a, b, c, d])).toBe(true);
    for (const left of [[b, c], [a, c], [a, b], [a, b, d], [d]])
      expect(await accepts(chain, [a, b, c], left)).toBe(false);
    expect(await accepts(chain, [a, b, c], [])).toBe(true);
  });

  it("that has them in another sequence, later or twice is refused", async () => {
    const chain = await listingChain();
    const [a, b, c, d] = four(chain);
    expect(await accepts(chain, [a, b], [b, a])).toBe(false);
    expect(await accepts(chain, [a, b], [c, a, b])).toBe(false);
    expect(await accepts(chain, [a, b], [a, c, b])).toBe(false);
    expect(await accepts(chain, [a, b], [a, b, a])).toBe(false);
    expect(await accepts(chain, [a, b], [a, a, b])).toBe(false);
    expect(await accepts(chain, [a, b], [a, b, d, c])).toBe(true);
  });

  it("holds what the one before left out ahead of what is listed now", async () => {
    const chain = await listingChain();
    const [a, b, c, d] = four(chain);
    await chain.decide([priceTx(chain, PRICE, () => [b, d])]);
    expect(await accepts(chain, [a, c], [b, d, a, c])).toBe(true);
    expect(await accepts(chain, [a, c], [a, b, c, d])).toBe(false);
    expect(await accepts(chain, [a, c], [a, c, b, d])).toBe(false);
    expect(await accepts(chain, [a, c], [a, c])).toBe(false);
    expect(await accepts(chain, [a, c], [b, d])).toBe(false);
    // Named again they are overdue, once.
    expect(await accepts(chain, [a, b, d], [b, d, a])).toBe(true);
    expect(await accepts(chain, [], [b, d])).toBe(true);
    expect(await accepts(chain, [], [])).toBe(true);
    // And over empty blocks, up to the fourth in a row: then nobody has them any more, it seems.
    for (let empty = 0; empty < 3; empty++) {
      await chain.decide([priceTx(chain, PRICE)]);
      expect(await accepts(chain, [], [a])).toBe(false);
      expect(await accepts(chain, [a], [b, d, a])).toBe(true);
    }
    await chain.decide([priceTx(chain, PRICE)]);
    expect(await accepts(chain, [], [a])).toBe(true);
  });

  it("that calls its votes outdated holds nothing else", async () => {
    const chain = await listingChain();
    const [a] = four(chain);
    for (const named of [[], [a]]) {
      const update = oracleTxOf(commitNaming(chain, named), true);
      expect(await chain.app.processProposal(chain.proposed([update], "alone"))).toBe(true);
      expect(await chain.app.processProposal(chain.proposed([update, a], "more"))).toBe(false);
    }
  });

  it("need not hold what a third of power at most names", async () => {
    const chain = await listingChain();
    const [a, b] = four(chain);
    const update = priceTx(chain, PRICE, (at) => (at < 1 ? [a] : []));
    expect(await chain.app.processProposal(chain.proposed([update, b]))).toBe(true);
  });

  it("says which transaction was expected where, and what it has", () => {
    const [a, b, c] = txKeys([1, 2, 3].map((byte) => Uint8Array.of(byte))) as [
      string,
      string,
      string,
    ];
    const hex = (key: string) => bytesToHex(latin1ToBytes(key));
    const expected = { overdue: [b], listed: [a] };
    expect(completenessProblem([], expected)).toBeNull();
    expect(completenessProblem([b, a, c], expected)).toBeNull();
    expect(completenessProblem([a, b], expected)).toBe(
      `transaction 1: expected overdue ${hex(b)} or an empty block, got ${hex(a)}`,
    );
    expect(completenessProblem([b, c, a], expected)).toBe(
      `transaction 2: expected listed ${hex(a)} or an empty block, got ${hex(c)}`,
    );
    expect(completenessProblem([b], expected)).toBe(
      `transaction 2: expected listed ${hex(a)} or an empty block, got the end`,
    );
    expect(completenessProblem([b, a, c, b], expected)).toBe(
      `transaction 4: expected each named one once, got ${hex(b)} again`,
    );
  });
});

describe("named transactions", () => {
  const tx = (lane: LanedTx["lane"], size: number): LanedTx => ({
    ...{ bytes: new Uint8Array(size).fill(size), lane, gasLimit: 1n, signers: [] },
  });
  const space = { blockBytes: 1_000, gasMax: 5n };

  it("stand outside the lanes' order and caps, and count to both caps and gas", () => {
    const cap = laneCap(2, space.blockBytes);
    const large = tx(2, cap + 10);
    expect(laneProblem([large, tx(0, 10)], space)).not.toBeNull();
    expect(laneProblem([large, tx(0, 10)], space, 1)).toBeNull();
    expect(laneProblem([large, tx(2, 10)], space, 1)).toBe("lane 2 takes more than its cap");
    expect(laneProblem([tx(3, 9), tx(0, 9), tx(1, 9), tx(0, 9)], space, 2)).toContain("after");
    const six = Array.from({ length: 6 }, () => tx(2, 10));
    expect(laneProblem(six, space, 6)).toContain("gas limits");
  });

  it("are all in the block that is filled behind them, or there is none", () => {
    const fill = (named: readonly LanedTx[], bytesMax = 1_000, countMax = 9) =>
      fillBlock([tx(2, 7), tx(0, 8)], { ...space, named, bytesMax, countMax })?.map(
        ({ length }) => length,
      ) ?? null;
    expect(fill([])).toEqual([8, 7]);
    expect(fill([tx(3, 30), tx(1, 20)])).toEqual([30, 20, 8, 7]);
    expect(fill([tx(2, 740)])).toEqual([740, 8]);
    expect(fill([tx(3, 30), tx(1, 20)], 60)).toEqual([30, 20]);
    expect(fill([tx(3, 30), tx(1, 20)], 53)).toBeNull();
    expect(fill([tx(3, 30), tx(1, 20)], 1_000, 1)).toBeNull();
    expect(fill(Array.from({ length: 6 }, () => tx(2, 10)))).toBeNull();
  });
});

describe("a proposer", () => {
  it("puts what the votes name first, by key, and the rest by lanes", async () => {
    const chain = await listingChain();
    const [a, b, c, d] = four(chain);
    const sequenced = chain.account(2).send(chain.account(1), "1ukeel");
    const prepare = (voters: number) =>
      chain.prepare(
        [sequenced, d, c, b, a],
        listingCommit(chain, PRICE, (at) => (at < voters ? [c, b] : [])),
      );
    expect((await prepare(1)).slice(1)).toEqual([d, c, b, a, sequenced]);
    const txs = await prepare(2);
    expect(txs.slice(1)).toEqual([b, c, d, a, sequenced]);
    expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);
    const { txResults } = await chain.decide(txs);
    expect(txResults.every(({ code }) => code === 0)).toBe(true);
  });

  it("makes an empty block without the bytes of one, and a complete one when the pool finds them", async () => {
    let held: readonly Uint8Array[] = [];
    const chain = await listingChain({ app: { pending: holding(() => held) } });
    const [a, b, c] = four(chain);
    const commit = commitNaming(chain, [a, b]);
    const update = oracleTxOf(commit);
    expect(await chain.prepare([b, c], commit)).toEqual([update]);
    // The pool offers no more than a block's worth of each lane, and has more.
    held = [c, b, a];
    expect(await chain.prepare([c], commit)).toEqual([update, a, b, c]);
    expect(await chain.prepare([], commit)).toEqual([update, a, b]);
  });

  it("makes an empty block where they do not fit, and leaves out others before one of them", async () => {
    const chain = await listingChain({ maxGas: 450_000n });
    const [a, b, c, d] = four(chain);
    const two = commitNaming(chain, [c, d]);
    const all = [a, b, c, d];
    expect(await chain.prepare(all, two)).toEqual([oracleTxOf(two), c, d]);
    const three = commitNaming(chain, [b, c, d]);
    expect(await chain.prepare(all, three)).toEqual([oracleTxOf(three)]);
    const room = oracleTxOf(two).length + c.length + 10;
    expect(await chain.prepare(all, two, room)).toEqual([oracleTxOf(two)]);
  });

  it("holds what it left out in its next block, and the votes' round is not lost", async () => {
    let held: readonly Uint8Array[] = [];
    const chain = await listingChain({ app: { pending: holding(() => held) } });
    const [a, b, c] = four(chain);
    const due = () =>
      chain.app.look((keel, ctx) => (keel.oracle.putOff(ctx) === null ? [ctx.header.height] : []));
    await chain.decide(await chain.prepare([a], commitNaming(chain, [a, b])));
    expect(due()).toEqual([]);
    held = [a, b, c];
    const txs = await chain.prepare([c], commitNaming(chain, [c, b]));
    expect(txs.slice(1)).toEqual([a, b, c]);
    await chain.decide(txs);
    expect(due()).toEqual([3]);
  });

  it("includes both of two with one nonce, of which its pool could take only one", async () => {
    let pool: TransactionPool | undefined;
    const pending: PendingSource = { young: () => youngOf([]), find: (key) => pool?.find(key) };
    const chain = await listingChain({ app: { pending } });
    pool = new TransactionPool({ app: chain.app });
    const nonce = { unorderedUntilNs: chain.timeNs() + 60_000_000_000n };
    const both = [
      ...transfers(chain, 1, nonce),
      ...transfers(chain, 1, { ...nonce, memo: "to the other half of the network" }),
    ];
    const codes: number[] = [];
    for (const tx of both) {
      const submission = await pool.submit(tx, null);
      if (submission.kind === "checked") codes.push(submission.result.code);
    }
    expect(codes).toEqual([0, 18]);
    const commit = commitNaming(chain, both);
    const txs = await chain.prepare(pool.reap(1_000_000, null), commit);
    expect(txs.slice(1)).toEqual(byKey(both));
    expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);
    const { txResults } = await chain.decide(txs);
    expect(txResults.map(({ code }) => code).sort()).toEqual([0, 0, 18]);
  });
});
