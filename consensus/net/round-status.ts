/** A node's status made from its round state, and the check of a peer's status against ours. */
import { equalBytes } from "@keel/proto/bytes/compare";
import type { Round, VoteKind } from "../core/types.ts";
import type { RoundStateView } from "../host/gossip.ts";
import { statusVoteSetsMax } from "./limits.ts";
import type { RoundStatus, VoteBits } from "./messages.ts";

export interface VoteSetName {
  readonly round: Round;
  readonly kind: VoteKind;
}

/**
 * The vote sets that matter to a node standing in `round`, most urgent first: the decided round's precommits, both kinds of its
 * round, the proof-of-lock round of its proposal, and the round after.
 */
export function relevantSets(view: RoundStateView, round: Round): readonly VoteSetName[] {
  const sets: VoteSetName[] = [];
  const add = (at: Round, kind: VoteKind): void => {
    if (at >= 0 && !sets.some((set) => set.round === at && set.kind === kind))
      sets.push({ round: at, kind });
  };
  add(view.commitRound, "precommit");
  add(round, "precommit");
  add(round, "prevote");
  add(view.proposal(round)?.polRound ?? -1, "prevote");
  add(round + 1, "precommit");
  add(round + 1, "prevote");
  // Behind by more than a round: what the furthest round holds is what lets a straggler skip to it.
  if (view.round > round + 1) {
    add(view.round, "precommit");
    add(view.round, "prevote");
  }
  return sets;
}

export function buildStatus(view: RoundStateView): RoundStatus {
  const { height, round, step, commitRound, lastCommitRound } = view;
  const header = view.partsHeader(commitRound >= 0 ? commitRound : round);
  const votes: VoteBits[] = [];
  for (const set of relevantSets(view, round)) {
    const bits = view.voteBits(set.round, set.kind);
    const hasQuorum = view.quorumBits(set.round, set.kind) !== null;
    if (bits.includes(true) && votes.length < statusVoteSetsMax)
      votes.push({ ...set, hasQuorum, bits });
  }
  return {
    type: "status",
    height,
    round,
    step,
    hasProposal: view.proposal(round) !== null,
    parts: header === null ? null : { header, bits: fitBits(view.partBits(header), header.total) },
    commitRound,
    votes,
    lastCommitRound,
    lastPrecommits: view.lastPrecommitBits(),
  };
}

/**
 * Which of our votes a peer lacks, by validator index. Those of validators it has no vote of; and should it have one of everybody
 * in our quorum and still no quorum, then it holds other votes of some of them: an equivocator showed each side its own. Which
 * ones cannot be told from one bit per validator, so it lacks all the quorum's votes until it claims the quorum too.
 */
export function lackedVotes(
  view: RoundStateView,
  status: RoundStatus,
  { round, kind }: VoteSetName,
): readonly boolean[] {
  const theirs = status.votes.find((set) => set.round === round && set.kind === kind);
  const quorum = theirs?.hasQuorum === true ? null : view.quorumBits(round, kind);
  const holds = (index: number): boolean => theirs?.bits[index] === true;
  if (quorum?.every((isOurs, index) => !isOurs || holds(index)) === true) return quorum;
  return view.voteBits(round, kind).map((isOurs, index) => isOurs && !holds(index));
}

/** Why a status of our own height cannot be true, or null. Of other heights nothing is known to compare with. */
export function statusProblem(status: RoundStatus, view: RoundStateView): string | null {
  if (status.height !== view.height) return null;
  const validators = view.validators.length;
  const wrong = status.votes.find((set) => set.bits.length !== validators);
  if (wrong !== undefined)
    return `status: expected ${validators} vote bits, got ${wrong.bits.length}`;
  const ours = view.partsHeader(status.commitRound >= 0 ? status.commitRound : status.round);
  if (ours !== null && status.parts !== null && equalBytes(ours.hash, status.parts.header.hash)) {
    if (ours.total !== status.parts.header.total) {
      return `status: expected ${ours.total} parts, got ${status.parts.header.total}`;
    }
  }
  if (status.lastCommitRound === view.lastCommitRound) {
    const expected = view.lastPrecommitBits().length;
    if (status.lastPrecommits.length !== expected) {
      return `status: expected ${expected} last precommits, got ${status.lastPrecommits.length}`;
    }
  }
  return null;
}

function fitBits(bits: readonly boolean[], length: number): readonly boolean[] {
  return bits.length === length ? bits : Array.from({ length }, (_, index) => bits[index] === true);
}
