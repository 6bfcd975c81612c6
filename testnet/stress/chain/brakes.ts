/** Brakes of the laboratory's markets: what the guard's README gives to begin with. */
import { GenesisState } from "@keel/proto/gen/keel/guard/v1/genesis";
import type { MarketRules, PriceRange } from "@keel/proto/gen/keel/guard/v1/types";
import { DENOM } from "./markets.ts";

const SECOND_MS = 1_000n;
const MINUTE_MS = 60_000n;
const HOUR_MS = 3_600_000n;
const PPM = 1_000_000n;
const NOTHING = { auctionMs: 0n, initialRaisePpm: 0n, raiseMs: 0n, withdrawalDelayMs: 0n };

/** Moves in a minute and in ten that trip whatever was measured: below any deviations, or where wide above most of them. */
const LIMITS_PPM = { narrow: [1_000n, 1_000n], wide: [20_000n, 50_000n] } as const;

const rangesOf = ([minute, ten]: readonly [bigint, bigint]): PriceRange[] => [
  {
    ...NOTHING,
    horizonMs: MINUTE_MS,
    limitPpm: minute,
    deviationsPpm: 3_290_000n,
    auctionMs: 10n * SECOND_MS,
  },
  {
    ...NOTHING,
    horizonMs: 10n * MINUTE_MS,
    limitPpm: ten,
    deviationsPpm: 3_890_000n,
    auctionMs: 30n * SECOND_MS,
    initialRaisePpm: 300_000n,
    raiseMs: 10n * MINUTE_MS,
  },
  {
    ...NOTHING,
    horizonMs: HOUR_MS,
    limitPpm: 250_000n,
    deviationsPpm: 0n,
    auctionMs: 2n * MINUTE_MS,
    withdrawalDelayMs: 10n * MINUTE_MS,
  },
];

/** `lots`: about what is open at the start. */
function rulesOf(lots: bigint, ranges: PriceRange[]): MarketRules {
  const pace = { intervalMs: 30n * SECOND_MS, stepMaxPpm: 200_000n, bandPpm: 50_000n };
  return {
    ranges,
    // Open interest of ten times what the thinner side holds within 1 %, never less than a quarter of what was there.
    openInterest: {
      ...{ lotsMin: lots / 4n, lotsMax: lots * 4n, depthRangePpm: 10_000n, pace },
      ...{ depthMultiplePpm: 10_000_000n, fundWeightPpm: 0n, fundTarget: "" },
    },
    margin: {
      ...{ raiseMaxPpm: 500_000n, depthLots: lots / 20n, depthRangePpm: 10_000n, pace },
      ...{ depthWeightPpm: 300_000n, ownerFreePpm: 100_000n, ownerWeightPpm: PPM },
      ...{ nearFreePpm: 100_000n, nearWeightPpm: PPM },
    },
  };
}

/** `open`: long lots of each guarded market at the start. */
export function guardOf(
  open: readonly { readonly market: number; readonly lots: bigint }[],
  width: keyof typeof LIMITS_PPM,
): GenesisState {
  const limit = (windowMs: bigint, sharePpm: bigint) => ({
    limit: { windowMs, sharePpm, floor: "1000000000" },
    buckets: [],
  });
  return GenesisState.fromPartial({
    params: { outage: { gapMs: 5n * MINUTE_MS, blocks: 3, withdrawalBlocks: 50 } },
    rules: open.map(({ market, lots }) => ({
      market,
      rules: rulesOf(lots > 100n ? lots : 100n, rangesOf(LIMITS_PPM[width])),
    })),
    velocities: [
      { denom: DENOM, flows: [limit(HOUR_MS, 100_000n), limit(24n * HOUR_MS, 250_000n)] },
    ],
  });
}
