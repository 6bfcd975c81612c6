/** Evidence: wire form, hashes, and duplicate votes from making to checking. */

import { compareBytes, concatBytes, equalBytes } from "@keel/proto/bytes/compare";
import { sha256 } from "@keel/proto/bytes/sha256";
import { addNanos, compareTimestamps, type Timestamp } from "@keel/proto/bytes/timestamp";
import { encodeVarint } from "@keel/proto/bytes/varint";
import { blockIdKey } from "./block-id.ts";
import { count64, embedded, int64, nullable, repeated } from "./fields.ts";
import { headerHash } from "./header.ts";
import { lightBlockMessage, lightBlockProblem } from "./light-block.ts";
import { commitSignaturesMax, evidenceBytesMax, hashBytes } from "./limits.ts";
import { merkleRoot } from "./merkle.ts";
import { type Message, mapped, message } from "./message.ts";
import { timestampMessage } from "./timestamp.ts";
import type {
  DuplicateVoteEvidence,
  Evidence,
  EvidenceParams,
  LightClientAttackEvidence,
  Misbehavior,
  ValidatorInfo,
  Vote,
} from "./types.ts";
import { findValidator, totalPower, validatorMessage } from "./validator-set.ts";
import { voteMessage } from "./vote.ts";

const duplicateVoteRecord = message<Omit<DuplicateVoteEvidence, "kind">>(
  "DuplicateVoteEvidence",
  {
    voteA: embedded(1, voteMessage),
    voteB: embedded(2, voteMessage),
    totalVotingPower: int64(3),
    validatorPower: int64(4),
    timestamp: embedded(5, timestampMessage),
  },
  {
    check: ({ voteA, voteB }) =>
      compareVotes(voteA, voteB) < 0 ? null : "expected vote A to have the smaller block id key",
  },
);

const lightClientAttackRecord = message<Omit<LightClientAttackEvidence, "kind">>(
  "LightClientAttackEvidence",
  {
    conflictingBlock: embedded(1, lightBlockMessage),
    commonHeight: count64(2),
    byzantineValidators: repeated(3, validatorMessage, commitSignaturesMax),
    totalVotingPower: int64(4),
    timestamp: embedded(5, timestampMessage),
  },
  { check: lightClientAttackProblem },
);

interface EvidenceRecord {
  readonly duplicateVote: Omit<DuplicateVoteEvidence, "kind"> | null;
  readonly lightClientAttack: Omit<LightClientAttackEvidence, "kind"> | null;
}

const evidenceRecord = message<EvidenceRecord>(
  "Evidence",
  {
    duplicateVote: nullable(1, duplicateVoteRecord),
    lightClientAttack: nullable(2, lightClientAttackRecord),
  },
  {
    bytesMax: evidenceBytesMax,
    check: ({ duplicateVote, lightClientAttack }) =>
      (duplicateVote === null) === (lightClientAttack === null)
        ? "expected exactly one kind of evidence"
        : null,
  },
);

/** `tendermint.types.Evidence`, a oneof. */
export const evidenceMessage: Message<Evidence> = mapped(
  evidenceRecord,
  (evidence): EvidenceRecord => ({
    duplicateVote: evidence.kind === "duplicateVote" ? evidence : null,
    lightClientAttack: evidence.kind === "lightClientAttack" ? evidence : null,
  }),
  ({ duplicateVote, lightClientAttack }): Evidence => {
    if (duplicateVote !== null) return { kind: "duplicateVote", ...duplicateVote };
    return {
      kind: "lightClientAttack",
      ...(lightClientAttack as Omit<LightClientAttackEvidence, "kind">),
    };
  },
);

/** The evidence's own bytes, without the oneof around them: what hashes cover. */
export function evidenceBytes(evidence: Evidence): Uint8Array {
  return evidence.kind === "duplicateVote"
    ? duplicateVoteRecord.encode(evidence)
    : lightClientAttackRecord.encode(evidence);
}

/** `evidence_hash` of a header. */
export function evidenceListHash(evidence: readonly Evidence[]): Uint8Array {
  return merkleRoot(evidence.map(evidenceBytes));
}

/**
 * Key of a piece of evidence. For a light client attack CometBFT copies 31 of the 32 header hash bytes, leaves one zero, and appends the
 * common height as zig-zag varint; the slip is part of the format.
 */
export function evidenceKey(evidence: Evidence): Uint8Array {
  if (evidence.kind === "duplicateVote") return sha256(evidenceBytes(evidence));
  const hash = headerHash(evidence.conflictingBlock.signedHeader.header).slice();
  const cut = new Uint8Array(hashBytes);
  cut.set(hash.subarray(0, hashBytes - 1));
  return sha256(concatBytes(cut, encodeVarint(evidence.commonHeight)));
}

export interface DuplicateVoteSource {
  readonly first: Vote;
  readonly second: Vote;
  /** Time of the committed block at the votes' height. */
  readonly blockTime: Timestamp;
  /** Set of the votes' height. */
  readonly validators: readonly ValidatorInfo[];
}

/** Evidence of two conflicting votes in the prescribed order; null when the voter is not in the set. */
export function duplicateVoteEvidence(source: DuplicateVoteSource): DuplicateVoteEvidence | null {
  const { first, second, validators } = source;
  const found = findValidator(validators, first.validatorAddress);
  if (found === null) return null;
  const inOrder = compareVotes(first, second) < 0;
  return {
    kind: "duplicateVote",
    voteA: inOrder ? first : second,
    voteB: inOrder ? second : first,
    totalVotingPower: totalPower(validators),
    validatorPower: found.validator.power,
    timestamp: source.blockTime,
  };
}

function compareVotes(a: Vote, b: Vote): number {
  return compareBytes(blockIdKey(a.blockId), blockIdKey(b.blockId));
}

/** Why the two votes do not prove misbehaviour of one validator, or null. Signatures are for `verifyDuplicateVote`. */
export function duplicateVoteProblem(
  evidence: DuplicateVoteEvidence,
  context: Pick<DuplicateVoteSource, "validators" | "blockTime">,
): string | null {
  const { voteA, voteB } = evidence;
  if (voteA.height !== voteB.height || voteA.round !== voteB.round || voteA.type !== voteB.type) {
    return "expected votes of one height, round and type";
  }
  if (!equalBytes(voteA.validatorAddress, voteB.validatorAddress))
    return "expected votes of one validator";
  if (compareVotes(voteA, voteB) >= 0) return "expected vote A to have the smaller block id key";
  const found = findValidator(context.validators, voteA.validatorAddress);
  if (found === null) return "expected a validator of the set at that height";
  if (evidence.validatorPower !== found.validator.power) {
    return `expected validator power ${found.validator.power}, got ${evidence.validatorPower}`;
  }
  const total = totalPower(context.validators);
  if (evidence.totalVotingPower !== total)
    return `expected total power ${total}, got ${evidence.totalVotingPower}`;
  return compareTimestamps(evidence.timestamp, context.blockTime) === 0
    ? null
    : "expected the time of the block at that height";
}

function lightClientAttackProblem(
  evidence: Omit<LightClientAttackEvidence, "kind">,
): string | null {
  if (evidence.totalVotingPower < 1n)
    return `expected a total power above 0, got ${evidence.totalVotingPower}`;
  const { height } = evidence.conflictingBlock.signedHeader.header;
  if (evidence.commonHeight < 1 || evidence.commonHeight > height) {
    return `expected a common height of 1 to ${height}, got ${evidence.commonHeight}`;
  }
  return lightBlockProblem(evidence.conflictingBlock);
}

export function evidenceHeight(evidence: Evidence): number {
  return evidence.kind === "duplicateVote" ? evidence.voteA.height : evidence.commonHeight;
}

/** Too old to count: past both ages, measured from the latest block and never from a clock. */
export function isEvidenceExpired(
  evidence: Evidence,
  latest: { readonly height: number; readonly time: Timestamp },
  params: EvidenceParams,
): boolean {
  const ageBlocks = BigInt(latest.height - evidenceHeight(evidence));
  const expiry = addNanos(evidence.timestamp, params.maxAgeDurationNanos);
  return ageBlocks > params.maxAgeNumBlocks && compareTimestamps(latest.time, expiry) > 0;
}

/** What the application is told: one record per misbehaving validator. */
export function evidenceToMisbehavior(evidence: Evidence): readonly Misbehavior[] {
  const { totalVotingPower, timestamp: time } = evidence;
  const height = evidenceHeight(evidence);
  if (evidence.kind === "duplicateVote") {
    const validator = { address: evidence.voteA.validatorAddress, power: evidence.validatorPower };
    return [{ type: "duplicateVote", validator, height, time, totalVotingPower }];
  }
  return evidence.byzantineValidators.map(({ address, power }) => ({
    type: "lightClientAttack",
    validator: { address, power },
    height,
    time,
    totalVotingPower,
  }));
}
