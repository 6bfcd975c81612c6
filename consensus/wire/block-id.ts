/** BlockID: its wire form, its ordering key and its opaque form in the consensus core. */

import { concatBytes, equalBytes } from "@keel/proto/bytes/compare";
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { bytesToHex, hexToBytes } from "@keel/proto/bytes/hex";
import type { BlockId } from "../core/types.ts";
import { bytes, embedded, uint32 } from "./fields.ts";
import { hashBytes, partsMax } from "./limits.ts";
import { type Message, message } from "./message.ts";
import type { BlockID, PartSetHeader } from "./types.ts";

/** `tendermint.types.PartSetHeader`. */
export const partSetHeaderMessage: Message<PartSetHeader> = message<PartSetHeader>(
  "PartSetHeader",
  { total: uint32(1), hash: bytes(2, hashBytes) },
  {
    check: (header) =>
      isHashOrEmpty(header.hash)
        ? null
        : `expected a hash of 0 or 32 bytes, got ${header.hash.length}`,
  },
);

/** `tendermint.types.BlockID`; also CanonicalBlockID, whose fields are the same. */
export const blockIdMessage: Message<BlockID> = message<BlockID>(
  "BlockID",
  { hash: bytes(1, hashBytes), partSetHeader: embedded(2, partSetHeaderMessage) },
  {
    check: (id) =>
      isHashOrEmpty(id.hash) ? null : `expected a hash of 0 or 32 bytes, got ${id.hash.length}`,
  },
);

/** Votes for nil carry it; its encoding is `12 00`, never nothing. */
export const zeroBlockId: BlockID = {
  hash: new Uint8Array(0),
  partSetHeader: { total: 0, hash: new Uint8Array(0) },
};

export function isZeroBlockId(id: BlockID): boolean {
  return id.hash.length === 0 && id.partSetHeader.total === 0 && id.partSetHeader.hash.length === 0;
}

/** Names a block: both hashes present and at least one part, no more than the largest block has. */
export function isCompleteBlockId(id: BlockID): boolean {
  return (
    id.hash.length === hashBytes &&
    id.partSetHeader.hash.length === hashBytes &&
    id.partSetHeader.total > 0 &&
    id.partSetHeader.total <= partsMax
  );
}

export function equalBlockIds(a: BlockID, b: BlockID): boolean {
  return equalBytes(a.hash, b.hash) && equalPartSetHeaders(a.partSetHeader, b.partSetHeader);
}

export function equalPartSetHeaders(a: PartSetHeader, b: PartSetHeader): boolean {
  return a.total === b.total && equalBytes(a.hash, b.hash);
}

/** Hash bytes followed by the part set header's protobuf bytes: the order of the two votes of an evidence. */
export function blockIdKey(id: BlockID): Uint8Array {
  return concatBytes(id.hash, partSetHeaderMessage.encode(id.partSetHeader));
}

/** The core's name of a block; null for the zero BlockID. */
export function blockIdToCore(id: BlockID): BlockId | null {
  return isZeroBlockId(id) ? null : bytesToHex(blockIdKey(id));
}

/** Inverse of `blockIdToCore`; throws `DecodeError` unless the key names a complete BlockID in upper case. */
export function blockIdFromCore(key: BlockId | null): BlockID {
  if (key === null) return zeroBlockId;
  const joined = hexToBytes(key);
  if (bytesToHex(joined) !== key)
    throw new DecodeError("not-canonical", "block id: expected upper-case hex");
  const id: BlockID = {
    hash: joined.slice(0, hashBytes),
    partSetHeader: partSetHeaderMessage.decode(joined.subarray(hashBytes)),
  };
  if (!isCompleteBlockId(id))
    throw new DecodeError("invalid", "block id: expected hash, part count and parts hash");
  return id;
}

export function isHashOrEmpty(hash: Uint8Array): boolean {
  return hash.length === 0 || hash.length === hashBytes;
}

/** In sign bytes the zero BlockID is left out. */
export function canonicalBlockId(id: BlockID): BlockID | null {
  return isZeroBlockId(id) ? null : id;
}
