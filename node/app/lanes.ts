/**
 * Block order and space, behind what validators named. Unordered transactions stand by lane: cancels and reduce-only, then post-only, then the rest;
 * sequenced ones go last, as they came, since only their sender's order binds them. Each class may fill what the others' floors leave, so none can be
 * crowded out.
 */
import { txBytesInBlock } from "@keel/consensus/wire/block";
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import type { RunnableTx } from "./transactions.ts";

/** 0: cancels and reduce-only; 1: post-only; 2: other unordered; 3: sequenced. */
export type LaneClass = 0 | 1 | 2 | 3;

/** Share of a block's bytes, in percent, that is kept for each class. Cancels protect makers in a rush; the others only need not to starve. */
const FLOOR_PERCENT: readonly [number, number, number, number] = [10, 5, 5, 10];
const FLOORS_TOTAL = FLOOR_PERCENT.reduce((sum, floor) => sum + floor, 0);

export function laneClass(tx: RunnableTx): LaneClass {
  if (!tx.unordered) return 3;
  return isUrgent(tx.lane) ? 0 : tx.lane === 2 ? 1 : 2;
}

/** Of a message's lane: cancels and reduce-only orders alone. */
export function isUrgent(lane: number): boolean {
  return lane <= 1;
}

/** Bytes of `blockBytes` that a class may fill: all but the floors of the others. */
export function laneCap(lane: LaneClass, blockBytes: number): number {
  const others = FLOORS_TOTAL - FLOOR_PERCENT[lane];
  return Math.floor((blockBytes * (100 - others)) / 100);
}

export interface LanedTx {
  readonly bytes: Uint8Array;
  readonly lane: LaneClass;
  readonly gasLimit: bigint;
  /** Whose sequences it takes, for the sequenced class. */
  readonly signers: readonly Uint8Array[];
}

/**
 * Chooses and orders what fits `bytesMax`, under `blockBytes`' caps and `gasMax`, behind all of `named`; null when those do not fit. Keeps the given
 * order within a class. Named ones stand in no lane's order and no cap refuses them, or a block with all of them might be impossible; no proposer
 * chose them. They count, so that what it adds to a lane has only what they leave of its cap.
 */
export function fillBlock(
  txs: readonly LanedTx[],
  space: {
    readonly named: readonly LanedTx[];
    readonly bytesMax: number;
    readonly blockBytes: number;
    readonly gasMax: bigint | null;
    readonly countMax: number;
  },
): Uint8Array[] | null {
  const chosen: Uint8Array[] = [];
  const laneUsed = [0, 0, 0, 0];
  let bytesLeft = space.bytesMax;
  let gasLeft = space.gasMax;
  for (const { bytes, gasLimit, lane } of space.named) {
    const size = txBytesInBlock(bytes.length);
    chosen.push(bytes);
    bytesLeft -= size;
    laneUsed[lane] = (laneUsed[lane] as number) + size;
    if (gasLeft !== null) gasLeft -= gasLimit;
  }
  const isTooMuch = bytesLeft < 0 || (gasLeft !== null && gasLeft < 0n);
  if (chosen.length > 0 && (isTooMuch || chosen.length > space.countMax)) return null;
  for (const lane of [0, 1, 2, 3] as const) {
    let laneLeft = laneCap(lane, space.blockBytes) - (laneUsed[lane] as number);
    const passedOver = new Set<string>();
    for (const tx of txs) {
      if (tx.lane !== lane || chosen.length >= space.countMax) continue;
      const size = txBytesInBlock(tx.bytes.length);
      const fits =
        size <= bytesLeft && size <= laneLeft && (gasLeft === null || tx.gasLimit <= gasLeft);
      const signers = lane === 3 ? tx.signers.map(bytesToLatin1) : [];
      if (!fits || signers.some((one) => passedOver.has(one))) {
        // A later transaction of the same sender must not overtake this one; other senders do not wait for it.
        for (const one of signers) passedOver.add(one);
        continue;
      }
      chosen.push(tx.bytes);
      bytesLeft -= size;
      laneLeft -= size;
      if (gasLeft !== null) gasLeft -= tx.gasLimit;
    }
  }
  return chosen;
}

/** Why the order or the space of a proposal's transactions is refused, or null. The first `named` of them stand outside the lanes, as in `fillBlock`. */
export function laneProblem(
  txs: readonly LanedTx[],
  space: { readonly blockBytes: number; readonly gasMax: bigint | null },
  named: number = 0,
): string | null {
  const used = [0, 0, 0, 0];
  let last: LaneClass = 0;
  let gas = 0n;
  for (const [index, { bytes, lane, gasLimit }] of txs.entries()) {
    const isNamed = index < named;
    if (!isNamed) {
      if (lane < last) return `transaction ${index}: lane ${lane} after lane ${last}`;
      last = lane;
    }
    used[lane] = (used[lane] as number) + txBytesInBlock(bytes.length);
    if (!isNamed && (used[lane] as number) > laneCap(lane, space.blockBytes))
      return `lane ${lane} takes more than its cap`;
    gas += gasLimit;
    if (space.gasMax !== null && gas > space.gasMax)
      return `gas limits exceed the block's ${space.gasMax}`;
  }
  return null;
}
