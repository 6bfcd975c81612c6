/** Inclusion lists through the application: what a node names, and in which round a transaction runs. */
import type { FinalizeBlockResponse } from "@keel/consensus/host/ports";
import { defaultConsensusParams } from "@keel/consensus/wire/params";
import type { BlockHeader } from "@keel/modules/kit/context";
import type { MessageRoute } from "@keel/modules/kit/module";
import { INCLUSION_LIST_MAX } from "@keel/modules/oracle/limits";
import { keysOf, txKeys } from "@keel/modules/oracle/lists/keys";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { describe, expect, it } from "vitest";
import { TransactionPool } from "../mempool/pool.ts";
import type { Keel } from "./app.ts";
import {
  LISTED_GAS_MAX,
  LISTED_LIFE_MIN_NS,
  LISTED_TX_BYTES_MAX,
  LISTING_READS_MAX,
} from "./limits.ts";
import { listBounds } from "./list-bounds.ts";
import { listedKeys, type PendingSource, type PendingTx } from "./listing.ts";
import { oracleTxOf } from "./oracle-tx.ts";
import { TestChain } from "./testing/chain.ts";
import { executorBench } from "./testing/executor-bench.ts";
import {
  holding,
  listingChain,
  pendingOf,
  SEND,
  transfers,
  youngOf,
} from "./testing/listing-chain.ts";
import { depositMessage, priceTx } from "./testing/market-load.ts";
import { type SignOptions, sendMessage, type TestMessage, TestSigner } from "./testing/signer.ts";
import { createTxReader } from "./transactions.ts";

const PRICE = 6_500_000n;
/** Where gas is not limited. */
const bounds = listBounds(defaultConsensusParams);

function namesOf(extension: Uint8Array): readonly string[] {
  return keysOf(OracleVote.decode(extension).transactions);
}

describe("a listed transaction", () => {
  it("sees a header with its round, one object for all, and a late one the block's own", () => {
    const seen: BlockHeader[] = [];
    let own: BlockHeader | undefined;
    const closed: (readonly string[])[] = [];
    let listed: readonly string[] = [];
    const { chain, run } = executorBench((real) => {
      const route = real.messages.get(SEND) as MessageRoute;
      const watched: MessageRoute = {
        ...route,
        handle(ctx, message) {
          seen.push(ctx.header);
          return route.handle(ctx, message);
        },
      };
      const oracle: Keel["oracle"] = {
        ...real.oracle,
        listedNow: () => new Set(listed),
        closeList: (ctx, included) => {
          own = ctx.header;
          closed.push(included);
        },
      };
      return { oracle, messages: new Map([...real.messages, [SEND, watched]]) };
    });
    const txs = transfers(chain, 6);
    listed = txKeys(txs.slice(0, 4));
    run(txs);
    const { height } = seen[0] as BlockHeader;
    expect(seen.map(({ round }) => round)).toEqual([
      ...[height, height, height, height],
      ...[undefined, undefined],
    ]);
    expect(seen[0]).toBe(seen[3]);
    expect(seen.slice(4).every((header) => header === own)).toBe(true);
    expect({ ...seen[0], round: undefined }).toEqual({ ...own, round: undefined });
    expect(closed).toEqual([txKeys(txs)]);
  });

  it("is present whether it succeeds or not, and one that is left out puts off its round by one block", async () => {
    const chain = await listingChain();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const poor = alice.send(bob, "999999999999ukeel", {
      unorderedUntilNs: chain.timeNs() + 8_000_000_000n,
    });
    const [kept, left] = transfers(chain, 2) as [Uint8Array, Uint8Array];
    const due = () =>
      chain.app.look((keel, ctx) => (keel.oracle.putOff(ctx) === null ? [ctx.header.height] : []));
    const missing = ({ events }: FinalizeBlockResponse) =>
      events.filter(({ type }) => type === "oracle_transactions_missing").length;
    const naming = (...txs: Uint8Array[]) => priceTx(chain, PRICE, (at) => (at < 2 ? txs : []));

    const first = await chain.decide([naming(poor, kept, left), kept, poor]);
    expect(first.txResults.map(({ code }) => code)).toEqual([0, 0, 5]);
    expect([missing(first), due()]).toEqual([1, []]);
    const explained = chain.app.explain(chain.decided());
    if (typeof explained === "string") throw new Error(explained);
    expect(explained.map(({ event }) => event.type)).toEqual(first.events.map(({ type }) => type));

    const second = await chain.decide([naming(), left]);
    expect([missing(second), due()]).toEqual([0, [3]]);
    await chain.decide([naming()]);
    expect(due()).toEqual([4]);
    expect(chain.faults).toEqual([]);
  });

  it("changes no app hash where a third of power at most names it", async () => {
    const hashes = [() => [], (at: number) => (at === 0 ? [Uint8Array.of(1)] : [])].map(
      async (listed) => {
        const chain = await listingChain();
        const inclusion = () => chain.app.exportGenesis();
        await chain.decide([priceTx(chain, PRICE, listed)]);
        await chain.decide([priceTx(chain, PRICE)]);
        return [chain.store.appHash, inclusion()];
      },
    );
    const [plain, named] = await Promise.all(hashes);
    expect(named).toEqual(plain);
  });

  it("stops clearing, as a failed hook does, when its record cannot be closed", () => {
    const { run, faults, keel, context } = executorBench((real) => ({
      oracle: {
        ...real.oracle,
        listedNow: () => new Set(),
        closeList: () => {
          throw new TypeError("a bug");
        },
      },
    }));
    run([]);
    expect(faults).toEqual(["endBlock inclusion list: a bug"]);
    expect(keel.derivatives.terms(context(), 1)?.market.status).toBe(
      MarketStatus.MARKET_STATUS_QUARANTINED,
    );
  });
});

describe("a node's inclusion list", () => {
  it("names the oldest that ask for it, that can be run and that the block leaves out", async () => {
    let pending: PendingTx[] = [];
    const chain = await listingChain({
      app: { pending: { young: () => youngOf(pending), find: () => undefined } },
    });
    const [inBlock, ...rest] = transfers(chain, INCLUSION_LIST_MAX + 5) as [
      Uint8Array,
      ...Uint8Array[],
    ];
    pending = [inBlock, Uint8Array.of(7), ...rest].map(pendingOf);
    const block = chain.proposed([inBlock.slice()]);
    const extension = await chain.app.extendVote({ block, round: 0 });
    expect(namesOf(extension)).toEqual(txKeys(rest.slice(0, INCLUSION_LIST_MAX)).sort());
    expect(chain.faults).toEqual([]);
  });

  it("is empty where no message asks for it", async () => {
    const chain: TestChain = new TestChain({
      app: { pending: holding(() => transfers(chain, 3)) },
    });
    await chain.start();
    const extension = await chain.app.extendVote({ block: chain.proposed([]), round: 0 });
    expect(extension).toEqual(new Uint8Array(0));
  });

  it("and prices do not fail with each other", async () => {
    const prices = { latest: () => [{ feedId: 1, mantissa: PRICE, confidence: 1n }] };
    const noPool = await listingChain({
      app: {
        prices,
        pending: holding(() => {
          throw new Error("no pool today");
        }),
      },
    });
    const extension = await noPool.app.extendVote({ block: noPool.proposed([]), round: 0 });
    expect(OracleVote.decode(extension).feeds).toHaveLength(1);
    expect(noPool.faults.map(({ where }) => where)).toEqual(["extendVote"]);
    const broken = {
      latest: () => {
        throw new Error("no feed today");
      },
    };
    const noPrices: TestChain = await listingChain({
      app: { prices: broken, pending: holding(() => transfers(noPrices, 2)) },
    });
    const named = await noPrices.app.extendVote({ block: noPrices.proposed([]), round: 0 });
    expect(namesOf(named)).toEqual(txKeys(transfers(noPrices, 2)).sort());
    expect(noPrices.faults.map(({ where }) => where)).toEqual(["extendVote"]);
  });

  it("is told to the pool, and so are those in others' votes, unless they are malformed", async () => {
    const told: unknown[] = [];
    let held: readonly Uint8Array[] = [];
    const pending: PendingSource = {
      ...holding(() => held),
      named: (...args) => told.push(args),
      heard: (vote) => told.push(vote),
    };
    const chain = await listingChain({ app: { pending } });
    held = transfers(chain, 2);
    const block = chain.proposed([]);
    const extension = await chain.app.extendVote({ block, round: 0 });
    const [voter, blockHash] = [new Uint8Array(20).fill(7), new Uint8Array(32)];
    const { height } = block;
    const say = (said: Uint8Array) =>
      chain.app.verifyVoteExtension({ blockHash, height, address: voter, extension: said });
    expect(await say(extension)).toBe(true);
    expect(await say(extension.subarray(0, -1))).toBe(false);
    const keys = txKeys(held);
    expect(told).toEqual([[height, keys], { height, voter, keys: [...keys].sort() }]);
  });

  it("is made of a bounded number of entries, those of the block aside", async () => {
    const chain = await listingChain();
    const [last, ...held] = transfers(chain, LISTING_READS_MAX + 2) as [
      Uint8Array,
      ...Uint8Array[],
    ];
    const { keel, context } = chain.app.look((keel, context) => ({ keel, context }));
    const { read } = createTxReader(keel.messages, keel.addresses);
    let looked = 0;
    function* pending(junk: number): Iterable<PendingTx> {
      for (const tx of held) yield pendingOf(tx);
      for (let i = 0; i < junk; i++) {
        looked += 1;
        yield pendingOf(Uint8Array.of(i >> 8, i & 255));
      }
      yield pendingOf(last);
    }
    const names = (junk: number, urgent: number = 0) =>
      listedKeys(
        { again: [], young: { urgent: pending(urgent), others: pending(junk) } },
        () => new Set(txKeys(held)),
        { read, context, bounds },
      );
    expect(names(LISTING_READS_MAX - 1)).toEqual(txKeys([last]));
    looked = 0;
    expect(names(1_000_000, 1_000_000)).toEqual([]);
    // The last of each kind is not read any more.
    expect(looked).toBe(2 * LISTING_READS_MAX + 2);
  });
});

/** What a node that holds one transfer with these options names; the block voted on is `chain.proposed([])`. */
async function names(
  options: (chain: TestChain) => SignOptions,
  extra: readonly TestMessage[] = [],
): Promise<boolean> {
  let tx: Uint8Array | undefined;
  const chain = await listingChain({
    app: { pending: holding(() => (tx === undefined ? [] : [tx])) },
  });
  const [alice, bob] = [chain.account(0), chain.account(1)];
  const messages = [sendMessage(alice.address, bob.address, "1ukeel"), ...extra];
  tx = alice.sign(messages, {
    unorderedUntilNs: chain.timeNs() + 60_000_000_000n,
    ...options(chain),
  });
  const extension = await chain.app.extendVote({ block: chain.proposed([]), round: 0 });
  expect(chain.faults).toEqual([]);
  return namesOf(extension).length === 1;
}

describe("a node names", () => {
  const plain = () => ({});

  it("no transaction that has a place in its sender's sequence", async () => {
    const chain = await listingChain();
    const sequenced = chain.account(0).send(chain.account(1), "1ukeel");
    const unordered = transfers(chain, 1);
    const { read, context } = chain.app.look((keel, context) => ({
      ...createTxReader(keel.messages, keel.addresses),
      context,
    }));
    const held = [sequenced, ...unordered].map(pendingOf);
    const all = { again: [], young: youngOf(held) };
    const named = listedKeys(all, () => new Set(), { read, context, bounds });
    expect(named).toEqual(txKeys(unordered));
  });

  it("none with a message that does not ask for it", async () => {
    const alice = new TestSigner("account 0", "keel-test-1", "keel");
    const other = depositMessage(alice, "1");
    const again = sendMessage(alice.address, alice.address, "2ukeel");
    expect(await names(plain)).toBe(true);
    expect(await names(plain, [again])).toBe(true);
    expect(await names(plain, [other])).toBe(false);
    expect(await names(plain, [again, other])).toBe(false);
  });

  it("none of more gas or bytes than may be named", async () => {
    const gas = Number(LISTED_GAS_MAX);
    expect(await names(() => ({ gas }))).toBe(true);
    expect(await names(() => ({ gas: gas + 1 }))).toBe(false);
    const size = (memo: number) => () => ({ memo: "m".repeat(memo) });
    expect(await names(size(LISTED_TX_BYTES_MAX - 400))).toBe(true);
    expect(await names(size(LISTED_TX_BYTES_MAX))).toBe(false);
  });

  it("none that would not be good any more in the block after the one that may leave it out", async () => {
    const life = (ns: bigint) => (chain: TestChain) => ({
      unorderedUntilNs: chain.timeNs() + ns,
    });
    expect(await names(life(LISTED_LIFE_MIN_NS))).toBe(true);
    expect(await names(life(LISTED_LIFE_MIN_NS - 1n))).toBe(false);
    const until = (more: number) => (chain: TestChain) => ({
      timeoutHeight: BigInt(chain.height + 1 + more),
    });
    expect(await names(until(3))).toBe(true);
    expect(await names(until(2))).toBe(false);
  });
});

describe("two nodes", () => {
  it("name what each of them holds, and only what voters of more than a third hold counts", async () => {
    const nodes = await Promise.all(
      [0, 1].map(async () => {
        let pool: TransactionPool | undefined;
        const pending: PendingSource = {
          young: (at) => pool?.young(at) ?? youngOf([]),
          find: (key) => pool?.find(key),
        };
        const chain = await listingChain({ app: { pending } });
        pool = new TransactionPool({ app: chain.app, limits: { youngBlocks: 2 } });
        return { chain, pool };
      }),
    );
    const [one, other] = nodes as [(typeof nodes)[number], (typeof nodes)[number]];
    const [mine, both] = transfers(one.chain, 2) as [Uint8Array, Uint8Array];
    await one.pool.submit(mine, null);
    await one.pool.submit(both, null);
    await other.pool.submit(both, null);
    const votes = (): Promise<Uint8Array[]> =>
      Promise.all(
        nodes.map(({ chain }) => chain.app.extendVote({ block: chain.proposed([]), round: 0 })),
      );
    /** The first node is one validator of four. */
    const next = async (said: readonly Uint8Array[]) => {
      const commit = one.chain.lastCommit((at) => said[at === 0 ? 0 : 1] as Uint8Array);
      for (const { chain, pool } of nodes) {
        const txs = [oracleTxOf(commit)];
        const { txResults } = await chain.decide(txs);
        await pool.update(chain.height, txs, txResults);
      }
    };
    const said = await votes();
    expect(said.map(namesOf)).toEqual([txKeys([mine, both]).sort(), txKeys([both])]);
    await next(said);
    for (const { chain } of nodes) {
      const found = chain.app.look((keel, ctx) => keel.oracle.listedNow(ctx));
      expect(txKeys([mine, both]).map((key) => found?.has(key))).toEqual([false, true]);
      expect(
        chain.app.look((keel, ctx) =>
          keel.oracle.putOff(ctx) === null ? [ctx.header.height] : [],
        ),
      ).toEqual([]);
    }
    // Nobody includes it: it is named while it is young, and then no more.
    await next(await votes());
    expect((await votes()).map(namesOf)).toEqual([[], []]);
    expect(one.chain.store.appHash).toEqual(other.chain.store.appHash);
  });
});
