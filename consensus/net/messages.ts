/**
 * What travels between nodes, per channel: a tag byte, then fields (binary.ts); records of the chain inside are in their one
 * canonical protobuf form. Decoding throws only `DecodeError` and keeps nothing above the limits here.
 */
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { bytesToHexLower, hexToBytes } from "@keel/proto/bytes/hex";
import type { Height, Round, Step, VoteKind } from "../core/types.ts";
import type { GossipMessage } from "../host/gossip.ts";
import type { PeerId } from "../host/ports.ts";
import { extendedCommitMessage } from "../wire/commit.ts";
import {
  blockBytesMax,
  commitSignaturesMax,
  extendedCommitBytesMax,
  hashBytes,
  partMessageBytesMax,
  partsMax,
  proposalBytesMax,
  voteBytesMax,
} from "../wire/limits.ts";
import { partMessage } from "../wire/part-set.ts";
import type { ExtendedCommit, PartSetHeader } from "../wire/types.ts";
import { proposalMessage, voteMessage } from "../wire/vote.ts";
import { BinaryReader, BinaryWriter } from "./binary.ts";
import { announcedPeersMax, statusVoteSetsMax, txBatchCountMax, txBytesMax } from "./limits.ts";

/** Heights are int64 on the chain but safe integers here; rounds int32. */
const roundMax = 2 ** 31 - 1;

export interface VoteBits {
  readonly round: Round;
  readonly kind: VoteKind;
  /** More than two thirds of power are here for one value, nil included. */
  readonly hasQuorum: boolean;
  /** Validators of whom a vote is here, whatever it is for, by index. */
  readonly bits: readonly boolean[];
}

/** Where a node stands and what it holds of its height: what it lacks is what a peer may send it. */
export interface RoundStatus {
  readonly type: "status";
  readonly height: Height;
  readonly round: Round;
  readonly step: Step;
  readonly hasProposal: boolean;
  /** The part set wanted for `commitRound` if decided, else for `round`. */
  readonly parts: { readonly header: PartSetHeader; readonly bits: readonly boolean[] } | null;
  /** The decided round while its block is awaited, else −1. */
  readonly commitRound: Round;
  /** Sets with at least one vote among the rounds that matter now. */
  readonly votes: readonly VoteBits[];
  /** Round the previous height was decided in, −1 when there is none, and the precommits of it that are here. */
  readonly lastCommitRound: Round;
  readonly lastPrecommits: readonly boolean[];
}

export type ConsensusMessage = GossipMessage | RoundStatus;

const steps: readonly Step[] = ["newHeight", "propose", "prevote", "precommit", "commit"];
const kinds: readonly VoteKind[] = ["prevote", "precommit"];
const consensusTags = { proposal: 1, part: 2, vote: 3, commit: 4, status: 5 } as const;

export function encodeConsensusMessage(message: ConsensusMessage): Uint8Array {
  const tag = consensusTags[message.type];
  switch (message.type) {
    case "proposal": {
      const bytes = proposalMessage.encode(message.proposal);
      return new BinaryWriter(bytes.length + 8).byte(tag).bytes(bytes).finish();
    }
    case "part": {
      const bytes = partMessage.encode(message.part);
      return new BinaryWriter(bytes.length + 24)
        .byte(tag)
        .uint(message.height)
        .uint(message.round)
        .bytes(bytes)
        .finish();
    }
    case "vote": {
      const bytes = voteMessage.encode(message.vote);
      return new BinaryWriter(bytes.length + 8).byte(tag).bytes(bytes).finish();
    }
    case "commit": {
      const bytes = extendedCommitMessage.encode(message.commit);
      return new BinaryWriter(bytes.length + 8).byte(tag).bytes(bytes).finish();
    }
    case "status":
      return encodeStatus(message);
  }
}

export function decodeConsensusMessage(bytes: Uint8Array): ConsensusMessage {
  const reader = new BinaryReader(bytes);
  const message = readConsensusMessage(reader);
  reader.end();
  return message;
}

function readConsensusMessage(reader: BinaryReader): ConsensusMessage {
  const tag = reader.byte();
  switch (tag) {
    case consensusTags.proposal:
      return { type: "proposal", proposal: proposalMessage.decode(reader.bytes(proposalBytesMax)) };
    case consensusTags.part: {
      const height = reader.uint();
      const round = reader.uint(roundMax);
      return {
        type: "part",
        height,
        round,
        part: partMessage.decode(reader.bytes(partMessageBytesMax)),
      };
    }
    case consensusTags.vote:
      return { type: "vote", vote: voteMessage.decode(reader.bytes(voteBytesMax)) };
    case consensusTags.commit:
      return {
        type: "commit",
        commit: extendedCommitMessage.decode(reader.bytes(extendedCommitBytesMax)),
      };
    case consensusTags.status:
      return readStatus(reader);
    default:
      throw new DecodeError(
        "malformed",
        `consensus message: expected a tag from 1 to 5, got ${tag}`,
      );
  }
}

function encodeStatus(status: RoundStatus): Uint8Array {
  const writer = new BinaryWriter(256)
    .byte(consensusTags.status)
    .uint(status.height)
    .uint(status.round)
    .byte(steps.indexOf(status.step))
    .byte(status.hasProposal ? 1 : 0)
    .uintOrMinusOne(status.commitRound)
    .uintOrMinusOne(status.lastCommitRound)
    .bits(status.lastPrecommits)
    .byte(status.parts === null ? 0 : 1);
  if (status.parts !== null) writer.bytes(status.parts.header.hash).bits(status.parts.bits);
  writer.uint(status.votes.length);
  for (const { round, kind, hasQuorum, bits } of status.votes)
    writer
      .uint(round)
      .byte(kinds.indexOf(kind))
      .byte(hasQuorum ? 1 : 0)
      .bits(bits);
  return writer.finish();
}

function readStatus(reader: BinaryReader): RoundStatus {
  const height = reader.uint();
  const round = reader.uint(roundMax);
  const step = literal(reader, "step", steps);
  const hasProposal = flag(reader);
  const commitRound = reader.uintOrMinusOne(roundMax);
  const lastCommitRound = reader.uintOrMinusOne(roundMax);
  const lastPrecommits = reader.bits(commitSignaturesMax);
  let parts: RoundStatus["parts"] = null;
  if (flag(reader)) {
    const hash = reader.bytes(hashBytes);
    const bits = reader.bits(partsMax);
    if (hash.length !== hashBytes || bits.length === 0) {
      throw new DecodeError(
        "malformed",
        "status: expected a part set with a hash and at least one part",
      );
    }
    parts = { header: { total: bits.length, hash }, bits };
  }
  const count = reader.uint(statusVoteSetsMax);
  const votes: VoteBits[] = [];
  for (let i = 0; i < count; i++) {
    votes.push({
      round: reader.uint(roundMax),
      kind: literal(reader, "kind", kinds),
      hasQuorum: flag(reader),
      bits: reader.bits(commitSignaturesMax),
    });
  }
  return {
    type: "status",
    height,
    round,
    step,
    hasProposal,
    parts,
    commitRound,
    votes,
    lastCommitRound,
    lastPrecommits,
  };
}

// ---------------------------------------------------------------- block sync

export type BlockSyncMessage =
  | { readonly type: "statusRequest" }
  /** Blocks `base` to `height` can be asked for. */
  | { readonly type: "status"; readonly base: Height; readonly height: Height }
  | { readonly type: "blockRequest"; readonly height: Height }
  /** `commit`: the seen commit of the block, extensions included where the height has them enabled. */
  | {
      readonly type: "block";
      readonly height: Height;
      readonly block: Uint8Array;
      readonly commit: ExtendedCommit;
    }
  | { readonly type: "noBlock"; readonly height: Height };

const blockSyncTags = {
  statusRequest: 1,
  status: 2,
  blockRequest: 3,
  block: 4,
  noBlock: 5,
} as const;

export function encodeBlockSyncMessage(message: BlockSyncMessage): Uint8Array {
  const tag = blockSyncTags[message.type];
  switch (message.type) {
    case "statusRequest":
      return new BinaryWriter().byte(tag).finish();
    case "status":
      return new BinaryWriter().byte(tag).uint(message.base).uint(message.height).finish();
    case "blockRequest":
    case "noBlock":
      return new BinaryWriter().byte(tag).uint(message.height).finish();
    case "block": {
      const commit = extendedCommitMessage.encode(message.commit);
      return new BinaryWriter(message.block.length + commit.length + 32)
        .byte(tag)
        .uint(message.height)
        .bytes(message.block)
        .bytes(commit)
        .finish();
    }
  }
}

export function decodeBlockSyncMessage(bytes: Uint8Array): BlockSyncMessage {
  const reader = new BinaryReader(bytes);
  const message = readBlockSyncMessage(reader);
  reader.end();
  return message;
}

function readBlockSyncMessage(reader: BinaryReader): BlockSyncMessage {
  const tag = reader.byte();
  switch (tag) {
    case blockSyncTags.statusRequest:
      return { type: "statusRequest" };
    case blockSyncTags.status:
      return { type: "status", base: reader.uint(), height: reader.uint() };
    case blockSyncTags.blockRequest:
      return { type: "blockRequest", height: reader.uint() };
    case blockSyncTags.block: {
      const height = reader.uint();
      const block = reader.bytes(blockBytesMax);
      return {
        type: "block",
        height,
        block,
        commit: extendedCommitMessage.decode(reader.bytes(extendedCommitBytesMax)),
      };
    }
    case blockSyncTags.noBlock:
      return { type: "noBlock", height: reader.uint() };
    default:
      throw new DecodeError(
        "malformed",
        `block sync message: expected a tag from 1 to 5, got ${tag}`,
      );
  }
}

// ---------------------------------------------------------------- mempool

export type MempoolMessage =
  /** Many transactions in one frame; never one each. */
  | { readonly type: "txs"; readonly txs: readonly Uint8Array[] }
  /** Whom the sender is linked to: a transaction one of them brought needs not be sent on to the sender. */
  | { readonly type: "peers"; readonly peers: readonly PeerId[] };

const mempoolTags = { txs: 1, peers: 2 } as const;
const peerIdBytes = 20;

export function encodeMempoolMessage(message: MempoolMessage): Uint8Array {
  if (message.type === "peers") {
    const writer = new BinaryWriter().byte(mempoolTags.peers).uint(message.peers.length);
    for (const peer of message.peers) writer.bytes(hexToBytes(peer));
    return writer.finish();
  }
  const { txs } = message;
  const writer = new BinaryWriter(txs.reduce((sum, tx) => sum + tx.length + 5, 8));
  writer.byte(mempoolTags.txs).uint(txs.length);
  for (const tx of txs) writer.bytes(tx);
  return writer.finish();
}

/** The transactions are copies, so that one kept does not keep its batch. */
export function decodeMempoolMessage(bytes: Uint8Array): MempoolMessage {
  const reader = new BinaryReader(bytes);
  const message = readMempoolMessage(reader);
  reader.end();
  return message;
}

function readMempoolMessage(reader: BinaryReader): MempoolMessage {
  const tag = reader.byte();
  if (tag === mempoolTags.peers) {
    const peers: PeerId[] = [];
    for (let left = reader.uint(announcedPeersMax); left > 0; left--) {
      const id = reader.bytes(peerIdBytes);
      if (id.length !== peerIdBytes)
        throw new DecodeError("malformed", `peer id: expected 20 bytes, got ${id.length}`);
      peers.push(bytesToHexLower(id));
    }
    return { type: "peers", peers };
  }
  if (tag !== mempoolTags.txs)
    throw new DecodeError("malformed", `mempool message: expected tag 1 or 2, got ${tag}`);
  const txs: Uint8Array[] = [];
  for (let left = reader.uint(txBatchCountMax); left > 0; left--) {
    const tx = reader.bytes(txBytesMax);
    if (tx.length === 0)
      throw new DecodeError("malformed", "transaction batch: expected transactions with bytes");
    txs.push(tx.slice());
  }
  return { type: "txs", txs };
}

function literal<T extends string>(reader: BinaryReader, what: string, values: readonly T[]): T {
  const code = reader.byte();
  const value = values[code];
  if (value === undefined)
    throw new DecodeError("malformed", `${what}: expected 0 to ${values.length - 1}, got ${code}`);
  return value;
}

function flag(reader: BinaryReader): boolean {
  return literal(reader, "flag", ["no", "yes"]) === "yes";
}
