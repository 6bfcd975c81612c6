/** The proposals of one height: the first of each round by that round's proposer, within bounds per proposer. */

import { PROPOSAL_ROUNDS_AHEAD_MAX, ROUNDS_AHEAD_PER_VALIDATOR_MAX } from "./limits.ts";
import type { Proposal, Round } from "./types.ts";
import type { ProposerSchedule } from "./validators.ts";

export interface Proposals {
  /** Keeps the proposal and returns null, or returns why it is dropped. */
  add(proposal: Proposal, currentRound: Round): string | null;
  at(round: Round): Proposal | undefined;
}

export function createProposals(schedule: ProposerSchedule): Proposals {
  const byRound = new Map<Round, Proposal>();

  /** As for votes: the newest few rounds beyond the next are kept for each proposer. */
  function makeRoom(proposal: Proposal, currentRound: Round): boolean {
    if (proposal.round <= currentRound + 1) return true;
    const ahead: Round[] = [];
    for (const kept of byRound.values()) {
      if (kept.proposer === proposal.proposer && kept.round > currentRound + 1)
        ahead.push(kept.round);
    }
    if (ahead.length < ROUNDS_AHEAD_PER_VALIDATOR_MAX) return true;
    const lowest = ahead.reduce((low, round) => (round < low ? round : low));
    if (proposal.round < lowest) return false;
    byRound.delete(lowest);
    return true;
  }

  return {
    add(proposal, currentRound) {
      const { round, polRound } = proposal;
      if (round < currentRound) return "proposal of an earlier round";
      if (round > currentRound + PROPOSAL_ROUNDS_AHEAD_MAX) return "proposal too many rounds ahead";
      const validPolRound = Number.isSafeInteger(polRound) && polRound >= -1 && polRound < round;
      if (!validPolRound)
        return `proposal with proof-of-lock round ${polRound}, expected −1 or an earlier round`;
      if (proposal.proposer !== schedule.proposerAt(round))
        return "proposal by another than the round's proposer";
      const kept = byRound.get(round);
      if (kept !== undefined) {
        const same = kept.blockId === proposal.blockId && kept.polRound === polRound;
        return same ? "duplicate proposal" : "second proposal of a round";
      }
      if (!makeRoom(proposal, currentRound)) return "proposal too many rounds ahead";
      byRound.set(round, proposal);
      return null;
    },
    at: (round) => byRound.get(round),
  };
}
