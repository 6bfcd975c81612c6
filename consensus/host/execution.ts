/**
 * The block executor: makes proposals, judges blocks and applies decided ones in the one order in which every step survives the
 * loss of all later ones. Used by the driver, by the handshake and by block sync.
 */
import { equalBytes } from "@keel/proto/bytes/compare";
import type { Timestamp } from "@keel/proto/bytes/timestamp";
import { evidenceListBytes, maxTxsBytes, txBytesInBlock } from "../wire/block.ts";
import { stripExtensions } from "../wire/commit.ts";
import { evidenceToMisbehavior } from "../wire/evidence.ts";
import { blockTransactionsMax } from "../wire/limits.ts";
import { extensionsEnabled, maxBlockBytes } from "../wire/params.ts";
import type { ExtendedCommit } from "../wire/types.ts";
import { validatorsHash } from "../wire/validator-set.ts";
import { verifyCommitFull } from "../wire/verify-commit.ts";
import {
  type BuiltBlock,
  blockProblemAgainst,
  buildBlock,
  isInitial,
  nextBlockTime,
  nextHeight,
  toProposedBlock,
} from "./blocks.ts";
import type { EvidencePool } from "./evidence-pool.ts";
import type {
  Application,
  BlockStore,
  ChainState,
  FinalizeBlockResponse,
  HostListener,
  Mempool,
  StateStore,
  StoredBlock,
  VerifyEd25519,
  WriteAheadLog,
} from "./ports.ts";
import { nextState } from "./transition.ts";

/** Between these, in this order, a crash may happen; tests make it happen. */
export const commitSteps = [
  "before block saved",
  "block saved",
  "end of height logged",
  "block finalised",
  "response saved",
  "application committed",
  "state saved",
  "mempool updated",
  "published",
] as const;
export type CommitStep = (typeof commitSteps)[number];

export interface ExecutorOptions {
  readonly app: Application;
  readonly blocks: BlockStore;
  readonly states: StateStore;
  readonly mempool: Mempool;
  readonly evidence: EvidencePool;
  readonly verify: VerifyEd25519;
  readonly listener?: HostListener;
  /** Called after each step of a commit. A throw is a crash at that place. */
  readonly failPoint?: (step: CommitStep, height: number) => void;
}

export interface ProposalSource {
  /** Commit of the previous height with late precommits; null at the initial height. */
  readonly lastCommit: ExtendedCommit | null;
  readonly proposerAddress: Uint8Array;
}

export interface Executor {
  createProposalBlock(state: ChainState, source: ProposalSource): Promise<BuiltBlock>;
  /** Why the block must not follow `state`, or null. Signatures of the last commit and evidence included. */
  validateBlock(state: ChainState, stored: StoredBlock): Promise<string | null>;
  /** From when our clock takes the block as a proposal, whatever is in it; null: at any time. */
  proposableFrom(stored: StoredBlock): Timestamp | null;
  /** The application's opinion of a valid block. */
  processProposal(state: ChainState, stored: StoredBlock): Promise<boolean>;
  /** Saves a validated, decided block, marks the end of its height in the log (if there is one) and applies it. */
  commitBlock(input: CommitInput): Promise<ChainState>;
  /** Applies a validated block that is already in the block store. Every throw is fatal. */
  applyBlock(state: ChainState, stored: StoredBlock): Promise<ChainState>;
  /** Applies a block the application has already committed, from the response saved before that commit. Executes nothing. */
  applySaved(
    state: ChainState,
    stored: StoredBlock,
    response: FinalizeBlockResponse,
  ): Promise<ChainState>;
}

export interface CommitInput {
  readonly state: ChainState;
  readonly block: StoredBlock;
  readonly seenCommit: ExtendedCommit;
  /** Null in block sync, which runs before the log is opened. */
  readonly wal: WriteAheadLog | null;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const { app, blocks, states, mempool, evidence, verify } = options;
  const passed = (step: CommitStep, height: number): void => options.failPoint?.(step, height);

  async function createProposalBlock(
    state: ChainState,
    source: ProposalSource,
  ): Promise<BuiltBlock> {
    const { consensusParams } = state;
    const height = nextHeight(state);
    const lastCommit = source.lastCommit === null ? null : stripExtensions(source.lastCommit);
    const proofs = evidence.pending(Number(consensusParams.evidence.maxBytes));
    const maxTxBytes = maxTxsBytes({
      blockBytes: maxBlockBytes(consensusParams),
      validators: lastCommit?.signatures.length ?? 0,
      evidenceBytes: evidenceListBytes(proofs),
    });
    const { maxGas } = consensusParams.block;
    const hasExtensions =
      source.lastCommit !== null && extensionsEnabled(consensusParams, height - 1);
    const txs = await app.prepareProposal({
      maxTxBytes,
      txs: mempool.reap(maxTxBytes, maxGas < 0n ? null : maxGas).slice(0, blockTransactionsMax),
      localLastCommit: hasExtensions ? source.lastCommit : null,
      misbehavior: proofs.flatMap(evidenceToMisbehavior),
      height,
      time: nextBlockTime(state, lastCommit),
      nextValidatorsHash: validatorsHash(state.nextValidators),
      proposerAddress: source.proposerAddress,
    });
    const bytes = txs.reduce((sum, tx) => sum + txBytesInBlock(tx.length), 0);
    if (bytes > maxTxBytes || txs.length > blockTransactionsMax) {
      throw new Error(
        `application: expected at most ${blockTransactionsMax} transactions in ${maxTxBytes} bytes for block ${height}, got ${txs.length} in ${bytes}`,
      );
    }
    return buildBlock(state, {
      txs,
      lastCommit,
      evidence: proofs,
      proposerAddress: source.proposerAddress,
    });
  }

  function lastCommitProblem(state: ChainState, stored: StoredBlock): string | null {
    const { lastCommit, header } = stored.block;
    if (isInitial(state)) {
      return lastCommit.signatures.length === 0 && lastCommit.height === 0
        ? null
        : "expected an empty last commit";
    }
    const check = {
      chainId: state.chainId,
      validators: state.lastValidators,
      commit: lastCommit,
      verifySignature: verify,
    };
    const refusal = verifyCommitFull(check, {
      height: header.height - 1,
      blockId: state.lastBlockId,
    });
    return refusal?.message ?? null;
  }

  async function validateBlock(state: ChainState, stored: StoredBlock): Promise<string | null> {
    return (
      blockProblemAgainst(state, stored) ??
      lastCommitProblem(state, stored) ??
      (await evidence.check(stored.block.evidence, state))
    );
  }

  async function save(next: ChainState): Promise<void> {
    await states.save(next);
    passed("state saved", next.lastHeight);
  }

  async function commitApplication(height: number): Promise<number> {
    const { retainHeight } = await app.commit();
    passed("application committed", height);
    return retainHeight;
  }

  async function finish(stored: StoredBlock, done: Applied): Promise<ChainState> {
    const { height } = stored.block.header;
    evidence.update(done.next, stored.block.evidence);
    await mempool.update(height, stored.block.txs, done.response.txResults);
    passed("mempool updated", height);
    await options.listener?.onCommitted?.({
      block: stored.block,
      blockId: stored.blockId,
      result: done.response,
    });
    passed("published", height);
    await prune(done.next, done.retainHeight);
    return done.next;
  }

  /** Evidence needs the blocks it speaks of, so those stay whatever the application says. */
  async function prune(state: ChainState, retainHeight: number): Promise<void> {
    const oldestForEvidence =
      state.lastHeight - Number(state.consensusParams.evidence.maxAgeNumBlocks);
    const keepFrom = Math.min(retainHeight, oldestForEvidence);
    if (keepFrom > blocks.base()) await blocks.prune(keepFrom);
  }

  async function applyBlock(state: ChainState, stored: StoredBlock): Promise<ChainState> {
    const { height } = stored.block.header;
    const response = await app.finalizeBlock(toProposedBlock(stored, state.lastValidators));
    // Judged before anything becomes durable: an impossible answer must leave no trace.
    const next = nextState(state, stored, response);
    passed("block finalised", height);
    await states.saveFinalizeBlockResponse(height, response);
    passed("response saved", height);
    await mempool.lock?.();
    // In whichever order they become durable: a restart mends a state that is one ahead of the application, and one that is behind.
    const [retainHeight] = await Promise.all([commitApplication(height), save(next)]);
    return finish(stored, { next, response, retainHeight });
  }

  return {
    createProposalBlock,
    validateBlock,
    proposableFrom: ({ block: { header, txs } }) =>
      app.proposableFrom({ height: header.height, time: header.time, txs }),
    processProposal: (state, stored) =>
      app.processProposal(toProposedBlock(stored, state.lastValidators)),
    async commitBlock({ state, block, seenCommit, wal }) {
      const { height } = block.block.header;
      passed("before block saved", height);
      await blocks.save(block, seenCommit);
      passed("block saved", height);
      await wal?.writeEndHeight(height);
      passed("end of height logged", height);
      return applyBlock(state, block);
    },
    applyBlock,
    async applySaved(state, stored, response) {
      const next = nextState(state, stored, response);
      const info = await app.info();
      if (!equalBytes(info.lastAppHash, next.appHash)) {
        throw new Error(
          `application hash after block ${next.lastHeight} differs from the response saved for it`,
        );
      }
      await save(next);
      return finish(stored, { next, response, retainHeight: 0 });
    },
  };
}

interface Applied {
  readonly next: ChainState;
  readonly response: FinalizeBlockResponse;
  readonly retainHeight: number;
}
