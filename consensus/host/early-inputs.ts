/**
 * What peers say of a height that waits for its time here: checked, held within bounds, and handed over once the height begins. It begins
 * before its time only when an honest validator has begun it, which takes votes of more than a third of the power to show (any fewer
 * may all be Byzantine), or when its first proposer has proposed, which nobody can do for it.
 */
import type { Proposal as CoreProposal, Vote as CoreVote, Verified } from "../core/types.ts";
import { isOneHonest } from "../core/votes.ts";
import { equalBlockIds } from "../wire/block-id.ts";
import type { Proposal, ValidatorInfo, Vote } from "../wire/types.ts";
import { totalPower } from "../wire/validator-set.ts";
import { messageBytes } from "./inbox.ts";
import { earlyVotesBytesMax, earlyVotesPerValidatorMax } from "./limits.ts";
import type { PeerId } from "./ports.ts";

/** A proposal or vote that has passed the gate, with the peer that brought it. */
export type PeerInput =
  | {
      readonly type: "proposal";
      readonly verified: Verified<CoreProposal>;
      readonly proposal: Proposal;
      readonly peer: PeerId;
    }
  | {
      readonly type: "vote";
      readonly verified: Verified<CoreVote>;
      readonly vote: Vote;
      readonly peer: PeerId;
    };

export interface EarlyInputs {
  /** The one proposal that matters so early, that of round 0, while there is none. */
  wantsProposal(proposal: Proposal): boolean;
  /** Not held yet, and its validator may have another one held. */
  wantsVote(vote: Vote): boolean;
  add(input: PeerInput): void;
  readonly isProposed: boolean;
  /** Validators with more than a third of the power have voted. */
  readonly isBegunElsewhere: boolean;
  /** Hands over what is held, in order of arrival. */
  take(): readonly PeerInput[];
}

export function createEarlyInputs(validators: readonly ValidatorInfo[]): EarlyInputs {
  const total = totalPower(validators);
  const votes = new Map<number, Vote[]>();
  const voters = new Set<number>();
  let held: PeerInput[] = [];
  let power = 0n;
  let bytes = 0;
  let isProposed = false;

  function addVote(input: Extract<PeerInput, { type: "vote" }>): void {
    const { validatorIndex, extension } = input.vote;
    if (!voters.has(validatorIndex)) power += validators[validatorIndex]?.power ?? 0n;
    voters.add(validatorIndex);
    const size = messageBytes + extension.length;
    // It has been counted, and comes again when it matters.
    if (bytes + size > earlyVotesBytesMax) return;
    bytes += size;
    held.push(input);
    votes.set(validatorIndex, [...(votes.get(validatorIndex) ?? []), input.vote]);
  }

  return {
    wantsProposal: ({ round }) => round === 0 && !isProposed,
    wantsVote(vote) {
      const known = votes.get(vote.validatorIndex) ?? [];
      return known.length < earlyVotesPerValidatorMax && !known.some((one) => isSame(one, vote));
    },
    add(input) {
      if (input.type === "vote") return addVote(input);
      isProposed = true;
      held.push(input);
    },
    get isProposed() {
      return isProposed;
    },
    get isBegunElsewhere() {
      return isOneHonest(power, total);
    },
    take() {
      const taken = held;
      held = [];
      return taken;
    },
  };
}

function isSame(one: Vote, other: Vote): boolean {
  return (
    one.type === other.type &&
    one.round === other.round &&
    equalBlockIds(one.blockId, other.blockId)
  );
}
