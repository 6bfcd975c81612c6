/**
 * Killed after a message has left and before its record is on disk. What is made anew after the restart may differ: the pool is empty,
 * the application builds another block, extensions say another price. What was signed must not.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryHub } from "../net/memory-transport.ts";
import { decodeConsensusMessage } from "../net/messages.ts";
import { proposalSignBytes, voteSignBytes } from "../wire/sign-bytes.ts";
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
import type { ToyApp } from "./testing/toy-app.ts";

const clock = createRealClock();
const chainId = "keel-test-1";
const params = { abci: { voteExtensionsEnableHeight: 1 } };

let directory: string;
let hub: MemoryHub;
let nodes: TestNode[];
let closers: (() => Promise<void>)[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-restart-"));
  hub = new MemoryHub({ clock });
  nodes = [];
  closers = [];
});
afterEach(async () => {
  for (const node of nodes) await node.kill();
  for (const close of closers) await close();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Omit<NodeOptions, "clock" | "hub">): Promise<TestNode> {
  const node = await startNode({ clock, hub, configureApp: neverTheSame, ...options });
  nodes.push(node);
  return node;
}

let salt = 0;

/** Every block it builds and every extension it makes is another. */
function neverTheSame(app: ToyApp): void {
  app.prepareProposal = async () => [utf8ToBytes(`salt=${salt++}`)];
  app.extendVote = async () => utf8ToBytes(`price ${salt++}`);
  app.verifyVoteExtension = async () => true;
}

/** Loses what was appended since the flush before the n-th, as a kill does; everything up to there has been sent. */
function killedBeforeFlush(at: number): (wal: WriteAheadLog) => WriteAheadLog {
  let flushes = 0;
  const dieAt = (): void => {
    if (++flushes >= at) throw new Error("killed");
  };
  return (wal) => ({
    ...wal,
    async flush() {
      dieAt();
      await wal.flush();
    },
    async writeEndHeight(height) {
      dieAt();
      await wal.writeEndHeight(height);
    },
  });
}

/** All that a listening peer has seen signed at one place, by place: more than one content is an equivocation. */
async function listen(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const seen = new Map<string, Set<string>>();
  const note = (place: string, signed: Uint8Array): void => {
    seen.set(place, (seen.get(place) ?? new Set()).add(bytesToHex(signed)));
  };
  const ear = hub.create("e".repeat(40));
  ear.onMessage("consensus", (peer, bytes) => {
    const message = decodeConsensusMessage(bytes);
    if (message.type === "proposal") {
      const { height, round } = message.proposal;
      note(`proposal ${height}/${round}`, proposalSignBytes(chainId, message.proposal));
    }
    if (message.type === "vote") {
      const { type, height, round, validatorIndex } = message.vote;
      note(`${type} ${height}/${round} of ${validatorIndex}`, voteSignBytes(chainId, message.vote));
    }
    expect(peer).not.toBe(ear.self);
  });
  await ear.start();
  closers.push(() => ear.stop());
  return seen;
}

function contradictions(seen: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  return [...seen].filter(([, contents]) => contents.size > 1).map(([place]) => place);
}

describe("a kill between sending and the log", () => {
  it("never shows peers two proposals or votes of one place, wherever it falls", async () => {
    const genesis = createGenesis({ validators: 1, params });
    let repeated = 0;
    for (let at = 3; at <= 10; at++) {
      hub = new MemoryHub({ clock });
      const seen = await listen();
      const disk = createDisk(join(directory, `${at}`), 0);
      const killed = await start({ genesis, disk, wrapWal: killedBeforeFlush(at) });
      await expect(killed.reach(50)).rejects.toThrow("killed");
      await killed.kill();
      const before = disk.book.proposals.length + disk.book.votes.length;
      const again = await start({ genesis, disk });
      await again.reach(disk.blocks.height() + 3);
      await again.kill();
      expect(contradictions(seen)).toEqual([]);
      expect(doubleSigns(disk)).toEqual([]);
      expect(again.fatal).toBeNull();
      const places = new Set(
        [...disk.book.proposals.map((one) => `proposal ${one.height}/${one.round}`)].concat(
          disk.book.votes.map((one) => `${one.type} ${one.height}/${one.round}`),
        ),
      );
      repeated += disk.book.proposals.length + disk.book.votes.length - places.size;
      expect(before).toBeGreaterThan(0);
    }
    // The test would show nothing if no signature had been asked for again.
    expect(repeated).toBeGreaterThan(0);
  });

  it("of one of four leaves the others deciding and nobody blamed, whatever its new extension says", async () => {
    const genesis = createGenesis({ validators: 4, params });
    const seen = await listen();
    const disks = [0, 1, 2, 3].map((index) => createDisk(directory, index));
    const [mine, ...others] = disks as [Disk, Disk, Disk, Disk];
    const steady = await Promise.all(others.map((disk) => start({ genesis, disk })));
    for (const at of [3, 6, 8]) {
      const killed = await start({ genesis, disk: mine, wrapWal: killedBeforeFlush(at) });
      await expect(killed.reach(1_000)).rejects.toThrow("killed");
      await killed.kill();
    }
    const back = await start({ genesis, disk: mine });
    const target = Math.max(...steady.map((node) => node.driver.state().lastHeight)) + 6;
    await Promise.all([back, ...steady].map((node) => node.reach(target)));
    expect(contradictions(seen)).toEqual([]);
    for (const node of [back, ...steady]) {
      expect(doubleSigns(node.disk)).toEqual([]);
      expect(node.reports).toEqual([]);
      expect(node.fatal).toBeNull();
    }
    expect(back.disk.book.votes.at(-1)?.height).toBeGreaterThan(target - 3);
  });

  it("that loses the whole log costs the messages signed already, and nothing after them", async () => {
    const genesis = createGenesis({ validators: 4, params });
    const seen = await listen();
    const disks = [0, 1, 2, 3].map((index) => createDisk(directory, index));
    const [mine, ...others] = disks as [Disk, Disk, Disk, Disk];
    const steady = await Promise.all(others.map((disk) => start({ genesis, disk })));
    for (let tries = 0; ; tries++) {
      // Dies with a signed proposal (or vote) in the signer's record and none in any log.
      const killed = await start({ genesis, disk: mine, crashAtSignature: 1 + tries });
      await expect(killed.reach(1_000)).rejects.toThrow("crash at signature");
      await killed.kill();
      await rm(dirname(mine.walPath), { recursive: true, force: true });
      if (mine.book.proposals.length > 0 || tries === 12) break;
    }
    const back = await start({ genesis, disk: mine });
    const target = Math.max(...steady.map((node) => node.driver.state().lastHeight)) + 6;
    await Promise.all([back, ...steady].map((node) => node.reach(target)));
    expect(mine.book.proposals.length).toBeGreaterThan(0);
    expect(contradictions(seen)).toEqual([]);
    expect(doubleSigns(mine)).toEqual([]);
    expect(back.fatal).toBeNull();
    expect(back.disk.book.votes.at(-1)?.height).toBeGreaterThan(target - 3);
  });
});
