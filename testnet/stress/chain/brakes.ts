/** Brakes of the laboratory's markets: what the guard begins with (modules/guard/defaults.ts), in proportion to the size of the market. */
import {
  defaultOutage,
  defaultRanges,
  defaultRules,
  defaultWithdrawalLimits,
} from "@keel/modules/guard/defaults";
import { GenesisState } from "@keel/proto/gen/keel/guard/v1/genesis";
import type { PriceRange } from "@keel/proto/gen/keel/guard/v1/types";
import { DENOM } from "./markets.ts";

export type Brakes = "suggested" | "narrow" | "no-ranges";

/** Moves that count at least, where only deviations are to decide. */
const NEARLY_NOTHING_PPM = 1_000n;

function rangesOf(brakes: Brakes): PriceRange[] {
  if (brakes === "suggested") return defaultRanges();
  if (brakes === "no-ranges") return [];
  return defaultRanges().map((range) =>
    range.deviationsPpm === 0n ? range : { ...range, limitPpm: NEARLY_NOTHING_PPM },
  );
}

export interface Guarded {
  readonly market: number;
  /** What a million settlement units are at the start, in a market of 2,000 accounts; a quarter of it in one of 500. */
  readonly unitLots: bigint;
}

/** `size`: of the market, 1 with 2,000 accounts. */
export function guardOf(
  markets: readonly Guarded[],
  size: number,
  brakes: Brakes,
): Omit<GenesisState, "params"> & Required<Pick<GenesisState, "params">> {
  const flows = defaultWithdrawalLimits().map((limit) => ({
    limit: { ...limit, floor: `${Math.round(Number(limit.floor) * size)}` },
    buckets: [],
  }));
  return GenesisState.fromPartial({
    params: { outage: defaultOutage() },
    rules: markets.map(({ market, unitLots }) => ({
      market,
      rules: { ...defaultRules(unitLots), ranges: rangesOf(brakes) },
    })),
    velocities: [{ denom: DENOM, flows }],
  }) as ReturnType<typeof guardOf>;
}
