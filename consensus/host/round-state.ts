/**
 * What the host remembers of the height in progress: proposals, block parts, signed votes, and the precommits of the height
 * before. The core decides on names; this holds the bytes behind the names, and is the view gossip serves from.
 */
import { equalBytes } from "@keel/proto/bytes/compare";
import type { Height, Round, Step } from "../core/types.ts";
import { equalBlockIds, isZeroBlockId } from "../wire/block-id.ts";
import { extendedCommitFromVotes, voteFromCommit } from "../wire/commit.ts";
import type {
  BlockID,
  ExtendedCommit,
  Part,
  PartSetHeader,
  Proposal,
  ValidatorInfo,
  Vote,
} from "../wire/types.ts";
import type { RoundStateView } from "./gossip.ts";
import { createPartSets, type PartSets } from "./part-sets.ts";
import { createVoteStore, type VoteStore } from "./vote-store.ts";

export interface RoundState {
  readonly view: RoundStateView;
  readonly parts: PartSets;
  readonly votes: VoteStore;
  moveTo(round: Round, step: Step): void;
  proposal(round: Round): Proposal | null;
  /** Starts collecting its block too; returns parts that came before it. */
  addProposal(proposal: Proposal): readonly Part[];
  /** The block whose parts `round` needs, whatever was proposed: its polka's, ours or the decided one. Same answer. */
  want(round: Round, blockId: BlockID): readonly Part[];
  /** More than two thirds precommitted `blockId` in `round`: the one block of this height. */
  decide(round: Round, blockId: BlockID): readonly Part[];
  /** Power behind `blockId` in the precommits of any one round is more than two thirds. */
  hasQuorum(blockId: BlockID): boolean;
  /** Commit of the decided block from the precommits seen. */
  extendedCommit(round: Round, blockId: BlockID): ExtendedCommit;
  /** A precommit of the previous height that came after it was decided. False when it does not belong or is known. */
  isLate(vote: Vote): boolean;
  addLate(vote: Vote): void;
  /** Commit of the previous height with late precommits; null at the initial height. */
  lastCommit(): ExtendedCommit | null;
  hasAllLastPrecommits(): boolean;
}

export interface RoundStateOptions {
  readonly height: Height;
  readonly validators: readonly ValidatorInfo[];
  readonly lastValidators: readonly ValidatorInfo[];
  /** Null at the initial height. */
  readonly lastCommit: ExtendedCommit | null;
  /** Most parts a block of this height may have. */
  readonly partsMax: number;
}

export function createRoundState(options: RoundStateOptions): RoundState {
  const { height, validators, lastValidators, lastCommit } = options;
  const parts = createPartSets(options.partsMax);
  const votes = createVoteStore(validators);
  const proposals = new Map<Round, Proposal>();
  const wanted = new Map<Round, BlockID>();
  const lastPrecommits = new Map<number, Vote>();
  let place: { readonly round: Round; readonly step: Step } = { round: 0, step: "newHeight" };
  let decided: { readonly round: Round; readonly blockId: BlockID } | null = null;

  lastCommit?.extendedSignatures.forEach((_, index) => {
    const vote = voteFromCommit(lastCommit, index);
    if (vote !== null) lastPrecommits.set(index, vote);
  });

  function partsHeader(round: Round): PartSetHeader | null {
    const blockId =
      (decided?.round === round ? decided.blockId : wanted.get(round)) ??
      proposals.get(round)?.blockId;
    return blockId?.partSetHeader ?? null;
  }

  const view: RoundStateView = {
    height,
    get round() {
      return place.round;
    },
    get step() {
      return place.step;
    },
    validators,
    lastCommitRound: lastCommit?.round ?? -1,
    get commitRound() {
      return decided?.round ?? -1;
    },
    proposal: (round) => proposals.get(round) ?? null,
    partsHeader,
    partBits: (header) => parts.bits(header),
    part: (header, index) => parts.part(header, index),
    voteBits: votes.bits,
    quorumBits: votes.quorumBits,
    vote: votes.vote,
    lastPrecommitBits: () => lastValidators.map((_, index) => lastPrecommits.has(index)),
    lastPrecommit: (index) => lastPrecommits.get(index) ?? null,
  };

  function isLate(vote: Vote): boolean {
    if (lastCommit === null || vote.type !== "precommit") return false;
    if (vote.height !== lastCommit.height || vote.round !== lastCommit.round) return false;
    if (!isZeroBlockId(vote.blockId) && !equalBlockIds(vote.blockId, lastCommit.blockId))
      return false;
    const validator = lastValidators[vote.validatorIndex];
    if (validator === undefined || !equalBytes(validator.address, vote.validatorAddress))
      return false;
    return !lastPrecommits.has(vote.validatorIndex);
  }

  return {
    view,
    parts,
    votes,
    moveTo(round, step) {
      place = { round, step };
    },
    proposal: (round) => proposals.get(round) ?? null,
    addProposal(proposal) {
      proposals.set(proposal.round, proposal);
      return parts.want(proposal.blockId) ?? [];
    },
    want(round, blockId) {
      wanted.set(round, blockId);
      const waiting = parts.want(blockId) ?? [];
      parts.pin(blockId);
      return waiting;
    },
    decide(round, blockId) {
      decided ??= { round, blockId };
      const waiting = parts.want(blockId) ?? [];
      parts.pin(blockId);
      return waiting;
    },
    hasQuorum: votes.isPrecommitQuorum,
    extendedCommit(round, blockId) {
      return extendedCommitFromVotes({
        height,
        round,
        blockId,
        validators,
        precommits: votes.precommits(round, blockId),
      });
    },
    isLate,
    addLate(vote) {
      if (isLate(vote)) lastPrecommits.set(vote.validatorIndex, vote);
    },
    lastCommit() {
      if (lastCommit === null) return null;
      return extendedCommitFromVotes({
        height: lastCommit.height,
        round: lastCommit.round,
        blockId: lastCommit.blockId,
        validators: lastValidators,
        precommits: [...lastPrecommits.values()],
      });
    },
    hasAllLastPrecommits: () => lastPrecommits.size >= lastValidators.length,
  };
}
