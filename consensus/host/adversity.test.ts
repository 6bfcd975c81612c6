import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryHub } from "../net/memory-transport.ts";
import { encodeConsensusMessage } from "../net/messages.ts";
import { ed25519Address } from "../wire/keys.ts";
import { splitIntoParts } from "../wire/part-set.ts";
import type { Proposal } from "../wire/types.ts";
import { findValidator } from "../wire/validator-set.ts";
import { ed25519PublicKey } from "./signer.ts";
import { createRealClock } from "./testing/clocks.ts";
import { doubleSigns } from "./testing/double-signs.ts";
import { fakeBlock, forgeVote } from "./testing/forged.ts";
import {
  createDisk,
  createGenesis,
  type NodeOptions,
  noPacing,
  peerIdOf,
  seedOf,
  startNode,
  type TestNode,
} from "./testing/node.ts";

const clock = createRealClock();
const slowPacing = { ...noPacing, minBlockIntervalMs: 60, emptyBlockIntervalMs: 60 };
const extensionsOn = { abci: { voteExtensionsEnableHeight: 1 } };
const none = new Uint8Array(0);

let directory: string;
let nodes: TestNode[];
let hub: MemoryHub;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-adversity-"));
  nodes = [];
  hub = new MemoryHub({ clock });
});
afterEach(async () => {
  for (const node of nodes) await node.kill();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Omit<NodeOptions, "clock" | "hub">): Promise<TestNode> {
  const node = await startNode({ clock, hub, ...options });
  nodes.push(node);
  return node;
}

async function until(
  condition: () => boolean | Promise<boolean>,
  act: () => void = () => undefined,
): Promise<void> {
  while (!(await condition())) {
    act();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("an equivocating validator", () => {
  it("is proved in a block, once per proof, and every application hears of it", async () => {
    const genesis = createGenesis({ validators: 4, params: extensionsOn });
    for (let index = 0; index < 4; index++)
      await start({ genesis, disk: createDisk(directory, index), pacing: slowPacing });
    const [first] = nodes as [TestNode];
    await first.reach(2);
    const forged = new Set<number>();
    await until(
      () => nodes.every((node) => node.app.misbehaved.length > 0),
      () => {
        const { height } = first.driver.roundState();
        if (forged.has(height)) return;
        forged.add(height);
        first.driver.receive(peerIdOf(9), { type: "vote", vote: forgeVote(first, 3, {}) });
      },
    );
    await first.reach(first.driver.state().lastHeight + 3);
    const seen: string[] = [];
    for (let height = 1; height <= first.disk.blocks.height(); height++) {
      for (const one of (await first.disk.blocks.load(height))?.block.evidence ?? []) {
        if (one.kind !== "duplicateVote") throw new Error("unexpected kind");
        seen.push(`${one.voteA.height} ${bytesToHex(one.voteA.validatorAddress)}`);
        expect(one.voteA.height).toBeLessThan(height);
        expect(bytesToHex(one.voteA.validatorAddress)).toBe(
          bytesToHex(ed25519Address(ed25519PublicKey(seedOf(3)))),
        );
      }
    }
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen).size).toBe(seen.length);
    for (const node of nodes) expect(node.fatal).toBeNull();
  });
});

describe("bad messages", () => {
  it("are refused, counted against the peer and never throw, whatever their bytes", async () => {
    const genesis = createGenesis({ validators: 1, params: extensionsOn });
    const node = await start({ genesis, disk: createDisk(directory, 0), pacing: slowPacing });
    await node.reach(1);
    const { parts } = splitIntoParts(new Uint8Array(70_000).fill(1));
    const [part, second] = parts;
    if (part === undefined || second === undefined) throw new Error("two parts");
    const proposal = (height: number): Proposal => ({
      height,
      round: 0,
      polRound: -1,
      blockId: fakeBlock,
      timestamp: clock.now(),
      signature: new Uint8Array(64).fill(3),
    });
    let sent = 0;
    const send = (message: Parameters<typeof node.driver.receive>[1]): void => {
      node.driver.receive(peerIdOf(20 + (sent++ % 7)), message);
    };
    for (let turn = 0; turn < 40; turn++) {
      const { height } = node.driver.roundState();
      for (const at of [height - 1, height, height + 1, height + 9]) {
        const vote = forgeVote(node, 0, { height: Math.max(1, at) });
        send({ type: "vote", vote: { ...vote, signature: new Uint8Array(64) } });
        send({ type: "vote", vote: { ...vote, validatorIndex: 77 } });
        send({ type: "vote", vote: { ...vote, round: 2_147_483_647 } });
        send({ type: "vote", vote: { ...forgeVote(node, 5, { height: Math.max(1, at) }) } });
        send({ type: "vote", vote: { ...vote, type: "precommit" } });
        send({ type: "proposal", proposal: proposal(Math.max(1, at)) });
        send({
          type: "proposal",
          proposal: { ...proposal(Math.max(1, at)), round: 2_000_000_000 },
        });
        const huge = {
          ...fakeBlock,
          partSetHeader: { total: 1_600, hash: fakeBlock.partSetHeader.hash },
        };
        send({ type: "proposal", proposal: { ...proposal(Math.max(1, at)), blockId: huge } });
        send({ type: "part", height: at, round: 0, part });
        send({ type: "part", height: at, round: 0, part: { ...part, bytes: second.bytes } });
        send({
          type: "part",
          height: at,
          round: 0,
          part: { ...part, proof: { ...part.proof, aunts: [] } },
        });
        const commit = {
          height: Math.max(1, at),
          round: 0,
          blockId: fakeBlock,
          extendedSignatures: [],
        };
        send({ type: "commit", commit });
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const { lastHeight } = node.driver.state();
    await node.reach(lastHeight + 3);
    expect(node.fatal).toBeNull();
    expect(
      node.reports.some((report) => report.startsWith("major: vote: expected a valid signature")),
    ).toBe(true);
    expect(node.reports.some((report) => report.includes("proposal: expected a signature"))).toBe(
      true,
    );
    expect(node.reports.some((report) => report.includes("part"))).toBe(true);
    expect(node.reports.some((report) => report.includes("commit"))).toBe(true);
    expect(doubleSigns(node.disk)).toEqual([]);
  });

  it("also as raw bytes on the wire leave the node standing", async () => {
    const genesis = createGenesis({ validators: 1 });
    const node = await start({ genesis, disk: createDisk(directory, 0), pacing: slowPacing });
    const valid = encodeConsensusMessage({ type: "vote", vote: forgeVote(node, 0, { height: 1 }) });
    let random = 1;
    const next = (): number => {
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
      return random;
    };
    for (let index = 0; index < 30; index++) {
      // A new name each time: the one before is cut off for its garbage.
      const hostile = hub.create(`e${index}`.padStart(40, "e"));
      await hostile.start();
      const bytes = valid.slice();
      for (let flip = 0; flip < 1 + (index % 5); flip++)
        bytes[next() % bytes.length] = next() & 0xff;
      hostile.broadcast(
        "consensus",
        index % 3 === 0 ? Uint8Array.from({ length: index }, () => next() & 0xff) : bytes,
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
      await hostile.stop();
    }
    await node.reach(node.driver.state().lastHeight + 3);
    expect(node.fatal).toBeNull();
  });
});

describe("what the application refuses", () => {
  it("is prevoted nil: a proposal, until it accepts one", async () => {
    const genesis = createGenesis({ validators: 1 });
    const node = await start({
      genesis,
      disk: createDisk(directory, 0),
      configureApp: (app) => {
        app.refuseProposals = true;
      },
    });
    await until(() => node.disk.book.votes.some((vote) => vote.type === "precommit"));
    expect(node.disk.book.votes.every((vote) => vote.blockId.hash.length === 0)).toBe(true);
    expect(node.warnings[0]).toContain("the application refused it");
    node.app.refuseProposals = false;
    // Another block: of one and the same the first verdict stands.
    node.mempool.add(utf8ToBytes("a=b"));
    await node.reach(2);
    expect((await node.disk.blocks.loadSeenCommit(1))?.round).toBeGreaterThan(0);
  });

  it("is prevoted nil too when it makes the application throw", async () => {
    const genesis = createGenesis({ validators: 1 });
    let isTripped = true;
    const node = await start({
      genesis,
      disk: createDisk(directory, 0),
      configureApp: (app) => {
        const process = app.processProposal;
        app.processProposal = async (block) => {
          if (isTripped) throw new TypeError("cannot read the block");
          return process(block);
        };
      },
    });
    await until(() => node.disk.book.votes.some((vote) => vote.type === "precommit"));
    expect(node.disk.book.votes.every((vote) => vote.blockId.hash.length === 0)).toBe(true);
    expect(node.warnings[0]).toContain("the application failed on it: cannot read the block");
    isTripped = false;
    node.mempool.add(utf8ToBytes("a=b"));
    await node.reach(2);
    expect(node.fatal).toBeNull();
  });

  it("does not count: a precommit with an extension it does not like", async () => {
    const genesis = createGenesis({ validators: 4, params: extensionsOn });
    const disliked = ed25519Address(ed25519PublicKey(seedOf(2)));
    // The fourth has only a key: it would count its own vote, and show the others a commit with it.
    for (const index of [0, 1, 3]) {
      await start({
        genesis,
        disk: createDisk(directory, index),
        configureApp: (app) => {
          app.refuseExtensionsOf = disliked;
        },
      });
    }
    const [honest] = nodes as [TestNode];
    await until(
      () => honest.driver.state().lastHeight >= 4,
      () => {
        const view = honest.driver.roundState();
        const blockId = view.proposal(view.round)?.blockId;
        if (blockId === undefined) return;
        const extension = utf8ToBytes(`price ${view.height}`);
        const vote = forgeVote(honest, 2, {
          type: "precommit",
          round: view.round,
          blockId,
          extension,
        });
        for (const node of nodes) node.driver.receive(peerIdOf(9), { type: "vote", vote });
      },
    );
    expect(honest.reports).toContain("minor: vote: the application refused its extension");
    const at = findValidator(honest.driver.state().validators, disliked)?.index ?? -1;
    for (let height = 1; height <= 4; height++) {
      expect((await honest.disk.blocks.loadSeenCommit(height))?.extendedSignatures[at]?.flag).toBe(
        "absent",
      );
    }
  });
});

describe("a set that changes and a network that comes and goes", () => {
  it("a validator that was away catches up from its peers and votes again", async () => {
    const genesis = createGenesis({ validators: 4, params: extensionsOn });
    const disks = [0, 1, 2, 3].map((index) => createDisk(directory, index));
    for (const disk of disks) await start({ genesis, disk, pacing: slowPacing });
    await Promise.all(nodes.map((node) => node.reach(3)));
    const away = nodes[3] as TestNode;
    await away.kill();
    const [first] = nodes as [TestNode];
    await first.reach(first.driver.state().lastHeight + 8);
    const back = await start({ genesis, disk: away.disk, pacing: slowPacing });
    await back.reach(first.driver.state().lastHeight);
    const target = first.driver.state().lastHeight + 6;
    await Promise.all([first.reach(target), back.reach(target)]);
    expect(back.disk.book.votes.at(-1)?.height).toBeGreaterThan(target - 3);
    expect(bytesToHex(back.driver.state().appHash).length).toBe(64);
    expect(
      await back.disk.blocks.load(target).then((one) => bytesToHex(one?.blockId.hash ?? none)),
    ).toBe(
      await first.disk.blocks.load(target).then((one) => bytesToHex(one?.blockId.hash ?? none)),
    );
    expect(doubleSigns(back.disk)).toEqual([]);
  });

  it("validator updates act two heights later, and the newcomer proposes", async () => {
    const genesis = createGenesis({ validators: 3 });
    const disks = [0, 1, 2, 3].map((index) => createDisk(directory, index));
    for (const disk of disks) await start({ genesis, disk, pacing: slowPacing });
    const newcomer = ed25519PublicKey(seedOf(3));
    for (const node of nodes) node.mempool.add(utf8ToBytes(`val:${bytesToHex(newcomer)}=10`));
    const [first] = nodes as [TestNode];
    const [, , , added] = nodes as [TestNode, TestNode, TestNode, TestNode];
    await until(() => added.disk.book.proposals.length > 0);
    await first.reach(first.driver.state().lastHeight + 2);
    let included = 0;
    for (let height = 1; included === 0; height++) {
      if (((await first.disk.blocks.load(height))?.block.txs.length ?? 0) > 0) included = height;
    }
    const sizeAt = async (height: number): Promise<number> =>
      (await first.disk.states.loadValidators(height))?.length ?? 0;
    expect([await sizeAt(included + 1), await sizeAt(included + 2)]).toEqual([3, 4]);
    for (const node of nodes) expect(node.fatal).toBeNull();
  });

  it("goes on with a tenth of all frames lost and every validator restarted in turn", async () => {
    let seed = 7;
    const random = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    hub = new MemoryHub({
      clock,
      delayMs: () => 1 + Math.floor(random() * 10),
      dropPpm: 100_000,
      random,
    });
    const genesis = createGenesis({ validators: 4, params: extensionsOn });
    const disks = [0, 1, 2, 3].map((index) => createDisk(directory, index));
    const running = await Promise.all(disks.map((disk) => start({ genesis, disk })));
    for (const [index, disk] of disks.entries()) {
      const before = running[index] as TestNode;
      await before.reach(2 + 2 * index);
      await before.kill();
      running[index] = await start({ genesis, disk });
    }
    await Promise.all(running.map((node) => node.reach(12)));
    for (const node of running) {
      expect(doubleSigns(node.disk)).toEqual([]);
      expect(node.fatal).toBeNull();
      const tip = (await node.disk.blocks.load(12))?.blockId.hash ?? none;
      expect(bytesToHex(tip)).toBe(
        bytesToHex((await disks[0]?.blocks.load(12))?.blockId.hash ?? none),
      );
    }
  });
});
