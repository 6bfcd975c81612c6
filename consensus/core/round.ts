/**
 * The round state machine of arXiv 1807.04938 (algorithm 1): a small immutable state and one arm per clause, tagged with the
 * clause's first line. An arm whose guard does not hold returns the same state and no action. Who is proposer, which
 * quorums stand and which blocks are valid is decided outside, in machine.ts; nothing here counts.
 *
 * Departures, all of them weaker assumptions than the paper's: building and checking a block take time, so L14–21 is split
 * into the round's start and the built block's arrival, and the proposer too runs the propose timeout; the clauses that need
 * a proposal's value (L36, L49) take the block itself, since a quorum of votes shows that honest validators saw the proposal.
 */

import type { BlockId, Height, Round, TimerId, VoteKind } from "./types.ts";

export interface RoundState {
  readonly height: Height;
  readonly round: Round;
  readonly step: "propose" | "prevote" | "precommit" | "commit";
  readonly lockedRound: Round;
  readonly lockedBlockId: BlockId | null;
  readonly validRound: Round;
  readonly validBlockId: BlockId | null;
  /** As this round's proposer: a block is being built, or the proposal was asked for (once). */
  readonly proposing: "no" | "building" | "proposed";
  /** "For the first time" of L34 and L47. */
  readonly prevoteTimerStarted: boolean;
  readonly precommitTimerStarted: boolean;
}

export type RoundEvent =
  | { readonly type: "startRound"; readonly round: Round; readonly isProposer: boolean }
  | { readonly type: "blockBuilt"; readonly blockId: BlockId }
  /** The round's proposal without proof of lock; `valid` is undefined while the block is unchecked. */
  | {
      readonly type: "freshProposal";
      readonly blockId: BlockId;
      readonly valid: boolean | undefined;
    }
  /** The round's proposal with a polka for its block in `polRound`. */
  | {
      readonly type: "lockedProposal";
      readonly blockId: BlockId;
      readonly polRound: Round;
      readonly valid: boolean | undefined;
    }
  /** More than two thirds of this round's prevotes, whatever they are for. */
  | { readonly type: "prevotesAny" }
  /** A polka of this round for a block found valid. */
  | { readonly type: "polkaValue"; readonly blockId: BlockId }
  | { readonly type: "polkaNil" }
  | { readonly type: "precommitsAny" }
  /** A precommit quorum of any round for a block found valid. */
  | { readonly type: "precommitsValue"; readonly round: Round; readonly blockId: BlockId }
  /** More than one third voted in a later round. */
  | { readonly type: "laterRound"; readonly round: Round }
  | { readonly type: "timeout"; readonly step: TimerId["step"]; readonly round: Round };

export type RoundAction =
  | { readonly type: "buildBlock" }
  | { readonly type: "propose"; readonly blockId: BlockId; readonly polRound: Round }
  | { readonly type: "vote"; readonly kind: VoteKind; readonly blockId: BlockId | null }
  | { readonly type: "startTimer"; readonly step: TimerId["step"] }
  | { readonly type: "startRound"; readonly round: Round }
  | { readonly type: "decide"; readonly round: Round; readonly blockId: BlockId };

export interface Transition {
  readonly state: RoundState;
  readonly actions: readonly RoundAction[];
}

/** L1–L9: nothing locked, nothing valid; the first startRound follows. */
export function initialRoundState(height: Height): RoundState {
  return {
    height,
    round: 0,
    step: "propose",
    lockedRound: -1,
    lockedBlockId: null,
    validRound: -1,
    validBlockId: null,
    proposing: "no",
    prevoteTimerStarted: false,
    precommitTimerStarted: false,
  };
}

export function advance(state: RoundState, event: RoundEvent): Transition {
  if (state.step === "commit") return unchanged(state);
  switch (event.type) {
    case "startRound":
      return startRound(state, event.round, event.isProposer);
    case "blockBuilt":
      return blockBuilt(state, event.blockId);
    case "freshProposal":
      return freshProposal(state, event.blockId, event.valid);
    case "lockedProposal":
      return lockedProposal(state, event);
    case "prevotesAny":
      return prevotesAny(state);
    case "polkaValue":
      return polkaValue(state, event.blockId);
    case "polkaNil":
      return polkaNil(state);
    case "precommitsAny":
      return precommitsAny(state);
    case "precommitsValue":
      // L49
      return {
        state: { ...state, step: "commit" },
        actions: [{ type: "decide", round: event.round, blockId: event.blockId }],
      };
    case "laterRound":
      // L55
      return event.round > state.round
        ? { state, actions: [{ type: "startRound", round: event.round }] }
        : unchanged(state);
    case "timeout":
      return event.round === state.round ? timeout(state, event.step) : unchanged(state);
  }
}

/** L11, L14–L16 and L21. */
function startRound(state: RoundState, round: Round, isProposer: boolean): Transition {
  const fresh: RoundState = {
    ...state,
    round,
    step: "propose",
    proposing: "no",
    prevoteTimerStarted: false,
    precommitTimerStarted: false,
  };
  // L21
  const timer: RoundAction = { type: "startTimer", step: "propose" };
  if (!isProposer) return { state: fresh, actions: [timer] };
  if (state.validBlockId === null) {
    // L18
    return { state: { ...fresh, proposing: "building" }, actions: [timer, { type: "buildBlock" }] };
  }
  // L16
  const proposal: RoundAction = {
    type: "propose",
    blockId: state.validBlockId,
    polRound: state.validRound,
  };
  return { state: { ...fresh, proposing: "proposed" }, actions: [timer, proposal] };
}

/** L19: after the propose step nobody waits for a fresh block any more. */
function blockBuilt(state: RoundState, blockId: BlockId): Transition {
  if (state.step !== "propose" || state.proposing !== "building") return unchanged(state);
  return {
    state: { ...state, proposing: "proposed" },
    actions: [{ type: "propose", blockId, polRound: -1 }],
  };
}

/** L22 */
function freshProposal(
  state: RoundState,
  blockId: BlockId,
  valid: boolean | undefined,
): Transition {
  if (state.step !== "propose") return unchanged(state);
  const unlocked = state.lockedRound === -1 || state.lockedBlockId === blockId;
  return prevoteProposal(state, { blockId, unlocked, valid });
}

/** L28; 0 ≤ polRound < round holds for every proposal that is kept. */
function lockedProposal(
  state: RoundState,
  proposal: {
    readonly blockId: BlockId;
    readonly polRound: Round;
    readonly valid: boolean | undefined;
  },
): Transition {
  if (state.step !== "propose" || proposal.polRound < 0 || proposal.polRound >= state.round)
    return unchanged(state);
  const unlocked =
    state.lockedRound <= proposal.polRound || state.lockedBlockId === proposal.blockId;
  return prevoteProposal(state, { blockId: proposal.blockId, unlocked, valid: proposal.valid });
}

function prevoteProposal(
  state: RoundState,
  proposal: {
    readonly blockId: BlockId;
    readonly unlocked: boolean;
    readonly valid: boolean | undefined;
  },
): Transition {
  // A lock on another block decides the vote whatever the check will say.
  if (!proposal.unlocked) return vote(state, "prevote", null);
  if (proposal.valid === undefined) return unchanged(state);
  return vote(state, "prevote", proposal.valid ? proposal.blockId : null);
}

/** L34 */
function prevotesAny(state: RoundState): Transition {
  if (state.step !== "prevote" || state.prevoteTimerStarted) return unchanged(state);
  return {
    state: { ...state, prevoteTimerStarted: true },
    actions: [{ type: "startTimer", step: "prevote" }],
  };
}

/** L36: the first time in a round is the time at which validRound is not yet this round. */
function polkaValue(state: RoundState, blockId: BlockId): Transition {
  if (state.step === "propose" || state.validRound === state.round) return unchanged(state);
  const seen: RoundState = { ...state, validRound: state.round, validBlockId: blockId };
  if (state.step !== "prevote") return { state: seen, actions: [] };
  return vote({ ...seen, lockedRound: state.round, lockedBlockId: blockId }, "precommit", blockId);
}

/** L44: a nil polka does not unlock. */
function polkaNil(state: RoundState): Transition {
  return state.step === "prevote" ? vote(state, "precommit", null) : unchanged(state);
}

/** L47 */
function precommitsAny(state: RoundState): Transition {
  if (state.precommitTimerStarted) return unchanged(state);
  return {
    state: { ...state, precommitTimerStarted: true },
    actions: [{ type: "startTimer", step: "precommit" }],
  };
}

/** L57, L61 and L65. */
function timeout(state: RoundState, step: TimerId["step"]): Transition {
  switch (step) {
    case "propose":
      return state.step === "propose" ? vote(state, "prevote", null) : unchanged(state);
    case "prevote":
      return state.step === "prevote" ? vote(state, "precommit", null) : unchanged(state);
    case "precommit":
      return { state, actions: [{ type: "startRound", round: state.round + 1 }] };
  }
}

/** A vote moves the step on, and a round's step never goes back: hence one vote per round and kind. */
function vote(state: RoundState, kind: VoteKind, blockId: BlockId | null): Transition {
  return { state: { ...state, step: kind }, actions: [{ type: "vote", kind, blockId }] };
}

function unchanged(state: RoundState): Transition {
  return { state, actions: [] };
}
