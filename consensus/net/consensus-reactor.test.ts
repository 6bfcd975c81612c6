/** The reactor over the in-memory hub, between nodes whose round state is a plain record: what one holds, all must come to hold. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Height, Round, VoteKind } from "../core/types.ts";
import type { ConsensusPort, GossipMessage, RoundStateView } from "../host/gossip.ts";
import type { BlockStore, PeerId } from "../host/ports.ts";
import { splitIntoParts } from "../wire/part-set.ts";
import type {
  ExtendedCommit,
  Part,
  PartSetHeader,
  Proposal,
  ValidatorInfo,
  Vote,
} from "../wire/types.ts";
import { ConsensusReactor } from "./consensus-reactor.ts";
import { MemoryHub, type MemoryHubOptions, type MemoryTransport } from "./memory-transport.ts";
import { encodeConsensusMessage, type RoundStatus } from "./messages.ts";
import { VirtualTime } from "./test-support.ts";

const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const timestamp = { seconds: 1_700_000_000n, nanos: 0 };
const validators: readonly ValidatorInfo[] = [0, 1, 2, 3].map((i) => ({
  address: fill(20, i),
  pubKey: fill(32, i),
  power: 10n,
  priority: 0n,
}));
const blockBytes = (height: Height): Uint8Array => fill(200_000, height % 256);
const blockIdOf = (height: Height): { hash: Uint8Array; partSetHeader: PartSetHeader } => ({
  hash: fill(32, height % 256),
  partSetHeader: splitIntoParts(blockBytes(height)).header,
});

function voteOf(height: Height, index: number, type: VoteKind = "prevote", round: Round = 0): Vote {
  return {
    type,
    height,
    round,
    blockId: blockIdOf(height),
    timestamp,
    validatorAddress: fill(20, index),
    validatorIndex: index,
    signature: fill(64, index + 1),
    extension: new Uint8Array(0),
    extensionSignature: new Uint8Array(0),
  };
}

const proposalOf = (height: Height): Proposal => ({
  height,
  round: 0,
  polRound: -1,
  blockId: blockIdOf(height),
  timestamp,
  signature: fill(64, 1),
});

function commitOf(height: Height): ExtendedCommit {
  const extendedSignatures = validators.map((validator, i) => ({
    flag: "commit" as const,
    validatorAddress: validator.address,
    timestamp,
    signature: fill(64, i + 1),
    extension: new Uint8Array(0),
    extensionSignature: fill(64, 9),
  }));
  return { height, round: 0, blockId: blockIdOf(height), extendedSignatures };
}

/** A driver that believes everything: keeps what it is told of its height and decides on a commit with all parts. */
class FakeNode implements ConsensusPort {
  readonly reactor: ConsensusReactor;
  readonly transport: MemoryTransport;
  height: Height;
  round: Round = 0;
  readonly votes = new Map<string, Vote>();
  readonly parts = new Map<number, Part>();
  proposal: Proposal | null = null;
  commit: ExtendedCommit | null = null;
  received: GossipMessage[] = [];
  readonly view: RoundStateView;
  readonly blockStore: BlockStore;

  constructor(transport: MemoryTransport, height: Height, base: Height = 1) {
    this.transport = transport;
    this.height = height;
    this.reactor = new ConsensusReactor({ transport, clock: time.clock });
    const node = this;
    this.view = {
      get height() {
        return node.height;
      },
      get round() {
        return node.round;
      },
      step: "prevote",
      validators,
      get lastCommitRound() {
        return -1;
      },
      get commitRound() {
        return node.commit === null ? -1 : node.commit.round;
      },
      proposal: (round) => (node.proposal?.round === round ? node.proposal : null),
      partsHeader: () => (node.commit ?? node.proposal)?.blockId.partSetHeader ?? null,
      partBits: (header) => Array.from({ length: header.total }, (_, i) => node.parts.has(i)),
      part: (_, index) => node.parts.get(index) ?? null,
      voteBits: (round, kind) => validators.map((_, i) => node.votes.has(`${round}/${kind}/${i}`)),
      vote: (round, kind, index) => node.votes.get(`${round}/${kind}/${index}`) ?? null,
      lastPrecommitBits: () => [],
      lastPrecommit: () => null,
    };
    this.blockStore = {
      base: () => base,
      height: () => node.height - 1,
      load: (height: Height) =>
        Promise.resolve({ bytes: blockBytes(height), blockId: blockIdOf(height) }),
      loadSeenCommit: (height: Height) => Promise.resolve(commitOf(height)),
    } as unknown as BlockStore;
  }

  roundState(): RoundStateView {
    return this.view;
  }

  receive(peer: PeerId, message: GossipMessage): boolean {
    this.received.push(message);
    if (message.type === "vote" && message.vote.height === this.height)
      this.addVote(message.vote, peer);
    if (message.type === "proposal" && message.proposal.height === this.height)
      this.addProposal(message.proposal, peer);
    if (message.type === "part" && message.height === this.height) this.addPart(message.part, peer);
    if (
      message.type === "commit" &&
      message.commit.height === this.height &&
      this.commit === null
    ) {
      this.commit = message.commit;
      this.finishIfComplete();
    }
    return true;
  }

  addVote(vote: Vote, from: PeerId | null = null): void {
    const key = `${vote.round}/${vote.type}/${vote.validatorIndex}`;
    if (this.votes.has(key)) return;
    this.votes.set(key, vote);
    this.reactor.vote(vote, from);
  }

  addProposal(proposal: Proposal, from: PeerId | null = null): void {
    if (this.proposal !== null) return;
    this.proposal = proposal;
    this.reactor.proposal(proposal, from);
  }

  addPart(part: Part, from: PeerId | null = null): void {
    if (this.parts.has(part.index)) return;
    this.parts.set(part.index, part);
    this.reactor.part(this.height, this.round, part, from);
    this.finishIfComplete();
  }

  finishIfComplete(): void {
    if (this.commit !== null && this.parts.size === this.commit.blockId.partSetHeader.total)
      this.moveTo(this.height + 1);
    else this.reactor.stepChanged(this.view);
  }

  moveTo(height: Height): void {
    this.height = height;
    this.votes.clear();
    this.parts.clear();
    this.proposal = null;
    this.commit = null;
    this.reactor.stepChanged(this.view);
  }
}

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
  heights: readonly Height[],
  options: Partial<MemoryHubOptions> = {},
): Promise<{ hub: MemoryHub; nodes: FakeNode[] }> {
  const hub = new MemoryHub({ clock: time.clock, delayMs: 1, ...options });
  const nodes = heights.map((height, i) => new FakeNode(hub.create(`n${i}`), height));
  for (const node of nodes) {
    await node.transport.start();
    node.reactor.start(node);
    stops.push(() => {
      node.reactor.stop();
      void node.transport.stop();
    });
  }
  return { hub, nodes };
}

const line = (a: PeerId, b: PeerId): boolean =>
  Math.abs(Number(a.slice(1)) - Number(b.slice(1))) === 1;

describe("consensus reactor", () => {
  it("brings an own message to everybody at once, and nobody passes it on in a full mesh", async () => {
    const { nodes } = await start([5, 5, 5, 5]);
    await time.pass(50);
    for (const [i, node] of nodes.entries()) node.addVote(voteOf(5, i));
    await time.until(
      "all votes everywhere",
      () => nodes.every((node) => node.votes.size === 4),
      60,
    );
    await time.pass(300);
    for (const node of nodes)
      expect(node.received.filter((message) => message.type === "vote").length).toBe(3);
  });

  it("relays along a line of nodes", async () => {
    const { nodes } = await start([5, 5, 5, 5], { linked: line });
    const [first, , , last] = nodes as [FakeNode, FakeNode, FakeNode, FakeNode];
    first.addProposal(proposalOf(5));
    for (const part of splitIntoParts(blockBytes(5)).parts) first.addPart(part);
    for (const [i, node] of nodes.entries()) node.addVote(voteOf(5, i));
    const complete = (node: FakeNode): boolean =>
      node.proposal !== null && node.parts.size === 4 && node.votes.size === 4;
    await time.until("everything at both ends", () => nodes.every(complete), 2_000);
    expect(last.received.length).toBeLessThan(30);
  });

  it("repairs the loss of half of all frames", async () => {
    let seed = 7;
    const random = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 2 ** 32;
    };
    const { nodes } = await start([5, 5, 5, 5], { dropPpm: 500_000, random });
    nodes[0]?.addProposal(proposalOf(5));
    for (const part of splitIntoParts(blockBytes(5)).parts) nodes[0]?.addPart(part);
    nodes.forEach((node, i) => {
      node.addVote(voteOf(5, i));
      node.addVote(voteOf(5, i, "precommit"));
    });
    const complete = (node: FakeNode): boolean =>
      node.proposal !== null && node.parts.size === 4 && node.votes.size === 8;
    await time.until("everything everywhere", () => nodes.every(complete), 5_000);
  });

  it("goes on after a partition heals", async () => {
    const { hub, nodes } = await start([5, 5]);
    hub.partition([["n0"], ["n1"]]);
    for (const [i, node] of nodes.entries()) node.addVote(voteOf(5, i));
    await time.pass(100);
    expect(nodes.map((node) => node.votes.size)).toEqual([1, 1]);
    hub.heal();
    await time.until("both votes", () => nodes.every((node) => node.votes.size === 2), 2_000);
  });

  it("feeds a node that is heights behind with commits and blocks until it has caught up", async () => {
    const { nodes } = await start([20, 20, 3]);
    const late = nodes[2] as FakeNode;
    await time.until("caught up", () => late.height === 20, 5_000);
    const commits = late.received.filter((message) => message.type === "commit");
    const parts = late.received.filter((message) => message.type === "part");
    // Two helpers: some doubling is the price of not coordinating, a multiple of it would be a fault.
    expect(commits.length).toBeLessThanOrEqual(2 * 17);
    expect(parts.length).toBeLessThanOrEqual(2 * 17 * 4);
  });

  it("gives a straggler the votes of the round it missed", async () => {
    const { nodes } = await start([5, 5]);
    const [ahead, behind] = nodes as [FakeNode, FakeNode];
    ahead.round = 4;
    for (const i of [0, 1, 2]) ahead.votes.set(`4/prevote/${i}`, voteOf(5, i, "prevote", 4));
    ahead.reactor.stepChanged(ahead.view);
    await time.until("the votes of round 4", () => behind.votes.size === 3, 1_000);
  });

  it("ignores messages of far heights and does nothing before it is started", async () => {
    const { hub, nodes } = await start([5]);
    const node = nodes[0] as FakeNode;
    const stranger = hub.create("x");
    await stranger.start();
    stops.push(() => void stranger.stop());
    for (const height of [3, 7, 1000]) {
      stranger.send(
        "n0",
        "consensus",
        encodeConsensusMessage({ type: "vote", vote: voteOf(height, 0) }),
      );
    }
    stranger.send("n0", "consensus", encodeConsensusMessage({ type: "vote", vote: voteOf(6, 0) }));
    await time.pass(30);
    expect(node.received.length).toBe(1);
    node.reactor.stop();
    stranger.send("n0", "consensus", encodeConsensusMessage({ type: "vote", vote: voteOf(5, 0) }));
    await time.pass(30);
    expect(node.received.length).toBe(1);
  });

  it("disconnects a peer that sends garbage or impossible bit arrays, and survives both", async () => {
    const { hub, nodes } = await start([5]);
    const lie: RoundStatus = {
      type: "status",
      height: 5,
      round: 0,
      step: "prevote",
      hasProposal: false,
      parts: null,
      commitRound: -1,
      votes: [{ round: 0, kind: "prevote", bits: new Array<boolean>(9000).fill(true) }],
      lastCommitRound: -1,
      lastPrecommits: [],
    };
    for (const bytes of [fill(100, 0xff), encodeConsensusMessage(lie)]) {
      const stranger = hub.create(`x${bytes.length}`);
      await stranger.start();
      stops.push(() => void stranger.stop());
      for (let i = 0; i < 10; i++) stranger.send("n0", "consensus", bytes);
      const isLinked = (): boolean =>
        nodes[0]?.transport.peers().some((peer) => peer.id === stranger.self) === true;
      expect(isLinked()).toBe(true);
      await time.until("the ban", () => !isLinked(), 1_000);
    }
    expect(nodes[0]?.received).toEqual([]);
  });

  it("sends a peer that pretends to lag a bounded amount", async () => {
    const { hub } = await start([20]);
    const liar = hub.create("x");
    let bytes = 0;
    liar.onMessage("consensus", (_, message) => {
      bytes += message.length;
    });
    await liar.start();
    stops.push(() => void liar.stop());
    const status: RoundStatus = {
      type: "status",
      height: 3,
      round: 0,
      step: "propose",
      hasProposal: false,
      parts: null,
      commitRound: -1,
      votes: [],
      lastCommitRound: -1,
      lastPrecommits: [],
    };
    for (let i = 0; i < 400; i++) {
      liar.send("n0", "consensus", encodeConsensusMessage({ ...status, round: i }));
      if (i % 40 === 0) await time.pass(10);
    }
    await time.pass(50);
    // The block once, not four hundred times.
    expect(bytes).toBeGreaterThan(200_000);
    expect(bytes).toBeLessThan(400_000);
  });
});
