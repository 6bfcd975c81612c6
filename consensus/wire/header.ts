/** Header: its wire form, its hash and the rules it must satisfy by itself. */

import { blockIdMessage } from "./block-id.ts";
import { hashOrEmptyProblem } from "./checks.ts";
import { bytes, count64, embedded, text, uint64 } from "./fields.ts";
import {
  addressBytes,
  blockBytesMax,
  chainIdBytesMax,
  hashBytes,
  headerBytesMax,
} from "./limits.ts";
import { merkleRoot } from "./merkle.ts";
import { type Message, message } from "./message.ts";
import { timestampMessage } from "./timestamp.ts";
import type { Header, HeaderVersion } from "./types.ts";

/** CometBFT 0.38's block protocol: `version.block` of every header. */
export const blockProtocol = 11n;

const versionMessage: Message<HeaderVersion> = message<HeaderVersion>("Version", {
  block: uint64(1),
  app: uint64(2),
});

/** `tendermint.types.Header`. Decoding checks shape only; `headerProblem` checks the rules. */
export const headerMessage: Message<Header> = message<Header>(
  "Header",
  {
    version: embedded(1, versionMessage),
    chainId: text(2, chainIdBytesMax),
    height: count64(3),
    time: embedded(4, timestampMessage),
    lastBlockId: embedded(5, blockIdMessage),
    lastCommitHash: bytes(6, hashBytes),
    dataHash: bytes(7, hashBytes),
    validatorsHash: bytes(8, hashBytes),
    nextValidatorsHash: bytes(9, hashBytes),
    consensusHash: bytes(10, hashBytes),
    // Free length in CometBFT; the block's own limit bounds it.
    appHash: bytes(11, blockBytesMax),
    lastResultsHash: bytes(12, hashBytes),
    evidenceHash: bytes(13, hashBytes),
    proposerAddress: bytes(14, addressBytes),
  },
  { bytesMax: headerBytesMax },
);

const textLeaf = message<{ readonly value: string }>("StringValue", { value: text(1) });
const heightLeaf = message<{ readonly value: number }>("Int64Value", { value: count64(1) });
const bytesLeaf = message<{ readonly value: Uint8Array }>("BytesValue", { value: bytes(1) });

/** The fourteen Merkle leaves in header order: messages bare, scalars in their wrapper, empty values as empty leaves. */
export function headerLeaves(header: Header): readonly Uint8Array[] {
  const wrapped = (value: Uint8Array): Uint8Array => bytesLeaf.encode({ value });
  return [
    versionMessage.encode(header.version),
    textLeaf.encode({ value: header.chainId }),
    heightLeaf.encode({ value: header.height }),
    timestampMessage.encode(header.time),
    blockIdMessage.encode(header.lastBlockId),
    wrapped(header.lastCommitHash),
    wrapped(header.dataHash),
    wrapped(header.validatorsHash),
    wrapped(header.nextValidatorsHash),
    wrapped(header.consensusHash),
    wrapped(header.appHash),
    wrapped(header.lastResultsHash),
    wrapped(header.evidenceHash),
    wrapped(header.proposerAddress),
  ];
}

/** Block hash, 32 bytes; empty for a header without validators hash, which has none. */
export function headerHash(header: Header): Uint8Array {
  if (header.validatorsHash.length === 0) return new Uint8Array(0);
  return merkleRoot(headerLeaves(header));
}

/** First rule the header breaks by itself, or null. */
export function headerProblem(header: Header): string | null {
  if (header.version.block !== blockProtocol) {
    return `expected block protocol ${blockProtocol}, got ${header.version.block}`;
  }
  if (header.height < 1) return `expected a height of at least 1, got ${header.height}`;
  if (header.proposerAddress.length !== addressBytes) {
    return `expected a proposer address of 20 bytes, got ${header.proposerAddress.length}`;
  }
  return (
    hashOrEmptyProblem("last commit hash", header.lastCommitHash) ??
    hashOrEmptyProblem("data hash", header.dataHash) ??
    hashOrEmptyProblem("validators hash", header.validatorsHash) ??
    hashOrEmptyProblem("next validators hash", header.nextValidatorsHash) ??
    hashOrEmptyProblem("consensus hash", header.consensusHash) ??
    hashOrEmptyProblem("last results hash", header.lastResultsHash) ??
    hashOrEmptyProblem("evidence hash", header.evidenceHash)
  );
}
