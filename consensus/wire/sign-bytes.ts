/** The exact bytes validators sign: canonical messages behind a varint length. */

import { blockIdMessage, canonicalBlockId } from "./block-id.ts";
import { bytes, embedded, fixedCount64, integer, nullable, text, uint32 } from "./fields.ts";
import { type Message, message } from "./message.ts";
import { timestampMessage } from "./timestamp.ts";
import type { BlockID, Commit, Proposal, Timestamp, Vote } from "./types.ts";
import { proposalTypeCode, voteTypeCodes } from "./vote.ts";
import { Writer } from "./writer.ts";

/** What a vote's signature covers. `type` is the SignedMsgType code. */
export interface CanonicalVote {
  readonly type: number;
  readonly height: number;
  readonly round: number;
  readonly blockId: BlockID | null;
  readonly timestamp: Timestamp;
  readonly chainId: string;
}

interface CanonicalProposal extends CanonicalVote {
  readonly polRound: number;
}

interface CanonicalVoteExtension {
  readonly extension: Uint8Array;
  readonly height: number;
  readonly round: number;
  readonly chainId: string;
}

const canonicalVoteMessage = message<CanonicalVote>("CanonicalVote", {
  type: uint32(1),
  height: fixedCount64(2),
  round: fixedCount64(3),
  blockId: nullable(4, blockIdMessage),
  timestamp: embedded(5, timestampMessage),
  chainId: text(6),
});

const canonicalProposalMessage = message<CanonicalProposal>("CanonicalProposal", {
  type: uint32(1),
  height: fixedCount64(2),
  round: fixedCount64(3),
  // A plain varint, unlike height and round: −1 takes ten bytes.
  polRound: integer(4, -1, 2_147_483_647),
  blockId: nullable(5, blockIdMessage),
  timestamp: embedded(6, timestampMessage),
  chainId: text(7),
});

const canonicalExtensionMessage = message<CanonicalVoteExtension>("CanonicalVoteExtension", {
  extension: bytes(1),
  height: fixedCount64(2),
  round: fixedCount64(3),
  chainId: text(4),
});

function delimited<T>(codec: Message<T>, value: T): Uint8Array {
  const writer = new Writer();
  writer.delimited(() => codec.writeTo(writer, value));
  return writer.finish();
}

/** Sign bytes of ready canonical fields. */
export function canonicalVoteSignBytes(vote: CanonicalVote): Uint8Array {
  return delimited(canonicalVoteMessage, vote);
}

/** What the vote's `signature` covers: neither the validator nor the extension is in it. */
export function voteSignBytes(
  chainId: string,
  vote: Pick<Vote, "type" | "height" | "round" | "blockId" | "timestamp">,
): Uint8Array {
  return canonicalVoteSignBytes({
    type: voteTypeCodes[vote.type],
    height: vote.height,
    round: vote.round,
    blockId: canonicalBlockId(vote.blockId),
    timestamp: vote.timestamp,
    chainId,
  });
}

/** What the vote's `extensionSignature` covers, also for an empty extension. */
export function voteExtensionSignBytes(
  chainId: string,
  vote: Pick<Vote, "extension" | "height" | "round">,
): Uint8Array {
  const { extension, height, round } = vote;
  return delimited(canonicalExtensionMessage, { extension, height, round, chainId });
}

export function proposalSignBytes(
  chainId: string,
  proposal: Omit<Proposal, "signature">,
): Uint8Array {
  return delimited(canonicalProposalMessage, {
    type: proposalTypeCode,
    height: proposal.height,
    round: proposal.round,
    polRound: proposal.polRound,
    blockId: canonicalBlockId(proposal.blockId),
    timestamp: proposal.timestamp,
    chainId,
  });
}

/** What signature `index` of a commit covers: its own time, and the commit's block unless it is for nil. */
export function commitSignBytes(chainId: string, commit: Commit, index: number): Uint8Array {
  const signature = commit.signatures[index];
  if (signature === undefined || signature.flag === "absent") {
    throw new RangeError(`commit: expected a signature at ${index}`);
  }
  return canonicalVoteSignBytes({
    type: voteTypeCodes.precommit,
    height: commit.height,
    round: commit.round,
    blockId: signature.flag === "commit" ? canonicalBlockId(commit.blockId) : null,
    timestamp: signature.timestamp,
    chainId,
  });
}
