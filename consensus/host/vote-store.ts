/** The full signed votes of one height, by round, kind and validator. The core counts; this remembers what can be sent and stored. */
import type { Round, VoteKind } from "../core/types.ts";
import { isQuorum } from "../core/votes.ts";
import { blockIdToCore, equalBlockIds } from "../wire/block-id.ts";
import type { BlockID, ValidatorInfo, Vote } from "../wire/types.ts";
import { totalPower } from "../wire/validator-set.ts";
import { voteRoundsAheadMax } from "./limits.ts";

export interface VoteStore {
  /** The same validator's vote of that place for that block, if it is known. */
  find(vote: Pick<Vote, "round" | "type" | "validatorIndex" | "blockId">): Vote | null;
  /**
   * Remembers a vote the core has counted, every one of them: the core bounds how many conflicting ones it counts.
   * `currentRound`, in which the core counted it, bounds how far ahead one validator's are kept.
   */
  add(vote: Vote, currentRound: Round): void;
  /** Of several conflicting ones the vote for the place's quorum, else the first. */
  vote(round: Round, kind: VoteKind, validatorIndex: number): Vote | null;
  bits(round: Round, kind: VoteKind): readonly boolean[];
  /** Who voted for the one value, nil included, that more than two thirds of power voted for; null before there is one. */
  quorumBits(round: Round, kind: VoteKind): readonly boolean[] | null;
  /** One precommit per validator for a commit of `blockId`: for the block where there is one, else its first. */
  precommits(round: Round, blockId: BlockID): readonly Vote[];
  /** More than two thirds of power precommitted `blockId` in one round. */
  isPrecommitQuorum(blockId: BlockID): boolean;
}

/** The votes of one round and kind. */
interface Box {
  readonly votes: Map<number, readonly Vote[]>;
  readonly power: Map<string | null, bigint>;
  quorum: BlockID | null;
}

export function createVoteStore(validators: readonly ValidatorInfo[]): VoteStore {
  const total = totalPower(validators);
  const rounds = new Map<Round, Record<VoteKind, Box>>();

  const votesOf = (round: Round, kind: VoteKind, index: number): readonly Vote[] =>
    rounds.get(round)?.[kind].votes.get(index) ?? [];

  /** Rounds beyond the next one: the newest few of each validator, exactly as the core keeps them. */
  function makeRoom(vote: Vote, currentRound: Round): void {
    if (vote.round <= currentRound + 1) return;
    const ahead = [...rounds.keys()].filter(
      (round) =>
        round > currentRound + 1 &&
        (votesOf(round, "prevote", vote.validatorIndex).length > 0 ||
          votesOf(round, "precommit", vote.validatorIndex).length > 0),
    );
    if (ahead.length < voteRoundsAheadMax || ahead.includes(vote.round)) return;
    const lowest = Math.min(...ahead);
    const boxes = rounds.get(lowest);
    for (const box of boxes === undefined ? [] : [boxes.prevote, boxes.precommit]) {
      for (const known of box.votes.get(vote.validatorIndex) ?? []) raise(box, known, -1n);
      box.votes.delete(vote.validatorIndex);
    }
    if (boxes?.prevote.votes.size === 0 && boxes.precommit.votes.size === 0) rounds.delete(lowest);
  }

  function raise(box: Box, { blockId, validatorIndex }: Vote, times: 1n | -1n): bigint {
    const name = blockIdToCore(blockId);
    const power = (box.power.get(name) ?? 0n) + times * (validators[validatorIndex]?.power ?? 0n);
    box.power.set(name, power);
    return power;
  }

  function pick(votes: readonly Vote[], preferred: BlockID | null): Vote | null {
    const wanted = preferred === null ? undefined : votes.find((vote) => isFor(vote, preferred));
    return wanted ?? votes[0] ?? null;
  }

  return {
    find(vote) {
      const known = votesOf(vote.round, vote.type, vote.validatorIndex);
      return known.find((one) => isFor(one, vote.blockId)) ?? null;
    },
    add(vote, currentRound) {
      makeRoom(vote, currentRound);
      const boxes = rounds.get(vote.round) ?? { prevote: createBox(), precommit: createBox() };
      rounds.set(vote.round, boxes);
      const box = boxes[vote.type];
      box.votes.set(vote.validatorIndex, [...(box.votes.get(vote.validatorIndex) ?? []), vote]);
      if (isQuorum(raise(box, vote, 1n), total)) box.quorum ??= vote.blockId;
    },
    vote(round, kind, validatorIndex) {
      return pick(votesOf(round, kind, validatorIndex), rounds.get(round)?.[kind].quorum ?? null);
    },
    bits(round, kind) {
      return validators.map((_, index) => votesOf(round, kind, index).length > 0);
    },
    quorumBits(round, kind) {
      const quorum = rounds.get(round)?.[kind].quorum ?? null;
      if (quorum === null) return null;
      return validators.map((_, index) =>
        votesOf(round, kind, index).some((vote) => isFor(vote, quorum)),
      );
    },
    precommits(round, blockId) {
      const known = rounds.get(round)?.precommit.votes.values() ?? [];
      return [...known].flatMap((votes) => pick(votes, blockId) ?? []);
    },
    isPrecommitQuorum(blockId) {
      const name = blockIdToCore(blockId);
      return [...rounds.values()].some(({ precommit }) =>
        isQuorum(precommit.power.get(name) ?? 0n, total),
      );
    },
  };
}

function createBox(): Box {
  return { votes: new Map(), power: new Map(), quorum: null };
}

function isFor(vote: Vote, blockId: BlockID): boolean {
  return equalBlockIds(vote.blockId, blockId);
}
