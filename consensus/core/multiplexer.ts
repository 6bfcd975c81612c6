/**
 * One height: gathers facts (proposals, votes, verdicts) and feeds round.ts every clause they enable, until none is left.
 *
 *   fact                                     │ propose            │ prevote               │ precommit
 *   ─────────────────────────────────────────┼────────────────────┼───────────────────────┼──────────────────────
 *   proposal, no proof of lock, checked      │ prevote it/nil L22 │ –                     │ –
 *   proposal, polka in its polRound, checked │ prevote it/nil L28 │ –                     │ –
 *   proposal on which a lock already decides │ prevote nil        │ –                     │ –
 *   polka for a valid block                  │ waits              │ lock, precommit   L36 │ set validValue   L36
 *   polka for nil                            │ waits              │ precommit nil     L44 │ –
 *   > 2/3 of any prevotes                    │ waits              │ prevote timer     L34 │ –
 *   > 2/3 of any precommits                  │ precommit timer, once a round, in every step             L47
 *   precommit quorum or certificate, any     │ decide, in every step                                    L49
 *     round, for a valid block               │
 *   > 1/3 voted in a later round             │ start that round, in every step                          L55
 *   timers                                   │ prevote nil    L57 │ precommit nil     L61 │ next round       L65
 *
 * "Waits": the step moves on by proposal or timer, and the fact is looked at again. Order of precedence: decide,
 * skip, proposal, value polka, nil polka, timers.
 */

import { ROUND_MAX, VOTE_ROUNDS_AHEAD_MAX } from "./limits.ts";
import { createProposals } from "./proposals.ts";
import {
  advance,
  initialRoundState,
  type RoundAction,
  type RoundEvent,
  type RoundState,
  type Transition,
} from "./round.ts";
import type {
  BlockId,
  Effect,
  Input,
  MachineView,
  Proposal,
  Round,
  TimerId,
  Vote,
  VoteKind,
} from "./types.ts";
import { createProposerSchedule } from "./validators.ts";
import { createVerdicts } from "./verdicts.ts";
import { createTally, type Threshold } from "./votes.ts";

export type StartHeight = Extract<Input, { type: "startHeight" }>;
export type HeightInput = Exclude<Input, StartHeight>;

export interface HeightMachine {
  /** L11 for round 0. */
  start(): readonly Effect[];
  handle(input: HeightInput): readonly Effect[];
  view(): MachineView;
}

/** `dropped` for this reason is no small matter: more than two thirds decided what this node holds to be invalid. */
export const INVALID_QUORUM_REASON = "quorum for a block this node found invalid";

interface Quorum {
  readonly round: Round;
  readonly blockId: BlockId;
}

export function createHeightMachine(start: StartHeight): HeightMachine {
  const { height, timeouts } = start;
  const self = start.validators.validators.some((validator) => validator.address === start.self)
    ? start.self
    : null;
  const schedule = createProposerSchedule(start.validators);
  const proposals = createProposals(schedule);
  const tally = createTally(start.validators);
  const verdicts = createVerdicts();
  /** Precommit quorums by which this height may be decided once their block is found valid. */
  const quorums: Quorum[] = [];
  let laterRound: Round = 0;
  let state: RoundState = initialRoundState(height);
  let effects: Effect[] = [];

  function drop(reason: string): void {
    effects.push({ type: "dropped", reason });
  }

  function apply(transition: Transition): void {
    state = transition.state;
    for (const action of transition.actions) perform(action);
  }

  function perform(action: RoundAction): void {
    const { round } = state;
    switch (action.type) {
      case "startRound":
        startRound(action.round);
        return;
      case "startTimer":
        effects.push({
          type: "startTimer",
          timer: { height, round, step: action.step },
          delayMs: delayMs(action.step, round),
        });
        return;
      case "buildBlock":
        effects.push({ type: "buildBlock", height, round });
        return;
      case "propose":
        propose({
          height,
          round,
          blockId: action.blockId,
          polRound: action.polRound,
          proposer: schedule.proposerAt(round),
        });
        return;
      case "vote":
        vote(action.kind, action.blockId);
        return;
      case "decide":
        effects.push({
          type: "commit",
          certificate: { height, round: action.round, blockId: action.blockId },
        });
        return;
    }
  }

  function startRound(round: Round): void {
    if (round > ROUND_MAX) return;
    const proposer = schedule.proposerAt(round);
    effects.push({ type: "enterRound", height, round, proposer });
    // A proposal of ours that came back from a peer was signed before a crash: it stands, and no second one is made.
    const isProposer = proposer === self && proposals.at(round) === undefined;
    apply(advance(state, { type: "startRound", round, isProposer }));
  }

  function propose(proposal: Proposal): void {
    effects.push({ type: "signProposal", proposal });
  }

  /** A vote of ours that came back from a peer was signed before a crash: a second signature could only conflict with it. */
  function vote(kind: VoteKind, blockId: BlockId | null): void {
    if (self === null || tally.hasVoted(self, state.round, kind)) return;
    effects.push({
      type: "signVote",
      vote: { kind, height, round: state.round, blockId, validator: self },
    });
  }

  function delayMs(step: TimerId["step"], round: Round): number {
    switch (step) {
      case "propose":
        return timeouts.proposeMs + timeouts.proposeDeltaMs * round;
      case "prevote":
        return timeouts.prevoteMs + timeouts.prevoteDeltaMs * round;
      case "precommit":
        return timeouts.precommitMs + timeouts.precommitDeltaMs * round;
    }
  }

  /** Every clause the facts may enable, in order of precedence; the arms' own guards say which one does something. */
  function* enabledEvents(): Generator<RoundEvent> {
    for (const { round, blockId } of quorums) {
      if (verdicts.of(blockId) === true) yield { type: "precommitsValue", round, blockId };
    }
    if (laterRound > state.round) yield { type: "laterRound", round: laterRound };
    const proposal = proposals.at(state.round);
    if (proposal !== undefined) {
      const { blockId, polRound } = proposal;
      const valid = verdicts.of(blockId);
      if (polRound === -1) yield { type: "freshProposal", blockId, valid };
      else if (tally.isPolka(polRound, blockId))
        yield { type: "lockedProposal", blockId, polRound, valid };
    }
    const polkaBlock = tally.polkaBlock(state.round);
    if (polkaBlock !== null && verdicts.of(polkaBlock) === true)
      yield { type: "polkaValue", blockId: polkaBlock };
    if (tally.isPolka(state.round, null)) yield { type: "polkaNil" };
    if (tally.isAny(state.round, "prevote")) yield { type: "prevotesAny" };
    if (tally.isAny(state.round, "precommit")) yield { type: "precommitsAny" };
  }

  function firstEnabled(): Transition | null {
    for (const event of enabledEvents()) {
      const transition = advance(state, event);
      if (transition.state !== state || transition.actions.length > 0) return transition;
    }
    return null;
  }

  /** Ends: each pass moves the step or a first-time flag on, starts a later round, or decides. */
  function settle(): readonly Effect[] {
    for (let next = firstEnabled(); next !== null; next = firstEnabled()) apply(next);
    if (state.step !== "commit") askForBlocks();
    const settled = effects;
    effects = [];
    return settled;
  }

  function askForBlocks(): void {
    const { round } = state;
    const wanted = [
      proposals.at(round)?.blockId,
      tally.polkaBlock(round),
      ...quorums.map((quorum) => quorum.blockId),
    ];
    for (const blockId of wanted) {
      if (blockId === undefined || blockId === null || !verdicts.shouldAsk(blockId, round))
        continue;
      effects.push({ type: "checkBlock", height, round, blockId });
    }
  }

  function onVote(incoming: Vote): void {
    if (!isRound(incoming.round)) return drop("vote of an impossible round");
    if (incoming.round > state.round + VOTE_ROUNDS_AHEAD_MAX)
      return drop("vote too many rounds ahead");
    const counted = tally.add(incoming, state.round);
    if (counted.equivocation !== null)
      effects.push({ type: "equivocation", ...counted.equivocation });
    for (const threshold of counted.reached) onThreshold(threshold);
    if (counted.dropped !== null) drop(counted.dropped);
  }

  /** Thresholds of the current round are read from the tally whenever the step changes; these three act beyond it. */
  function onThreshold(threshold: Threshold): void {
    const { round } = threshold;
    if (threshold.type === "polkaValue")
      effects.push({ type: "polka", height, round, blockId: threshold.blockId });
    else if (threshold.type === "precommitsValue") onQuorum({ round, blockId: threshold.blockId });
    else if (threshold.type === "skip" && round > laterRound) laterRound = round;
  }

  function onQuorum(quorum: Quorum): void {
    if (quorums.some((known) => known.blockId === quorum.blockId)) return;
    quorums.push(quorum);
    if (verdicts.of(quorum.blockId) === false) dropInvalidQuorum();
  }

  function dropInvalidQuorum(): void {
    drop(INVALID_QUORUM_REASON);
  }

  function onBlockChecked(blockId: BlockId, valid: boolean): void {
    if (!verdicts.record(blockId, valid)) return drop("second verdict on a block");
    if (!valid && quorums.some((quorum) => quorum.blockId === blockId)) dropInvalidQuorum();
  }

  function onBlockBuilt(round: Round, blockId: BlockId): void {
    const transition =
      round === state.round ? advance(state, { type: "blockBuilt", blockId }) : null;
    if (transition === null || transition.actions.length === 0)
      return drop("built block of a passed step");
    apply(transition);
  }

  function onTimer(timer: TimerId): void {
    const transition = advance(state, { type: "timeout", step: timer.step, round: timer.round });
    if (transition.actions.length === 0) return drop("stale timer");
    apply(transition);
  }

  function route(input: HeightInput): void {
    switch (input.type) {
      case "proposal": {
        const refused = isRound(input.proposal.round)
          ? proposals.add(input.proposal, state.round)
          : "proposal of an impossible round";
        if (refused !== null) drop(refused);
        return;
      }
      case "vote":
        return onVote(input.vote);
      case "certificate":
        return onQuorum(input.certificate);
      case "blockChecked":
        return onBlockChecked(input.blockId, input.valid);
      case "blockBuilt":
        return onBlockBuilt(input.round, input.blockId);
      case "timerFired":
        return onTimer(input.timer);
    }
  }

  return {
    start() {
      startRound(0);
      return settle();
    },
    handle(input) {
      if (state.step === "commit") return [{ type: "dropped", reason: "height already decided" }];
      route(input);
      return settle();
    },
    view: () => ({
      height,
      round: state.round,
      step: state.step,
      lockedRound: state.lockedRound,
      lockedBlockId: state.lockedBlockId,
      validRound: state.validRound,
      validBlockId: state.validBlockId,
      proposer: schedule.proposerAt(state.round),
    }),
  };
}

function isRound(round: Round): boolean {
  return Number.isSafeInteger(round) && round >= 0 && round <= ROUND_MAX;
}
