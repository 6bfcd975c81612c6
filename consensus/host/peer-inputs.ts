/** One message of one peer: to the gate, then to the core; the peer is reported where it is to blame. Never throws for bad input. */

import type { Vote } from "../wire/types.ts";
import { addressToCore } from "../wire/validator-set.ts";
import type { Applier } from "./apply.ts";
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
  /** A message that passed shows that the height has begun elsewhere. */
  readonly onBegun: () => void;
  readonly onLatePrecommit: () => void;
}

type Value<T> = Extract<Passed<T>, { type: "passed" }>["value"];

export function createPeerInputs(
  options: PeerInputsOptions,
): (received: Received) => Promise<void> {
  const { intake, apply, gossip, current, report } = options;

  function admit<T>(peer: PeerId, passed: Passed<T>, use: (value: Value<T>) => void): void {
    if (passed.type === "refused") report(peer, passed.reason, passed.severity);
    if (passed.type !== "passed") return;
    options.onBegun();
    use(passed.value);
  }

  async function extensionProblem(vote: Vote): Promise<string | null> {
    const isOwn = addressToCore(vote.validatorAddress) === options.self;
    return isOwn ? null : intake.extensionProblem(vote);
  }

  async function onVote(peer: PeerId, vote: Vote): Promise<void> {
    const passed = intake.vote(current(), vote);
    const problem = passed.type === "passed" ? await extensionProblem(vote) : null;
    if (problem === null) admit(peer, passed, (value) => apply.vote(value, vote, peer));
    else report(peer, problem, "minor");
  }

  async function onLateVote(peer: PeerId, vote: Vote): Promise<void> {
    const passed = intake.lateVote(current(), vote);
    if (passed.type === "refused") report(peer, passed.reason, passed.severity);
    if (passed.type !== "passed" || (await extensionProblem(vote)) !== null) return;
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
      case "proposal": {
        const { proposal } = message;
        const passed = intake.proposal(at, proposal, options.currentRound());
        return admit(peer, passed, (value) => apply.proposal(value, proposal, peer));
      }
      case "vote":
        return onVote(peer, message.vote);
      case "commit": {
        const { commit } = message;
        const passed = intake.certificate(at, commit);
        return admit(peer, passed, (value) => apply.certificate(value, commit));
      }
    }
  };
}
