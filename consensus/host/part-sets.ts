/** The blocks of one height while their parts arrive. Bounded: the oldest block that nothing holds on to goes first. */
import { bytesToHex } from "@keel/proto/bytes/hex";
import { decodeBlock } from "../wire/block.ts";
import { equalBlockIds } from "../wire/block-id.ts";
import { headerHash } from "../wire/header.ts";
import { rootFromProof } from "../wire/merkle.ts";
import { createPartAssembler, type PartAssembler } from "../wire/part-set.ts";
import type { Block, BlockID, Part, PartSetHeader } from "../wire/types.ts";
import { assemblersMax, earlyPartsMax } from "./limits.ts";
import type { StoredBlock } from "./ports.ts";

export type PartOutcome =
  | { readonly type: "added"; readonly completed: boolean }
  | { readonly type: "duplicate" }
  /** Kept until someone asks for the block it belongs to. */
  | { readonly type: "early" }
  | { readonly type: "invalid"; readonly reason: string };

export interface PartSets {
  /**
   * Starts collecting; returns the parts that were waiting for it. Null when the block announces more parts than the size limit
   * allows.
   */
  want(blockId: BlockID): readonly Part[] | null;
  /** Holds on to a wanted block whatever else comes: it has a polka, or is decided, or is our own. */
  pin(blockId: BlockID): void;
  add(part: Part): PartOutcome;
  bits(header: PartSetHeader): readonly boolean[];
  part(header: PartSetHeader, index: number): Part | null;
  isComplete(header: PartSetHeader): boolean;
  /** A complete block that we made ourselves: its bytes need not be read back. */
  built(block: StoredBlock): void;
  /** Null until complete; `invalid` when the complete bytes are not the block that `blockId` names. */
  block(blockId: BlockID): StoredBlock | "invalid" | null;
}

interface Collected {
  readonly assembler: PartAssembler;
  pinned: boolean;
  decoded: { readonly block: Block; readonly hash: Uint8Array } | "invalid" | null;
}

export function createPartSets(partsMax: number): PartSets {
  const sets = new Map<string, Collected>();
  const early = new Map<string, Part>();

  function makeRoom(): void {
    if (sets.size < assemblersMax) return;
    for (const [key, set] of sets) {
      if (set.pinned) continue;
      sets.delete(key);
      return;
    }
  }

  function want(blockId: BlockID): readonly Part[] | null {
    const header = blockId.partSetHeader;
    const key = keyOf(header);
    if (sets.has(key)) return [];
    if (header.total < 1 || header.total > partsMax) return null;
    makeRoom();
    const assembler = createPartAssembler(header);
    sets.set(key, { assembler, pinned: false, decoded: null });
    const waiting: Part[] = [];
    for (const [earlyKey, part] of early) {
      if (!earlyKey.startsWith(`${key}/`)) continue;
      early.delete(earlyKey);
      if (assembler.add(part) === "added") waiting.push(part);
    }
    return waiting;
  }

  function keepEarly(key: string, part: Part): PartOutcome {
    const earlyKey = `${key}/${part.index}`;
    if (early.has(earlyKey)) return { type: "duplicate" };
    if (early.size >= earlyPartsMax) {
      for (const oldest of early.keys()) {
        early.delete(oldest);
        break;
      }
    }
    early.set(earlyKey, part);
    return { type: "early" };
  }

  function add(part: Part): PartOutcome {
    const root = rootFromProof(part.proof);
    if (root === null) return { type: "invalid", reason: "part with an impossible proof" };
    const key = keyOf({ total: part.proof.total, hash: root });
    const set = sets.get(key);
    if (set === undefined) return keepEarly(key, part);
    const result = set.assembler.add(part);
    if (result === "added") return { type: "added", completed: set.assembler.isComplete };
    return result === "duplicate"
      ? { type: "duplicate" }
      : { type: "invalid", reason: `part refused: ${result}` };
  }

  function block(blockId: BlockID): StoredBlock | "invalid" | null {
    const set = sets.get(keyOf(blockId.partSetHeader));
    const bytes = set?.assembler.bytes() ?? null;
    if (set === undefined || bytes === null) return null;
    set.decoded ??= decode(bytes);
    if (set.decoded === "invalid") return "invalid";
    const { hash, block } = set.decoded;
    const named: BlockID = { hash, partSetHeader: set.assembler.header };
    return equalBlockIds(named, blockId) ? { block, bytes, blockId: named } : "invalid";
  }

  return {
    want,
    pin(blockId) {
      const set = sets.get(keyOf(blockId.partSetHeader));
      if (set !== undefined) set.pinned = true;
    },
    add,
    bits(header) {
      const assembler = sets.get(keyOf(header))?.assembler;
      return Array.from(
        { length: assembler?.header.total ?? 0 },
        (_, index) => assembler?.has(index) ?? false,
      );
    },
    part: (header, index) => sets.get(keyOf(header))?.assembler.part(index) ?? null,
    isComplete: (header) => sets.get(keyOf(header))?.assembler.isComplete ?? false,
    built({ block: made, blockId }) {
      const set = sets.get(keyOf(blockId.partSetHeader));
      if (set?.assembler.isComplete === true) set.decoded ??= { block: made, hash: blockId.hash };
    },
    block,
  };
}

function decode(
  bytes: Uint8Array,
): { readonly block: Block; readonly hash: Uint8Array } | "invalid" {
  try {
    const block = decodeBlock(bytes);
    return { block, hash: headerHash(block.header) };
  } catch {
    return "invalid";
  }
}

function keyOf(header: PartSetHeader): string {
  return `${header.total}:${bytesToHex(header.hash)}`;
}
