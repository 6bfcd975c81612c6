/** Commit and ExtendedCommit: wire form, rules, hash, and how they are made from precommits. */

import { equalBytes } from "@keel/proto/bytes/compare";
import { isZeroTime, zeroTime } from "@keel/proto/bytes/timestamp";
import { blockIdMessage, equalBlockIds, isCompleteBlockId, isZeroBlockId } from "./block-id.ts";
import { addressProblem, signatureProblem } from "./checks.ts";
import { bytes, count32, count64, embedded, literal, repeated } from "./fields.ts";
import {
  addressBytes,
  commitBytesMax,
  commitSignaturesMax,
  extendedCommitBytesMax,
  extensionBytesMax,
  signatureBytesMax,
} from "./limits.ts";
import { merkleRoot } from "./merkle.ts";
import { type Fields, type Message, message } from "./message.ts";
import { timestampMessage } from "./timestamp.ts";
import type {
  BlockID,
  BlockIDFlag,
  Commit,
  CommitSig,
  ExtendedCommit,
  ExtendedCommitSig,
  ValidatorInfo,
  Vote,
} from "./types.ts";

/** BlockIDFlag on the wire; 0 is invalid. */
export const blockIdFlagCodes: Readonly<Record<BlockIDFlag, number>> = {
  absent: 1,
  commit: 2,
  nil: 3,
};

const noBytes: Uint8Array = new Uint8Array(0);

const commitSigFields: Fields<CommitSig> = {
  flag: literal(1, blockIdFlagCodes),
  validatorAddress: bytes(2, addressBytes),
  timestamp: embedded(3, timestampMessage),
  signature: bytes(4, signatureBytesMax),
};

/** `tendermint.types.CommitSig`. */
export const commitSigMessage: Message<CommitSig> = message<CommitSig>(
  "CommitSig",
  commitSigFields,
  {
    check: commitSigProblem,
  },
);

/** `tendermint.types.ExtendedCommitSig`. */
export const extendedCommitSigMessage: Message<ExtendedCommitSig> = message<ExtendedCommitSig>(
  "ExtendedCommitSig",
  {
    ...commitSigFields,
    extension: bytes(5, extensionBytesMax),
    extensionSignature: bytes(6, signatureBytesMax),
  },
  { check: extendedCommitSigProblem },
);

/** `tendermint.types.Commit`. */
export const commitMessage: Message<Commit> = message<Commit>(
  "Commit",
  {
    height: count64(1),
    round: count32(2),
    blockId: embedded(3, blockIdMessage),
    signatures: repeated(4, commitSigMessage, commitSignaturesMax),
  },
  { bytesMax: commitBytesMax, check: (commit) => shapeProblem(commit, commit.signatures.length) },
);

/** `tendermint.types.ExtendedCommit`. */
export const extendedCommitMessage: Message<ExtendedCommit> = message<ExtendedCommit>(
  "ExtendedCommit",
  {
    height: count64(1),
    round: count32(2),
    blockId: embedded(3, blockIdMessage),
    extendedSignatures: repeated(4, extendedCommitSigMessage, commitSignaturesMax),
  },
  {
    bytesMax: extendedCommitBytesMax,
    check: (commit) => shapeProblem(commit, commit.extendedSignatures.length),
  },
);

/** First rule one signature breaks by itself, or null. */
export function commitSigProblem(signature: CommitSig): string | null {
  if (signature.flag === "absent") {
    const empty =
      signature.validatorAddress.length === 0 &&
      signature.signature.length === 0 &&
      isZeroTime(signature.timestamp);
    return empty ? null : "expected an absent signature to have no address, time or signature";
  }
  return (
    addressProblem("validator address", signature.validatorAddress) ??
    signatureProblem("signature", signature.signature)
  );
}

function extendedCommitSigProblem(signature: ExtendedCommitSig): string | null {
  const problem = commitSigProblem(signature);
  if (problem !== null) return problem;
  const { extension, extensionSignature } = signature;
  if (signature.flag !== "commit" && (extension.length > 0 || extensionSignature.length > 0)) {
    return "unexpected extension without a vote for the block";
  }
  return extension.length > 0 && extensionSignature.length === 0
    ? "expected a signature of the extension"
    : null;
}

function shapeProblem(
  commit: { height: number; blockId: BlockID },
  signatures: number,
): string | null {
  // Height 0 is the empty commit of the initial block.
  if (commit.height === 0) return null;
  if (!isCompleteBlockId(commit.blockId)) return "expected a commit for a complete block id";
  return signatures > 0 ? null : "expected signatures";
}

/** The last commit of an initial block: `12 00` inside it is what makes it `1a 02 12 00`. */
export const emptyCommit: Commit = {
  height: 0,
  round: 0,
  blockId: { hash: noBytes, partSetHeader: { total: 0, hash: noBytes } },
  signatures: [],
};

export const absentSignature: ExtendedCommitSig = {
  flag: "absent",
  validatorAddress: noBytes,
  timestamp: zeroTime,
  signature: noBytes,
  extension: noBytes,
  extensionSignature: noBytes,
};

/** Last-commit hash: Merkle root over the encoded signatures. Height, round and block id are not in it. */
export function commitHash(commit: Commit): Uint8Array {
  return merkleRoot(commit.signatures.map((signature) => commitSigMessage.encode(signature)));
}

/** The commit without extensions: what goes into the next block. */
export function stripExtensions(extended: ExtendedCommit): Commit {
  return {
    height: extended.height,
    round: extended.round,
    blockId: extended.blockId,
    signatures: extended.extendedSignatures.map(
      ({ flag, validatorAddress, timestamp, signature }) => ({
        flag,
        validatorAddress,
        timestamp,
        signature,
      }),
    ),
  };
}

/** Why an extended commit does not fit whether extensions are enabled at its height, or null. */
export function extensionsProblem(extended: ExtendedCommit, enabled: boolean): string | null {
  const wrong = extended.extendedSignatures.findIndex(
    (one) => one.extensionSignature.length > 0 !== (enabled && one.flag === "commit"),
  );
  if (wrong < 0) return null;
  return `signature ${wrong}: ${enabled ? "expected" : "unexpected"} extension signature`;
}

export interface CommitSource {
  readonly height: number;
  readonly round: number;
  readonly blockId: BlockID;
  /** Set of the height, in order. */
  readonly validators: readonly ValidatorInfo[];
  /** Verified precommits of that height and round, at most one per validator, in any order. */
  readonly precommits: readonly Vote[];
}

/**
 * Extended commit of `blockId`. Precommits for nil are kept as nil; a precommit for another block counts as absent, since a commit
 * cannot express it. Votes that do not belong are a programming error.
 */
export function extendedCommitFromVotes(source: CommitSource): ExtendedCommit {
  const { height, round, blockId, validators } = source;
  const extendedSignatures = validators.map((): ExtendedCommitSig => absentSignature);
  for (const vote of source.precommits) {
    const validator = validators[vote.validatorIndex];
    if (vote.type !== "precommit" || vote.height !== height || vote.round !== round) {
      throw new RangeError(
        `commit ${height}/${round}: got a ${vote.type} of ${vote.height}/${vote.round}`,
      );
    }
    if (validator === undefined || !equalBytes(validator.address, vote.validatorAddress)) {
      throw new RangeError(
        `commit ${height}/${round}: no such validator at index ${vote.validatorIndex}`,
      );
    }
    const isNil = isZeroBlockId(vote.blockId);
    if (!isNil && !equalBlockIds(vote.blockId, blockId)) continue;
    extendedSignatures[vote.validatorIndex] = {
      flag: isNil ? "nil" : "commit",
      validatorAddress: vote.validatorAddress,
      timestamp: vote.timestamp,
      signature: vote.signature,
      extension: vote.extension,
      extensionSignature: vote.extensionSignature,
    };
  }
  return { height, round, blockId, extendedSignatures };
}

/** The vote behind signature `index`, or null when absent. Extension fields come along from an extended commit. */
export function voteFromCommit(commit: ExtendedCommit, index: number): Vote | null {
  const signature = commit.extendedSignatures[index];
  if (signature === undefined || signature.flag === "absent") return null;
  return {
    type: "precommit",
    height: commit.height,
    round: commit.round,
    blockId: signature.flag === "commit" ? commit.blockId : emptyCommit.blockId,
    timestamp: signature.timestamp,
    validatorAddress: signature.validatorAddress,
    validatorIndex: index,
    signature: signature.signature,
    extension: signature.extension,
    extensionSignature: signature.extensionSignature,
  };
}

/** A plain commit seen as an extended one without extensions. */
export function withoutExtensions(commit: Commit): ExtendedCommit {
  return {
    height: commit.height,
    round: commit.round,
    blockId: commit.blockId,
    extendedSignatures: commit.signatures.map((signature) => ({
      ...signature,
      extension: noBytes,
      extensionSignature: noBytes,
    })),
  };
}
