/** One message of one peer: to the gate, then to the core; the peer is reported where it is to blame. Never throws for bad input. */

import type { Verified } from "../core/types.ts";
import type { Proposal, Vote } from "../wire/types.ts";
import { addressToCore } from "../wire/validator-set.ts";
import type { Applier } from "./apply.ts";
import { applyPeerInput } from "./apply.ts";
import type { PeerInput } from "./early-inputs.ts";
import type { Gossip } from "./gossip.ts";
import type { HeightContext } from "./height.ts";
import { heightOf, type Inbox, type Received } from "./inbox.ts";
import type { Intake, Passed } from "./intake.ts";
import type { PeerId, Transport } from "./ports.ts";

export interface PeerInputsOptions {
  readonly intake: Intake;
  readonly apply: Applier;
  readonly gossip: Gossip;
  /** Messages of the next height wait here. */
  readonly future: Inbox;
  readonly report: Transport["report"];
  /** Our own address in the core; what comes back from peers under it is not shown to the application again. */
  readonly self: string | null;
  readonly current: () => HeightContext;
  readonly currentRound: () => number;
  /** False while the height waits for its time. */
  readonly isRunning: () => boolean;
  /** A proposal may not begin the height yet. */
  readonly isBeforeGenesis: () => boolean;
  /** The height has begun elsewhere, so it begins here: what is held of it is handed over. */
  readonly onBegun: () => void;
  readonly onLatePrecommit: () => void;
}

export function createPeerInputs(
  options: PeerInputsOptions,
): (received: Received) => Promise<void> {
  const { intake, apply, gossip, current, isRunning, report } = options;

  /** The value, or null for what is of no use. */
  function admitted<T>(peer: PeerId, passed: Passed<T>): Verified<T> | null {
    if (passed.type === "refused") report(peer, passed.reason, passed.severity);
    return passed.type === "passed" ? passed.value : null;
  }

  function enter(input: PeerInput): void {
    if (isRunning()) return applyPeerInput(apply, input);
    const { early } = current();
    early.add(input);
    if (early.isBegunElsewhere || (early.isProposed && !options.isBeforeGenesis()))
      options.onBegun();
  }

  async function extensionProblem(vote: Vote): Promise<string | null> {
    const isOwn = addressToCore(vote.validatorAddress) === options.self;
    return isOwn ? null : intake.extensionProblem(vote);
  }

  async function onVote(peer: PeerId, vote: Vote): Promise<void> {
    const at = current();
    if (!isRunning() && !at.early.wantsVote(vote)) return;
    const verified = admitted(peer, intake.vote(at, vote));
    if (verified === null) return;
    const problem = await extensionProblem(vote);
    if (problem === null) enter({ type: "vote", verified, vote, peer });
    else report(peer, problem, "minor");
  }

  function onProposal(peer: PeerId, proposal: Proposal): void {
    const at = current();
    if (!isRunning() && !at.early.wantsProposal(proposal)) return;
    const verified = admitted(peer, intake.proposal(at, proposal, options.currentRound()));
    if (verified !== null) enter({ type: "proposal", verified, proposal, peer });
  }

  async function onLateVote(peer: PeerId, vote: Vote): Promise<void> {
    const verified = admitted(peer, intake.lateVote(current(), vote));
    if (verified === null || (await extensionProblem(vote)) !== null) return;
    current().memory.addLate(vote);
    gossip.vote(vote, peer);
    options.onLatePrecommit();
  }

  return async ({ peer, message }) => {
    const at = current();
    const height = heightOf(message);
    if (height === at.height + 1) options.future.add({ peer, message });
    if (height === at.height - 1 && message.type === "vote") await onLateVote(peer, message.vote);
    if (height !== at.height) return;
    switch (message.type) {
      case "part": {
        const outcome = apply.part(message.round, message.part, peer);
        if (outcome.type === "invalid") report(peer, outcome.reason, "major");
        return;
      }
      case "proposal":
        return onProposal(peer, message.proposal);
      case "vote":
        return onVote(peer, message.vote);
      case "commit": {
        const verified = admitted(peer, intake.certificate(at, message.commit));
        if (verified === null) return;
        options.onBegun();
        apply.certificate(verified, message.commit);
      }
    }
  };
}
