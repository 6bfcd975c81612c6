/** Vote and Proposal: wire form and the rules each must satisfy by itself. Both decoders refuse what breaks a rule. */

import { blockIdMessage, isCompleteBlockId, isZeroBlockId } from "./block-id.ts";
import { addressProblem, signatureProblem } from "./checks.ts";
import { bytes, count32, count64, embedded, literal, roundOrNone } from "./fields.ts";
import {
  addressBytes,
  extensionBytesMax,
  proposalBytesMax,
  signatureBytesMax,
  voteBytesMax,
} from "./limits.ts";
import { type Message, mapped, message } from "./message.ts";
import { timestampMessage } from "./timestamp.ts";
import type { Proposal, Vote, VoteType } from "./types.ts";

/** SignedMsgType on the wire and in sign bytes. */
export const voteTypeCodes: Readonly<Record<VoteType, number>> = { prevote: 1, precommit: 2 };
export const proposalTypeCode = 32;

/** `tendermint.types.Vote`. */
export const voteMessage: Message<Vote> = message<Vote>(
  "Vote",
  {
    type: literal(1, voteTypeCodes),
    height: count64(2),
    round: count32(3),
    blockId: embedded(4, blockIdMessage),
    timestamp: embedded(5, timestampMessage),
    validatorAddress: bytes(6, addressBytes),
    validatorIndex: count32(7),
    signature: bytes(8, signatureBytesMax),
    extension: bytes(9, extensionBytesMax),
    extensionSignature: bytes(10, signatureBytesMax),
  },
  { bytesMax: voteBytesMax, check: voteProblem },
);

/** True for the one kind of vote that may (and, when enabled, must) carry a signed extension. */
export function carriesExtension(vote: Vote): boolean {
  return vote.type === "precommit" && !isZeroBlockId(vote.blockId);
}

/** First rule the vote breaks by itself, or null. Whether an extension must be there depends on the height's parameters. */
export function voteProblem(vote: Vote): string | null {
  if (vote.height < 1) return `expected a height of at least 1, got ${vote.height}`;
  if (!isZeroBlockId(vote.blockId) && !isCompleteBlockId(vote.blockId)) {
    return "expected a block id that is zero or complete";
  }
  if (!carriesExtension(vote)) {
    if (vote.extension.length > 0) return "unexpected extension on a prevote or a vote for nil";
    if (vote.extensionSignature.length > 0)
      return "unexpected extension signature on a prevote or a vote for nil";
  } else if (vote.extension.length > 0 && vote.extensionSignature.length === 0) {
    return "expected a signature of the extension";
  }
  return (
    addressProblem("validator address", vote.validatorAddress) ??
    signatureProblem("signature", vote.signature)
  );
}

interface ProposalRecord extends Proposal {
  readonly type: "proposal";
}

const proposalRecord = message<ProposalRecord>(
  "Proposal",
  {
    type: literal(1, { proposal: proposalTypeCode }),
    height: count64(2),
    round: count32(3),
    polRound: roundOrNone(4),
    blockId: embedded(5, blockIdMessage),
    timestamp: embedded(6, timestampMessage),
    signature: bytes(7, signatureBytesMax),
  },
  { bytesMax: proposalBytesMax, check: proposalProblem },
);

/** `tendermint.types.Proposal`. */
export const proposalMessage: Message<Proposal> = mapped(
  proposalRecord,
  (proposal): ProposalRecord => ({ type: "proposal", ...proposal }),
  ({ type: _, ...proposal }): Proposal => proposal,
);

/** First rule the proposal breaks by itself, or null. */
export function proposalProblem(proposal: Proposal): string | null {
  if (proposal.height < 1) return `expected a height of at least 1, got ${proposal.height}`;
  if (proposal.polRound >= proposal.round) {
    return `expected a proof-of-lock round below ${proposal.round}, got ${proposal.polRound}`;
  }
  if (!isCompleteBlockId(proposal.blockId)) return "expected a complete block id";
  return signatureProblem("signature", proposal.signature);
}
