/**
 * Positions times risk arrays, summed by expiry and then by underlying. This is what a requirement costs: positions × scenarios
 * multiplications, in numbers where a bound proves every sum a safe integer, else in bigints with the same result.
 *
 * A position is a range of lots: with resting orders, anything between all sells filled and all buys filled. Profit is linear in the lots, so
 * the worst of a range is one of its ends, for each scenario its own.
 */
import { absolute, maximum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import type { RiskArray, UnderlyingRisk } from "./risk-array.ts";

/** Lots, long positive; low ≤ high, equal without resting orders. */
export interface RiskPosition {
  readonly array: RiskArray;
  readonly low: bigint;
  readonly high: bigint;
}

/** Quanta. */
export interface UnderlyingProfits {
  readonly underlying: UnderlyingRisk;
  /** Unweighted, one per scenario of the model. */
  readonly profits: readonly bigint[];
  /** What is lost, over all expiries, when the forward of each moves alone, × the model's share; rounded up. */
  readonly basisLoss: bigint;
}

/** Every sum below this is exact in a number. */
const SAFE_LIMIT = 1n << 53n;

export function largerSide({ low, high }: RiskPosition): bigint {
  if (low === high) return absolute(low);
  return maximum(absolute(low), absolute(high));
}

/** No sum of lots × entries, whatever it is taken over, leaves the safe integers. */
export function fitsNumbers(positions: readonly RiskPosition[]): boolean {
  let bound = 0n;
  for (const position of positions) bound += largerSide(position) * position.array.largest;
  return bound < SAFE_LIMIT;
}

/** In the order in which underlyings first appear. `numbers` from `fitsNumbers`. */
export function accumulate(
  positions: readonly RiskPosition[],
  numbers: boolean,
): readonly UnderlyingProfits[] {
  const byName = new Map<string, Map<string, RiskPosition[]>>();
  for (const position of positions) {
    const { group, underlying } = position.array;
    let groups = byName.get(underlying.state.name);
    if (groups === undefined) {
      groups = new Map();
      byName.set(underlying.state.name, groups);
    }
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [position]);
    else known.push(position);
  }
  return [...byName.values()].map((groups) => {
    const members = [...groups.values()];
    return numbers ? profitsInNumbers(members) : profitsInBigints(members);
  });
}

type Group = readonly RiskPosition[];

function firstOf(group: Group): RiskArray {
  return (group[0] as RiskPosition).array;
}

/** Where values are discounted, an array counts as for a long and as for a short expiry. */
function variantsOf(group: Group): number {
  let most = 1;
  for (const { array } of group) if (array.changes.length > most) most = array.changes.length;
  return most;
}

function changesOf(array: RiskArray, variant: number): readonly number[] {
  return (array.changes[variant] ?? array.changes[0]) as readonly number[];
}

/** Of what an expiry loses when its forward moves alone, what is charged, ppm. */
export function basisSharePpm({ underlying, yearsLeftPpm }: RiskArray): bigint {
  const basis = underlying.model.addOns?.basis;
  if (basis === undefined) return 0n;
  return basis.sharePpm + mulDivUp(basis.sharePerYearPpm, yearsLeftPpm, PPM);
}

function basisLossOf(array: RiskArray, up: bigint, down: bigint): bigint {
  const loss = maximum(maximum(-up, -down), 0n);
  return loss === 0n ? 0n : mulDivUp(loss, basisSharePpm(array), PPM);
}

/**
 * Of an expiry the worse discount counts; under a skew it is what the expiry loses when the skew goes the worse way, so both ends of
 * what its orders may make of it are needed.
 */
function profitsInNumbers(groups: readonly Group[]): UnderlyingProfits {
  const { underlying } = firstOf(groups[0] as Group);
  const { skewed } = underlying;
  const count = skewed.length;
  const profits = new Array<number>(count).fill(0);
  let basisLoss = 0n;
  for (const group of groups) {
    const variants = variantsOf(group);
    const { low, high } = sumNumbers(group, 0);
    basisLoss += basisLossOf(firstOf(group), BigInt(low[count] ?? 0), BigInt(low[count + 1] ?? 0));
    for (let variant = 1; variant < variants; variant++) {
      const other = sumNumbers(group, variant);
      for (let i = 0; i < count; i++) {
        if ((other.low[i] as number) < (low[i] as number)) low[i] = other.low[i] as number;
        if ((other.high[i] as number) < (high[i] as number)) high[i] = other.high[i] as number;
      }
    }
    for (let i = 0; i < count; i++) {
      let profit = low[i] as number;
      if (skewed[i] === true) {
        const down = profit < 0 ? -profit : profit;
        const most = high[i] as number;
        const up = most < 0 ? -most : most;
        profit = down < up ? -up : -down;
      }
      profits[i] = (profits[i] as number) + profit;
    }
  }
  return { underlying, profits: profits.map(BigInt), basisLoss };
}

function sumNumbers(group: Group, variant: number) {
  const length = changesOf(firstOf(group), variant).length;
  const low = new Array<number>(length).fill(0);
  let high = low;
  for (const { array, low: least, high: most } of group) {
    const changes = changesOf(array, variant);
    const fewest = Number(least);
    if (least === most && high === low) {
      for (let i = 0; i < length; i++) {
        low[i] = (low[i] as number) + (changes[i] as number) * fewest;
      }
      continue;
    }
    if (high === low) high = [...low];
    const largest = Number(most);
    for (let i = 0; i < length; i++) {
      const one = (changes[i] as number) * fewest;
      const other = (changes[i] as number) * largest;
      low[i] = (low[i] as number) + (one < other ? one : other);
      high[i] = (high[i] as number) + (one < other ? other : one);
    }
  }
  return { low, high: high === low ? [...low] : high };
}

function profitsInBigints(groups: readonly Group[]): UnderlyingProfits {
  const { underlying } = firstOf(groups[0] as Group);
  const { skewed } = underlying;
  const profits = new Array<bigint>(skewed.length).fill(0n);
  let basisLoss = 0n;
  for (const group of groups) {
    const first = firstOf(group);
    const sums = Array.from({ length: variantsOf(group) }, (_, i) => sumBigints(group, i));
    const at = (i: number): bigint => sums[0]?.low[i] ?? 0n;
    basisLoss += basisLossOf(first, at(skewed.length), at(skewed.length + 1));
    for (let i = 0; i < skewed.length; i++) {
      let low = sums[0]?.low[i] as bigint;
      let high = sums[0]?.high[i] as bigint;
      for (const other of sums) {
        if ((other.low[i] as bigint) < low) low = other.low[i] as bigint;
        if ((other.high[i] as bigint) < high) high = other.high[i] as bigint;
      }
      const profit = skewed[i] === true ? -maximum(absolute(low), absolute(high)) : low;
      profits[i] = (profits[i] as bigint) + profit;
    }
  }
  return { underlying, profits, basisLoss };
}

function sumBigints(group: Group, variant: number) {
  const length = changesOf(firstOf(group), variant).length;
  const low = new Array<bigint>(length).fill(0n);
  const high = new Array<bigint>(length).fill(0n);
  for (const position of group) {
    const changes = changesOf(position.array, variant);
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
