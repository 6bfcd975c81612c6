/** Inputs for the next heights, waiting for their startHeight: peers may be a block ahead. Bounded per height and sender. */

import { FUTURE_HEIGHTS_MAX, FUTURE_INPUTS_PER_SENDER_MAX, FUTURE_SENDERS_MAX } from "./limits.ts";
import type { Address, Height, Input } from "./types.ts";

/** Only what others say can come early; timers and built blocks answer a running height. */
export type EarlyInput = Extract<
  Input,
  { type: "proposal" | "vote" | "certificate" | "blockChecked" }
>;

export interface FutureHeights {
  /** Keeps the input and returns null, or returns why it is dropped. */
  add(
    input: EarlyInput,
    at: { readonly height: Height; readonly currentHeight: Height },
  ): string | null;
  /** The height's inputs in order of arrival; forgets them and those of all lower heights. */
  take(height: Height): readonly EarlyInput[];
}

interface Waiting {
  readonly inputs: EarlyInput[];
  readonly counts: Map<Address | "host", number>;
  readonly keys: Set<string>;
}

export function createFutureHeights(): FutureHeights {
  const waiting = new Map<Height, Waiting>();
  return {
    add(input, { height, currentHeight }) {
      if (height > currentHeight + FUTURE_HEIGHTS_MAX) return "too many heights ahead";
      const slot = waiting.get(height) ?? {
        inputs: [],
        counts: new Map<Address, number>(),
        keys: new Set<string>(),
      };
      waiting.set(height, slot);
      const key = keyOf(input);
      // A repetition, which anyone can send, must not use up its author's room.
      if (slot.keys.has(key)) return "duplicate input for a later height";
      const sender = senderOf(input);
      const count = slot.counts.get(sender) ?? 0;
      if (count >= FUTURE_INPUTS_PER_SENDER_MAX)
        return "too many inputs of one sender for a later height";
      if (count === 0 && slot.counts.size >= FUTURE_SENDERS_MAX)
        return "too many senders for a later height";
      slot.counts.set(sender, count + 1);
      slot.inputs.push(input);
      slot.keys.add(key);
      return null;
    },
    take(height) {
      const inputs = waiting.get(height)?.inputs ?? [];
      for (const kept of [...waiting.keys()]) if (kept <= height) waiting.delete(kept);
      return inputs;
    },
  };
}

/** Certificates and verdicts come from our own host, not from a validator. */
function senderOf(input: EarlyInput): Address | "host" {
  switch (input.type) {
    case "proposal":
      return input.proposal.proposer;
    case "vote":
      return input.vote.validator;
    case "certificate":
    case "blockChecked":
      return "host";
  }
}

/** Equal keys, equal inputs of one height. */
function keyOf(input: EarlyInput): string {
  switch (input.type) {
    case "proposal": {
      const { round, blockId, polRound, proposer } = input.proposal;
      return `proposal/${round}/${polRound}/${proposer}/${blockId}`;
    }
    case "vote": {
      const { kind, round, validator, blockId } = input.vote;
      return blockId === null
        ? `${kind}/${round}/${validator}`
        : `${kind}/${round}/${validator}/${blockId}`;
    }
    case "certificate":
      return `certificate/${input.certificate.round}/${input.certificate.blockId}`;
    case "blockChecked":
      return `blockChecked/${input.valid}/${input.blockId}`;
  }
}
