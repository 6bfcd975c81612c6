/** Lets others do the work: tells only some peers, sends proposals without their blocks or not at all, and passes nothing on. */

import { type Behaviour, castProposal, castVote } from "../behaviour.ts";

export const withholder: Behaviour = {
  name: "withholder",
  gossips: false,
  onSignVote(vote, tools) {
    castVote(vote, tools.random.chance(500_000) ? tools.random.half(tools.peers) : [], tools);
  },
  onSignProposal(proposal, tools) {
    const told = tools.random.half(tools.peers);
    castProposal(proposal, [], tools);
    const block = tools.random.chance(500_000) ? (tools.blockOf(proposal.blockId) ?? null) : null;
    for (const peer of told) tools.send(peer, { type: "proposal", proposal, block });
  },
  onTick: () => {},
};
