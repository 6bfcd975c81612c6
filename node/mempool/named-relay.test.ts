/** What validators name, over the transport's links and through real pools. */
import type { CheckTxResult, PeerId } from "@keel/consensus/host/ports";
import { MemoryHub, type MemoryTransport } from "@keel/consensus/net/memory-transport";
import { MempoolReactor } from "@keel/consensus/net/mempool-reactor";
import { encodeMempoolMessage } from "@keel/consensus/net/messages";
import { VirtualTime } from "@keel/consensus/net/test-support";
import { txKeys } from "@keel/modules/oracle/lists/keys";
import { TxBody, TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LISTED_TX_BYTES_MAX } from "../app/limits.ts";
import {
  HEARD_BLOCKS,
  NAMES_PER_VOTER_MAX,
  PASSED_BYTES_PER_VOTER_MAX,
  type PoolLimits,
} from "./limits.ts";
import { NamedRelay } from "./named-relay.ts";
import { TransactionPool } from "./pool.ts";

const good: CheckTxResult = {
  ...{ code: 0, codespace: "", data: new Uint8Array(0), log: "", info: "", events: [] },
  ...{ gasWanted: 1n, gasUsed: 0n, lane: 3, sender: null, nameable: { timeNs: 0n, height: null } },
};

/** A node's pool and what spreads it, without consensus: votes are heard by hand. */
class Node {
  readonly transport: MemoryTransport;
  readonly reactor: MempoolReactor;
  readonly pool: TransactionPool;
  readonly relay: NamedRelay;
  /** Transactions sent to this node, one that comes twice counted twice. */
  received = 0;

  constructor(hub: MemoryHub, at: number, limits: Partial<PoolLimits>) {
    this.transport = hub.create(idOf(at));
    this.reactor = new MempoolReactor({ transport: this.transport, clock: time.clock });
    this.pool = new TransactionPool({
      app: { checkTx: () => Promise.resolve(good) },
      limits,
      onAdmitted: (tx, from) => this.reactor.admitted(tx, from),
      named: {
        arrived: (key, tx) => this.relay.arrived(key, tx),
        find: (key) => this.relay.find(key),
      },
    });
    this.relay = new NamedRelay({
      find: (key) => this.pool.find(key),
      push: (txs) => this.reactor.push(txs),
      pass: (tx) => this.reactor.admitted(tx, null),
    });
  }

  async start(): Promise<void> {
    await this.transport.start();
    this.reactor.start({
      admit: (tx, from) => {
        this.received += 1;
        void this.pool.submit(tx, from);
      },
      list: (limit) => this.pool.list(limit),
    });
  }

  has(txs: readonly Uint8Array[]): number {
    return txKeys(txs).filter((key) => this.pool.find(key) !== undefined).length;
  }
}

const idOf = (at: number): PeerId => at.toString(16).padStart(40, "0");
const txs = (count: number, bytes = 40, from = 0): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => unordered(from + i, bytes));
/** A pool that has no time for its check still sees that it is unordered. */
function unordered(n: number, bytes: number): Uint8Array {
  for (let length = bytes; ; length--) {
    const memo = String(n).padStart(length, "0");
    const bodyBytes = TxBody.encode(TxBody.fromPartial({ memo, unordered: true })).finish();
    const tx = TxRaw.encode(TxRaw.fromPartial({ bodyBytes })).finish();
    if (tx.length <= bytes) return tx;
  }
}
const line = (a: PeerId, b: PeerId): boolean => Math.abs(Number(`0x${a}`) - Number(`0x${b}`)) === 1;
const voter = (at: number): Uint8Array => new Uint8Array(20).fill(at);

let time: VirtualTime;
let nodes: Node[] = [];
beforeEach(() => {
  time = new VirtualTime();
});
afterEach(async () => {
  for (const { reactor, transport } of nodes) {
    reactor.stop();
    await transport.stop();
  }
});

async function network(
  limits: readonly Partial<PoolLimits>[],
  linked?: (a: PeerId, b: PeerId) => boolean,
): Promise<Node[]> {
  const hub = new MemoryHub({
    clock: time.clock,
    delayMs: 1,
    ...(linked === undefined ? {} : { linked }),
  });
  nodes = limits.map((each, at) => new Node(hub, at, each));
  for (const node of nodes) await node.start();
  await time.pass(30);
  return nodes;
}

/** No room in the pool; no room for its checks. */
const FULL: Partial<PoolLimits> = { txsMax: 0 };
const BUSY: Partial<PoolLimits> = { pendingMax: 0 };

describe("what a validator names", () => {
  for (const [why, limits] of [
    ["no room", FULL],
    ["no time for its check", BUSY],
  ] as const) {
    it(`is found at the other end of a line, though pools in between have ${why}, before its vote could be`, async () => {
      const all = await network([{}, limits, limits, {}], line);
      const [first, second, third, last] = all as [Node, Node, Node, Node];
      const named = txs(50);
      await Promise.all(named.map((tx) => first.pool.submit(tx, null)));
      await time.pass(200);
      expect([last.has(named), last.pool.size()]).toEqual([0, 0]);

      const vote = { height: 5, voter: voter(0), keys: txKeys(named) };
      first.relay.named(5, vote.keys);
      // The vote takes its way: nobody passes it on before it has had it for a while.
      for (const node of [second, third]) {
        await time.pass(20);
        node.relay.heard(vote);
      }
      await time.pass(20);
      expect(all.map((node) => node.has(named))).toEqual([50, 50, 50, 50]);
      expect(all.map(({ pool }) => pool.size())).toEqual([50, 0, 0, 50]);
    });
  }

  it("is passed on when it comes after the vote that names it", async () => {
    const all = await network([{}, FULL, FULL, {}], line);
    const [first, second, third, last] = all as [Node, Node, Node, Node];
    const named = txs(5);
    for (const node of [second, third, last])
      node.relay.heard({ height: 5, voter: voter(9), keys: txKeys(named) });
    await Promise.all(named.map((tx) => first.pool.submit(tx, null)));
    await time.pass(60);
    expect([second, third, last].map((node) => node.has(named))).toEqual([5, 5, 5]);
  });

  it("goes past a peer that is linked to all and gives it to one", async () => {
    const all = await network([{}, {}, {}, {}], (a, b) => [a, b].includes(idOf(3)) || line(a, b));
    const [, middle, far, hostile] = all as [Node, Node, Node, Node];
    const [tx] = txs(1) as [Uint8Array];
    const frame = encodeMempoolMessage({ type: "txs", txs: [tx] });
    hostile.reactor.stop();
    hostile.transport.send(idOf(1), "mempool", frame);
    await time.pass(200);
    expect([middle.has([tx]), far.has([tx])]).toEqual([1, 0]);
    middle.relay.heard({ height: 5, voter: voter(1), keys: txKeys([tx]) });
    await time.pass(20);
    expect(far.has([tx])).toBe(1);
  });

  it("crosses each link of a mesh at most once each way and height, whoever names it", async () => {
    const all = await network([FULL, FULL, FULL, FULL]);
    const named = txs(10);
    const keys = txKeys(named);
    for (const { pool } of all) await Promise.all(named.map((tx) => pool.submit(tx, null)));
    const everybodyVotes = async (height: number) => {
      for (const [at, node] of all.entries()) {
        node.relay.named(height, keys);
        for (const other of all)
          if (other !== node) other.relay.heard({ height, voter: voter(at), keys });
      }
      await time.pass(50);
    };
    await everybodyVotes(5);
    expect(all.map(({ received }) => received)).toEqual([30, 30, 30, 30]);
    // What got lost comes again with the next votes.
    await everybodyVotes(6);
    expect(all.map(({ received }) => received)).toEqual([60, 60, 60, 60]);
  });
});

/** A relay that has all of these, and what it passes on. */
function relayOf(held: readonly Uint8Array[]) {
  const byKey = new Map(txKeys(held).map((key, at) => [key, held[at] as Uint8Array]));
  const sent: Uint8Array[] = [];
  const relay = new NamedRelay({
    find: (key) => byKey.get(key),
    push: (some) => sent.push(...some),
    pass: (tx) => sent.push(tx),
  });
  return { relay, sent };
}

describe("of what a validator may name", () => {
  it("a bounded number at a height is passed on, and it takes no other validator's place", () => {
    const held = txs(2_000);
    const keys = txKeys(held);
    const { relay, sent } = relayOf(held);
    for (let at = 0; at < 1_000; at += 100)
      relay.heard({ height: 5, voter: voter(1), keys: keys.slice(at, at + 100) });
    expect(sent).toHaveLength(NAMES_PER_VOTER_MAX);
    relay.heard({ height: 5, voter: voter(2), keys: keys.slice(1_000, 1_100) });
    expect(sent).toHaveLength(NAMES_PER_VOTER_MAX + 100);
    // What others name too is nobody's alone.
    relay.heard({ height: 5, voter: voter(1), keys: keys.slice(1_000, 1_100) });
    relay.heard({ height: 6, voter: voter(1), keys: keys.slice(1_900) });
    expect(sent).toHaveLength(NAMES_PER_VOTER_MAX + 200);
    // A late vote has its own height's share, one of earlier heights none.
    relay.heard({ height: 5, voter: voter(3), keys: keys.slice(1_200, 1_210) });
    relay.heard({ height: 4, voter: voter(3), keys: keys.slice(1_300, 1_310) });
    expect(sent).toHaveLength(NAMES_PER_VOTER_MAX + 210);
  });

  it("a bounded number of bytes is passed on at a height, which others' names do not use up", () => {
    const most = PASSED_BYTES_PER_VOTER_MAX / LISTED_TX_BYTES_MAX;
    const held = txs(100, LISTED_TX_BYTES_MAX);
    const keys = txKeys(held);
    const { relay, sent } = relayOf(held);
    relay.heard({ height: 5, voter: voter(1), keys });
    relay.heard({ height: 5, voter: voter(1), keys });
    expect(txKeys(sent)).toEqual(keys.slice(0, most));
    // The same list of others: each pays for what nobody before could.
    for (let at = 2; sent.length < 100; at++) relay.heard({ height: 5, voter: voter(at), keys });
    expect(txKeys(sent)).toEqual(keys);
    const [early, late] = txs(2, LISTED_TX_BYTES_MAX, 100) as [Uint8Array, Uint8Array];
    relay.heard({ height: 5, voter: voter(1), keys: txKeys([early]) });
    relay.arrived(txKeys([early])[0] as string, early);
    relay.heard({ height: 5, voter: voter(99), keys: txKeys([late]) });
    relay.arrived(txKeys([late])[0] as string, late);
    expect(txKeys(sent.slice(100))).toEqual(txKeys([late]));
    // A node's own list is whole.
    relay.named(6, keys);
    expect(txKeys(sent.slice(101))).toEqual(keys);
  });

  it("nothing longer than an honest one names is passed on, at hand or when it comes", () => {
    const [most] = txs(1, LISTED_TX_BYTES_MAX) as [Uint8Array];
    const [more, late] = txs(2, LISTED_TX_BYTES_MAX + 1, 1) as [Uint8Array, Uint8Array];
    const { relay, sent } = relayOf([most, more]);
    relay.heard({ height: 5, voter: voter(1), keys: txKeys([most, more, late]) });
    relay.arrived(txKeys([late])[0] as string, late);
    expect(sent).toEqual([most]);
  });

  it("is at hand while votes name it and some heights longer, and then forgotten", () => {
    const [tx] = txs(1) as [Uint8Array];
    const [key] = txKeys([tx]) as [string];
    const { relay, sent } = relayOf([]);
    relay.heard({ height: 5, voter: voter(1), keys: [key] });
    relay.heard({ height: 5 + HEARD_BLOCKS, voter: voter(1), keys: [] });
    relay.arrived(key, tx);
    expect(relay.find(key)).toEqual(tx);
    relay.heard({ height: 6 + HEARD_BLOCKS, voter: voter(1), keys: [] });
    expect(relay.find(key)).toBeUndefined();
    relay.arrived(key, tx);
    expect(relay.find(key)).toBeUndefined();
    expect(sent).toEqual([tx]);
  });

  it("is not at hand for longer by names that nobody pays for any more", () => {
    const [tx, ...others] = txs(
      1 + PASSED_BYTES_PER_VOTER_MAX / LISTED_TX_BYTES_MAX,
      LISTED_TX_BYTES_MAX,
    );
    const [key, ...rest] = txKeys([tx as Uint8Array, ...others]) as [string, ...string[]];
    const { relay } = relayOf([tx as Uint8Array, ...others]);
    relay.heard({ height: 5, voter: voter(1), keys: [key] });
    expect(relay.find(key)).toEqual(tx);
    for (let height = 6; height <= 6 + HEARD_BLOCKS; height++)
      relay.heard({ height, voter: voter(1), keys: [...rest, key] });
    expect(relay.find(key)).toBeUndefined();
  });
});

describe("what one validator names", () => {
  const refused: CheckTxResult = { ...good, code: 1 };

  /** A pool with its relay and so many peers, and something that honest votes name and all peers have brought, refused here. `others`: what the pool says of all else. */
  async function beside(peers: number, others: CheckTxResult) {
    const isWanted = (tx: Uint8Array): boolean => tx.length === 300;
    const pool: TransactionPool = new TransactionPool({
      app: { checkTx: (tx) => Promise.resolve(isWanted(tx) ? refused : others) },
      named: {
        arrived: (key, tx) => relay.arrived(key, tx),
        find: (key) => relay.find(key),
      },
    });
    const relay = new NamedRelay({
      find: (key) => pool.find(key),
      push: () => undefined,
      pass: () => undefined,
    });
    const ids = Array.from({ length: peers }, (_, at) => idOf(at));
    for (const id of ids) pool.onPeer(id, "up");
    const wanted = new Uint8Array(300).fill(7);
    const [key] = txKeys([wanted]) as [string];
    for (let at = 1; at < 30; at++) relay.heard({ height: 10, voter: voter(at), keys: [key] });
    const bring = async (all: readonly Uint8Array[]): Promise<void> => {
      for (const tx of all) await Promise.all(ids.map((id) => pool.submit(tx, id)));
    };
    await bring([wanted]);
    expect(pool.find(key)).toEqual(wanted);
    return { pool, relay, key, bring };
  }

  it.each([good, refused])(
    "pushes nothing out of what others name, though every peer passes it on, code $code",
    async (garbled) => {
      const { bring, key, pool, relay } = await beside(40, garbled);
      for (let height = 10; height < 14; height++) {
        const garbage = txs(NAMES_PER_VOTER_MAX, LISTED_TX_BYTES_MAX, height * 1_000);
        relay.heard({ height, voter: voter(99), keys: txKeys(garbage) });
        await bring(garbage);
      }
      expect(pool.find(key)).toBeDefined();
    },
  );

  it("takes no room beside the pool where it is pooled, whoever brings it", async () => {
    const { bring, key, pool, relay } = await beside(40, good);
    const batches = txs(100, 8_000);
    for (let at = 1; at < 30; at++)
      relay.heard({ height: 10, voter: voter(at), keys: txKeys(batches) });
    await bring(batches);
    expect(pool.size()).toBe(100);
    expect(pool.find(key)).toBeDefined();
  });
});
