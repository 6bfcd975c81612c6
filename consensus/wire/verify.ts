/**
 * The door into the consensus core: checks signatures and hands over the core's own records, marked `Verified`. Nothing else makes that mark.
 * A refusal is a value, since bad messages from peers are expected.
 */

import { equalBytes } from "@keel/proto/bytes/compare";
import type {
  CommitCertificate,
  Proposal as CoreProposal,
  Vote as CoreVote,
  Verified,
} from "../core/types.ts";
import { blockIdToCore } from "./block-id.ts";
import { extensionsProblem, stripExtensions } from "./commit.ts";
import type { VerifySignature } from "./ed25519.ts";
import { type DuplicateVoteSource, duplicateVoteProblem } from "./evidence.ts";
import { proposalSignBytes, voteExtensionSignBytes, voteSignBytes } from "./sign-bytes.ts";
import type {
  Commit,
  DuplicateVoteEvidence,
  ExtendedCommit,
  Proposal,
  ValidatorInfo,
  Vote,
} from "./types.ts";
import { addressToCore } from "./validator-set.ts";
import { type CommitError, verifyCommitFull, verifyCommitLight } from "./verify-commit.ts";
import { carriesExtension, proposalProblem, voteProblem } from "./vote.ts";

export type VerifyError =
  | CommitError
  | "malformed"
  | "unknown-validator"
  | "missing-extension-signature"
  | "unexpected-extension"
  | "wrong-extension-signature";

export interface Refusal {
  readonly ok: false;
  readonly code: VerifyError;
  readonly message: string;
}

export type Verdict<T> = { readonly ok: true; readonly value: Verified<T> } | Refusal;

function refusal(code: VerifyError, message: string): Refusal {
  return { ok: false, code, message };
}

function verified<T>(value: T): Verdict<T> {
  return { ok: true, value: value as Verified<T> };
}

export interface VoteContext {
  readonly chainId: string;
  /** Set of the vote's height, in order. */
  readonly validators: readonly ValidatorInfo[];
  /** Whether precommits of that height must carry extensions. */
  readonly extensionsEnabled: boolean;
  readonly verifySignature: VerifySignature;
}

/**
 * A vote by the validator at its index, signature valid; with extensions enabled a precommit for a block also needs a valid extension
 * signature, even over an empty extension, and otherwise must not carry one. What the extension says is for the application.
 */
export function verifyVote(vote: Vote, context: VoteContext): Verdict<CoreVote> {
  const problem = voteProblem(vote);
  if (problem !== null) return refusal("malformed", `vote: ${problem}`);
  const validator = context.validators[vote.validatorIndex];
  if (validator === undefined || !equalBytes(validator.address, vote.validatorAddress)) {
    return refusal(
      "unknown-validator",
      `vote: expected the validator at index ${vote.validatorIndex}`,
    );
  }
  if (
    !context.verifySignature(validator.pubKey, voteSignBytes(context.chainId, vote), vote.signature)
  ) {
    return refusal("wrong-signature", "vote: expected a valid signature");
  }
  const refused = extensionRefusal(vote, validator, context);
  if (refused !== null) return refused;
  return verified(voteToCore(vote));
}

function extensionRefusal(
  vote: Vote,
  validator: ValidatorInfo,
  context: VoteContext,
): Refusal | null {
  if (!context.extensionsEnabled) {
    return vote.extension.length === 0 && vote.extensionSignature.length === 0
      ? null
      : refusal("unexpected-extension", "vote: expected no extension at this height");
  }
  // On other votes `voteProblem` has already refused any extension.
  if (!carriesExtension(vote)) return null;
  if (vote.extensionSignature.length === 0) {
    return refusal("missing-extension-signature", "vote: expected an extension signature");
  }
  const signed = voteExtensionSignBytes(context.chainId, vote);
  return context.verifySignature(validator.pubKey, signed, vote.extensionSignature)
    ? null
    : refusal("wrong-extension-signature", "vote: expected a valid extension signature");
}

/** The core's view of a wire vote. */
export function voteToCore(vote: Vote): CoreVote {
  return {
    kind: vote.type,
    height: vote.height,
    round: vote.round,
    blockId: blockIdToCore(vote.blockId),
    validator: addressToCore(vote.validatorAddress),
  };
}

export interface ProposalContext {
  readonly chainId: string;
  /** Proposer of the proposal's height and round. */
  readonly proposer: ValidatorInfo;
  readonly verifySignature: VerifySignature;
}

/** A proposal carries no address: it is the round's proposer's, or nobody's. */
export function verifyProposal(
  proposal: Proposal,
  context: ProposalContext,
): Verdict<CoreProposal> {
  const problem = proposalProblem(proposal);
  if (problem !== null) return refusal("malformed", `proposal: ${problem}`);
  const signed = proposalSignBytes(context.chainId, proposal);
  if (!context.verifySignature(context.proposer.pubKey, signed, proposal.signature)) {
    return refusal("wrong-signature", "proposal: expected a signature of the round's proposer");
  }
  const blockId = blockIdToCore(proposal.blockId);
  if (blockId === null) return refusal("malformed", "proposal: expected a block id");
  return verified({
    height: proposal.height,
    round: proposal.round,
    blockId,
    polRound: proposal.polRound,
    proposer: addressToCore(context.proposer.address),
  });
}

export interface CertificateContext {
  readonly chainId: string;
  /** Set of the commit's height, in order. */
  readonly validators: readonly ValidatorInfo[];
  readonly verifySignature: VerifySignature;
}

/** A commit with more than two thirds for its block: all a node needs to decide the height. */
export function verifyCertificate(
  commit: Commit,
  context: CertificateContext,
): Verdict<CommitCertificate> {
  const refused = verifyCommitLight({ ...context, commit }, commit);
  if (refused !== null) return refusal(refused.code, refused.message);
  const blockId = blockIdToCore(commit.blockId);
  if (blockId === null || commit.height < 1)
    return refusal("malformed", "commit: expected a block id and height");
  return verified({ height: commit.height, round: commit.round, blockId });
}

/** Every signature and, when enabled, every extension signature of an extended commit; more than two thirds for the block. */
export function verifyExtendedCommit(
  extended: ExtendedCommit,
  context: CertificateContext & { readonly extensionsEnabled: boolean },
): Verdict<CommitCertificate> {
  const problem = extensionsProblem(extended, context.extensionsEnabled);
  if (problem !== null) return refusal("malformed", `extended commit: ${problem}`);
  const commit = stripExtensions(extended);
  const refused = verifyCommitFull({ ...context, commit }, commit);
  if (refused !== null) return refusal(refused.code, refused.message);
  for (const [index, signature] of extended.extendedSignatures.entries()) {
    if (signature.extensionSignature.length === 0) continue;
    const validator = context.validators[index] as ValidatorInfo;
    const signed = voteExtensionSignBytes(context.chainId, {
      extension: signature.extension,
      height: extended.height,
      round: extended.round,
    });
    if (!context.verifySignature(validator.pubKey, signed, signature.extensionSignature)) {
      return refusal("wrong-extension-signature", `extended commit: signature ${index}`);
    }
  }
  const blockId = blockIdToCore(commit.blockId);
  if (blockId === null || commit.height < 1)
    return refusal("malformed", "commit: expected a block id and height");
  return verified({ height: commit.height, round: commit.round, blockId });
}

/** Two conflicting votes of one validator, both signed; null when the evidence holds. */
export function verifyDuplicateVote(
  evidence: DuplicateVoteEvidence,
  context: Pick<DuplicateVoteSource, "validators" | "blockTime"> & {
    readonly chainId: string;
    readonly verifySignature: VerifySignature;
  },
): Refusal | null {
  const problem = duplicateVoteProblem(evidence, context);
  if (problem !== null) return refusal("malformed", `evidence: ${problem}`);
  const voter = context.validators.find((one) =>
    equalBytes(one.address, evidence.voteA.validatorAddress),
  );
  for (const vote of [evidence.voteA, evidence.voteB]) {
    const signed = voteSignBytes(context.chainId, vote);
    if (voter === undefined || !context.verifySignature(voter.pubKey, signed, vote.signature)) {
      return refusal("wrong-signature", "evidence: expected valid signatures of both votes");
    }
  }
  return null;
}
