/** Votes honestly and buries it in junk: far rounds and heights, made-up blocks, invalid blocks, forged and repeated messages. */

import type { Proposal, Vote } from "../../core/types.ts";
import { type Behaviour, castProposal, castVote, type Tools } from "../behaviour.ts";

export const spammer: Behaviour = {
  name: "spammer",
  gossips: true,
  onSignVote: (vote, tools) => castVote(vote, tools.peers, tools),
  onSignProposal(proposal, tools) {
    const invalid = tools.random.chance(300_000) && proposal.polRound === -1;
    const blockId = invalid ? tools.build(proposal.height, false).id : proposal.blockId;
    castProposal({ ...proposal, blockId }, tools.peers, tools);
  },
  onTick(tools) {
    if (tools.view().height === 0) return;
    for (let count = tools.random.between(0, 6); count > 0; count -= 1) {
      const target = tools.random.pick(tools.peers);
      if (tools.random.chance(700_000)) junkVote(target, tools);
      else junkProposal(target, tools);
    }
  },
};

/** Junk under the own name is signed; under another's name it is a forgery, which no honest node may believe. */
function junkVote(target: number, tools: Tools): void {
  const { random, address } = tools;
  const { height, round } = tools.view();
  const forged = random.chance(200_000);
  const vote: Vote = {
    kind: random.pick(["prevote", "precommit"]),
    height: height + random.pick([-1, 0, 0, 0, 0, 1, 2, 50]),
    round: round + random.pick([-1, 0, 0, 1, 2, 7, 30, 5000, 2 ** 31]),
    blockId: random.pick([null, `J${random.between(0, 3)}`, `J${random.between(0, 1000)}`]),
    validator: forged ? `V${random.between(0, 6)}` : address,
  };
  if (vote.height < 1 || vote.round < 0) return;
  // Past a signature under another's name there is no reason to believe it.
  if (vote.validator === address) tools.sign({ vote });
  tools.send(target, { type: "vote", vote });
}

function junkProposal(target: number, tools: Tools): void {
  const { random, address } = tools;
  const { height, round } = tools.view();
  const proposal: Proposal = {
    height: height + random.pick([0, 0, 1, 3]),
    round: round + random.pick([0, 1, 3, 60, 4000]),
    blockId: `J${random.between(0, 3)}`,
    polRound: random.pick([-1, -1, 0, 1, round]),
    proposer: address,
  };
  tools.sign({ proposal });
  tools.send(target, { type: "proposal", proposal, block: null });
}
