/** Nodes for tests of the consensus reactor: a driver that believes everything, on the real vote store and the in-memory hub. */
import type { Height, Round, VoteKind } from "../../core/types.ts";
import type { ConsensusPort, GossipMessage, RoundStateView } from "../../host/gossip.ts";
import type { BlockStore, PeerId } from "../../host/ports.ts";
import { createVoteStore, type VoteStore } from "../../host/vote-store.ts";
import { splitIntoParts } from "../../wire/part-set.ts";
import type {
  BlockID,
  ExtendedCommit,
  Part,
  PartSetHeader,
  Proposal,
  ValidatorInfo,
  Vote,
} from "../../wire/types.ts";
import { ConsensusReactor } from "../consensus-reactor.ts";
import { MemoryHub, type MemoryHubOptions, type MemoryTransport } from "../memory-transport.ts";
import type { VirtualTime } from "../test-support.ts";

export const fill: (length: number, value: number) => Uint8Array = (length, value) =>
  new Uint8Array(length).fill(value);
const timestamp = { seconds: 1_700_000_000n, nanos: 0 };
const validators: readonly ValidatorInfo[] = [0, 1, 2, 3].map((i) => ({
  address: fill(20, i),
  pubKey: fill(32, i),
  power: 10n,
  priority: 0n,
}));
export const blockBytes = (height: Height): Uint8Array => fill(200_000, height % 256);
const blockIdOf = (height: Height): { hash: Uint8Array; partSetHeader: PartSetHeader } => ({
  hash: fill(32, height % 256),
  partSetHeader: splitIntoParts(blockBytes(height)).header,
});

export function voteOf(
  height: Height,
  index: number,
  type: VoteKind = "prevote",
  round: Round = 0,
  blockId: BlockID = blockIdOf(height),
): Vote {
  return {
    type,
    height,
    round,
    blockId,
    timestamp,
    validatorAddress: fill(20, index),
    validatorIndex: index,
    signature: fill(64, index + 1),
    extension: new Uint8Array(0),
    extensionSignature: new Uint8Array(0),
  };
}

export const proposalOf = (height: Height): Proposal => ({
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
export class FakeNode implements ConsensusPort {
  readonly reactor: ConsensusReactor;
  readonly transport: MemoryTransport;
  height: Height;
  round: Round = 0;
  votes: VoteStore = createVoteStore(validators);
  votesHeld: number = 0;
  readonly parts: Map<number, Part> = new Map();
  proposal: Proposal | null = null;
  commit: ExtendedCommit | null = null;
  received: GossipMessage[] = [];
  readonly view: RoundStateView;
  readonly blockStore: BlockStore;

  constructor(transport: MemoryTransport, time: VirtualTime, height: Height, base: Height = 1) {
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
      voteBits: (round, kind) => node.votes.bits(round, kind),
      quorumBits: (round, kind) => node.votes.quorumBits(round, kind),
      vote: (round, kind, index) => node.votes.vote(round, kind, index),
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
    if (this.votes.find(vote) !== null) return;
    this.votes.add(vote, this.round);
    this.votesHeld += 1;
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
    this.votes = createVoteStore(validators);
    this.votesHeld = 0;
    this.parts.clear();
    this.proposal = null;
    this.commit = null;
    this.reactor.stepChanged(this.view);
  }
}

/** Neighbours only: n0 – n1 – n2 … */
export const line = (a: PeerId, b: PeerId): boolean =>
  Math.abs(Number(a.slice(1)) - Number(b.slice(1))) === 1;

export async function startNodes(
  time: VirtualTime,
  stops: (() => void)[],
  heights: readonly Height[],
  options: Partial<MemoryHubOptions> = {},
): Promise<{ hub: MemoryHub; nodes: FakeNode[] }> {
  const hub = new MemoryHub({ clock: time.clock, delayMs: 1, ...options });
  const nodes = heights.map((height, i) => new FakeNode(hub.create(`n${i}`), time, height));
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
