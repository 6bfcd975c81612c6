import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryHub } from "../net/memory-transport.ts";
import { defaultConsensusParams } from "../wire/params.ts";
import { type CommitStep, commitSteps } from "./execution.ts";
import type { WriteAheadLog } from "./ports.ts";
import { createRealClock } from "./testing/clocks.ts";
import { doubleSigns } from "./testing/double-signs.ts";
import {
  createDisk,
  createGenesis,
  type Disk,
  type NodeOptions,
  startNode,
  type TestNode,
} from "./testing/node.ts";

const clock = createRealClock();
const genesis1 = createGenesis({
  validators: 1,
  params: { ...defaultConsensusParams, abci: { voteExtensionsEnableHeight: 1 } },
});

let directory: string;
let nodes: TestNode[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-crash-"));
  nodes = [];
});
afterEach(async () => {
  for (const node of nodes) await node.kill();
  await rm(directory, { recursive: true, force: true });
});

async function start(
  options: Omit<NodeOptions, "clock" | "hub"> & { hub?: MemoryHub },
): Promise<TestNode> {
  const node = await startNode({ clock, hub: new MemoryHub({ clock }), ...options });
  nodes.push(node);
  return node;
}

async function chainOf(disk: Disk): Promise<string[]> {
  const hashes: string[] = [];
  for (let height = Math.max(1, disk.blocks.base()); height <= disk.blocks.height(); height++) {
    const stored = await disk.blocks.load(height);
    expect(stored?.block.header.height).toBe(height);
    hashes.push(bytesToHex(stored?.blockId.hash ?? new Uint8Array(0)));
  }
  return hashes;
}

async function transactionsOf(disk: Disk): Promise<number> {
  const keys = new Set<string>();
  for (let height = 1; height <= disk.app.height; height++) {
    for (const tx of (await disk.blocks.load(height))?.block.txs ?? []) keys.add(bytesToHex(tx));
  }
  return keys.size;
}

describe("a crash between any two steps of a commit", () => {
  for (const step of commitSteps) {
    for (const height of [1, 3]) {
      it(`after "${step}" of block ${height} loses no height and signs nothing twice`, async () => {
        const disk = createDisk(directory, 0);
        const crashed = await start({
          genesis: genesis1,
          disk,
          failPoint: (at: CommitStep, of) => {
            if (at === step && of === height) throw new Error(`crash ${step}`);
          },
        });
        for (let tx = 0; tx < 5; tx++) crashed.mempool.add(utf8ToBytes(`k${tx}=${tx}`));
        await expect(crashed.reach(height + 1)).rejects.toThrow(`crash ${step}`);
        await crashed.kill();
        const before = await chainOf(disk);
        const again = await start({ genesis: genesis1, disk });
        again.mempool.add(utf8ToBytes("later=yes"));
        await again.reach(height + 3);
        expect((await chainOf(disk)).slice(0, before.length)).toEqual(before);
        expect(doubleSigns(disk)).toEqual([]);
        expect(disk.app.values.size).toBe(await transactionsOf(disk));
        expect(again.fatal).toBeNull();
      });
    }
  }
});

/** Crashes at the n-th flush: either just before it (what was appended is lost) or just after it (nothing was sent). */
function crashingWal(at: number, when: "before" | "after"): (wal: WriteAheadLog) => WriteAheadLog {
  let flushes = 0;
  return (wal) => ({
    ...wal,
    async flush() {
      flushes += 1;
      if (flushes === at && when === "before") throw new Error("crash at flush");
      if (flushes > at) throw new Error("dead");
      await wal.flush();
      if (flushes === at) throw new Error("crash at flush");
    },
    async writeEndHeight(height) {
      if (flushes >= at) throw new Error("dead");
      await wal.writeEndHeight(height);
    },
  });
}

describe("a crash inside a round", () => {
  it("at any flush, before or after it, lets one validator go on without signing twice", async () => {
    for (let at = 1; at <= 10; at++) {
      for (const when of ["before", "after"] as const) {
        const disk = createDisk(join(directory, `${at}${when}`), 0);
        const crashed = await start({ genesis: genesis1, disk, wrapWal: crashingWal(at, when) });
        await expect(crashed.reach(50)).rejects.toThrow("crash at flush");
        await crashed.kill();
        const stoppedAt = disk.blocks.height();
        const again = await start({ genesis: genesis1, disk });
        await again.reach(stoppedAt + 2);
        expect(doubleSigns(disk)).toEqual([]);
        await again.kill();
      }
    }
  });

  it("of all four validators at once, at random flushes, loses no height", async () => {
    const genesis = createGenesis({
      validators: 4,
      params: { abci: { voteExtensionsEnableHeight: 2 } },
    });
    const disks = [0, 1, 2, 3].map((index) => createDisk(directory, index));
    for (let round = 0; round < 3; round++) {
      const hub = new MemoryHub({ clock, delayMs: 1 });
      const alive: TestNode[] = [];
      for (const disk of disks) {
        const flush = 9 + 7 * round + 2 * disk.index;
        const when = (disk.index + round) % 2 === 0 ? "before" : "after";
        alive.push(await start({ genesis, disk, hub, wrapWal: crashingWal(flush, when) }));
      }
      // Three go on without the first that dies; without two of them nobody reaches another flush.
      let dead = 0;
      await new Promise<void>((resolve) => {
        for (const node of alive) node.reach(1_000).catch(() => ++dead === 2 && resolve());
      });
      for (const node of alive) await node.kill();
    }
    const heights = disks.map((disk) => disk.blocks.height());
    const hub = new MemoryHub({ clock, delayMs: 1 });
    const last: TestNode[] = [];
    for (const disk of disks) last.push(await start({ genesis, disk, hub }));
    const target = Math.max(...heights) + 5;
    await Promise.all(last.map((node) => node.reach(target)));
    const chains = await Promise.all(disks.map(chainOf));
    for (const [index, chain] of chains.entries()) {
      expect(chain.slice(0, target)).toEqual(chains[0]?.slice(0, target));
      expect(doubleSigns(disks[index] as Disk)).toEqual([]);
      expect(last[index]?.fatal).toBeNull();
    }
  });

  it("replays the log of a round that waits for others, and votes with them as before", async () => {
    const genesis = createGenesis({ validators: 4 });
    const disks = [0, 1, 2, 3].map((index) => createDisk(directory, index));
    let hub = new MemoryHub({ clock });
    // Two of four: proposals and prevotes, but no quorum.
    const half = [
      await start({ genesis, disk: disks[0] as Disk, hub }),
      await start({ genesis, disk: disks[1] as Disk, hub }),
    ];
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((disks[0] as Disk).book.votes.length).toBeGreaterThan(0);
    for (const node of half) await node.kill();
    hub = new MemoryHub({ clock });
    const round = Math.max(...(disks[0] as Disk).book.votes.map((vote) => vote.round));
    const all: TestNode[] = [];
    for (const disk of disks) {
      all.push(await start({ genesis, disk, hub }));
      if (disk.index > 0) continue;
      // Alone it cannot have gone on: the round is the log's.
      expect(all[0]?.driver.roundState().height).toBe(1);
      expect(all[0]?.driver.roundState().round).toBe(round);
    }
    await Promise.all(all.map((node) => node.reach(3)));
    for (const disk of disks) expect(doubleSigns(disk)).toEqual([]);
  });
});

describe("a crash between the signer's record and the message", () => {
  it("repeats the very same message after a restart, whichever it was", async () => {
    for (let at = 1; at <= 7; at++) {
      const disk = createDisk(join(directory, `${at}`), 0);
      const crashed = await start({ genesis: genesis1, disk, crashAtSignature: at });
      await expect(crashed.reach(50)).rejects.toThrow("crash at signature");
      await crashed.kill();
      const stoppedAt = disk.blocks.height();
      const again = await start({ genesis: genesis1, disk });
      await again.reach(stoppedAt + 2);
      expect(doubleSigns(disk)).toEqual([]);
      // Nothing was lost, so the height was decided where it was begun.
      expect((await disk.blocks.loadSeenCommit(stoppedAt + 1))?.round).toBe(0);
      expect(again.warnings).toEqual([]);
      await again.kill();
    }
  });
});

describe("what cannot be mended", () => {
  it("is refused in one sentence: a log that is ahead of the stores", async () => {
    const disk = createDisk(directory, 0);
    const node = await start({ genesis: genesis1, disk });
    await node.reach(5);
    await node.kill();
    const height = disk.blocks.height();
    disk.blocks.rewind(height - 2);
    disk.states.rewind(height - 2);
    disk.app.height = height - 2;
    disk.app.appHash =
      (await disk.blocks.load(height - 2)) === null
        ? disk.app.appHash
        : ((await disk.states.load())?.appHash ?? disk.app.appHash);
    await expect(start({ genesis: genesis1, disk })).rejects.toThrow(
      /write-ahead log says that height \d+ has ended/,
    );
  });

  it("stops the process before anything more is signed when the application throws in a block", async () => {
    const disk = createDisk(directory, 0);
    const node = await start({
      genesis: genesis1,
      disk,
      configureApp: (app) => {
        const finalize = app.finalizeBlock;
        app.finalizeBlock = async (block) => {
          if (block.height === 4) throw new RangeError("state is corrupt");
          return finalize(block);
        };
      },
    });
    await expect(node.reach(4)).rejects.toThrow("state is corrupt");
    const signed = disk.book.votes.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(disk.book.votes.length).toBe(signed);
    expect(node.fatal).toBe("state is corrupt");
    expect(Math.max(...disk.book.votes.map((vote) => vote.height))).toBe(4);
  });
});
