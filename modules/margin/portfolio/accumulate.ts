/**
 * Positions times risk arrays, summed by expiry. This is what a requirement costs: positions × scenarios multiplications, in numbers where a
 * bound proves every sum a safe integer, else in bigints with the same result.
 *
 * A position is a range of lots: with resting orders, anything between all sells filled and all buys filled. Profit is linear in the lots, so
 * the worst of a range is one of its ends, for each scenario its own.
 */
import { absolute, maximum } from "../../kit/math/mul-div.ts";
import type { RiskArray } from "./risk-array.ts";

/** Lots, long positive; low ≤ high, equal without resting orders. */
export interface RiskPosition {
  readonly array: RiskArray;
  readonly low: bigint;
  readonly high: bigint;
}

/** Sums of one expiry of one underlying, one list per discount: worst and best profit in each scenario, then for its forward up and down. */
export interface GroupSums {
  readonly first: RiskArray;
  readonly low: readonly bigint[][];
  readonly high: readonly bigint[][];
}

/** Every partial sum is below this. */
const SAFE_LIMIT = 1n << 53n;

export function largerSide({ low, high }: RiskPosition): bigint {
  return maximum(absolute(low), absolute(high));
}

/** In the order in which groups first appear. */
export function accumulate(positions: readonly RiskPosition[]): readonly GroupSums[] {
  const groups = new Map<string, RiskPosition[]>();
  let bound = 0n;
  for (const position of positions) {
    bound += largerSide(position) * position.array.largest;
    const { group } = position.array;
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [position]);
    else known.push(position);
  }
  const out: GroupSums[] = [];
  for (const members of groups.values()) {
    const first = (members[0] as RiskPosition).array;
    const variants = members.reduce(
      (most, { array }) => (array.changes.length > most ? array.changes.length : most),
      1,
    );
    const low: bigint[][] = [];
    const high: bigint[][] = [];
    for (let variant = 0; variant < variants; variant++) {
      const sums = bound < SAFE_LIMIT ? sumNumbers(members, variant) : sumBigints(members, variant);
      low.push(sums.low);
      high.push(sums.high);
    }
    out.push({ first, low, high });
  }
  return out;
}

interface Sums {
  readonly low: bigint[];
  readonly high: bigint[];
}

function changesOf({ array }: RiskPosition, variant: number): readonly number[] {
  return (array.changes[variant] ?? array.changes[0]) as readonly number[];
}

function sumNumbers(positions: readonly RiskPosition[], variant: number): Sums {
  const length = changesOf(positions[0] as RiskPosition, variant).length;
  const low = new Array<number>(length).fill(0);
  const high = new Array<number>(length).fill(0);
  let ranged = false;
  for (const position of positions) {
    const changes = changesOf(position, variant);
    const least = Number(position.low);
    const most = Number(position.high);
    if (least === most) {
      for (let i = 0; i < length; i++) {
        const profit = (changes[i] as number) * least;
        low[i] = (low[i] as number) + profit;
        high[i] = (high[i] as number) + profit;
      }
      continue;
    }
    ranged = true;
    for (let i = 0; i < length; i++) {
      const one = (changes[i] as number) * least;
      const other = (changes[i] as number) * most;
      low[i] = (low[i] as number) + (one < other ? one : other);
      high[i] = (high[i] as number) + (one < other ? other : one);
    }
  }
  const lows = low.map(BigInt);
  return { low: lows, high: ranged ? high.map(BigInt) : lows };
}

function sumBigints(positions: readonly RiskPosition[], variant: number): Sums {
  const length = changesOf(positions[0] as RiskPosition, variant).length;
  const low = new Array<bigint>(length).fill(0n);
  const high = new Array<bigint>(length).fill(0n);
  for (const position of positions) {
    const changes = changesOf(position, variant);
    for (let i = 0; i < length; i++) {
      const change = BigInt(changes[i] as number);
      const one = change * position.low;
      const other = change * position.high;
      low[i] = (low[i] as bigint) + (one < other ? one : other);
      high[i] = (high[i] as bigint) + (one < other ? other : one);
    }
  }
  return { low, high };
}
