/** Speaks at the worst moment: proposals about when the propose timeout ends, votes some time after everybody's. */

import { type Behaviour, castProposal, castVote } from "../behaviour.ts";

/** Around the simulation's propose timeout of the first rounds. */
const PROPOSAL_DELAY_MAX_MS = 250;
const VOTE_DELAY_MAX_MS = 120;

export const lateProposer: Behaviour = {
  name: "late-proposer",
  gossips: true,
  onSignVote(vote, tools) {
    tools.after(tools.random.between(0, VOTE_DELAY_MAX_MS), () =>
      castVote(vote, tools.peers, tools),
    );
  },
  onSignProposal(proposal, tools) {
    // Not all at once: some peers are still in time.
    for (const peer of tools.peers) {
      tools.after(tools.random.between(50, PROPOSAL_DELAY_MAX_MS), () =>
        castProposal(proposal, [peer], tools),
      );
    }
  },
  onTick: () => {},
};
