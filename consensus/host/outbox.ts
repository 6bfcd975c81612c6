/**
 * Our own signed messages: fed back to the core at once, sent when the turn is over. Their own records need no flush: all they
 * rest on is on disk, and the signer repeats the newest signature, so a restart makes the same message again.
 */
import { equalBytes } from "@keel/proto/bytes/compare";
import type { Part, Proposal, Vote } from "../wire/types.ts";
import { findValidator } from "../wire/validator-set.ts";
import { verifyProposal, verifyVote } from "../wire/verify.ts";
import type { Applier } from "./apply.ts";
import type { Gossip } from "./gossip.ts";
import type { HeightContext } from "./height.ts";
import type { VerifyEd25519 } from "./ports.ts";

export interface Outbox {
  /** Throws when the signer's signature does not verify: it holds another key, or is broken. */
  proposal(at: HeightContext, proposal: Proposal): void;
  vote(at: HeightContext, vote: Vote): void;
  /** After a restart: everything of ours that this height already knows goes out again. */
  repeat(at: HeightContext, address: Uint8Array, currentRound: number): void;
  send(): void;
}

export interface OutboxOptions {
  readonly gossip: Gossip;
  readonly verify: VerifyEd25519;
  readonly apply: Applier;
}

export function createOutbox({ gossip, verify, apply }: OutboxOptions): Outbox {
  let waiting: (() => void)[] = [];

  function queueProposal({ height, memory }: HeightContext, proposal: Proposal): void {
    const { partSetHeader } = proposal.blockId;
    waiting.push(() => gossip.proposal(proposal, null));
    for (let index = 0; index < partSetHeader.total; index++) {
      const part: Part | null = memory.parts.part(partSetHeader, index);
      if (part !== null) waiting.push(() => gossip.part(height, proposal.round, part, null));
    }
  }

  function queueVote(vote: Vote): void {
    waiting.push(() => gossip.vote(vote, null));
  }

  return {
    proposal(at, proposal) {
      const context = {
        chainId: at.state.chainId,
        proposer: at.proposerAt(proposal.round),
        verifySignature: verify,
      };
      const verdict = verifyProposal(proposal, context);
      if (!verdict.ok) throw new Error(`our own proposal does not verify: ${verdict.message}`);
      apply.proposal(verdict.value, proposal, null);
      queueProposal(at, proposal);
    },
    vote(at, vote) {
      const { chainId, validators } = at.state;
      const verdict = verifyVote(vote, {
        chainId,
        validators,
        extensionsEnabled: at.extensionsEnabled,
        verifySignature: verify,
      });
      if (!verdict.ok) throw new Error(`our own vote does not verify: ${verdict.message}`);
      apply.vote(verdict.value, vote, null);
      queueVote(vote);
    },
    repeat(at, address, currentRound) {
      const index = findValidator(at.state.validators, address)?.index ?? -1;
      for (let round = 0; round <= currentRound; round++) {
        const proposal = at.memory.proposal(round);
        if (proposal !== null && equalBytes(at.proposerAt(round).address, address))
          queueProposal(at, proposal);
        for (const kind of ["prevote", "precommit"] as const) {
          const vote = at.memory.votes.vote(round, kind, index);
          if (vote !== null) queueVote(vote);
        }
      }
    },
    send() {
      const messages = waiting;
      waiting = [];
      for (const message of messages) message();
    },
  };
}
