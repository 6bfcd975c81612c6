/** What a guard begins with where its authority has not decided otherwise, each figure with its reason. All of it is data: rules, limits, a gate. */
import type {
  MarketRules,
  OutageRule,
  PriceRange,
  WithdrawalLimit,
} from "@keel/proto/gen/keel/guard/v1/types";
import { divCeil } from "../kit/math/mul-div.ts";

const SECOND_MS = 1_000n;
const MINUTE_MS = 60n * SECOND_MS;
const HOUR_MS = 60n * MINUTE_MS;
const DAY_MS = 24n * HOUR_MS;

/**
 * Moves that 99.9 % and 99.99 % of minutes and of ten minutes stay within, if returns were normal; since they are not, nothing below 3 and 8 % counts.
 * A quarter in an hour has been seen three times in ten years.
 */
export function defaultRanges(): PriceRange[] {
  const nothing = { initialRaisePpm: 0n, raiseMs: 0n, withdrawalDelayMs: 0n };
  return [
    {
      ...nothing,
      horizonMs: MINUTE_MS,
      limitPpm: 30_000n,
      deviationsPpm: 3_290_000n,
      auctionMs: 10n * SECOND_MS,
    },
    {
      ...nothing,
      horizonMs: 10n * MINUTE_MS,
      limitPpm: 80_000n,
      deviationsPpm: 3_890_000n,
      auctionMs: 30n * SECOND_MS,
      // Who comes in after such a move pays for it; who is in is not closed by it.
      initialRaisePpm: 300_000n,
      raiseMs: 10n * MINUTE_MS,
    },
    {
      ...nothing,
      horizonMs: HOUR_MS,
      limitPpm: 250_000n,
      deviationsPpm: 0n,
      auctionMs: 2n * MINUTE_MS,
      withdrawalDelayMs: 10n * MINUTE_MS,
    },
  ];
}

/** Sizes in lots: `unitLots` is what a book of one million settlement units within 1 % holds. */
export function defaultRules(unitLots: bigint): MarketRules {
  const depthRangePpm = 10_000n;
  return {
    ranges: defaultRanges(),
    openInterest: {
      // Twelve million at least, so that a thin hour closes no market; twenty times what a book of thirty million holds at most.
      lotsMin: 12n * unitLots,
      lotsMax: 600n * unitLots,
      depthRangePpm,
      depthMultiplePpm: 20_000_000n,
      pace: { intervalMs: MINUTE_MS, stepMaxPpm: 100_000n, bandPpm: 50_000n },
      // The target of a fund is measured by a query, and no figure of genesis: the fund is not asked.
      fundWeightPpm: 0n,
      fundTarget: "",
    },
    margin: {
      raiseMaxPpm: 500_000n,
      // Half a million within 1 % is enough to close most accounts of a young market.
      depthLots: divCeil(unitLots, 2n),
      depthRangePpm,
      depthWeightPpm: 200_000n,
      // Half of a market in one hand is common while it is small.
      ownerFreePpm: 500_000n,
      ownerWeightPpm: 200_000n,
      nearFreePpm: 100_000n,
      nearWeightPpm: 500_000n,
      pace: { intervalMs: MINUTE_MS, stepMaxPpm: 50_000n, bandPpm: 10_000n },
    },
  };
}

/** Five minutes without a block: three to cancel what is old, fifty before anything leaves. */
export function defaultOutage(): OutageRule {
  return { gapMs: 5n * MINUTE_MS, blocks: 3, withdrawalBlocks: 50 };
}

/** A tenth of the vault in an hour, a quarter in a day; in a small vault at least a million and two million units. */
export function defaultWithdrawalLimits(): WithdrawalLimit[] {
  return [
    { windowMs: HOUR_MS, sharePpm: 100_000n, floor: "1000000000000" },
    { windowMs: DAY_MS, sharePpm: 250_000n, floor: "2000000000000" },
  ];
}
