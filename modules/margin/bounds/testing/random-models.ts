/** Markets that a margin model speaks of: perpetuals, futures and options on two underlyings, their prices, volatilities, times and the model itself moved by chance. */
import { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { WAD } from "../../../kit/math/fixed-point.ts";
import { divTrunc } from "../../../kit/math/mul-div.ts";
import type { MarketView } from "../../health/market-view.ts";
import { type RiskArray, riskArray, underlyingRisk } from "../../portfolio/risk-array.ts";
import { future, option, perpetual } from "../../portfolio/testing/instruments.ts";
import { models } from "../../portfolio/testing/models.ts";
import type { MarketId } from "../../ports.ts";
import { type Dice, moved } from "./dice.ts";
import { fundingMoved, lossesOf, SETTLED, termsOf, tiersOf } from "./random-markets.ts";

const NAMES = ["BTC-USD", "ETH-USD"] as const;
const PRICES = [60_000n, 3_000n] as const;
/** Markets before these are those no model speaks of. */
export const FIRST_MODELLED: MarketId = 7;
/** On which underlying, and what. */
const CONTRACTS = [
  [0, "perpetual"],
  [0, "future"],
  [0, "call"],
  [0, "put"],
  [1, "perpetual"],
  [1, "put"],
] as const;
export const LAST_MODELLED: MarketId = FIRST_MODELLED + CONTRACTS.length - 1;

interface Underlying {
  readonly price: bigint;
  readonly volatilityPpm: bigint;
  readonly widthPpm: bigint;
  readonly betaPpm: bigint;
}

export interface ModelledWorld {
  readonly model: PortfolioModel;
  readonly underlyings: readonly Underlying[];
  readonly days: bigint;
  readonly fundingPpmPerHour: bigint;
  /** By contract. */
  readonly views: readonly (MarketView | undefined)[];
  readonly arrays: readonly (RiskArray | null)[];
}

/** One that ships, of all five; with volumes so small that concentration is charged, measured betas, and other rates. */
function modelOf(dice: Dice): PortfolioModel {
  const model = dice.pick(Object.values(models));
  const dailyVolume = dice.pick(["2000000000000", "50000000000000", "20000000000000000"]);
  const concentration = {
    volumeSharePpm: 100_000n,
    horizonMs: 3_600_000n,
    impactPpm: dice.pick([0n, 1_000_000n, 5_000_000n]),
  };
  return PortfolioModel.fromPartial({
    ...model,
    maintenanceFactorPpm: dice.between(100_000n, model.maintenanceFactorPpm + 1n),
    offsetCapPpm: dice.between(0n, 800_001n),
    addOns: { ...model.addOns, ...(dice.oneIn(2) ? { concentration } : {}) },
    underlyings: model.underlyings.map((rule) => ({
      ...rule,
      betaMeasured: true,
      ...(dice.oneIn(2) ? { dailyVolume } : {}),
    })),
  });
}

function underlyingOf(dice: Dice, price: bigint): Underlying {
  const betaPpm = dice.between(-900_000n, 1_000_001n);
  return { price, volatilityPpm: 600_000n, widthPpm: 500n * dice.between(0n, 8n), betaPpm };
}

function arrayOf(world: ModelledWorld, contract: number): RiskArray | null {
  const [index, kind] = CONTRACTS[contract] as (typeof CONTRACTS)[number];
  const { betaPpm, price, volatilityPpm, widthPpm } = world.underlyings[index] as Underlying;
  const risk = underlyingRisk(
    world.model,
    {
      ...{ name: NAMES[index] as string, price: price * WAD },
      ...{ volatility: volatilityPpm * 10n ** 12n, oracleWidthPpm: widthPpm },
    },
    { volatility: null, betaPpm, depegPpm: 0n },
  );
  if (risk === null) return null;
  const { days, fundingPpmPerHour } = world;
  if (kind === "perpetual") return riskArray(risk, perpetual(price, fundingPpmPerHour));
  if (kind === "future") return riskArray(risk, { ...future(price, days), expiry: "first" });
  const terms = { forward: price, strike: PRICES[index] as bigint, days, volatilityPpm };
  return riskArray(risk, { ...option({ right: kind, ...terms }), expiry: "first" });
}

/** A lot is a thousandth of the underlying. */
function listedView(dice: Dice, world: ModelledWorld, contract: number): MarketView {
  const id: MarketId = FIRST_MODELLED + contract;
  const [index, kind] = CONTRACTS[contract] as (typeof CONTRACTS)[number];
  const notionalPerLot = (world.underlyings[index] as Underlying).price * 1_000n;
  const linear = kind === "perpetual" || kind === "future";
  const quantaPerLot = linear ? notionalPerLot : divTrunc(notionalPerLot, 12n);
  return {
    terms: termsOf(id, linear ? tiersOf(dice) : []),
    ...{ markTicks: quantaPerLot, fresh: true, fundingIndex: 0n, quantaPerLot, notionalPerLot },
    losses: linear ? null : lossesOf(dice, quantaPerLot, notionalPerLot),
  };
}

export function listedModel(dice: Dice): ModelledWorld {
  const world: ModelledWorld = {
    model: modelOf(dice),
    underlyings: PRICES.map((price) => underlyingOf(dice, price)),
    days: dice.between(2n, 40n),
    fundingPpmPerHour: 10n,
    views: [],
    arrays: [],
  };
  return {
    ...world,
    views: CONTRACTS.map((_, contract) => listedView(dice, world, contract)),
    arrays: CONTRACTS.map((_, contract) => arrayOf(world, contract)),
  };
}

/** What the markets of an underlying share; the index goes in steps, far ones among them. */
function underlyingMoved(dice: Dice, one: Underlying): Underlying {
  if (dice.oneIn(2)) return one;
  const price = dice.oneIn(4) ? one.price : moved(dice, one.price);
  const volatilityPpm = dice.oneIn(4) ? dice.between(200_000n, 1_500_000n) : one.volatilityPpm;
  const widthPpm = dice.oneIn(6) ? 500n * dice.between(0n, 12n) : one.widthPpm;
  const betaPpm = dice.oneIn(10) ? dice.between(-900_000n, 1_000_001n) : one.betaPpm;
  return { price, volatilityPpm, widthPpm, betaPpm };
}

/** The mark follows the index more or less, and moves by itself. */
function viewMoved(dice: Dice, view: MarketView, index: bigint): MarketView {
  let next = view;
  if (dice.oneIn(2)) {
    const linear = view.terms.tiers.length > 0;
    const near = index + divTrunc(index * dice.between(-3_000n, 3_000n), 1_000_000n);
    const quantaPerLot = linear ? near : moved(dice, view.quantaPerLot + 1n) - 1n;
    next = { ...next, quantaPerLot, notionalPerLot: index, markTicks: quantaPerLot };
    if (!linear && view.losses !== SETTLED)
      next = { ...next, losses: lossesOf(dice, quantaPerLot, index) };
  }
  if (dice.oneIn(6)) next = fundingMoved(dice, next);
  if (dice.oneIn(80))
    next = { ...next, losses: SETTLED, terms: { ...next.terms, status: "settling" } };
  return next;
}

/** A block later. */
export function modelMoved(dice: Dice, world: ModelledWorld): ModelledWorld {
  const model = dice.oneIn(40) ? modelOf(dice) : world.model;
  const underlyings = world.underlyings.map((one) => underlyingMoved(dice, one));
  const days = dice.oneIn(8) && world.days > 1n ? world.days - 1n : world.days;
  const fundingPpmPerHour = dice.oneIn(4) ? dice.between(-40n, 40n) : world.fundingPpmPerHour;
  const next: ModelledWorld = { ...world, model, underlyings, days, fundingPpmPerHour };
  const views = world.views.map((view, contract) => {
    const [index] = CONTRACTS[contract] as (typeof CONTRACTS)[number];
    if (view === undefined) return dice.oneIn(2) ? listedView(dice, next, contract) : undefined;
    if (dice.oneIn(60)) return undefined;
    return viewMoved(dice, view, (underlyings[index] as Underlying).price * 1_000n);
  });
  const arrays = world.arrays.map((array, contract) => {
    const [index] = CONTRACTS[contract] as (typeof CONTRACTS)[number];
    // Of two markets on one underlying one may be behind, and one that is not priced comes back.
    if (array !== null && dice.oneIn(150)) return null;
    if (array !== null && model === world.model && dice.oneIn(50)) return array;
    const stands =
      model === world.model &&
      days === world.days &&
      fundingPpmPerHour === world.fundingPpmPerHour &&
      underlyings[index] === world.underlyings[index];
    if (stands && (array !== null || !dice.oneIn(3))) return array;
    return arrayOf(next, contract);
  });
  return { ...next, views, arrays };
}
