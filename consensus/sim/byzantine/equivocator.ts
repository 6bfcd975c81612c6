/** Says two things: each peer gets one of two conflicting votes or proposals, the own machine the honest one. */

import { type Behaviour, castProposal, castVote } from "../behaviour.ts";

export const equivocator: Behaviour = {
  name: "equivocator",
  gossips: true,
  onSignVote(vote, tools) {
    const first = tools.random.half(tools.peers);
    castVote(vote, first, tools);
    const proposed = tools.proposalAt(vote.round)?.blockId ?? null;
    const other =
      vote.blockId === null
        ? proposed
        : tools.random.pick([null, `J${tools.random.between(0, 2)}`]);
    if (other === vote.blockId) return;
    const conflicting = { ...vote, blockId: other };
    tools.sign({ vote: conflicting });
    for (const peer of tools.peers) {
      if (!first.includes(peer)) tools.send(peer, { type: "vote", vote: conflicting });
    }
  },
  onSignProposal(proposal, tools) {
    const first = tools.random.half(tools.peers);
    castProposal(proposal, first, tools);
    const block = tools.build(proposal.height, true);
    const polRound = tools.random.between(-1, proposal.round - 1);
    const conflicting = { ...proposal, blockId: block.id, polRound };
    tools.sign({ proposal: conflicting });
    for (const peer of tools.peers) {
      if (!first.includes(peer))
        tools.send(peer, { type: "proposal", proposal: conflicting, block });
    }
  },
  onTick: () => {},
};
