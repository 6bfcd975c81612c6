/** The seam at which a Byzantine actor replaces an honest node's conduct: it runs the real machine and bends what leaves it. */

import type {
  Address,
  BlockId,
  Height,
  Input,
  MachineView,
  Proposal,
  Round,
  Vote,
} from "../core/types.ts";
import type { Block, Signable } from "./chain.ts";
import type { Message } from "./messages.ts";
import type { Random } from "./prng.ts";

export interface Tools {
  readonly address: Address;
  /** The other nodes, by index. */
  readonly peers: readonly number[];
  readonly random: Random;
  /** Signs with the actor's own key, whatever was signed before. */
  sign(content: Signable): void;
  send(to: number, message: Message): void;
  feed(input: Input): void;
  /** A new block on the decided chain, invalid if so wanted. */
  build(height: Height, valid: boolean): Block;
  blockOf(id: BlockId): Block | undefined;
  proposalAt(round: Round): Proposal | undefined;
  view(): MachineView;
  after(delayMs: number, action: () => void): void;
}

export interface Behaviour {
  readonly name: string;
  /** Answers other nodes' status with what it holds. */
  readonly gossips: boolean;
  onSignVote(vote: Vote, tools: Tools): void;
  onSignProposal(proposal: Proposal, tools: Tools): void;
  onTick(tools: Tools): void;
}

/** Signs the vote, tells the own machine and the given peers. */
export function castVote(vote: Vote, to: readonly number[], tools: Tools): void {
  tools.sign({ vote });
  tools.feed({ type: "vote", vote: vote as never });
  for (const peer of to) tools.send(peer, { type: "vote", vote });
}

export function castProposal(proposal: Proposal, to: readonly number[], tools: Tools): void {
  tools.sign({ proposal });
  tools.feed({ type: "proposal", proposal: proposal as never });
  const block = tools.blockOf(proposal.blockId) ?? null;
  for (const peer of to) tools.send(peer, { type: "proposal", proposal, block });
}

export const honestBehaviour: Behaviour = {
  name: "honest",
  gossips: true,
  onSignVote: (vote, tools) => castVote(vote, tools.peers, tools),
  onSignProposal: (proposal, tools) => castProposal(proposal, tools.peers, tools),
  onTick: () => {},
};
