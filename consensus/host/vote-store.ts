/** The full signed votes of one height, by round, kind and validator. The core counts; this remembers what can be sent and stored. */
import type { Round, VoteKind } from "../core/types.ts";
import { blockIdToCore, equalBlockIds } from "../wire/block-id.ts";
import type { BlockID, ValidatorInfo, Vote } from "../wire/types.ts";
import { totalPower } from "../wire/validator-set.ts";
import { conflictingVotesMax, voteRoundsAheadMax } from "./limits.ts";

export interface VoteStore {
  /** The same validator's vote of that place for that block, if it is known. */
  find(vote: Pick<Vote, "round" | "type" | "validatorIndex" | "blockId">): Vote | null;
  /** Remembers a vote the core has counted. `currentRound` bounds how far ahead one validator's are kept. */
  add(vote: Vote, currentRound: Round): void;
  /** Of several conflicting ones the vote for `preferred`, else the first. */
  vote(round: Round, kind: VoteKind, validatorIndex: number, preferred?: BlockID): Vote | null;
  bits(round: Round, kind: VoteKind, validators: number): readonly boolean[];
  /** One precommit per validator for a commit of `blockId`: for the block where there is one, else its first. */
  precommits(round: Round, blockId: BlockID): readonly Vote[];
  /** More than two thirds of power precommitted `blockId` in one round. */
  isPrecommitQuorum(blockId: BlockID, validators: readonly ValidatorInfo[]): boolean;
}

export function createVoteStore(): VoteStore {
  const places = new Map<string, Map<number, Vote[]>>();

  function slot(round: Round, kind: VoteKind): Map<number, Vote[]> {
    const key = `${round}/${kind}`;
    const found = places.get(key) ?? new Map<number, Vote[]>();
    places.set(key, found);
    return found;
  }

  /** Rounds beyond the next one: the newest few of each validator, as the core keeps them. */
  function makeRoom(vote: Vote, currentRound: Round): void {
    if (vote.round <= currentRound + 1) return;
    const ahead = new Set<Round>();
    for (const [key, votes] of places) {
      const round = Number(key.slice(0, key.indexOf("/")));
      if (round > currentRound + 1 && votes.has(vote.validatorIndex)) ahead.add(round);
    }
    if (ahead.size < voteRoundsAheadMax || ahead.has(vote.round)) return;
    const lowest = Math.min(...ahead);
    for (const kind of ["prevote", "precommit"] as const) {
      const key = `${lowest}/${kind}`;
      places.get(key)?.delete(vote.validatorIndex);
      if (places.get(key)?.size === 0) places.delete(key);
    }
  }

  function pick(votes: readonly Vote[], preferred: BlockID | undefined): Vote | null {
    const wanted =
      preferred === undefined
        ? undefined
        : votes.find((vote) => equalBlockIds(vote.blockId, preferred));
    return wanted ?? votes[0] ?? null;
  }

  return {
    find(vote) {
      const name = blockIdToCore(vote.blockId);
      const votes = places.get(`${vote.round}/${vote.type}`)?.get(vote.validatorIndex) ?? [];
      return votes.find((known) => blockIdToCore(known.blockId) === name) ?? null;
    },
    add(vote, currentRound) {
      makeRoom(vote, currentRound);
      const votes = slot(vote.round, vote.type);
      const known = votes.get(vote.validatorIndex) ?? [];
      if (known.length >= conflictingVotesMax) known.splice(1, 1);
      votes.set(vote.validatorIndex, [...known, vote]);
    },
    vote(round, kind, validatorIndex, preferred) {
      return pick(places.get(`${round}/${kind}`)?.get(validatorIndex) ?? [], preferred);
    },
    bits(round, kind, validators) {
      const votes = places.get(`${round}/${kind}`);
      return Array.from({ length: validators }, (_, index) => votes?.has(index) ?? false);
    },
    precommits(round, blockId) {
      const votes = places.get(`${round}/precommit`)?.values() ?? [];
      return [...votes].flatMap((known) => pick(known, blockId) ?? []);
    },
    isPrecommitQuorum(blockId, validators) {
      const total = totalPower(validators);
      for (const [key, votes] of places) {
        if (!key.endsWith("/precommit")) continue;
        let power = 0n;
        for (const [index, known] of votes) {
          if (known.some((vote) => equalBlockIds(vote.blockId, blockId)))
            power += validators[index]?.power ?? 0n;
        }
        if (power * 3n > total * 2n) return true;
      }
      return false;
    },
  };
}
