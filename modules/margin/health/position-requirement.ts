/** The requirement of one position on its own. */
import { absolute, divCeil, maximum, PPM } from "../../kit/math/mul-div.ts";
import type { Position } from "../account-codec.ts";
import type { MarketView } from "./market-view.ts";
import { requirementOfLots, requirementQuanta, worstCaseLots } from "./requirement.ts";

export function positionMaintenance(position: Position, view: MarketView): bigint {
  const { losses } = view;
  if (losses !== null) return requirementOfLots(position.lots, losses, "maintenance");
  const notional = absolute(position.lots) * view.quantaPerLot;
  return requirementQuanta(notional, view.terms.tiers, "maintenancePpm");
}

/** With the raise that is in force in the market; rounded up. */
export function raised(initial: bigint, { terms }: MarketView): bigint {
  const { initialRaisePpm } = terms;
  return initialRaisePpm === undefined ? initial : divCeil(initial * (PPM + initialRaisePpm), PPM);
}

export function positionInitial(position: Position, view: MarketView): bigint {
  return raised(unraisedInitial(position, view), view);
}

function unraisedInitial(position: Position, view: MarketView): bigint {
  const { losses } = view;
  if (losses !== null) {
    const bought = requirementOfLots(position.lots + position.openBuyLots, losses, "initial");
    const sold = requirementOfLots(position.lots - position.openSellLots, losses, "initial");
    return maximum(bought, sold);
  }
  const notional = worstCaseLots(position) * view.quantaPerLot;
  return requirementQuanta(notional, view.terms.tiers, "initialPpm");
}
