/**
 * The tally of one height: who voted for what, each threshold announced once.
 *
 * Which votes of an equivocator count. The paper counts, for each value, the distinct signers of that value; a validator that
 * signed two values counts for both, and once in the "any" thresholds. That is safe: two quorums of one round and kind still
 * share more than a third of the power, hence an honest validator, which signs once. Counting only its first vote is safe too but
 * NOT live: an honest A may lock v by a polka that needs equivocator E, while E showed its other vote to B and C first. They never
 * see A's polka, refuse A's re-proposal for want of it, A refuses theirs, and E falls silent: one fault in four halts the chain.
 * So a conflicting vote counts for its block, within bounds an attacker cannot exhaust: a few per validator, round and kind at
 * once, and beyond them any for a value that first votes worth more than a third of the power back. A quorum always
 * has that backing (more than a third of its power is honest, and honest votes are first votes everywhere), and at most two
 * values can have it. A conflicting vote that came before its backing is reported as dropped and counts when it comes
 * again: the host must not treat a dropped vote as delivered. CometBFT reaches the same end with its maj23 claims.
 */

import { CONFLICTING_VOTES_UNBACKED_MAX, ROUNDS_AHEAD_PER_VALIDATOR_MAX } from "./limits.ts";
import type { Address, BlockId, Round, ValidatorSet, Vote, VoteKind } from "./types.ts";

export type Threshold =
  /** More than two thirds of prevotes: for a block, for nil, for anything. */
  | { readonly type: "polkaValue"; readonly round: Round; readonly blockId: BlockId }
  | { readonly type: "polkaNil"; readonly round: Round }
  | { readonly type: "prevotesAny"; readonly round: Round }
  /** More than two thirds of precommits: for a block, for anything. */
  | { readonly type: "precommitsValue"; readonly round: Round; readonly blockId: BlockId }
  | { readonly type: "precommitsAny"; readonly round: Round }
  /** More than one third voted in the round, by either kind. */
  | { readonly type: "skip"; readonly round: Round };

export interface Counted {
  readonly reached: readonly Threshold[];
  readonly equivocation: { readonly first: Vote; readonly second: Vote } | null;
  /** Why the vote was not counted; null when it was. */
  readonly dropped: string | null;
}

export interface Tally {
  /** `currentRound` bounds how far ahead votes are kept. */
  add(vote: Vote, currentRound: Round): Counted;
  hasVoted(validator: Address, round: Round, kind: VoteKind): boolean;
  isPolka(round: Round, blockId: BlockId | null): boolean;
  /** The block of the round's polka, the first one should faults exceed a third. */
  polkaBlock(round: Round): BlockId | null;
  isAny(round: Round, kind: VoteKind): boolean;
}

/** One validator's votes of one round and kind. */
interface Ballot {
  readonly first: Vote;
  readonly conflicting: (BlockId | null)[];
  reported: boolean;
}

interface Box {
  readonly ballots: Map<Address, Ballot>;
  readonly power: Map<BlockId | null, bigint>;
  readonly firstPower: Map<BlockId | null, bigint>;
  readonly quorums: Set<BlockId | null>;
  votedPower: bigint;
  any: boolean;
}

interface RoundVotes {
  readonly prevote: Box;
  readonly precommit: Box;
  voterPower: bigint;
  skip: boolean;
}

export function isQuorum(power: bigint, totalPower: bigint): boolean {
  return power * 3n > totalPower * 2n;
}

export function isOneHonest(power: bigint, totalPower: bigint): boolean {
  return power * 3n > totalPower;
}

export function createTally(set: ValidatorSet): Tally {
  const powers = new Map(set.validators.map((validator) => [validator.address, validator.power]));
  const rounds = new Map<Round, RoundVotes>();
  /** Ascending, per validator; only rounds beyond the next one matter. */
  const ahead = new Map<Address, Round[]>();

  /** Makes room for a vote far ahead by forgetting the validator's lowest such round; false when the vote itself is the lowest. */
  function admitAhead(validator: Address, round: Round, currentRound: Round): boolean {
    const kept = (ahead.get(validator) ?? []).filter((other) => other > currentRound + 1);
    ahead.set(validator, kept);
    if (round <= currentRound + 1 || kept.includes(round)) return true;
    if (kept.length >= ROUNDS_AHEAD_PER_VALIDATOR_MAX) {
      const lowest = kept[0] ?? round;
      if (round < lowest) return false;
      kept.shift();
      forget(validator, lowest);
    }
    kept.push(round);
    kept.sort((a, b) => a - b);
    return true;
  }

  function forget(validator: Address, round: Round): void {
    const votes = rounds.get(round);
    const power = powers.get(validator);
    if (votes === undefined || power === undefined) return;
    for (const box of [votes.prevote, votes.precommit]) {
      const ballot = box.ballots.get(validator);
      if (ballot === undefined) continue;
      box.ballots.delete(validator);
      box.votedPower -= power;
      raise(box.firstPower, ballot.first.blockId, -power);
      for (const blockId of [ballot.first.blockId, ...ballot.conflicting])
        raise(box.power, blockId, -power);
    }
    votes.voterPower -= power;
    if (votes.voterPower === 0n) rounds.delete(round);
  }

  function countFirst(vote: Vote, power: bigint): readonly Threshold[] {
    const { kind, round, validator, blockId } = vote;
    const votes = rounds.get(round) ?? {
      prevote: createBox(),
      precommit: createBox(),
      voterPower: 0n,
      skip: false,
    };
    rounds.set(round, votes);
    const other = kind === "prevote" ? votes.precommit : votes.prevote;
    if (!other.ballots.has(validator)) votes.voterPower += power;
    const box = votes[kind];
    box.ballots.set(validator, { first: vote, conflicting: [], reported: false });
    box.votedPower += power;
    raise(box.firstPower, blockId, power);
    const reached = countFor(vote, box, power);
    if (!box.any && isQuorum(box.votedPower, set.totalPower)) {
      box.any = true;
      reached.push({ type: kind === "prevote" ? "prevotesAny" : "precommitsAny", round });
    }
    if (!votes.skip && isOneHonest(votes.voterPower, set.totalPower)) {
      votes.skip = true;
      reached.push({ type: "skip", round });
    }
    return reached;
  }

  function countFor(vote: Vote, box: Box, power: bigint): Threshold[] {
    const { kind, round, blockId } = vote;
    const total = raise(box.power, blockId, power);
    if (box.quorums.has(blockId) || !isQuorum(total, set.totalPower)) return [];
    box.quorums.add(blockId);
    if (blockId === null) return kind === "prevote" ? [{ type: "polkaNil", round }] : [];
    return [{ type: kind === "prevote" ? "polkaValue" : "precommitsValue", round, blockId }];
  }

  function countConflicting(vote: Vote, box: Box, ballot: Ballot): Counted {
    const power = powers.get(vote.validator) ?? 0n;
    const equivocation = ballot.reported ? null : { first: ballot.first, second: vote };
    ballot.reported = true;
    const backed = isOneHonest(box.firstPower.get(vote.blockId) ?? 0n, set.totalPower);
    if (!backed && ballot.conflicting.length >= CONFLICTING_VOTES_UNBACKED_MAX) {
      return { reached: [], equivocation, dropped: "too many conflicting votes by one validator" };
    }
    ballot.conflicting.push(vote.blockId);
    return { reached: countFor(vote, box, power), equivocation, dropped: null };
  }

  return {
    add(vote, currentRound) {
      const power = powers.get(vote.validator);
      if (power === undefined) return notCounted("vote by a stranger to the validator set");
      const box = rounds.get(vote.round)?.[vote.kind];
      const ballot = box?.ballots.get(vote.validator);
      if (box !== undefined && ballot !== undefined) {
        const known =
          ballot.first.blockId === vote.blockId || ballot.conflicting.includes(vote.blockId);
        return known ? notCounted("duplicate vote") : countConflicting(vote, box, ballot);
      }
      if (!admitAhead(vote.validator, vote.round, currentRound))
        return notCounted("vote too many rounds ahead");
      return { reached: countFirst(vote, power), equivocation: null, dropped: null };
    },
    hasVoted: (validator, round, kind) => rounds.get(round)?.[kind].ballots.has(validator) ?? false,
    isPolka: (round, blockId) => rounds.get(round)?.prevote.quorums.has(blockId) ?? false,
    polkaBlock(round) {
      for (const blockId of rounds.get(round)?.prevote.quorums ?? [])
        if (blockId !== null) return blockId;
      return null;
    },
    isAny: (round, kind) => rounds.get(round)?.[kind].any ?? false,
  };
}

function createBox(): Box {
  return {
    ballots: new Map(),
    power: new Map(),
    firstPower: new Map(),
    quorums: new Set(),
    votedPower: 0n,
    any: false,
  };
}

function raise(
  powers: Map<BlockId | null, bigint>,
  blockId: BlockId | null,
  power: bigint,
): bigint {
  const total = (powers.get(blockId) ?? 0n) + power;
  if (total === 0n) powers.delete(blockId);
  else powers.set(blockId, total);
  return total;
}

function notCounted(reason: string): Counted {
  return { reached: [], equivocation: null, dropped: reason };
}
