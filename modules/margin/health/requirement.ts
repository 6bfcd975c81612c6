/**
 * Margin requirement by marginal notional tiers: each tier's rate applies only to the part of the notional inside it, so a
 * requirement never jumps at a boundary. One division at the end, rounded up.
 */
import { absolute, divCeil, maximum, PPM } from "../../kit/math/mul-div.ts";
import type { LotLosses, PerLotLosses, RequirementTier } from "../ports.ts";

export type Requirement = "initialPpm" | "maintenancePpm";

/** Quanta × 1,000,000. `notionalQuanta` ≥ 0; tiers ascend by aboveQuanta from 0. */
function weightedQuanta(
  notionalQuanta: bigint,
  tiers: readonly RequirementTier[],
  rate: Requirement,
): bigint {
  let weighted = 0n;
  for (let i = 0; i < tiers.length; i++) {
    const tier = tiers[i] as RequirementTier;
    if (notionalQuanta <= tier.aboveQuanta) break;
    const next = tiers[i + 1];
    const top =
      next !== undefined && next.aboveQuanta < notionalQuanta ? next.aboveQuanta : notionalQuanta;
    weighted += (top - tier.aboveQuanta) * tier[rate];
  }
  return weighted;
}

/** Quanta, rounded up. */
export function requirementQuanta(
  notionalQuanta: bigint,
  tiers: readonly RequirementTier[],
  rate: Requirement,
): bigint {
  return divCeil(weightedQuanta(notionalQuanta, tiers, rate), PPM);
}

/**
 * Quanta, rounded up: the part that `lots` are of what they need together with others of the same owner. So the parts never sum to less than what one
 * account would need for all, and a part has the rates of no tier but those.
 */
export function requirementShare(
  lots: bigint,
  otherLots: bigint,
  quantaPerLot: bigint,
  tiers: readonly RequirementTier[],
  rate: Requirement,
): bigint {
  if (otherLots === 0n || lots === 0n) return requirementQuanta(lots * quantaPerLot, tiers, rate);
  const all = lots + otherLots;
  return divCeil(weightedQuanta(all * quantaPerLot, tiers, rate) * lots, all * PPM);
}

/** Quanta. A contract with per-lot losses needs the same of every lot, of long ones and short ones differently. */
export function requirementOfLots(
  lots: bigint,
  losses: PerLotLosses,
  rate: keyof LotLosses,
): bigint {
  return lots < 0n ? -lots * losses.short[rate] : lots * losses.long[rate];
}

/** The largest position, in lots, that the position could become when either all resting buys or all resting sells fill. */
export function worstCaseLots(position: {
  readonly lots: bigint;
  readonly openBuyLots: bigint;
  readonly openSellLots: bigint;
}): bigint {
  return maximum(
    absolute(position.lots + position.openBuyLots),
    absolute(position.lots - position.openSellLots),
  );
}
