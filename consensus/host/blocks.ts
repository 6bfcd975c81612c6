/** What the next block must look like, given the chain state: making it and checking it. No I/O. */
import { equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import {
  addMs,
  compareTimestamps,
  formatTimestamp,
  type Timestamp,
} from "@keel/proto/bytes/timestamp";
import { dataHash, encodeBlock, evidenceListBytes } from "../wire/block.ts";
import { equalBlockIds } from "../wire/block-id.ts";
import { commitHash, emptyCommit } from "../wire/commit.ts";
import { evidenceListHash, evidenceToMisbehavior } from "../wire/evidence.ts";
import { blockProtocol, headerHash } from "../wire/header.ts";
import { consensusHash, maxBlockBytes } from "../wire/params.ts";
import { splitIntoParts } from "../wire/part-set.ts";
import { medianTime } from "../wire/time.ts";
import type { Block, Commit, Evidence, Header, Part, ValidatorInfo } from "../wire/types.ts";
import { findValidator, validatorsHash } from "../wire/validator-set.ts";
import type { ChainState, CommitInfo, ProposedBlock, StoredBlock } from "./ports.ts";

export interface BuiltBlock extends StoredBlock {
  readonly parts: readonly Part[];
}

export function nextHeight(state: ChainState): number {
  return state.lastHeight === 0 ? state.initialHeight : state.lastHeight + 1;
}

export function isInitial(state: ChainState): boolean {
  return state.lastHeight === 0;
}

export interface BlockContents {
  readonly txs: readonly Uint8Array[];
  /** Null at the initial height. */
  readonly lastCommit: Commit | null;
  readonly evidence: readonly Evidence[];
  readonly proposerAddress: Uint8Array;
}

/** Header time of the next block: genesis time, or the weighted median of the last commit. */
export function nextBlockTime(state: ChainState, lastCommit: Commit | null): Timestamp {
  if (isInitial(state) || lastCommit === null) return state.lastBlockTime;
  const time = medianTime(lastCommit, state.lastValidators);
  if (time === null)
    throw new RangeError("last commit: expected signatures by the last validator set");
  return time;
}

/** The next block, serialised once and cut into parts. */
export function buildBlock(state: ChainState, contents: BlockContents): BuiltBlock {
  const lastCommit = contents.lastCommit ?? emptyCommit;
  const header: Header = {
    version: { block: blockProtocol, app: BigInt(state.appVersion) },
    chainId: state.chainId,
    height: nextHeight(state),
    time: nextBlockTime(state, contents.lastCommit),
    lastBlockId: state.lastBlockId,
    lastCommitHash: commitHash(lastCommit),
    dataHash: dataHash(contents.txs),
    validatorsHash: validatorsHash(state.validators),
    nextValidatorsHash: validatorsHash(state.nextValidators),
    consensusHash: consensusHash(state.consensusParams),
    appHash: state.appHash,
    lastResultsHash: state.lastResultsHash,
    evidenceHash: evidenceListHash(contents.evidence),
    proposerAddress: contents.proposerAddress,
  };
  const block: Block = { header, txs: contents.txs, evidence: contents.evidence, lastCommit };
  const bytes = encodeBlock(block);
  const { header: partSetHeader, parts } = splitIntoParts(bytes);
  return { block, bytes, parts, blockId: { hash: headerHash(header), partSetHeader } };
}

/**
 * First rule the block's header, size or time breaks against `state`, or null. Its own consistency (list hashes, canonical bytes) is
 * already checked by decoding; signatures in its last commit and evidence are the executor's.
 */
export function blockProblemAgainst(state: ChainState, stored: StoredBlock): string | null {
  const { header } = stored.block;
  const bytesMax = maxBlockBytes(state.consensusParams);
  if (stored.bytes.length > bytesMax)
    return `expected at most ${bytesMax} bytes, got ${stored.bytes.length}`;
  const evidenceMax = state.consensusParams.evidence.maxBytes;
  if (BigInt(evidenceListBytes(stored.block.evidence)) > evidenceMax)
    return `expected at most ${evidenceMax} bytes of evidence`;
  if (header.version.block !== blockProtocol || header.version.app !== BigInt(state.appVersion)) {
    return `expected version ${blockProtocol}/${state.appVersion}, got ${header.version.block}/${header.version.app}`;
  }
  if (header.chainId !== state.chainId)
    return `expected chain ${state.chainId}, got ${header.chainId}`;
  if (header.height !== nextHeight(state))
    return `expected height ${nextHeight(state)}, got ${header.height}`;
  if (!equalBlockIds(header.lastBlockId, state.lastBlockId)) return "expected the last block's id";
  return (
    hashProblem("app hash", state.appHash, header.appHash) ??
    hashProblem("last results hash", state.lastResultsHash, header.lastResultsHash) ??
    hashProblem("consensus hash", consensusHash(state.consensusParams), header.consensusHash) ??
    hashProblem("validators hash", validatorsHash(state.validators), header.validatorsHash) ??
    hashProblem(
      "next validators hash",
      validatorsHash(state.nextValidators),
      header.nextValidatorsHash,
    ) ??
    (findValidator(state.validators, header.proposerAddress) === null
      ? `expected a proposer of the set, got ${bytesToHex(header.proposerAddress)}`
      : null) ??
    timeProblem(state, stored.block)
  );
}

function hashProblem(what: string, expected: Uint8Array, got: Uint8Array): string | null {
  return equalBytes(expected, got)
    ? null
    : `expected ${what} ${bytesToHex(expected)}, got ${bytesToHex(got)}`;
}

function timeProblem(state: ChainState, block: Block): string | null {
  const { time } = block.header;
  if (isInitial(state)) {
    return compareTimestamps(time, state.lastBlockTime) === 0
      ? null
      : `expected the genesis time ${formatTimestamp(state.lastBlockTime)}, got ${formatTimestamp(time)}`;
  }
  if (compareTimestamps(time, state.lastBlockTime) <= 0) {
    return `expected a time after ${formatTimestamp(state.lastBlockTime)}, got ${formatTimestamp(time)}`;
  }
  const median = medianTime(block.lastCommit, state.lastValidators);
  if (median === null) return "expected a last commit signed by the last validator set";
  return compareTimestamps(time, median) === 0
    ? null
    : `expected the median time ${formatTimestamp(median)}, got ${formatTimestamp(time)}`;
}

/** A local rule of consensus, never of sync: a block from further in the future than clocks may differ. */
export function isAheadOfClock(block: Block, now: Timestamp, toleranceMs: number): boolean {
  return compareTimestamps(block.header.time, addMs(now, toleranceMs)) >= 0;
}

const flagCodes = { absent: 1, commit: 2, nil: 3 } as const;

/** The last commit as the application sees it, in the order of `lastValidators`. */
export function commitInfo(
  lastCommit: Commit,
  lastValidators: readonly ValidatorInfo[],
): CommitInfo {
  const votes = lastCommit.signatures.map((signature, index) => {
    const validator = lastValidators[index];
    if (validator === undefined)
      throw new RangeError(`last commit: no validator at index ${index}`);
    return { address: validator.address, power: validator.power, flag: flagCodes[signature.flag] };
  });
  return { round: lastCommit.round, votes };
}

/** What the application is told of a block. `lastValidators` is the set of the block's last commit. */
export function toProposedBlock(
  stored: StoredBlock,
  lastValidators: readonly ValidatorInfo[],
): ProposedBlock {
  const { block } = stored;
  return {
    hash: stored.blockId.hash,
    height: block.header.height,
    time: block.header.time,
    txs: block.txs,
    decidedLastCommit: commitInfo(block.lastCommit, lastValidators),
    misbehavior: block.evidence.flatMap(evidenceToMisbehavior),
    nextValidatorsHash: block.header.nextValidatorsHash,
    proposerAddress: block.header.proposerAddress,
  };
}
