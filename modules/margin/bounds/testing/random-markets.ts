/** Markets that no model speaks of, and assets that back accounts: listed and moved by chance. */
import { CollateralTerms } from "@keel/proto/gen/keel/margin/v1/collateral";
import { WAD } from "../../../kit/math/fixed-point.ts";
import { divTrunc } from "../../../kit/math/mul-div.ts";
import type { AssetView } from "../../collateral-assets/valuation.ts";
import type { MarketView } from "../../health/market-view.ts";
import type { LotLosses, MarketId, RequirementTier } from "../../ports.ts";
import { type Dice, moved } from "./dice.ts";

const NO_LOSSES: LotLosses = { initial: 0n, maintenance: 0n };
/** Expired: a fixed value, and nothing at risk. */
export const SETTLED: MarketView["losses"] = { long: NO_LOSSES, short: NO_LOSSES };

export function tiersOf(dice: Dice): readonly RequirementTier[] {
  const tiers: RequirementTier[] = [];
  let aboveQuanta = 0n;
  for (let i = dice.below(3); i >= 0; i--) {
    const maintenancePpm = dice.between(0n, 400_000n);
    tiers.push({ aboveQuanta, initialPpm: 500_000n, maintenancePpm });
    aboveQuanta += dice.between(1n, 50_000_000_000n);
  }
  return tiers;
}

export function lossesOf(dice: Dice, value: bigint, notional: bigint): MarketView["losses"] {
  const needed = dice.between(0n, divTrunc(notional, 3n));
  const both = (maintenance: bigint): LotLosses => ({ initial: 2n * maintenance, maintenance });
  return { long: both(value), short: both(needed) };
}

export function termsOf(id: MarketId, tiers: readonly RequirementTier[]): MarketView["terms"] {
  return {
    ...{ id, symbol: `M${id}`, feedId: 1, quantaPerTickLot: 1n, tiers },
    ...{ status: "active", liquidationBandPpm: 50_000n },
  };
}

/** A perpetual, or an option worth little of its underlying. */
export function listed(dice: Dice, id: MarketId): MarketView {
  const option = dice.oneIn(3);
  const notionalPerLot = dice.between(5n, dice.oneIn(4) ? 100n : 200_000_000n);
  const quantaPerLot = option ? dice.between(0n, divTrunc(notionalPerLot, 4n)) : notionalPerLot;
  return {
    terms: termsOf(id, option ? [] : tiersOf(dice)),
    markTicks: quantaPerLot,
    fresh: true,
    fundingIndex: 0n,
    quantaPerLot,
    notionalPerLot,
    losses: option ? lossesOf(dice, quantaPerLot, notionalPerLot) : null,
  };
}

function ratesMoved(dice: Dice, view: MarketView): MarketView {
  // All rates by a factor, or quite other tiers.
  const factor = dice.between(700_000n, 1_400_000n);
  const tiers = view.terms.tiers.map((tier) => ({
    ...tier,
    maintenancePpm: divTrunc(tier.maintenancePpm * factor, 1_000_000n),
  }));
  return { ...view, terms: { ...view.terms, tiers: dice.oneIn(6) ? tiersOf(dice) : tiers } };
}

export function fundingMoved(dice: Dice, view: MarketView): MarketView {
  const width = divTrunc(view.notionalPerLot, dice.oneIn(5) ? 20n : 5_000n) + 1n;
  return { ...view, fundingIndex: view.fundingIndex + dice.between(-width, width + 1n) };
}

/** The market a block later; undefined: without a price. */
export function stepped(
  dice: Dice,
  id: MarketId,
  view: MarketView | undefined,
): MarketView | undefined {
  if (view === undefined) return dice.oneIn(2) ? listed(dice, id) : undefined;
  if (dice.oneIn(40)) return undefined;
  let next = view;
  if (!dice.oneIn(4)) {
    const notionalPerLot = moved(dice, view.notionalPerLot);
    const quantaPerLot =
      view.losses === null ? notionalPerLot : moved(dice, view.quantaPerLot + 1n) - 1n;
    next = { ...next, notionalPerLot, quantaPerLot, markTicks: quantaPerLot };
    // Volatility and time: what a lot may lose changes with and without the mark.
    if (next.losses !== null)
      next = { ...next, losses: lossesOf(dice, quantaPerLot, notionalPerLot) };
  }
  if (dice.oneIn(3)) next = fundingMoved(dice, next);
  if (dice.oneIn(15)) next = { ...next, fresh: !next.fresh };
  if (next.losses === null && dice.oneIn(6)) next = ratesMoved(dice, next);
  return dice.oneIn(60) ? { ...next, losses: SETTLED } : next;
}

/** Settlement units per asset; one counts in millionths of a coin, one in 1e-18 of one. */
export function listedAssets(): Map<string, AssetView | null> {
  const view = (denom: string, decimals: number, price: bigint): AssetView => ({
    terms: CollateralTerms.fromPartial({ denom, decimals, debtPpm: 600_000n }),
    ...{ price, marketPrice: price, initialPpm: 500_000n, maintenancePpm: 900_000n },
    ...{ frozen: false, usable: true },
  });
  return new Map([
    ["coin", view("coin", 6, 20n * WAD)],
    ["share", view("share", 18, 3_000n * WAD)],
  ]);
}

/** Price, haircut and freeze of an asset, each at its own time; null: it is no collateral any more. */
export function assetMoved(dice: Dice, view: AssetView): AssetView {
  let next = view;
  if (dice.oneIn(2)) next = { ...next, price: moved(dice, next.price) };
  if (dice.oneIn(6)) next = { ...next, maintenancePpm: dice.between(0n, 1_000_001n) };
  if (dice.oneIn(20)) next = { ...next, usable: !next.usable, initialPpm: 0n };
  return next;
}
