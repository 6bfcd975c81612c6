/** Who may set the pace of blocks: more than a third of the power, or a proposer in its own turn. Nobody else, in no round. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addMs } from "@keel/proto/bytes/timestamp";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryHub } from "../net/memory-transport.ts";
import { zeroBlockId } from "../wire/block-id.ts";
import { ed25519Address } from "../wire/keys.ts";
import { addressToCore } from "../wire/validator-set.ts";
import type { GossipMessage } from "./gossip.ts";
import { createHeight } from "./height.ts";
import { earlyVotesPerValidatorMax } from "./limits.ts";
import { ed25519PublicKey } from "./signer.ts";
import { createRealClock } from "./testing/clocks.ts";
import { doubleSigns } from "./testing/double-signs.ts";
import { forgeProposal, forgeVote } from "./testing/forged.ts";
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
/** Short against the pace: a height begun before its time would come to a second round before its pace. */
const hastyTimeouts = {
  proposeMs: 60,
  proposeDeltaMs: 20,
  prevoteMs: 20,
  prevoteDeltaMs: 20,
  precommitMs: 20,
  precommitDeltaMs: 20,
};
const paceMs = 600;
const paced = { ...noPacing, minBlockIntervalMs: paceMs, emptyBlockIntervalMs: paceMs };
const onlyForTransactions = { ...paced, createEmptyBlocks: false };

let directory: string;
let nodes: TestNode[];
/** Timers of attackers: a test that fails must not leave its own to the next. */
let attackers: NodeJS.Timeout[];
let hub: MemoryHub;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-pace-"));
  nodes = [];
  attackers = [];
  hub = new MemoryHub({ clock });
});
afterEach(async () => {
  for (const timer of attackers) clearInterval(timer);
  for (const node of nodes) await node.kill();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Omit<NodeOptions, "clock" | "hub">): Promise<TestNode> {
  const node = await startNode({ clock, hub, timeouts: hastyTimeouts, ...options });
  nodes.push(node);
  return node;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(5);
}

/** Every node has applied the height and opened the next. */
const standAfter = (height: number): Promise<void> =>
  until(() => nodes.every((node) => node.driver.state().lastHeight >= height));

function tell(node: TestNode, message: GossipMessage): void {
  node.driver.receive(peerIdOf(9), message);
}

/** Calls `act` once for every node and height, as soon as the node stands at that height. */
function atEveryHeight(act: (node: TestNode, height: number) => void): () => void {
  const done = new Map<TestNode, number>();
  const timer = setInterval(() => {
    for (const node of nodes) {
      const { height } = node.driver.roundState();
      if (done.get(node) === height) continue;
      done.set(node, height);
      act(node, height);
    }
  }, 2);
  attackers.push(timer);
  return () => clearInterval(timer);
}

/** How many paces a node takes for so many blocks, from one block to the last of them. A slow machine takes longer, never less. */
async function pacesFor(node: TestNode, blocks: number): Promise<number> {
  const from = node.committed.length + 1;
  await until(() => node.committed.length >= from);
  const startMs = clock.monotonicMs();
  await until(() => node.committed.length >= from + blocks);
  return (clock.monotonicMs() - startMs) / paceMs;
}

/** The block before the first may have been late, and the first of them then comes the sooner. */
const leastPaces = (blocks: number): number => blocks - 1;

function isProposer(node: TestNode, key: number, round = 0): boolean {
  const address = addressToCore(ed25519Address(ed25519PublicKey(seedOf(key))));
  const at = createHeight(node.driver.state(), null);
  return addressToCore(at.proposerAt(round).address) === address;
}

/** Three honest validators; of the fourth the test has the key. */
async function startThree(
  powers: readonly bigint[],
  pacing: typeof paced = paced,
): Promise<readonly TestNode[]> {
  const genesis = createGenesis({ validators: 4, powers });
  for (const index of [0, 1, 2])
    await start({ genesis, disk: createDisk(directory, index), pacing });
  return nodes;
}

describe("a validator of little power", () => {
  it("does not begin heights by voting before their time", async () => {
    const [first] = (await startThree([10n, 10n, 10n, 1n])) as [TestNode];
    await first.reach(2);
    const stop = atEveryHeight((node, height) => {
      for (const type of ["prevote", "precommit"] as const)
        for (const round of [0, 1, 2]) {
          const vote = forgeVote(node, 3, { type, height, round, blockId: zeroBlockId });
          tell(node, { type: "vote", vote });
        }
    });
    const paces = await pacesFor(first, 6);
    stop();
    expect(paces).toBeGreaterThanOrEqual(leastPaces(6));
    for (const node of nodes) expect(node.fatal).toBeNull();
  });

  it("does not make a chain move that waits for transactions", async () => {
    await startThree([10n, 10n, 10n, 1n], onlyForTransactions);
    await standAfter(1);
    const stop = atEveryHeight((node, height) =>
      tell(node, { type: "vote", vote: forgeVote(node, 3, { height }) }),
    );
    await wait(3 * paceMs);
    expect(nodes.map((node) => node.driver.state().lastHeight)).toEqual([1, 1, 1]);
    expect(nodes.map((node) => node.driver.roundState().step)).toEqual([
      "newHeight",
      "newHeight",
      "newHeight",
    ]);
    for (const node of nodes) node.mempool.add(utf8ToBytes("a=1"));
    await Promise.all(nodes.map((node) => node.reach(2)));
    stop();
  });
});

describe("a proposer that speaks at once", () => {
  /** Its turn of round 0 comes, it proposes a block that nobody gets, and the round is lost. */
  function proposeNothing(node: TestNode): void {
    if (isProposer(node, 3)) tell(node, { type: "proposal", proposal: forgeProposal(node, 3) });
  }

  it("hurries nobody in the rounds after its own", async () => {
    const [first] = (await startThree([10n, 10n, 10n, 14n])) as [TestNode];
    await first.reach(2);
    const stop = atEveryHeight(proposeNothing);
    const paces = await pacesFor(first, 12);
    stop();
    // Nearly a third of the heights is its own.
    expect(paces).toBeGreaterThanOrEqual(leastPaces(12));
    const rounds = await Promise.all(
      first.committed.map(({ block }) => first.disk.blocks.loadSeenCommit(block.header.height)),
    );
    expect(rounds.some((commit) => (commit?.round ?? 0) > 0)).toBe(true);
  });

  it("gets at most the one block out of a chain that waits for transactions", async () => {
    const [first] = (await startThree([10n, 10n, 10n, 10n], onlyForTransactions)) as [TestNode];
    await standAfter(1);
    // On to the first height of its own.
    for (let tx = 0; !nodes.every((node) => isProposer(node, 3)); tx++) {
      const next = first.driver.state().lastHeight + 1;
      for (const node of nodes) node.mempool.add(utf8ToBytes(`key${tx}=1`));
      await standAfter(next);
    }
    const before = first.driver.state().lastHeight;
    const stop = atEveryHeight(proposeNothing);
    await standAfter(before + 1);
    await wait(3 * paceMs);
    stop();
    expect(nodes.map((node) => node.driver.state().lastHeight)).toEqual([
      before + 1,
      before + 1,
      before + 1,
    ]);
  });

  it("does not begin a height as the proposer of a later round", async () => {
    const [first] = (await startThree([10n, 10n, 10n, 10n])) as [TestNode];
    await first.reach(2);
    const stop = atEveryHeight((node) => {
      const round = [1, 2, 3].find((one) => isProposer(node, 3, one));
      if (round !== undefined && !isProposer(node, 3))
        tell(node, { type: "proposal", proposal: forgeProposal(node, 3, { round }) });
    });
    const paces = await pacesFor(first, 12);
    stop();
    expect(paces).toBeGreaterThanOrEqual(leastPaces(12));
  });
});

/** One validator of four, alone before its genesis time: everything it is told is early. */
async function startEarly(
  beginsInMs: number,
  powers: readonly bigint[] = [10n, 10n, 10n, 10n],
): Promise<TestNode> {
  const genesisTime = addMs(clock.now(), beginsInMs);
  const genesis = createGenesis({ validators: 4, powers, genesisTime });
  return start({ genesis, disk: createDisk(directory, 0), pacing: paced });
}

const votersOf = (node: TestNode): number =>
  node.driver
    .roundState()
    .voteBits(0, "prevote")
    .filter((isHeld) => isHeld).length;

describe("a height that waits for its time", () => {
  const hourMs = 3_600_000;

  it("does not begin before the genesis time, whatever is proposed", async () => {
    const node = await startEarly(hourMs);
    const proposer = [0, 1, 2, 3].find((key) => isProposer(node, key)) ?? -1;
    tell(node, { type: "proposal", proposal: forgeProposal(node, proposer) });
    await wait(200);
    expect(node.driver.roundState().step).toBe("newHeight");
    expect(node.disk.book.votes).toEqual([]);
  });

  it("begins when more than a third of the power has, with the votes held until then", async () => {
    const node = await startEarly(hourMs);
    for (const round of [0, 1]) {
      tell(node, { type: "vote", vote: forgeVote(node, 1, { round }) });
      const forNil = { round, type: "precommit", blockId: zeroBlockId } as const;
      tell(node, { type: "vote", vote: forgeVote(node, 1, forNil) });
    }
    await wait(50);
    expect(node.driver.roundState().step).toBe("newHeight");
    expect(votersOf(node)).toBe(0);
    tell(node, { type: "vote", vote: forgeVote(node, 2) });
    await wait(50);
    expect(node.driver.roundState().step).not.toBe("newHeight");
    expect(node.driver.roundState().voteBits(1, "precommit").filter(Boolean).length).toBe(1);
    // Its own prevote comes when the proposer stays silent.
    await wait(3 * hastyTimeouts.proposeMs);
    expect(votersOf(node)).toBe(3);
    expect(node.reports).toEqual([]);
  });

  it("begins at its own time with what was held, a bounded part of what one validator said", async () => {
    const node = await startEarly(600, [10n, 1n, 1n, 10n]);
    const said = 3 * earlyVotesPerValidatorMax;
    for (let round = 0; round < said; round++)
      tell(node, { type: "vote", vote: forgeVote(node, 1, { round: round % 2 }) });
    for (let value = 0; value < said; value++) {
      const hash = new Uint8Array(32).fill(value + 100);
      const blockId = { hash, partSetHeader: { total: 1, hash } };
      tell(node, { type: "vote", vote: forgeVote(node, 2, { blockId, round: value % 4 }) });
    }
    await wait(100);
    expect(node.driver.roundState().step).toBe("newHeight");
    await wait(900);
    expect(node.driver.roundState().step).not.toBe("newHeight");
    const view = node.driver.roundState();
    const heldOf = (key: number): number => {
      const index = forgeVote(node, key).validatorIndex;
      return [0, 1, 2, 3].filter((round) => view.voteBits(round, "prevote")[index]).length;
    };
    expect(heldOf(1)).toBe(2);
    expect(heldOf(2)).toBe(Math.min(4, earlyVotesPerValidatorMax));
    expect(node.reports).toEqual([]);
  });

  it("stands after a crash where the log says: not begun, or begun with the same votes", async () => {
    const node = await startEarly(hourMs);
    tell(node, { type: "vote", vote: forgeVote(node, 1) });
    await wait(50);
    await node.kill();
    const again = await start({
      genesis: createGenesis({ validators: 4, genesisTime: node.driver.state().lastBlockTime }),
      disk: node.disk,
      pacing: paced,
    });
    expect(again.driver.roundState().step).toBe("newHeight");
    for (const key of [1, 2]) tell(again, { type: "vote", vote: forgeVote(again, key) });
    await wait(3 * hastyTimeouts.proposeMs);
    expect(votersOf(again)).toBe(3);
    const { step, round } = again.driver.roundState();
    await again.kill();
    const third = await start({
      genesis: createGenesis({ validators: 4, genesisTime: node.driver.state().lastBlockTime }),
      disk: node.disk,
      pacing: paced,
    });
    await until(() => third.driver.roundState().step !== "newHeight");
    expect(votersOf(third)).toBe(3);
    expect([third.driver.roundState().step, third.driver.roundState().round]).toEqual([
      step,
      round,
    ]);
    expect(doubleSigns(node.disk)).toEqual([]);
  });
});

describe("a validator whose own pace is slow", () => {
  it("joins the heights that the others begin", async () => {
    const genesis = createGenesis({ validators: 4 });
    const fast = { ...noPacing, minBlockIntervalMs: 60, emptyBlockIntervalMs: 60 };
    const slow = { ...noPacing, minBlockIntervalMs: 60_000, emptyBlockIntervalMs: 60_000 };
    for (const index of [0, 1, 2, 3])
      await start({
        genesis,
        disk: createDisk(directory, index),
        pacing: index === 3 ? slow : fast,
      });
    await Promise.all(nodes.map((node) => node.reach(10)));
    const voted = nodes[3]?.disk.book.votes.filter(
      (vote) => vote.type === "precommit" && vote.blockId.hash.length > 0,
    );
    expect(new Set(voted?.map((vote) => vote.height)).size).toBeGreaterThanOrEqual(3);
    for (const node of nodes) expect(doubleSigns(node.disk)).toEqual([]);
  });
});
