/** Our own proposals and votes: from the core's wish to the signed message. */
import type { Proposal as CoreProposal, Vote as CoreVote, MachineView } from "../core/types.ts";
import { blockIdFromCore, blockIdToCore } from "../wire/block-id.ts";
import { voteTime } from "../wire/time.ts";
import type { BlockID, Proposal, Timestamp, Vote } from "../wire/types.ts";
import { findValidator } from "../wire/validator-set.ts";
import { carriesExtension } from "../wire/vote.ts";
import { toProposedBlock } from "./blocks.ts";
import type { HeightContext } from "./height.ts";
import type { Application, Clock, Signer, StoredBlock } from "./ports.ts";
import { SignerRefusal } from "./signer.ts";

export interface OwnMessages {
  /** Null when the signer refuses. Everything else that goes wrong throws, and is fatal. */
  proposal(at: HeightContext, wish: CoreProposal): Promise<Proposal | null>;
  vote(at: HeightContext, wish: CoreVote, view: MachineView): Promise<Vote | null>;
}

export interface OwnMessagesOptions {
  readonly signer: Signer;
  readonly app: Application;
  readonly clock: Clock;
  readonly onRefused: (refusal: SignerRefusal) => void;
}

const noBytes = new Uint8Array(0);

export function createOwnMessages({
  signer,
  app,
  clock,
  onRefused,
}: OwnMessagesOptions): OwnMessages {
  async function unlessRefused<T>(sign: Promise<T>): Promise<T | null> {
    try {
      return await sign;
    } catch (error) {
      if (!(error instanceof SignerRefusal)) throw error;
      onRefused(error);
      return null;
    }
  }

  function blockOf(at: HeightContext, blockId: BlockID | null): StoredBlock | null {
    const block = blockId === null ? null : at.memory.parts.block(blockId);
    return block === "invalid" ? null : block;
  }

  /** Time of the block the vote must come after: the locked, else the proposed, else the previous one. */
  function timeToExceed(at: HeightContext, view: MachineView): Timestamp {
    const locked = view.lockedBlockId === null ? null : blockIdFromCore(view.lockedBlockId);
    const proposed = at.memory.proposal(view.round)?.blockId ?? null;
    return (
      (blockOf(at, locked) ?? blockOf(at, proposed))?.block.header.time ?? at.state.lastBlockTime
    );
  }

  async function extensionOf(at: HeightContext, vote: Vote): Promise<Uint8Array> {
    if (!at.extensionsEnabled || !carriesExtension(vote)) return noBytes;
    const block = blockOf(at, vote.blockId);
    if (block === null)
      throw new Error(`precommit for block ${blockIdToCore(vote.blockId)}, which is not here`);
    return app.extendVote({
      block: toProposedBlock(block, at.state.lastValidators),
      round: vote.round,
    });
  }

  return {
    proposal(at, wish) {
      const { height, round, polRound } = wish;
      const blockId = blockIdFromCore(wish.blockId);
      const unsigned: Proposal = {
        height,
        round,
        polRound,
        blockId,
        timestamp: clock.now(),
        signature: noBytes,
      };
      return unlessRefused(signer.signProposal(at.state.chainId, unsigned));
    },
    async vote(at, wish, view) {
      const self = findValidator(at.state.validators, signer.address);
      if (self === null)
        throw new Error(`asked to vote at height ${wish.height} without being in the set`);
      const unsigned: Vote = {
        type: wish.kind,
        height: wish.height,
        round: wish.round,
        blockId: blockIdFromCore(wish.blockId),
        timestamp: voteTime(clock.now(), timeToExceed(at, view)),
        validatorAddress: signer.address,
        validatorIndex: self.index,
        signature: noBytes,
        extension: noBytes,
        extensionSignature: noBytes,
      };
      const vote = { ...unsigned, extension: await extensionOf(at, unsigned) };
      const signed = await unlessRefused(signer.signVote(at.state.chainId, vote));
      // The signer signs an extension with every precommit of a block; where they are off it must not travel.
      return signed === null || at.extensionsEnabled
        ? signed
        : { ...signed, extensionSignature: noBytes };
    },
  };
}
