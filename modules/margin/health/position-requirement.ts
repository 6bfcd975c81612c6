/** The requirement of one position on its own, beside what its owner has in the market elsewhere. */
import { absolute, divCeil, maximum, PPM } from "../../kit/math/mul-div.ts";
import type { Position } from "../account-codec.ts";
import type { MarketView } from "./market-view.ts";
import { requirementOfLots, requirementShare, worstCaseLots } from "./requirement.ts";

/** `otherLots`: held by other sub-accounts of the owner, without sign. */
export function positionMaintenance(
  position: Position,
  view: MarketView,
  otherLots: bigint,
): bigint {
  const { losses, quantaPerLot, terms } = view;
  if (losses !== null) return requirementOfLots(position.lots, losses, "maintenance");
  const lots = absolute(position.lots);
  return requirementShare(lots, otherLots, quantaPerLot, terms.tiers, "maintenancePpm");
}

/** With the raise that is in force in the market; rounded up. */
export function raised(initial: bigint, { terms }: MarketView): bigint {
  const { initialRaisePpm } = terms;
  return initialRaisePpm === undefined ? initial : divCeil(initial * (PPM + initialRaisePpm), PPM);
}

/** `otherLots`: of other sub-accounts of the owner, with resting orders at their worst side. */
export function positionInitial(position: Position, view: MarketView, otherLots: bigint): bigint {
  return raised(unraisedInitial(position, view, otherLots), view);
}

function unraisedInitial(position: Position, view: MarketView, otherLots: bigint): bigint {
  const { losses, quantaPerLot, terms } = view;
  if (losses !== null) {
    const bought = requirementOfLots(position.lots + position.openBuyLots, losses, "initial");
    const sold = requirementOfLots(position.lots - position.openSellLots, losses, "initial");
    return maximum(bought, sold);
  }
  const lots = worstCaseLots(position);
  return requirementShare(lots, otherLots, quantaPerLot, terms.tiers, "initialPpm");
}
