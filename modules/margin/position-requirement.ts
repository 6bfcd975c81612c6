/** The requirement of one position on its own. */
import { absolute, maximum } from "../kit/math/mul-div.ts";
import type { Position } from "./account-codec.ts";
import type { MarketView } from "./market-view.ts";
import { requirementOfLots, requirementQuanta, worstCaseLots } from "./requirement.ts";

export function positionMaintenance(position: Position, view: MarketView): bigint {
  const { losses } = view;
  if (losses !== null) return requirementOfLots(position.lots, losses, "maintenance");
  const notional = absolute(position.lots) * view.quantaPerLot;
  return requirementQuanta(notional, view.terms.tiers, "maintenancePpm");
}

export function positionInitial(position: Position, view: MarketView): bigint {
  const { losses } = view;
  if (losses !== null) {
    const bought = requirementOfLots(position.lots + position.openBuyLots, losses, "initial");
    const sold = requirementOfLots(position.lots - position.openSellLots, losses, "initial");
    return maximum(bought, sold);
  }
  const notional = worstCaseLots(position) * view.quantaPerLot;
  return requirementQuanta(notional, view.terms.tiers, "initialPpm");
}
