/** What add-ons are shares of, per underlying: notionals, deltas, short options per strike. At the worst end of every position's range. */
import { absolute, maximum } from "../../kit/math/mul-div.ts";
import { largerSide, type RiskPosition } from "./accumulate.ts";
import type { UnderlyingRisk } from "./risk-array.ts";

/** Quanta. */
export interface UnderlyingTotals {
  readonly underlying: UnderlyingRisk;
  readonly linearNotional: bigint;
  readonly optionNotional: bigint;
  /** Sum of the positions' deltas without sign, and the larger of what can be long and short in net. */
  readonly grossDelta: bigint;
  readonly netDelta: bigint;
  /** Value of the underlying of contracts sold per strike, calls and puts together, less those bought. */
  readonly shortOptions: bigint;
  /** Expected to be paid, at least 0. */
  readonly funding: bigint;
}

/** In numbers where `fitsNumbers`, else in bigints: the same sums. */
interface Running<T> {
  linear: T;
  option: T;
  gross: T;
  deltaLow: T;
  deltaHigh: T;
  funding: T;
  readonly strikes: Map<string, T>;
}

function addNumbers(into: Running<number>, { array, low, high }: RiskPosition): void {
  const { delta, notional, funding } = array;
  const least = Number(low);
  const most = low === high ? least : Number(high);
  const size = -least > most ? -least : most < 0 ? -most : most;
  into.gross += size * (delta < 0 ? -delta : delta);
  const one = least * delta;
  const other = most * delta;
  into.deltaLow += one < other ? one : other;
  into.deltaHigh += one < other ? other : one;
  if (funding !== 0) into.funding += funding < 0 ? least * funding : most * funding;
  if (array.kind === "option") {
    into.option += size * notional;
    into.strikes.set(array.strike, (into.strikes.get(array.strike) ?? 0) + least * notional);
  } else if (array.kind !== "spot") into.linear += size * notional;
}

function addBigints(into: Running<bigint>, position: RiskPosition): void {
  const { array, low, high } = position;
  const delta = BigInt(array.delta);
  const notional = BigInt(array.notional);
  const funding = BigInt(array.funding);
  const size = largerSide(position);
  into.gross += size * absolute(delta);
  const one = low * delta;
  const other = high * delta;
  into.deltaLow += one < other ? one : other;
  into.deltaHigh += one < other ? other : one;
  into.funding += funding < 0n ? low * funding : high * funding;
  if (array.kind === "option") {
    into.option += size * notional;
    into.strikes.set(array.strike, (into.strikes.get(array.strike) ?? 0n) + low * notional);
  } else if (array.kind !== "spot") into.linear += size * notional;
}

function started<T>(zero: T): Running<T> {
  return {
    linear: zero,
    option: zero,
    gross: zero,
    deltaLow: zero,
    deltaHigh: zero,
    funding: zero,
    strikes: new Map(),
  };
}

function sumOf<T>(
  positions: readonly RiskPosition[],
  zero: T,
  add: (into: Running<T>, position: RiskPosition) => void,
  exact: (value: T) => bigint,
): UnderlyingTotals[] {
  const byName = new Map<string, { underlying: UnderlyingRisk; running: Running<T> }>();
  for (const position of positions) {
    const { underlying } = position.array;
    let known = byName.get(underlying.state.name);
    if (known === undefined) {
      known = { underlying, running: started(zero) };
      byName.set(underlying.state.name, known);
    }
    add(known.running, position);
  }
  return [...byName.values()].map(({ underlying, running }) => {
    let shortOptions = 0n;
    for (const net of running.strikes.values()) if (net < zero) shortOptions -= exact(net);
    return {
      underlying,
      linearNotional: exact(running.linear),
      optionNotional: exact(running.option),
      grossDelta: exact(running.gross),
      netDelta: maximum(absolute(exact(running.deltaLow)), absolute(exact(running.deltaHigh))),
      shortOptions,
      funding: maximum(exact(running.funding), 0n),
    };
  });
}

/** In the order in which underlyings first appear. */
export function totalsOf(
  positions: readonly RiskPosition[],
  numbers: boolean,
): readonly UnderlyingTotals[] {
  return numbers
    ? sumOf(positions, 0, addNumbers, BigInt)
    : sumOf(positions, 0n, addBigints, (value) => value);
}
