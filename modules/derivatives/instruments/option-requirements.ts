/**
 * What a position in an option requires. A long lot is paid in full: its requirement is its value, whatever happens to it nobody else loses. A
 * short lot bears the worst scenario of the grid, and at least a share of the underlying, so that far strikes are not sold for nothing;
 * never more than the contract can pay.
 */
import { assert } from "../../kit/errors.ts";
import { divCeil, divHalfEven, maximum, minimum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import { powerOfTen } from "../../kit/math/powers.ts";
import type { Instrument } from "../instruments.ts";
import { TICKS_MAX } from "../limits.ts";
import type { Mark, PerLotLosses } from "../marking/mark.ts";
import { PRICE_PLACES } from "./contract.ts";
import { lotScale } from "./lot-value.ts";

const TICKS_MOST = BigInt(TICKS_MAX);

/** What a seller's worst scenario is worth per unit, 1e-18, for both requirements. */
export interface WorstValues {
  readonly initial: bigint;
  readonly maintenance: bigint;
}

/** Per unit, 1e-18, to a mark: whole ticks, requirements rounded up. Beyond what ticks can say, or of a lot without a size, it is not fresh. */
export function markOfValue(
  lot: OptionLot,
  {
    index,
    value,
    worst,
    fresh,
  }: {
    readonly index: bigint;
    readonly value: bigint;
    readonly worst: WorstValues;
    readonly fresh: boolean;
  },
): Mark {
  const { terms } = lot;
  const ticks = divHalfEven(value, terms.tickPrice);
  const size = sizeOf(terms, index);
  const named = ticks <= TICKS_MOST && size.notional > 0n;
  const quantaPerLot = ticks * terms.quantaPerTickLot;
  const losses: PerLotLosses = {
    long: { initial: quantaPerLot, maintenance: quantaPerLot },
    short: {
      initial: shortLoss(lot, worst.initial, quantaPerLot, size.initialFloor),
      maintenance: shortLoss(lot, worst.maintenance, quantaPerLot, size.maintenanceFloor),
    },
  };
  return {
    ticks: minimum(ticks, TICKS_MOST),
    fresh: fresh && named,
    quantaPerLot,
    // Divided by.
    notionalPerLot: maximum(size.notional, 1n),
    losses,
  };
}

/** Per lot, in quanta, rounded up. */
function shortLoss(
  { terms: { units, scale }, most }: OptionLot,
  worstValue: bigint,
  value: bigint,
  floor: bigint,
): bigint {
  const worst = units === 1n ? worstValue : worstValue * units;
  const needed = maximum(divCeil(worst, scale) - value, floor);
  return most === null ? needed : minimum(needed, maximum(most - value, 0n));
}

/** What does not change of a market: terms it has in common with others, one object for all that were listed in a row. */
export interface OptionLot {
  readonly terms: LotTerms;
  /** The most that a lot can ever pay; null: without bound. */
  readonly most: bigint | null;
}

export interface LotTerms {
  /** A tick per unit, 1e-18. */
  readonly tickPrice: bigint;
  readonly quantaPerTickLot: bigint;
  /** Quanta of a lot at a price: price × units / scale. */
  readonly units: bigint;
  readonly scale: bigint;
  readonly initialFloorPpm: bigint;
  readonly maintenanceFloorPpm: bigint;
  readonly volatilityShockPpm: bigint;
}

const lots = new WeakMap<Instrument, OptionLot>();
let lastTerms: LotTerms | null = null;

export function optionLot(instrument: Instrument): OptionLot {
  let lot = lots.get(instrument);
  if (lot === undefined) {
    const risk = instrument.terms.optionRisk;
    assert(risk !== undefined, `${instrument.symbol} has no scenarios`);
    const [units, scale] = lotScale(instrument);
    const { initialFloorPpm, maintenanceFloorPpm, volatilityShockPpm } = risk;
    const { quantaPerTickLot, tick } = instrument;
    const terms: LotTerms = {
      tickPrice: tick.units * powerOfTen(PRICE_PLACES - tick.places),
      quantaPerTickLot,
      units,
      scale,
      initialFloorPpm,
      maintenanceFloorPpm,
      volatilityShockPpm,
    };
    if (lastTerms === null || !isAlike(lastTerms, terms)) lastTerms = terms;
    lot = { terms: lastTerms, most: mostPaid(instrument) };
    lots.set(instrument, lot);
  }
  return lot;
}

/** What a lot of the underlying is worth, and the floors that follow from it; quanta. */
interface Size {
  readonly terms: LotTerms;
  readonly index: bigint;
  readonly notional: bigint;
  readonly initialFloor: bigint;
  readonly maintenanceFloor: bigint;
}

/** The last one: the options of an underlying, listed together, have the same lot and floors as a rule. */
let lastSize: Size | null = null;

export function sizeOf(terms: LotTerms, index: bigint): Size {
  if (lastSize?.terms === terms && lastSize.index === index) return lastSize;
  const notional = divHalfEven(index * terms.units, terms.scale);
  lastSize = {
    terms,
    index,
    notional,
    initialFloor: mulDivUp(notional, terms.initialFloorPpm, PPM),
    maintenanceFloor: mulDivUp(notional, terms.maintenanceFloorPpm, PPM),
  };
  return lastSize;
}

function isAlike(a: LotTerms, b: LotTerms): boolean {
  return (
    a.tickPrice === b.tickPrice &&
    a.quantaPerTickLot === b.quantaPerTickLot &&
    a.units === b.units &&
    a.scale === b.scale &&
    a.initialFloorPpm === b.initialFloorPpm &&
    a.maintenanceFloorPpm === b.maintenanceFloorPpm &&
    a.volatilityShockPpm === b.volatilityShockPpm
  );
}

function mostPaid(instrument: Instrument): bigint | null {
  const { kind, option } = instrument.contract;
  assert(option !== null, `${instrument.symbol} is no option`);
  const [units, scale] = lotScale(instrument);
  if (kind === "digitalOption") return divCeil(option.payout * units, scale);
  return option.right === "put" ? divCeil(option.strike * units, scale) : null;
}
