/**
 * The seam between the consensus driver and whatever carries its messages (net/consensus-reactor.ts in production, a direct
 * broadcast in tests). The driver says what it has accepted; the reactor decides who is told. Neither blocks the other.
 */
import type { Height, Round, Step, VoteKind } from "../core/types.ts";
import type {
  ExtendedCommit,
  Part,
  PartSetHeader,
  Proposal,
  ValidatorInfo,
  Vote,
} from "../wire/types.ts";
import type { BlockStore, PeerId } from "./ports.ts";

/** The signed messages as they travel, extensions included. */
export type WireProposal = Proposal;
export type WireVote = Vote;

/** What the driver can be told by a peer. Decoded and size-checked, nothing verified yet. */
export type GossipMessage =
  | { readonly type: "proposal"; readonly proposal: WireProposal }
  /** A part belongs to the block proposed in (height, round), or to whatever block that height is known to have decided. */
  | { readonly type: "part"; readonly height: Height; readonly round: Round; readonly part: Part }
  | { readonly type: "vote"; readonly vote: WireVote }
  /**
   * A whole commit for a lagging peer: one message instead of one vote per validator, and it is believed whatever round the
   * receiver is in. Extensions and their signatures are there when the height has them enabled, else empty.
   */
  | { readonly type: "commit"; readonly commit: ExtendedCommit };

/**
 * Outgoing. Called once for every message the driver has accepted as new: its own (`from` null; already on disk) and its peers'
 * (`from` names the one who brought it). A reactor may flood, or only advertise and serve from the view.
 */
export interface Gossip {
  proposal(proposal: WireProposal, from: PeerId | null): void;
  part(height: Height, round: Round, part: Part, from: PeerId | null): void;
  vote(vote: WireVote, from: PeerId | null): void;
  /** Height, round or step changed; also called when a height's parts become complete. The view stays live. */
  stepChanged(view: RoundStateView): void;
}

/**
 * A live, read-only window on the height in progress. Every accessor answers from memory and never throws; bits are by
 * validator index or part index. Votes of the previous height stay readable for the peers that still need them.
 */
export interface RoundStateView {
  readonly height: Height;
  readonly round: Round;
  readonly step: Step;
  /** The height's validator set, in set order. */
  readonly validators: readonly ValidatorInfo[];
  /** The round the previous height was decided in; −1 at the initial height. */
  readonly lastCommitRound: Round;
  /** The decided round once more than two thirds precommitted, while the block is still awaited; −1 before. */
  readonly commitRound: Round;

  /** The first valid proposal of a round of this height. */
  proposal(round: Round): WireProposal | null;
  /** The part set wanted for `round`: of its proposal, or of its polka or commit when no proposal came. */
  partsHeader(round: Round): PartSetHeader | null;
  partBits(header: PartSetHeader): readonly boolean[];
  part(header: PartSetHeader, index: number): Part | null;

  voteBits(round: Round, kind: VoteKind): readonly boolean[];
  /**
   * Who voted for the one value, nil included, that more than two thirds of power voted for; null before there is one. One bit per
   * validator cannot say that an equivocator's other vote is held; this can.
   */
  quorumBits(round: Round, kind: VoteKind): readonly boolean[] | null;
  /** Of an equivocator's votes the one for the quorum's value, else the first. */
  vote(round: Round, kind: VoteKind, validatorIndex: number): WireVote | null;

  /** Precommits of height − 1 in `lastCommitRound`, late ones included. */
  lastPrecommitBits(): readonly boolean[];
  lastPrecommit(validatorIndex: number): WireVote | null;
}

/** What a reactor holds of the driver. */
export interface ConsensusPort {
  /** Queues one message. False: the queue is full and the message was dropped (not the peer's fault). Never throws. */
  receive(peer: PeerId, message: GossipMessage): boolean;
  roundState(): RoundStateView;
  /** For peers that are heights behind: blocks (their bytes split into parts again) and seen commits. */
  readonly blockStore: BlockStore;
}
