/**
 * Proofs of double voting: gathered from the core's equivocations and from peers, offered to proposals, checked in blocks. Pending
 * evidence lives in memory only: whoever restarts forgets it, and the others still propose it.
 */
import { bytesToHex } from "@keel/proto/bytes/hex";
import type { Timestamp } from "@keel/proto/bytes/timestamp";
import { evidenceListBytes } from "../wire/block.ts";
import {
  duplicateVoteEvidence,
  duplicateVoteProblem,
  evidenceHeight,
  evidenceKey,
  isEvidenceExpired,
} from "../wire/evidence.ts";
import type { DuplicateVoteEvidence, Evidence, ValidatorInfo, Vote } from "../wire/types.ts";
import { verifyDuplicateVote } from "../wire/verify.ts";
import { evidenceCommittedMax, evidencePendingMax } from "./limits.ts";
import type { BlockStore, ChainState, StateStore, VerifyEd25519 } from "./ports.ts";

export interface EvidencePool {
  /** Two conflicting, verified votes of the height in progress; they become evidence when its block is committed. */
  reportConflict(first: Vote, second: Vote): void;
  /** From a peer. Why it is refused, or null; evidence already known is no refusal. */
  add(evidence: Evidence, state: ChainState): Promise<string | null>;
  /** What a proposal may carry, oldest first, within `bytesMax` of encoded evidence list. */
  pending(bytesMax: number): readonly Evidence[];
  /** Why a block with this evidence is not valid after `state`, or null. */
  check(evidence: readonly Evidence[], state: ChainState): Promise<string | null>;
  /** After a block: `state` is the new one, `committed` what the block carried. */
  update(state: ChainState, committed: readonly Evidence[]): void;
}

export interface EvidencePoolOptions {
  readonly blocks: BlockStore;
  readonly states: StateStore;
  readonly verify: VerifyEd25519;
  /** New evidence worth telling peers about. */
  readonly onPending?: (evidence: Evidence) => void;
}

export function createEvidencePool(options: EvidencePoolOptions): EvidencePool {
  const { blocks, states, verify } = options;
  const pending = new Map<string, Evidence>();
  /** Committed since this process started; older blocks are searched when it matters. */
  const committed = new Set<string>();
  const firstWatchedHeight = blocks.height() + 1;
  let conflicts: { readonly first: Vote; readonly second: Vote }[] = [];

  function addPending(evidence: Evidence): void {
    const key = keyOf(evidence);
    if (pending.size >= evidencePendingMax || pending.has(key) || committed.has(key)) return;
    pending.set(key, evidence);
    options.onPending?.(evidence);
  }

  async function blockTimeAt(height: number, state: ChainState): Promise<Timestamp | null> {
    if (height === state.lastHeight) return state.lastBlockTime;
    return (await blocks.load(height))?.block.header.time ?? null;
  }

  async function validatorsAt(
    height: number,
    state: ChainState,
  ): Promise<readonly ValidatorInfo[] | null> {
    return height === state.lastHeight ? state.lastValidators : states.loadValidators(height);
  }

  async function problem(evidence: Evidence, state: ChainState): Promise<string | null> {
    if (evidence.kind !== "duplicateVote")
      return "evidence of light client attacks is not accepted";
    const height = evidenceHeight(evidence);
    if (height > state.lastHeight) return `expected evidence of a committed height, got ${height}`;
    const latest = { height: state.lastHeight, time: state.lastBlockTime };
    const { evidence: params } = state.consensusParams;
    const blockTime = await blockTimeAt(height, state);
    const validators = await validatorsAt(height, state);
    if (blockTime === null || validators === null)
      return `nothing is known of height ${height} any more`;
    // Expiry reads the evidence's own time, so that must be checked first.
    const wrong = duplicateVoteProblem(evidence, { validators, blockTime });
    if (wrong !== null) return wrong;
    if (isEvidenceExpired(evidence, latest, params))
      return `evidence of height ${height} has expired`;
    const context = { chainId: state.chainId, validators, blockTime, verifySignature: verify };
    return verifyDuplicateVote(evidence, context)?.message ?? null;
  }

  async function isCommitted(evidence: DuplicateVoteEvidence): Promise<boolean> {
    const key = keyOf(evidence);
    if (committed.has(key)) return true;
    const from = Math.max(evidenceHeight(evidence) + 1, blocks.base());
    for (let height = from; height < firstWatchedHeight; height++) {
      const block = await blocks.load(height);
      if (block?.block.evidence.some((one) => keyOf(one) === key) === true) return true;
    }
    return false;
  }

  function remember(evidence: Evidence): void {
    committed.add(keyOf(evidence));
    if (committed.size <= evidenceCommittedMax) return;
    for (const oldest of committed) {
      committed.delete(oldest);
      return;
    }
  }

  return {
    reportConflict(first, second) {
      if (conflicts.length < evidencePendingMax) conflicts.push({ first, second });
    },
    async add(evidence, state) {
      const key = keyOf(evidence);
      if (pending.has(key) || committed.has(key)) return null;
      const wrong = await problem(evidence, state);
      if (wrong !== null || evidence.kind !== "duplicateVote") return wrong;
      if (!(await isCommitted(evidence))) addPending(evidence);
      return null;
    },
    pending(bytesMax) {
      const offered: Evidence[] = [];
      for (const evidence of pending.values()) {
        if (evidenceListBytes([...offered, evidence]) > bytesMax) break;
        offered.push(evidence);
      }
      return offered;
    },
    async check(evidence, state) {
      const seen = new Set<string>();
      for (const one of evidence) {
        const key = keyOf(one);
        if (seen.has(key)) return "evidence is included twice";
        seen.add(key);
        const wrong = pending.has(key) ? null : await problem(one, state);
        if (wrong !== null) return wrong;
        if (one.kind === "duplicateVote" && (await isCommitted(one)))
          return "evidence was already committed";
      }
      return null;
    },
    update(state, included) {
      for (const evidence of included) {
        remember(evidence);
        pending.delete(keyOf(evidence));
      }
      const latest = { height: state.lastHeight, time: state.lastBlockTime };
      for (const [key, evidence] of pending) {
        if (isEvidenceExpired(evidence, latest, state.consensusParams.evidence))
          pending.delete(key);
      }
      for (const { first, second } of conflicts) {
        if (first.height !== state.lastHeight) continue;
        // Extensions prove nothing here and could be too large for a block.
        const source = {
          first: bare(first),
          second: bare(second),
          blockTime: state.lastBlockTime,
          validators: state.lastValidators,
        };
        const evidence = duplicateVoteEvidence(source);
        if (evidence !== null) addPending(evidence);
      }
      conflicts = [];
    },
  };
}

function bare(vote: Vote): Vote {
  return { ...vote, extension: new Uint8Array(0), extensionSignature: new Uint8Array(0) };
}

function keyOf(evidence: Evidence): string {
  return bytesToHex(evidenceKey(evidence));
}
