/**
 * Who bears what of a loss when its markets are settled. Pure, exact to the quantum: parts round down, and what is left goes one by one to the
 * largest remainders, ties in the order of the list. First what positions have gained, in proportion; when that is not enough (gains were taken long ago), all of it and
 * the rest by size on the side that the price moved for, since by size is how much the same move has made each of them, and nobody more than what it is worth.
 */
import { compareBigints, minimum, mulDivDown } from "../../kit/math/mul-div.ts";

export interface Bearer<Id> {
  readonly id: Id;
  /** ≥ 0. */
  readonly gain: bigint;
  /** What it is worth beyond that, ≥ 0. */
  readonly room: bigint;
  /** Of positions on the side that gained, ≥ 0. */
  readonly size: bigint;
}

export interface Borne<Id> {
  readonly id: Id;
  readonly byGain: bigint;
  readonly bySize: bigint;
}

export interface Sharing<Id> {
  /** In the order of the bearers, all of them. */
  readonly parts: readonly Borne<Id>[];
  readonly gains: bigint;
  readonly byGains: bigint;
  readonly bySize: bigint;
  /** Borne by nobody: more was missing than the side that gained is worth. */
  readonly left: bigint;
}

/** `total` in proportion to the weights; 0 ≤ total, and all zero where the weights are. */
export function largestRemainder(total: bigint, weights: readonly bigint[]): bigint[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0n);
  if (all === 0n) return weights.map(() => 0n);
  const parts = weights.map((weight) => mulDivDown(total, weight, all));
  const order = weights
    .map((weight, at) => ({ at, remainder: total * weight - (parts[at] ?? 0n) * all }))
    .filter(({ remainder }) => remainder > 0n)
    .sort((a, b) => compareBigints(b.remainder, a.remainder) || a.at - b.at);
  let left = parts.reduce((rest, part) => rest - part, total);
  for (const { at } of order) {
    if (left === 0n) break;
    parts[at] = (parts[at] ?? 0n) + 1n;
    left -= 1n;
  }
  return parts;
}

/** By size, nobody more than its room: those whose room is least for their size give all of it, until the others can give alike. */
function sharedBySize(
  total: bigint,
  bearers: readonly { readonly size: bigint; readonly room: bigint }[],
): bigint[] {
  const parts = bearers.map(() => 0n);
  const order = bearers
    .map(({ room, size }, at) => ({ room, size, at }))
    .filter(({ size }) => size > 0n)
    .sort((a, b) => compareBigints(a.room * b.size, b.room * a.size) || a.at - b.at);
  let left = total;
  let sizeLeft = order.reduce((sum, { size }) => sum + size, 0n);
  let next = 0;
  for (const { at, room, size } of order) {
    if (room * sizeLeft > left * size) break;
    parts[at] = room;
    left -= room;
    sizeLeft -= size;
    next += 1;
  }
  const rest = order.slice(next).sort((a, b) => a.at - b.at);
  const shares = largestRemainder(
    left,
    rest.map(({ size }) => size),
  );
  for (const [i, { at }] of rest.entries()) parts[at] = shares[i] ?? 0n;
  return parts;
}

export function shareLoss<Id>(missing: bigint, bearers: readonly Bearer<Id>[]): Sharing<Id> {
  const gains = bearers.reduce((sum, { gain }) => sum + gain, 0n);
  const byGains = minimum(missing, gains);
  const first = largestRemainder(
    byGains,
    bearers.map(({ gain }) => gain),
  );
  const rest = missing - byGains;
  const second = rest === 0n ? bearers.map(() => 0n) : sharedBySize(rest, bearers);
  const bySize = second.reduce((sum, part) => sum + part, 0n);
  return {
    parts: bearers.map(({ id }, i) => ({ id, byGain: first[i] ?? 0n, bySize: second[i] ?? 0n })),
    gains,
    byGains,
    bySize,
    left: rest - bySize,
  };
}
