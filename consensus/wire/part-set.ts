/** A block's bytes in proved parts of 64 KiB, and the assembler that takes only parts that belong. */

import { concatBytes } from "@keel/proto/bytes/compare";
import { bytes, embedded, uint32 } from "./fields.ts";
import { partBytesMax, partMessageBytesMax, partsMax } from "./limits.ts";
import { proofMessage, proveAll, verifyProof } from "./merkle.ts";
import { type Message, message } from "./message.ts";
import type { Part, PartSetHeader } from "./types.ts";

/** `tendermint.types.Part`. */
export const partMessage: Message<Part> = message<Part>(
  "Part",
  { index: uint32(1), bytes: bytes(2, partBytesMax), proof: embedded(3, proofMessage) },
  { bytesMax: partMessageBytesMax, check: partProblem },
);

function partProblem({ index, bytes: content, proof }: Part): string | null {
  if (index !== proof.index) return `expected a proof of index ${index}, got ${proof.index}`;
  if (index >= proof.total || proof.total > partsMax) {
    return `expected an index below ${proof.total} and at most ${partsMax} parts, got ${index}`;
  }
  if (index < proof.total - 1 && content.length !== partBytesMax) {
    return `expected ${partBytesMax} bytes before the last part, got ${content.length}`;
  }
  return content.length > 0 ? null : "expected a part with bytes";
}

export interface PartSet {
  readonly header: PartSetHeader;
  readonly parts: readonly Part[];
}

/** Cuts block bytes into parts with their proofs. */
export function splitIntoParts(block: Uint8Array): PartSet {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < block.length; at += partBytesMax)
    pieces.push(block.slice(at, at + partBytesMax));
  const { root, proofs } = proveAll(pieces);
  const parts = pieces.map((piece, index) => ({
    index,
    bytes: piece,
    proof: proofs[index] as Part["proof"],
  }));
  return { header: { total: parts.length, hash: root }, parts };
}

export type AddPartResult = "added" | "duplicate" | "wrong-index" | "wrong-size" | "wrong-proof";

/** Collects the parts of one header. Every part it holds is proved, so the joined bytes are the ones the header names. */
export interface PartAssembler {
  readonly header: PartSetHeader;
  add(part: Part): AddPartResult;
  has(index: number): boolean;
  part(index: number): Part | null;
  readonly count: number;
  readonly isComplete: boolean;
  /** Joined bytes; null until complete. */
  bytes(): Uint8Array | null;
}

/** `header.total` must lie within what the block size allows (`maxParts`): the caller refuses the proposal otherwise. */
export function createPartAssembler(header: PartSetHeader): PartAssembler {
  if (header.total < 1 || header.total > partsMax) {
    throw new RangeError(`part set: expected 1 to ${partsMax} parts, got ${header.total}`);
  }
  const parts: (Part | undefined)[] = new Array<Part | undefined>(header.total).fill(undefined);
  let count = 0;
  let joined: Uint8Array | null = null;

  function add(part: Part): AddPartResult {
    if (!Number.isSafeInteger(part.index) || part.index < 0 || part.index >= header.total)
      return "wrong-index";
    if (part.proof.index !== part.index || part.proof.total !== header.total) return "wrong-proof";
    if (partProblem(part) !== null || part.bytes.length > partBytesMax) return "wrong-size";
    if (parts[part.index] !== undefined) return "duplicate";
    if (!verifyProof(header.hash, part.bytes, part.proof)) return "wrong-proof";
    parts[part.index] = part;
    count++;
    return "added";
  }

  return {
    header,
    add,
    has: (index) => parts[index] !== undefined,
    part: (index) => parts[index] ?? null,
    get count() {
      return count;
    },
    get isComplete() {
      return count === header.total;
    },
    bytes() {
      if (count < header.total) return null;
      joined ??= concatBytes(...parts.map((part) => (part as Part).bytes));
      return joined;
    },
  };
}

/** Most parts a proposal may announce under a block size limit. */
export function maxParts(blockBytes: number): number {
  return Math.floor((blockBytes - 1) / partBytesMax) + 1;
}
