/** What a node's votes name, one after the other: nothing but what can be listed costs it anything, and nothing that was named is lost with an empty block. */
import { defaultAuctionTerms } from "@keel/modules/derivatives/defaults";
import { keysOf, txKeys } from "@keel/modules/oracle/lists/keys";
import { OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { describe, expect, it } from "vitest";
import { TransactionPool } from "../mempool/pool.ts";
import { IDLE_BLOCKS_MAX, LISTED_LIFE_MIN_NS, LISTING_READS_MAX } from "./limits.ts";
import { listBounds } from "./list-bounds.ts";
import { listedKeys, type PendingSource } from "./listing.ts";
import { auctionMarketState } from "./testing/auction-load.ts";
import { TestChain, type TestChainOptions } from "./testing/chain.ts";
import {
  byKey,
  holding,
  listingChain,
  pendingOf,
  transfers,
  youngOf,
} from "./testing/listing-chain.ts";
import { openMarket, orderMessage, priceTx } from "./testing/market-load.ts";
import { createTxReader } from "./transactions.ts";

const PRICE = 6_500_000n;
const MINUTE_NS = 60_000_000_000n;
const BID = { side: "buy", price: "64000", size: "0.005" } as const;

/** Keys of what a vote on the next block names that holds these. */
async function namedWith(chain: TestChain, txs: readonly Uint8Array[]): Promise<readonly string[]> {
  const extension = await chain.app.extendVote({ block: chain.proposed(txs), round: 0 });
  expect(chain.faults).toEqual([]);
  return keysOf(OracleVote.decode(extension).transactions);
}

const names = async (chain: TestChain, txs: readonly Uint8Array[], tx: Uint8Array) =>
  (await namedWith(chain, txs)).includes(txKeys([tx])[0] as string);

/** A market, with rounds or without, and the node's pool. */
async function marketWithPool(inclusionLists: boolean, accounts: number = 3) {
  let pool: TransactionPool | undefined;
  const pending: PendingSource = {
    young: (at) => pool?.young(at) ?? youngOf([]),
    find: (key) => pool?.find(key),
    outgrown: (hash) => pool?.outgrown(hash),
  };
  const chain = new TestChain({
    ...{ extensionsFrom: 1, accounts, app: { pending } },
    appState: auctionMarketState(
      inclusionLists ? { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists } : undefined,
    ),
  });
  await openMarket(chain, "500000000");
  pool = new TransactionPool({ app: chain.app });
  return { chain, pool };
}

function order(
  chain: TestChain,
  from: number,
  side: "buy" | "sell",
  price: string,
  lifeNs: bigint = MINUTE_NS,
): Uint8Array {
  const owner = chain.account(from);
  const message = orderMessage(owner, { side, price, size: "0.005", clientId: `of${from}` });
  return owner.sign([message], { unorderedUntilNs: chain.timeNs() + lifeNs });
}

describe("what votes cannot name", () => {
  it("keeps no order out of them, however many sent it before, whether the block holds it or not", async () => {
    const { chain, pool } = await marketWithPool(true, LISTING_READS_MAX + 2);
    const sent = chain.accounts.slice(2).flatMap((_, i) => transfers(chain, 1, { from: 2 + i }));
    const wanted = order(chain, 0, "buy", "64000");
    expect(sent).toHaveLength(LISTING_READS_MAX);
    for (const tx of [...sent, wanted])
      expect(await pool.submit(tx, null)).toMatchObject({ result: { code: 0 } });
    expect(await namedWith(chain, [])).toEqual(txKeys([wanted]));
    expect(await namedWith(chain, sent)).toEqual(txKeys([wanted]));
  });

  it("is read once when it could be named before", async () => {
    const { chain, pool } = await marketWithPool(true);
    const owner = chain.account(0);
    const goodTilMs = chain.timeNs() / 1_000_000n + LISTED_LIFE_MIN_NS / 1_000_000n + 2_000n;
    const message = orderMessage(owner, { ...BID, goodTilMs });
    const ends = owner.sign([message], { unorderedUntilNs: chain.timeNs() + MINUTE_NS });
    await pool.update(chain.height, [], []);
    await pool.submit(ends, null);
    const young = () => [...pool.young({ height: chain.height, timeNs: 0n }).others].length;
    const next = async () => {
      const named = await namedWith(chain, []);
      const txs = [priceTx(chain, PRICE)];
      const { txResults } = await chain.decide(txs);
      await pool.update(chain.height, txs, txResults);
      return [named.length, young()];
    };
    expect(await next()).toEqual([1, 1]);
    expect(await next()).toEqual([1, 1]);
    expect(await next()).toEqual([0, 0]);
    expect(pool.size()).toBe(1);
  });

  it("is not among what the pool has for them: other transactions, or orders where no market gives rounds", async () => {
    for (const gives of [true, false]) {
      const { chain, pool } = await marketWithPool(gives);
      const wanted = order(chain, 0, "buy", "64000");
      const short = order(chain, 0, "buy", "64000", LISTED_LIFE_MIN_NS - 2_000_000_000n);
      for (const tx of [...transfers(chain, 3, { from: 2 }), short, wanted])
        expect(await pool.submit(tx, null)).toMatchObject({ result: { code: 0 } });
      const { others, urgent } = pool.young({ height: chain.height + 1, timeNs: chain.timeNs() });
      expect([...urgent, ...others].map(({ tx }) => tx)).toEqual(gives ? [wanted] : []);
    }
  });

  it("costs no hashing of a block when there is nothing else", async () => {
    const chain = await listingChain();
    const { keel, context } = chain.app.look((keel, context) => ({ keel, context }));
    const tools = {
      read: createTxReader(keel.messages, keel.addresses).read,
      ...{ context, bounds: listBounds(chain.params) },
    };
    let asked = 0;
    const taken = (): ReadonlySet<string> => {
      asked += 1;
      return new Set();
    };
    expect(listedKeys({ again: [], young: youngOf([]) }, taken, tools)).toEqual([]);
    expect(asked).toBe(0);
    const some = transfers(chain, 3);
    const young = youngOf(some.map(pendingOf));
    expect(listedKeys({ again: [], young }, taken, tools)).toEqual(txKeys(some));
    expect(asked).toBe(1);
  });
});

describe("after an empty block", () => {
  it("a list has new ones in place of those that are overdue anyway, whether it puts them off or does nothing", async () => {
    let held: readonly Uint8Array[] = [];
    const chain = await listingChain({ app: { pending: holding(() => held) } });
    const due = transfers(chain, 100);
    const [fresh] = transfers(chain, 1, { from: 2 }) as [Uint8Array];
    held = [...due, fresh];
    const update = () => priceTx(chain, PRICE, () => due);
    expect(await names(chain, [update(), ...byKey(due)], fresh)).toBe(true);
    // One that puts them off, some that do nothing, and one that gives them up and has them named for it once more.
    for (let empty = 0; empty < IDLE_BLOCKS_MAX + 2; empty++) {
      expect(await namedWith(chain, [update()])).toEqual(txKeys([fresh]));
      await chain.decide([update()]);
    }
  });
});

describe("what was named for a block that does nothing", () => {
  /** The votes on the last block named `due`, an empty one follows, and this node holds `victim` too when it votes on that. */
  async function victimOf(options: TestChainOptions = {}) {
    let held: readonly Uint8Array[] = [];
    let young: readonly Uint8Array[] = [];
    const pending: PendingSource = {
      ...holding(() => held),
      young: () => youngOf(young.map(pendingOf)),
    };
    const chain = await listingChain({ ...options, app: { pending } });
    const [due] = transfers(chain, 1) as [Uint8Array];
    const unorderedUntilNs = chain.timeNs() + LISTED_LIFE_MIN_NS;
    const [victim] = transfers(chain, 1, { from: 2, unorderedUntilNs }) as [Uint8Array];
    held = young = [due, victim];
    const update = () => priceTx(chain, PRICE, () => [due]);
    expect(await namedWith(chain, [update()])).toEqual(txKeys([victim]));
    await chain.decide([update()]);
    return {
      ...{ chain, victim, due, update },
      forget: (tx: Uint8Array) => {
        young = young.filter((one) => one !== tx);
      },
    };
  }

  it("is named again by who named it, though it ends too soon to be named for the first time or is young no more", async () => {
    const { chain, forget, update, victim } = await victimOf();
    forget(victim);
    for (let idle = 0; idle < IDLE_BLOCKS_MAX; idle++) {
      expect(await namedWith(chain, [update()])).toEqual(txKeys([victim]));
      await chain.decide([update()]);
    }
    // The round is given up: what was named for this block is overdue, or is not named again.
    expect(await namedWith(chain, [update()])).toEqual([]);
  });

  it("is not when the block does something, when the next one cannot hold it any more, or by a node that missed a vote", async () => {
    const acts = await victimOf();
    expect(await namedWith(acts.chain, [acts.update(), acts.due])).toEqual([]);
    const missed = await victimOf();
    await missed.chain.decide([missed.update()]);
    expect(await namedWith(missed.chain, [missed.update()])).toEqual([]);
    const slow = await victimOf({
      clock: (height) => 1_790_000_000_000_000_000n + 6_000_000_000n * BigInt(height),
    });
    expect(await namedWith(slow.chain, [slow.update()])).toEqual(txKeys([slow.victim]));
    await slow.chain.decide([slow.update()]);
    expect(await namedWith(slow.chain, [slow.update()])).toEqual([]);
  });
});
