/**
 * What happens with one accepted input: the core handles it, the log records it, the memory keeps its bytes, gossip hears of it. The
 * live path, our own messages and the replay of the log all go through here, so that a replay ends where the crash was.
 */

import type {
  CommitCertificate,
  Proposal as CoreProposal,
  Vote as CoreVote,
  Effect,
  Input,
  Machine,
  Round,
  TimerId,
  Verified,
} from "../core/types.ts";
import { blockIdToCore, equalBlockIds } from "../wire/block-id.ts";
import { voteFromCommit } from "../wire/commit.ts";
import type { BlockID, ExtendedCommit, Part, Proposal, Vote } from "../wire/types.ts";
import type { BuiltBlock } from "./blocks.ts";
import type { PeerInput } from "./early-inputs.ts";
import type { Gossip } from "./gossip.ts";
import type { HeightContext } from "./height.ts";
import type { PartOutcome } from "./part-sets.ts";
import type { PeerId } from "./ports.ts";
import { encodeLogRecord, type LogRecord } from "./wal-records.ts";

export interface ApplierOptions {
  readonly machine: Machine;
  readonly gossip: Gossip;
  /** Null while the log is being replayed: what comes from there does not go back in. */
  readonly log: () => ((record: Uint8Array) => void) | null;
  readonly current: () => HeightContext;
  readonly onEffects: (effects: readonly Effect[]) => void;
  /** A block that was wanted has all its parts. */
  readonly onComplete: () => void;
}

/** `from` is the peer who brought it, null for our own and for replayed messages, which the driver sends itself once they are durable. */
export interface Applier {
  proposal(verified: Verified<CoreProposal>, proposal: Proposal, from: PeerId | null): boolean;
  vote(verified: Verified<CoreVote>, vote: Vote, from: PeerId | null): boolean;
  part(round: Round, part: Part, from: PeerId | null): PartOutcome;
  /** Collects a block that no proposal of `round` names. */
  wanted(round: Round, blockId: BlockID): void;
  built(round: Round, block: BuiltBlock): void;
  /** The blockBuilt input alone, as the log has it. */
  builtInput(round: Round, blockId: BlockID): void;
  checked(blockId: BlockID, valid: boolean): void;
  /** The commit behind it is verified whole: its votes are kept, whatever round the core is in. */
  certificate(verified: Verified<CommitCertificate>, commit: ExtendedCommit): void;
  timer(timer: TimerId): void;
}

export function applyPeerInput(apply: Applier, input: PeerInput): void {
  if (input.type === "vote") apply.vote(input.verified, input.vote, input.peer);
  else apply.proposal(input.verified, input.proposal, input.peer);
}

export function createApplier(options: ApplierOptions): Applier {
  const { machine, gossip, current } = options;

  function record(entry: LogRecord): void {
    options.log()?.(encodeLogRecord(entry));
  }

  /** The record follows the handling, which is as good as before: nothing is signed until both are flushed. Dropped inputs change nothing. */
  function feed(input: Input, entry: LogRecord): boolean {
    const effects = machine.handle(input);
    const isDropped = effects.length > 0 && effects.every((effect) => effect.type === "dropped");
    if (!isDropped) record(entry);
    options.onEffects(effects);
    return !isDropped;
  }

  function recordParts(round: Round, blockId: BlockID, parts: readonly Part[]): void {
    const { height, memory } = current();
    for (const part of parts) record({ type: "part", height, round, part });
    if (parts.length > 0 && memory.parts.isComplete(blockId.partSetHeader)) options.onComplete();
  }

  function part(round: Round, one: Part, from: PeerId | null): PartOutcome {
    const { height, memory } = current();
    const outcome = memory.parts.add(one);
    if (outcome.type !== "added") return outcome;
    record({ type: "part", height, round, part: one });
    if (from !== null) gossip.part(height, round, one, from);
    if (outcome.completed) options.onComplete();
    return outcome;
  }

  function wanted(round: Round, blockId: BlockID): void {
    const { height, memory } = current();
    const proposed = memory.proposal(round)?.blockId;
    if (proposed !== undefined && equalBlockIds(proposed, blockId)) {
      memory.want(round, blockId);
      return;
    }
    record({ type: "wanted", height, round, blockId });
    recordParts(round, blockId, memory.want(round, blockId));
  }

  function builtInput(round: Round, blockId: BlockID): void {
    const { height } = current();
    const name = blockIdToCore(blockId);
    if (name !== null)
      feed(
        { type: "blockBuilt", height, round, blockId: name },
        { type: "built", height, round, blockId },
      );
  }

  return {
    proposal(verified, proposal, from) {
      if (!feed({ type: "proposal", proposal: verified }, { type: "proposal", proposal }))
        return false;
      recordParts(proposal.round, proposal.blockId, current().memory.addProposal(proposal));
      if (from !== null) gossip.proposal(proposal, from);
      return true;
    },
    vote(verified, vote, from) {
      // The round before, as the core saw it: what the core forgets to make room must not count as held.
      const { round } = machine.view();
      if (!feed({ type: "vote", vote: verified }, { type: "vote", vote })) return false;
      current().memory.votes.add(vote, round);
      if (from !== null) gossip.vote(vote, from);
      return true;
    },
    part,
    wanted,
    built(round, block) {
      // Parts before the input: a log torn in between must not promise a block that is not there.
      wanted(round, block.blockId);
      for (const one of block.parts) part(round, one, null);
      current().memory.parts.built(block);
      builtInput(round, block.blockId);
    },
    builtInput,
    checked(blockId, valid) {
      const { height } = current();
      const name = blockIdToCore(blockId);
      if (name !== null)
        feed(
          { type: "blockChecked", height, blockId: name, valid },
          { type: "checked", height, valid, blockId },
        );
    },
    certificate(verified, commit) {
      const { memory } = current();
      for (const index of commit.extendedSignatures.keys()) {
        const vote = voteFromCommit(commit, index);
        if (vote !== null && memory.votes.find(vote) === null) memory.votes.add(vote, commit.round);
      }
      recordParts(commit.round, commit.blockId, memory.decide(commit.round, commit.blockId));
      // Not logged: nothing is ever signed because of a certificate, and peers give it again.
      options.onEffects(machine.handle({ type: "certificate", certificate: verified }));
      if (memory.parts.isComplete(commit.blockId.partSetHeader)) options.onComplete();
    },
    timer(timer) {
      feed({ type: "timerFired", timer }, { type: "timer", timer });
    },
  };
}
