/** Fee tiers: how much volume changes a market's rates, and by how much. Rates are whole ppm. */
import { mulDivDown, mulDivUp, PPM } from "../../kit/math/mul-div.ts";

export interface Tier {
  /** Quanta of the days before today, from which it applies. */
  readonly volume: bigint;
  readonly takerFactorPpm: bigint;
  /** Of the market's taker rate. */
  readonly makerDiscountPpm: bigint;
}

/** The markets' own rates. */
export const BASE_TIER: Tier = { volume: 0n, takerFactorPpm: PPM, makerDiscountPpm: 0n };

/** Index of the highest tier that `volume` reaches; tiers ascend and begin at 0, of none the index is 0. */
export function tierIndex(tiers: readonly Tier[], volume: bigint): number {
  let index = 0;
  for (let i = 1; i < tiers.length && (tiers[i] as Tier).volume <= volume; i++) index = i;
  return index;
}

/** Rounded up. */
export function takerRate(marketTakerPpm: bigint, tier: Tier): bigint {
  return mulDivUp(marketTakerPpm, tier.takerFactorPpm, PPM);
}

/** The discount rounds down. Negative: a rebate. */
export function makerRate(
  market: { readonly takerPpm: bigint; readonly makerPpm: bigint },
  tier: Tier,
): bigint {
  return market.makerPpm - mulDivDown(market.takerPpm, tier.makerDiscountPpm, PPM);
}

/** Rounded up. */
export function discounted(ratePpm: bigint, discountPpm: bigint): bigint {
  return discountPpm === 0n ? ratePpm : mulDivUp(ratePpm, PPM - discountPpm, PPM);
}
