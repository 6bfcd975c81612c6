import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PeerId } from "../host/ports.ts";
import { MemoryHub, type MemoryHubOptions, type MemoryTransport } from "./memory-transport.ts";
import { MempoolReactor, type TxPool } from "./mempool-reactor.ts";
import { VirtualTime } from "./test-support.ts";

/** A pool that admits everything once and answers as the real one does. */
class FakePool implements TxPool {
  readonly transport: MemoryTransport;
  readonly reactor: MempoolReactor;
  readonly txs = new Map<string, Uint8Array>();
  offered = 0;
  frames = 0;

  constructor(transport: MemoryTransport) {
    this.transport = transport;
    this.reactor = new MempoolReactor({ transport, clock: time.clock });
    transport.onMessage("mempool", (_, bytes) => {
      if (bytes[0] === 1) this.frames += 1;
    });
  }

  admit(tx: Uint8Array, from: PeerId | null): void {
    this.offered += 1;
    const key = bytesToLatin1(tx);
    if (this.txs.has(key)) return;
    this.txs.set(key, tx);
    this.reactor.admitted(tx, from);
  }

  list(limit: number): readonly Uint8Array[] {
    return [...this.txs.values()].slice(0, limit);
  }
}

const idOf = (i: number): PeerId => i.toString(16).padStart(40, "0");
const txOf = (i: number): Uint8Array => Uint8Array.from([1, i >> 16, (i >> 8) & 255, i & 255]);

let time: VirtualTime;
let stops: (() => void)[] = [];
beforeEach(() => {
  time = new VirtualTime();
});
afterEach(() => {
  for (const stop of stops) stop();
  stops = [];
});

async function start(
  count: number,
  options: Partial<MemoryHubOptions> = {},
): Promise<{ hub: MemoryHub; pools: FakePool[] }> {
  const hub = new MemoryHub({ clock: time.clock, delayMs: 1, ...options });
  const pools = Array.from({ length: count }, (_, i) => new FakePool(hub.create(idOf(i))));
  for (const pool of pools) {
    await pool.transport.start();
    pool.reactor.start(pool);
    stops.push(() => {
      pool.reactor.stop();
      void pool.transport.stop();
    });
  }
  // Links are announced within a flush.
  await time.pass(30);
  return { hub, pools };
}

describe("mempool reactor", () => {
  it("brings each transaction to each node of a full mesh exactly once, many in a frame", async () => {
    const { pools } = await start(4);
    for (let i = 0; i < 1000; i++) pools[i % 4]?.admit(txOf(i), null);
    await time.until("all transactions everywhere", () =>
      pools.every((pool) => pool.txs.size === 1000),
    );
    await time.pass(50);
    // 250 of its own and one offer of each of the others.
    for (const pool of pools) expect(pool.offered).toBe(1000);
    for (const pool of pools) expect(pool.frames).toBeLessThan(20);
  });

  it("passes transactions along a line, never back to who brought them", async () => {
    const line = (a: PeerId, b: PeerId): boolean =>
      Math.abs(Number(`0x${a}`) - Number(`0x${b}`)) === 1;
    const { pools } = await start(4, { linked: line });
    for (let i = 0; i < 100; i++) pools[0]?.admit(txOf(i), null);
    await time.until("the other end", () => pools[3]?.txs.size === 100);
    expect(pools.map((pool) => pool.offered)).toEqual([100, 100, 100, 100]);
  });

  it("pushes what is named to everybody, also past a peer that claims links to all and brought it to few", async () => {
    const { pools } = await start(6);
    await time.pass(500);
    const [hostile, ...others] = pools as [FakePool, ...FakePool[]];
    const tx = txOf(7);
    // It gives the transaction to two, and everybody believes that it gives it to all.
    for (const pool of others.slice(0, 2)) pool.admit(tx, hostile.transport.self);
    await time.pass(50);
    expect(others.map(({ txs }) => txs.size)).toEqual([1, 1, 0, 0, 0]);
    others[0]?.reactor.push([tx]);
    await time.pass(50);
    expect(others.map(({ txs }) => txs.size)).toEqual([1, 1, 1, 1, 1]);
  });

  it("shows the pool to a node that comes later", async () => {
    const { hub, pools } = await start(1);
    for (let i = 0; i < 10; i++) pools[0]?.admit(txOf(i), null);
    const late = new FakePool(hub.create(idOf(9)));
    late.reactor.start(late);
    await late.transport.start();
    stops.push(() => {
      late.reactor.stop();
      void late.transport.stop();
    });
    await time.until("the pool", () => late.txs.size === 10);
  });

  it("offers again what was lost", async () => {
    const { hub, pools } = await start(2);
    hub.partition([[idOf(0)], [idOf(1)]]);
    pools[0]?.admit(txOf(1), null);
    await time.pass(50);
    hub.heal();
    await time.until("the second offer", () => pools[1]?.txs.size === 1, 4_000);
  });

  it("disconnects a peer that sends malformed batches and admits nothing of them", async () => {
    const { hub, pools } = await start(1);
    const stranger = hub.create(idOf(7));
    await stranger.start();
    stops.push(() => void stranger.stop());
    // The second transaction is cut short: the first must not slip in.
    for (let i = 0; i < 5; i++)
      stranger.send(idOf(0), "mempool", Uint8Array.from([1, 2, 1, 9, 5, 1]));
    await time.until("the ban", () => stranger.peers().length === 0);
    expect(pools[0]?.offered).toBe(0);
  });
});
