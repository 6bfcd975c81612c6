/**
 * The records of CometBFT 0.38's wire. Byte strings are `Uint8Array`, heights safe integers, powers bigint. A zero BlockID means
 * nil in votes; times carry nanoseconds. Field numbers and encodings are in the file named after each record.
 */

import type { Timestamp } from "@keel/proto/bytes/timestamp";

export type { Timestamp };

export interface PartSetHeader {
  readonly total: number;
  /** Merkle root over the raw part bytes. */
  readonly hash: Uint8Array;
}

export interface BlockID {
  /** Header hash; empty together with the part set header in the zero BlockID. */
  readonly hash: Uint8Array;
  readonly partSetHeader: PartSetHeader;
}

export interface HeaderVersion {
  readonly block: bigint;
  readonly app: bigint;
}

export interface Header {
  readonly version: HeaderVersion;
  readonly chainId: string;
  readonly height: number;
  readonly time: Timestamp;
  readonly lastBlockId: BlockID;
  readonly lastCommitHash: Uint8Array;
  readonly dataHash: Uint8Array;
  /** The set that signs this height. */
  readonly validatorsHash: Uint8Array;
  /** The set that signs the next height. */
  readonly nextValidatorsHash: Uint8Array;
  readonly consensusHash: Uint8Array;
  /** State after the previous block. */
  readonly appHash: Uint8Array;
  /** Results of the previous block. */
  readonly lastResultsHash: Uint8Array;
  readonly evidenceHash: Uint8Array;
  /** Who first proposed the block, which after a re-proposal is not the proposer of the deciding round. */
  readonly proposerAddress: Uint8Array;
}

export interface Block {
  readonly header: Header;
  readonly txs: readonly Uint8Array[];
  readonly evidence: readonly Evidence[];
  /** Commit of the previous height; of the initial block an empty one. */
  readonly lastCommit: Commit;
}

export type BlockIDFlag = "absent" | "commit" | "nil";

export interface CommitSig {
  readonly flag: BlockIDFlag;
  /** Empty when absent. */
  readonly validatorAddress: Uint8Array;
  /** Zero time when absent. */
  readonly timestamp: Timestamp;
  /** Empty when absent. */
  readonly signature: Uint8Array;
}

export interface Commit {
  readonly height: number;
  readonly round: number;
  readonly blockId: BlockID;
  /** One per validator, in set order. */
  readonly signatures: readonly CommitSig[];
}

export interface ExtendedCommitSig extends CommitSig {
  readonly extension: Uint8Array;
  readonly extensionSignature: Uint8Array;
}

export interface ExtendedCommit {
  readonly height: number;
  readonly round: number;
  readonly blockId: BlockID;
  readonly extendedSignatures: readonly ExtendedCommitSig[];
}

export type VoteType = "prevote" | "precommit";

export interface Vote {
  readonly type: VoteType;
  readonly height: number;
  readonly round: number;
  /** The zero BlockID votes for nil. */
  readonly blockId: BlockID;
  readonly timestamp: Timestamp;
  readonly validatorAddress: Uint8Array;
  readonly validatorIndex: number;
  readonly signature: Uint8Array;
  /** Only of a precommit for a block. */
  readonly extension: Uint8Array;
  readonly extensionSignature: Uint8Array;
}

export interface Proposal {
  readonly height: number;
  readonly round: number;
  /** −1 when there is none. */
  readonly polRound: number;
  readonly blockId: BlockID;
  readonly timestamp: Timestamp;
  readonly signature: Uint8Array;
}

/** Inclusion proof of one leaf. */
export interface Proof {
  readonly total: number;
  readonly index: number;
  readonly leafHash: Uint8Array;
  /** Sibling hashes from the leaf upward. */
  readonly aunts: readonly Uint8Array[];
}

export interface Part {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly proof: Proof;
}

export interface ValidatorInfo {
  /** SHA256(pubKey)[:20]. */
  readonly address: Uint8Array;
  /** ed25519, 32 bytes. */
  readonly pubKey: Uint8Array;
  readonly power: bigint;
  readonly priority: bigint;
}

/** In consensus order: descending power, then ascending address. */
export interface ValidatorSetInfo {
  readonly validators: readonly ValidatorInfo[];
  /** Proposer of round 0; null only in an empty set. */
  readonly proposer: ValidatorInfo | null;
}

export interface SignedHeader {
  readonly header: Header;
  readonly commit: Commit;
}

export interface LightBlock {
  readonly signedHeader: SignedHeader;
  readonly validatorSet: ValidatorSetInfo;
}

export interface DuplicateVoteEvidence {
  readonly kind: "duplicateVote";
  /** The vote with the smaller BlockID key. */
  readonly voteA: Vote;
  readonly voteB: Vote;
  readonly totalVotingPower: bigint;
  readonly validatorPower: bigint;
  /** Time of the block at the votes' height. */
  readonly timestamp: Timestamp;
}

export interface LightClientAttackEvidence {
  readonly kind: "lightClientAttack";
  readonly conflictingBlock: LightBlock;
  /** Last height on which the attacked client and the chain agreed. */
  readonly commonHeight: number;
  readonly byzantineValidators: readonly ValidatorInfo[];
  readonly totalVotingPower: bigint;
  readonly timestamp: Timestamp;
}

export type Evidence = DuplicateVoteEvidence | LightClientAttackEvidence;

/** Evidence as the application is told of it. */
export interface Misbehavior {
  readonly type: "duplicateVote" | "lightClientAttack";
  readonly validator: { readonly address: Uint8Array; readonly power: bigint };
  readonly height: number;
  readonly time: Timestamp;
  readonly totalVotingPower: bigint;
}

export interface BlockParams {
  /** −1 stands for the protocol's 100 MiB. */
  readonly maxBytes: bigint;
  /** −1 is unlimited. */
  readonly maxGas: bigint;
}

export interface EvidenceParams {
  readonly maxAgeNumBlocks: bigint;
  readonly maxAgeDurationNanos: bigint;
  readonly maxBytes: bigint;
}

export interface ConsensusParams {
  readonly block: BlockParams;
  readonly evidence: EvidenceParams;
  readonly validator: { readonly pubKeyTypes: readonly string[] };
  readonly version: { readonly app: bigint };
  /** 0 turns extensions off. */
  readonly abci: { readonly voteExtensionsEnableHeight: number };
}

/** Parts the application changes; null leaves a part as it is. */
export type ConsensusParamsUpdate = {
  readonly [K in keyof ConsensusParams]: ConsensusParams[K] | null;
};
