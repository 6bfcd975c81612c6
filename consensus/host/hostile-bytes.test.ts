/** A running node and peers that send what no honest node sends: nothing is thrown, nothing stops, and each is counted against its sender. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { concatBytes } from "@keel/proto/bytes/compare";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EvidenceReactor } from "../net/evidence-reactor.ts";
import { MemoryHub } from "../net/memory-transport.ts";
import { MempoolReactor } from "../net/mempool-reactor.ts";
import {
  encodeBlockSyncMessage,
  encodeConsensusMessage,
  encodeMempoolMessage,
} from "../net/messages.ts";
import { BlockSync } from "../sync/block-sync.ts";
import { zeroBlockId } from "../wire/block-id.ts";
import { evidenceMessage } from "../wire/evidence.ts";
import { splitIntoParts } from "../wire/part-set.ts";
import type { ExtendedCommit, Part, Proposal, Vote } from "../wire/types.ts";
import { createEvidencePool } from "./evidence-pool.ts";
import type { Channel } from "./ports.ts";
import { createRealClock } from "./testing/clocks.ts";
import { fakeBlock, forgeProposal, forgeVote } from "./testing/forged.ts";
import {
  createDisk,
  createGenesis,
  noPacing,
  startNode,
  type TestNode,
  verifyOpenssl,
} from "./testing/node.ts";

const clock = createRealClock();
const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const none = fill(0, 0);
const { parts } = splitIntoParts(fill(70_000, 1));
const [part, lastPart] = parts as [Part, Part];

let directory: string;
let hub: MemoryHub;
let node: TestNode;
const reported = new Map<string, string[]>();
const stops: (() => void)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-hostile-"));
  hub = new MemoryHub({ clock });
  node = await startNode({
    clock,
    hub,
    disk: createDisk(directory, 0),
    // Decides alone; the others' keys belong to the peers.
    genesis: createGenesis({
      validators: 3,
      powers: [100n, 1n, 1n],
      params: { abci: { voteExtensionsEnableHeight: 1 } },
    }),
    pacing: { ...noPacing, minBlockIntervalMs: 300, emptyBlockIntervalMs: 300 },
  });
  const { transport, disk, driver } = node;
  const report = transport.report.bind(transport);
  transport.report = (peer, reason, severity): void => {
    reported.set(peer, [...(reported.get(peer) ?? []), reason]);
    report(peer, reason, severity);
  };
  const evidence = new EvidenceReactor({ transport });
  evidence.start(
    createEvidencePool({ blocks: disk.blocks, states: disk.states, verify: verifyOpenssl }),
    () => driver.state(),
  );
  const mempool = new MempoolReactor({ transport, clock });
  mempool.start({ admit: () => undefined, list: () => [] });
  const sync = new BlockSync({
    transport,
    clock,
    store: disk.blocks,
    executor: {
      validateBlock: async () => null,
      commitBlock: async () => Promise.reject(new Error("not syncing")),
    },
    verify: verifyOpenssl,
    self: null,
  });
  stops.push(
    () => evidence.stop(),
    () => mempool.stop(),
    () => sync.stop(),
  );
  await node.reach(2);
});

afterAll(async () => {
  for (const stop of stops) stop();
  await node.kill();
  await rm(directory, { recursive: true, force: true });
});

const voteOf = (key: number, change: Partial<Vote> = {}): Vote => forgeVote(node, key, change);
const proposalOf = (key: number, change: Partial<Proposal> = {}): Proposal =>
  forgeProposal(node, key, change);

const commitOf = (change: Partial<ExtendedCommit>): ExtendedCommit => ({
  height: node.driver.roundState().height,
  round: 0,
  blockId: fakeBlock,
  extendedSignatures: [],
  ...change,
});

const vote = (value: Vote): Uint8Array => encodeConsensusMessage({ type: "vote", vote: value });
const proposal = (value: Proposal): Uint8Array =>
  encodeConsensusMessage({ type: "proposal", proposal: value });
const partOf = (value: Part): Uint8Array =>
  encodeConsensusMessage({
    type: "part",
    height: node.driver.roundState().height,
    round: 0,
    part: value,
  });
const commit = (value: ExtendedCommit): Uint8Array =>
  encodeConsensusMessage({ type: "commit", commit: value });
/** Tag, then a field of `length` bytes that is not what the tag promises. */
const field = (tag: number, length: number): Uint8Array =>
  concatBytes(Uint8Array.of(tag), varint(length), fill(length, 0xff));

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest >= 128 ? (rest % 128) | 0x80 : rest);
    if (rest < 128) return Uint8Array.from(bytes);
  }
}

const rows: readonly (readonly [what: string, channel: Channel, bytes: () => Uint8Array])[] = [
  ["an unknown tag", "consensus", () => Uint8Array.of(9)],
  ["noise", "consensus", () => fill(500, 0xa5)],
  ["a vote cut short", "consensus", () => vote(voteOf(1)).subarray(0, 60)],
  ["a vote with more behind it", "consensus", () => concatBytes(vote(voteOf(1)), fill(1, 0))],
  ["a vote that is no protobuf", "consensus", () => field(3, 200)],
  ["a vote beyond the largest", "consensus", () => field(3, 1_100_000)],
  ["a length beyond the frame", "consensus", () => concatBytes(Uint8Array.of(3), varint(2 ** 50))],
  ["a vote signed by another", "consensus", () => vote({ ...voteOf(1), signature: fill(64, 1) })],
  ["a vote without signature", "consensus", () => vote({ ...voteOf(1), signature: none })],
  ["a vote changed after signing", "consensus", () => vote({ ...voteOf(1), blockId: zeroBlockId })],
  ["a vote of another's index", "consensus", () => vote(voteOf(1, { validatorIndex: 0 }))],
  ["a vote of no index", "consensus", () => vote(voteOf(1, { validatorIndex: 2 ** 31 - 1 }))],
  ["a vote by a stranger", "consensus", () => vote(voteOf(9))],
  [
    "a vote in half a block's name",
    "consensus",
    () => vote(voteOf(1, { blockId: { ...fakeBlock, hash: none } })),
  ],
  ["an extension on a prevote", "consensus", () => vote({ ...voteOf(1), extension: fill(9, 1) })],
  [
    "a precommit without extension signature",
    "consensus",
    () => vote({ ...voteOf(1, { type: "precommit" }), extensionSignature: none }),
  ],
  [
    "an extension changed after signing",
    "consensus",
    () => vote({ ...voteOf(1, { type: "precommit" }), extension: fill(9, 1) }),
  ],
  [
    "an extension the application refuses",
    "consensus",
    () => vote(voteOf(1, { type: "precommit", extension: utf8ToBytes("nonsense") })),
  ],
  [
    "an extension as large as may be",
    "consensus",
    () => vote(voteOf(2, { type: "precommit", extension: fill(1_048_576, 1) })),
  ],
  ["a proposal by another than the proposer", "consensus", () => proposal(proposalOf(9))],
  [
    "a proposal that proves itself by a later round",
    "consensus",
    () => proposal(proposalOf(0, { polRound: 3 })),
  ],
  [
    "a proposal of more parts than a block may have",
    "consensus",
    () =>
      proposal(
        proposalOf(0, {
          blockId: { ...fakeBlock, partSetHeader: { ...fakeBlock.partSetHeader, total: 1_600 } },
        }),
      ),
  ],
  ["a proposal that is no protobuf", "consensus", () => field(1, 300)],
  [
    "a part that is not the proved one",
    "consensus",
    () => partOf({ ...part, bytes: lastPart.bytes }),
  ],
  ["a part of another index", "consensus", () => partOf({ ...part, index: 1 })],
  [
    "a part without its proof",
    "consensus",
    () => partOf({ ...part, proof: { ...part.proof, aunts: [] } }),
  ],
  ["a part beyond the largest", "consensus", () => partOf({ ...part, bytes: fill(65_537, 1) })],
  ["a commit without signatures", "consensus", () => commit(commitOf({}))],
  [
    "a commit of absent validators",
    "consensus",
    () =>
      commit(
        commitOf({
          extendedSignatures: [0, 1, 2].map(() => ({
            flag: "absent",
            validatorAddress: none,
            timestamp: { seconds: -62_135_596_800n, nanos: 0 },
            signature: none,
            extension: none,
            extensionSignature: none,
          })),
        }),
      ),
  ],
  [
    "a commit with forged signatures",
    "consensus",
    () =>
      commit(
        commitOf({
          extendedSignatures: node.driver.roundState().validators.map(({ address }) => ({
            flag: "commit",
            validatorAddress: address,
            timestamp: clock.now(),
            signature: fill(64, 1),
            extension: none,
            extensionSignature: fill(64, 1),
          })),
        }),
      ),
  ],
  [
    "a status with another set's bits",
    "consensus",
    () =>
      encodeConsensusMessage({
        type: "status",
        height: node.driver.roundState().height,
        round: 0,
        step: "propose",
        hasProposal: false,
        parts: null,
        commitRound: -1,
        votes: [{ round: 0, kind: "prevote", hasQuorum: true, bits: Array(9_000).fill(true) }],
        lastCommitRound: -1,
        lastPrecommits: [],
      }),
  ],
  ["a status that is cut short", "consensus", () => Uint8Array.of(5, 1, 0)],
  ["noise", "evidence", () => fill(400, 0xa5)],
  [
    "evidence of two validators",
    "evidence",
    () =>
      evidenceMessage.encode({
        kind: "duplicateVote",
        voteA: voteOf(1, { height: node.driver.state().lastHeight, blockId: zeroBlockId }),
        voteB: voteOf(2, { height: node.driver.state().lastHeight }),
        totalVotingPower: 102n,
        validatorPower: 1n,
        timestamp: clock.now(),
      }),
  ],
  ["an unknown tag", "blocksync", () => Uint8Array.of(77)],
  [
    "a block nobody asked for",
    "blocksync",
    () =>
      encodeBlockSyncMessage({
        type: "block",
        height: 4,
        block: fill(90, 1),
        commit: commitOf({}),
      }),
  ],
  [
    "a block list with a length that is not there",
    "blocksync",
    () => concatBytes(Uint8Array.of(4), varint(2 ** 40)),
  ],
  ["an unknown tag", "mempool", () => Uint8Array.of(77)],
  [
    "a transaction without bytes",
    "mempool",
    () => encodeMempoolMessage({ type: "txs", txs: [none] }),
  ],
  ["a count that is not there", "mempool", () => concatBytes(Uint8Array.of(1), varint(4_000))],
];

it.each(rows.map((row, index) => [`${row[1]}: ${row[0]}`, index] as const))(
  "%s is counted against its sender",
  async (_name, index) => {
    const [, channel, bytes] = rows[index] as (typeof rows)[number];
    const hostile = hub.create(index.toString(16).padStart(40, "f"));
    await hostile.start();
    // Again and again: what is said of one height means nothing at the next.
    for (let tries = 0; !reported.has(hostile.self); tries++) {
      if (tries === 60) throw new Error("never reported");
      hostile.send(node.transport.self, channel, bytes());
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    await hostile.stop();
    expect(node.fatal).toBeNull();
  },
);

it("and the node goes on", async () => {
  await node.reach(node.driver.state().lastHeight + 3);
  expect(node.fatal).toBeNull();
  expect(reported.size).toBeGreaterThan(0);
});
