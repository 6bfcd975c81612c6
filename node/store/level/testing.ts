/** A short chain of valid blocks for tests of the stores that hold blocks. */
import type { FinalizeBlockResponse, StoredBlock } from "@keel/consensus/host/ports";
import type { Event, ExecTxResult } from "@keel/consensus/wire/abci";
import { dataHash, encodeBlock } from "@keel/consensus/wire/block";
import { zeroBlockId } from "@keel/consensus/wire/block-id";
import { commitHash, emptyCommit, withoutExtensions } from "@keel/consensus/wire/commit";
import {
  blockIdOfHeader,
  makeHeader,
  makeValidators,
  signCommit,
  type TestValidators,
} from "@keel/consensus/wire/testing/world";
import type { Block, Commit, ExtendedCommit } from "@keel/consensus/wire/types";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";

export const testWorld: TestValidators = makeValidators([10n, 20n, 30n]);

export interface TestBlock {
  readonly stored: StoredBlock;
  readonly seenCommit: ExtendedCommit;
}

/** `count` linked blocks from `initialHeight`, each with its height's transactions. */
export function makeBlocks(
  count: number,
  txsOf: (height: number) => readonly Uint8Array[] = (height) => [utf8ToBytes(`tx of ${height}`)],
  initialHeight: number = 1,
): TestBlock[] {
  const blocks: TestBlock[] = [];
  let lastCommit: Commit = emptyCommit;
  let lastBlockId = zeroBlockId;
  for (let height = initialHeight; height < initialHeight + count; height++) {
    const txs = txsOf(height);
    const hashes = { dataHash: dataHash(txs), lastCommitHash: commitHash(lastCommit) };
    const header = makeHeader(testWorld, { height, lastBlockId, ...hashes });
    const block: Block = { header, txs, evidence: [], lastCommit };
    const blockId = blockIdOfHeader(header);
    const commit = signCommit(testWorld, { height, blockId });
    blocks.push({
      stored: { block, bytes: encodeBlock(block), blockId },
      seenCommit: withoutExtensions(commit),
    });
    lastCommit = commit;
    lastBlockId = blockId;
  }
  return blocks;
}

/** `["transfer", ["recipient", "a"], ["amount", "5"]]` as an event; every attribute is searchable. */
export function eventOf(
  type: string,
  ...attributes: readonly (readonly [string, string])[]
): Event {
  return { type, attributes: attributes.map(([key, value]) => ({ key, value, index: true })) };
}

export function resultOf(events: readonly Event[] = [], code: number = 0): ExecTxResult {
  const text = { log: "", info: "", codespace: code === 0 ? "" : "sdk" };
  return { code, data: new Uint8Array(), ...text, gasWanted: 10n, gasUsed: 7n, events };
}

export function responseOf(
  txResults: readonly ExecTxResult[],
  events: readonly Event[] = [],
): FinalizeBlockResponse {
  const appHash = new Uint8Array(32).fill(3);
  return { events, txResults, validatorUpdates: [], consensusParamUpdates: null, appHash };
}
