/** Inclusion lists through the application: what a node names, what a proposer puts first, and in which round a transaction runs. */
import type { FinalizeBlockResponse } from "@keel/consensus/host/ports";
import type { BlockHeader } from "@keel/modules/kit/context";
import type { MessageRoute } from "@keel/modules/kit/module";
import { INCLUSION_LIST_MAX } from "@keel/modules/oracle/limits";
import { keysOf, txKeys } from "@keel/modules/oracle/lists/keys";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { describe, expect, it } from "vitest";
import { TransactionPool } from "../mempool/pool.ts";
import type { Keel } from "./app.ts";
import { LISTING_READS_MAX } from "./limits.ts";
import { listedKeys, type PendingTx } from "./listing.ts";
import { oracleTxOf } from "./oracle-tx.ts";
import { TestChain, type TestChainOptions } from "./testing/chain.ts";
import { executorBench } from "./testing/executor-bench.ts";
import { listingCommit, priceTx } from "./testing/market-load.ts";
import { createTxReader } from "./transactions.ts";

const SEND = "/cosmos.bank.v1beta1.MsgSend";
const PRICE = 6_500_000n;

const pendingOf = (tx: Uint8Array): PendingTx => ({ tx, hash: txKeys([tx])[0] as string });

/** Transfers ask to be listed. */
function listSends(messages: ReadonlyMap<string, MessageRoute>): ReadonlyMap<string, MessageRoute> {
  const route = { ...(messages.get(SEND) as MessageRoute), listed: () => true };
  return new Map([...messages, [SEND, route]]);
}

/** At height 1, so that the next block begins with an oracle update; transfers ask to be listed. */
async function listingChain(options: TestChainOptions = {}): Promise<TestChain> {
  const chain = await new TestChain({ extensionsFrom: 1, ...options }).start();
  chain.app.look((keel) => {
    const messages = keel.messages as Map<string, MessageRoute>;
    for (const [url, route] of listSends(messages)) messages.set(url, route);
  });
  await chain.decide([]);
  return chain;
}

function namesOf(extension: Uint8Array): readonly string[] {
  return keysOf(OracleVote.decode(extension).transactions);
}

/** An unordered transfer, another one each time. */
function transfers(chain: TestChain, count: number): Uint8Array[] {
  const [alice, bob] = [chain.account(0), chain.account(1)];
  return Array.from({ length: count }, (_, i) =>
    alice.send(bob, "1ukeel", { unorderedUntilNs: chain.timeNs() + 9_000_000_000n + BigInt(i) }),
  );
}

describe("a listed transaction", { timeout: 30_000 }, () => {
  it("sees a header with its round, one object for each round, and a late one the block's own", () => {
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
        listedRounds: () => ({
          roundOf: (key) => (listed.indexOf(key) < 0 ? undefined : (listed.indexOf(key) % 2) + 7),
        }),
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
    expect(seen.map(({ round }) => round)).toEqual([7, 8, 7, 8, undefined, undefined]);
    expect(seen[0]).toBe(seen[2]);
    expect(seen[1]).toBe(seen[3]);
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
    const due = () => chain.app.look((keel, ctx) => keel.oracle.roundsDue(ctx));
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
    expect([missing(second), due()]).toEqual([0, [2, 3]]);
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
        listedRounds: () => ({ roundOf: () => undefined }),
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

describe("a node's inclusion list", { timeout: 30_000 }, () => {
  it("names the oldest that ask for it, that can be run and that the block leaves out", async () => {
    let pending: PendingTx[] = [];
    const chain = await listingChain({ app: { pending: () => pending } });
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
      app: { pending: () => transfers(chain, 3).map(pendingOf) },
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
        pending: () => {
          throw new Error("no pool today");
        },
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
      app: { prices: broken, pending: () => transfers(noPrices, 2).map(pendingOf) },
    });
    const named = await noPrices.app.extendVote({ block: noPrices.proposed([]), round: 0 });
    expect(namesOf(named)).toEqual(txKeys(transfers(noPrices, 2)).sort());
    expect(noPrices.faults.map(({ where }) => where)).toEqual(["extendVote"]);
  });

  it("is made of a bounded number of entries, those of the block aside", async () => {
    const chain = await listingChain();
    const [last, ...held] = transfers(chain, 4) as [Uint8Array, ...Uint8Array[]];
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
    const names = (junk: number) => listedKeys(() => pending(junk), held, { read, context });
    // The first of the block's is read to see that there is something to list.
    expect(names(LISTING_READS_MAX - 2)).toEqual(txKeys([last]));
    looked = 0;
    expect(names(1_000_000)).toEqual([]);
    expect(looked).toBe(LISTING_READS_MAX);
  });
});

describe("two nodes", { timeout: 30_000 }, () => {
  it("name what each of them holds, and only what voters of more than a third hold counts", async () => {
    const nodes = await Promise.all(
      [0, 1].map(async () => {
        let pool: TransactionPool | undefined;
        const chain = await listingChain({ app: { pending: () => pool?.young() ?? [] } });
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
      const found = chain.app.look((keel, ctx) => keel.oracle.listedRounds(ctx));
      expect(txKeys([mine, both]).map((key) => found?.roundOf(key))).toEqual([undefined, 2]);
      expect(chain.app.look((keel, ctx) => keel.oracle.roundsDue(ctx))).toEqual([]);
    }
    // Nobody includes it: it is named while it is young, and then no more.
    await next(await votes());
    expect((await votes()).map(namesOf)).toEqual([[], []]);
    expect(one.chain.store.appHash).toEqual(other.chain.store.appHash);
  });
});

describe("a proposer", { timeout: 30_000 }, () => {
  it("puts what the last votes name first within its class, and a sender's earlier ones before it", async () => {
    const chain = await listingChain();
    const [alice, bob, carol] = [chain.account(0), chain.account(1), chain.account(2)];
    const unordered = transfers(chain, 3);
    const sequenced = [
      carol.send(bob, "1ukeel"),
      alice.send(bob, "1ukeel"),
      bob.send(alice, "1ukeel"),
      alice.send(bob, "2ukeel"),
    ];
    const named = [unordered[2], sequenced[3]] as Uint8Array[];
    const prepare = (voters: number) =>
      chain.prepare(
        [...sequenced, ...unordered],
        listingCommit(chain, PRICE, (at) => (at < voters ? named : [])),
      );
    const [u0, u1, u2] = unordered;
    const [c0, a0, b0, a1] = sequenced;
    expect((await prepare(1)).slice(1)).toEqual([u0, u1, u2, c0, a0, b0, a1]);
    const txs = await prepare(2);
    expect(txs.slice(1)).toEqual([u2, u0, u1, a0, a1, c0, b0]);
    expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);
    const { txResults } = await chain.decide(txs);
    expect(txResults.every(({ code }) => code === 0)).toBe(true);
  });

  it("leaves none of them out of a full block", async () => {
    const chain = await listingChain({ maxGas: 450_000n });
    const pool = transfers(chain, 5);
    const commit = listingCommit(chain, PRICE, () => pool.slice(3));
    expect((await chain.prepare(pool, commit)).slice(1)).toEqual(pool.slice(3));
  });
});
