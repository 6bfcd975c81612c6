/**
 * The closed language of the consensus core: everything it can be told (Input) and everything it can ask for (Effect).
 * A block is an opaque BlockId, a validator an opaque Address; signatures, bytes and clocks stay outside.
 */

export type Height = number;
export type Round = number;
/** Upper-case hex of a validator's 20-byte address. */
export type Address = string;
/** Upper-case hex of the block hash followed by the part-set header's protobuf bytes: equal strings, equal BlockIDs. */
export type BlockId = string;

declare const verifiedBrand: unique symbol;
/** A value whose signature has been checked; only `consensus/wire/verify.ts` mints it. */
export type Verified<T> = T & { readonly [verifiedBrand]: true };

export type VoteKind = "prevote" | "precommit";
export type Step = "newHeight" | "propose" | "prevote" | "precommit" | "commit";

export interface Vote {
  readonly kind: VoteKind;
  readonly height: Height;
  readonly round: Round;
  /** null votes for nil. */
  readonly blockId: BlockId | null;
  readonly validator: Address;
}

export interface Proposal {
  readonly height: Height;
  readonly round: Round;
  readonly blockId: BlockId;
  /** Proof-of-lock round, −1 when there is none. */
  readonly polRound: Round;
  readonly proposer: Address;
}

/** More than two thirds of a height's power precommitted `blockId` in `round`. */
export interface CommitCertificate {
  readonly height: Height;
  readonly round: Round;
  readonly blockId: BlockId;
}

export interface Validator {
  readonly address: Address;
  readonly power: bigint;
  readonly priority: bigint;
}

/** Ordered by descending power, then ascending address. `proposer` is the proposer of round 0. */
export interface ValidatorSet {
  readonly validators: readonly Validator[];
  readonly totalPower: bigint;
  readonly proposer: Address;
}

/** Timeouts of a round r: base + delta × r. */
export interface TimeoutConfig {
  readonly proposeMs: number;
  readonly proposeDeltaMs: number;
  readonly prevoteMs: number;
  readonly prevoteDeltaMs: number;
  readonly precommitMs: number;
  readonly precommitDeltaMs: number;
}

export interface TimerId {
  readonly height: Height;
  readonly round: Round;
  readonly step: "propose" | "prevote" | "precommit";
}

export type Input =
  | {
      readonly type: "startHeight";
      readonly height: Height;
      readonly validators: ValidatorSet;
      readonly self: Address | null;
      readonly timeouts: TimeoutConfig;
    }
  | { readonly type: "proposal"; readonly proposal: Verified<Proposal> }
  | { readonly type: "vote"; readonly vote: Verified<Vote> }
  | {
      readonly type: "certificate";
      readonly certificate: Verified<CommitCertificate>;
    }
  /** Answer to buildBlock. */
  | {
      readonly type: "blockBuilt";
      readonly height: Height;
      readonly round: Round;
      readonly blockId: BlockId;
    }
  /** Answer to checkBlock: all parts are here and the application accepted (or refused) the block. May also come unasked. */
  | {
      readonly type: "blockChecked";
      readonly height: Height;
      readonly blockId: BlockId;
      readonly valid: boolean;
    }
  | { readonly type: "timerFired"; readonly timer: TimerId };

export type Effect =
  | {
      readonly type: "buildBlock";
      readonly height: Height;
      readonly round: Round;
    }
  /** Fetch (if need be) and validate the block; answered by blockChecked, or never if its parts do not arrive. */
  | {
      readonly type: "checkBlock";
      readonly height: Height;
      readonly round: Round;
      readonly blockId: BlockId;
    }
  /** Sign and broadcast; the host feeds the signed proposal or vote back as an input. */
  | { readonly type: "signProposal"; readonly proposal: Proposal }
  | { readonly type: "signVote"; readonly vote: Vote }
  | {
      readonly type: "startTimer";
      readonly timer: TimerId;
      readonly delayMs: number;
    }
  /** A new round began: the host may advertise it. */
  | {
      readonly type: "enterRound";
      readonly height: Height;
      readonly round: Round;
      readonly proposer: Address;
    }
  /** More than two thirds of prevotes for blockId in round: the host should get that block's parts. */
  | {
      readonly type: "polka";
      readonly height: Height;
      readonly round: Round;
      readonly blockId: BlockId;
    }
  | { readonly type: "commit"; readonly certificate: CommitCertificate }
  | {
      readonly type: "equivocation";
      readonly first: Vote;
      readonly second: Vote;
    }
  /** Nothing happened. A dropped proposal or vote does not count as received: sent again later it may matter. */
  | { readonly type: "dropped"; readonly reason: string };

export interface MachineView {
  readonly height: Height;
  readonly round: Round;
  readonly step: Step;
  readonly lockedRound: Round;
  readonly lockedBlockId: BlockId | null;
  readonly validRound: Round;
  readonly validBlockId: BlockId | null;
  readonly proposer: Address | null;
}

export interface Machine {
  /** Total: never throws on any decoded input. */
  handle(input: Input): readonly Effect[];
  view(): MachineView;
}
