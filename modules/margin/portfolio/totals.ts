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

interface Running {
  linear: bigint;
  option: bigint;
  gross: bigint;
  deltaLow: bigint;
  deltaHigh: bigint;
  funding: bigint;
  /** Null: no options. */
  strikes: Map<string, bigint> | null;
}

function add(into: Running, position: RiskPosition): void {
  const { array, low, high } = position;
  const size = largerSide(position);
  const { delta, notional, funding } = array;
  into.gross += size * absolute(delta);
  const one = low * delta;
  const other = low === high ? one : high * delta;
  into.deltaLow += one < other ? one : other;
  into.deltaHigh += one < other ? other : one;
  if (funding !== 0n) into.funding += maximum(low * funding, high * funding);
  if (array.kind !== "option") {
    if (array.kind !== "spot") into.linear += size * notional;
    return;
  }
  into.option += size * notional;
  into.strikes ??= new Map();
  into.strikes.set(array.strike, (into.strikes.get(array.strike) ?? 0n) + low * notional);
}

export function totalsOf(positions: readonly RiskPosition[]): readonly UnderlyingTotals[] {
  const byName = new Map<string, { underlying: UnderlyingRisk; running: Running }>();
  for (const position of positions) {
    const { underlying } = position.array;
    let known = byName.get(underlying.state.name);
    if (known === undefined) {
      const running: Running = {
        linear: 0n,
        option: 0n,
        gross: 0n,
        deltaLow: 0n,
        deltaHigh: 0n,
        funding: 0n,
        strikes: null,
      };
      known = { underlying, running };
      byName.set(underlying.state.name, known);
    }
    add(known.running, position);
  }
  return [...byName.values()].map(({ underlying, running }) => {
    let shortOptions = 0n;
    for (const net of running.strikes?.values() ?? []) if (net < 0n) shortOptions -= net;
    return {
      underlying,
      linearNotional: running.linear,
      optionNotional: running.option,
      grossDelta: running.gross,
      netDelta: maximum(absolute(running.deltaLow), absolute(running.deltaHigh)),
      shortOptions,
      funding: maximum(running.funding, 0n),
    };
  });
}
