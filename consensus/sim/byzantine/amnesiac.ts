/**
 * Forgets its lock: prevotes and precommits whatever is proposed now, and proposes anew instead of its valid value, now and
 * then with a proof of lock that never was.
 */

import { type Behaviour, castProposal, castVote } from "../behaviour.ts";

export const amnesiac: Behaviour = {
  name: "amnesiac",
  gossips: true,
  onSignVote(vote, tools) {
    const proposed = tools.proposalAt(vote.round)?.blockId ?? null;
    const known = proposed !== null && tools.blockOf(proposed)?.valid === true;
    castVote(known ? { ...vote, blockId: proposed } : vote, tools.peers, tools);
  },
  onSignProposal(proposal, tools) {
    const block = tools.build(proposal.height, true);
    const polRound = tools.random.between(-1, proposal.round - 1);
    castProposal({ ...proposal, blockId: block.id, polRound }, tools.peers, tools);
  },
  onTick: () => {},
};
