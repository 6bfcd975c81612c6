/** Block: wire form, list hashes, the rules it must satisfy by itself, and how much room its transactions have. */

import { equalBytes } from "@keel/proto/bytes/compare";
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import { commitHash, commitMessage } from "./commit.ts";
import { evidenceListHash, evidenceMessage } from "./evidence.ts";
import { embedded, nullable, repeated, repeatedBytes } from "./fields.ts";
import { headerMessage, headerProblem } from "./header.ts";
import {
  blockBytesMax,
  blockEvidenceMax,
  blockOverheadBytes,
  blockTransactionsMax,
  commitOverheadBytes,
  commitSignatureBytes,
  headerBytesMax,
} from "./limits.ts";
import { hashEach, merkleRoot } from "./merkle.ts";
import { message } from "./message.ts";
import type { Block, Commit, Evidence, Header } from "./types.ts";
import { varintSize } from "./writer.ts";

const dataMessage = message<{ readonly txs: readonly Uint8Array[] }>("Data", {
  txs: repeatedBytes(1, blockTransactionsMax),
});

const evidenceListMessage = message<{ readonly evidence: readonly Evidence[] }>("EvidenceList", {
  evidence: repeated(1, evidenceMessage, blockEvidenceMax),
});

interface BlockRecord {
  readonly header: Header;
  readonly data: { readonly txs: readonly Uint8Array[] };
  readonly evidence: { readonly evidence: readonly Evidence[] };
  readonly lastCommit: Commit | null;
}

const blockRecord = message<BlockRecord>(
  "Block",
  {
    header: embedded(1, headerMessage),
    data: embedded(2, dataMessage),
    evidence: embedded(3, evidenceListMessage),
    lastCommit: nullable(4, commitMessage),
  },
  {
    bytesMax: blockBytesMax,
    check: ({ lastCommit }) => (lastCommit === null ? "expected a last commit" : null),
  },
);

/** Plain protobuf without length prefix: what parts are cut from. Only the proposer calls it; others keep the bytes they got. */
export function encodeBlock(block: Block): Uint8Array {
  const { header, txs, evidence, lastCommit } = block;
  return blockRecord.encode({ header, data: { txs }, evidence: { evidence }, lastCommit });
}

/** The block of `bytes`, canonical and consistent by itself (see `blockProblem`), else `DecodeError`. */
export function decodeBlock(bytes: Uint8Array): Block {
  const { header, data, evidence, lastCommit } = blockRecord.decode(bytes);
  const block = {
    header,
    txs: data.txs,
    evidence: evidence.evidence,
    lastCommit: lastCommit as Commit,
  };
  const problem = blockProblem(block);
  if (problem !== null) throw new DecodeError("invalid", `Block: ${problem}`);
  return block;
}

/** First rule the block breaks by itself, or null: header rules and the three hashes of its contents. */
export function blockProblem(block: Block): string | null {
  const { header } = block;
  return (
    headerProblem(header) ??
    hashProblem("last commit hash", header.lastCommitHash, commitHash(block.lastCommit)) ??
    hashProblem("data hash", header.dataHash, dataHash(block.txs)) ??
    hashProblem("evidence hash", header.evidenceHash, evidenceListHash(block.evidence))
  );
}

function hashProblem(what: string, got: Uint8Array, expected: Uint8Array): string | null {
  if (equalBytes(got, expected)) return null;
  return `expected ${what} ${bytesToHex(expected)}, got ${bytesToHex(got)}`;
}

/** Transaction hash: SHA-256 of the raw bytes. */
export function txHash(tx: Uint8Array): Uint8Array {
  return sha256(tx);
}

/** `data_hash`: the leaves are transaction hashes, not transactions. */
export function dataHash(txs: readonly Uint8Array[]): Uint8Array {
  return merkleRoot(hashEach(txs));
}

/** What a transaction takes of a block: its length and its framing. */
export function txBytesInBlock(length: number): number {
  return 1 + varintSize(length) + length;
}

/** Longest encoded commit of `validators` signatures. */
export function maxCommitBytes(validators: number): number {
  return commitOverheadBytes + validators * commitSignatureBytes;
}

export interface BlockRoom {
  /** `maxBlockBytes(params)`. */
  readonly blockBytes: number;
  readonly validators: number;
  /** Encoded evidence list that the block will carry. */
  readonly evidenceBytes: number;
}

/** Bytes left for transactions, counted with `txBytesInBlock`; 0 when there is no room. */
export function maxTxsBytes({ blockBytes, validators, evidenceBytes }: BlockRoom): number {
  const room =
    blockBytes - blockOverheadBytes - headerBytesMax - maxCommitBytes(validators) - evidenceBytes;
  return Math.max(room, 0);
}

/** Encoded size of an evidence list with its framing, for `maxTxsBytes`. */
export function evidenceListBytes(evidence: readonly Evidence[]): number {
  return evidenceListMessage.encode({ evidence }).length;
}
