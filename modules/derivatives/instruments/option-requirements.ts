/**
 * What a position in an option requires. A long lot is paid in full: its requirement is its value, whatever happens to it nobody else loses. A
 * short lot bears the worst scenario of the grid, and at least a share of the underlying, so that far strikes are not sold for nothing;
 * never more than the contract can pay.
 */
import { assert } from "../../kit/errors.ts";
import { divCeil, maximum, minimum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import type { Instrument } from "../instruments.ts";
import { TICKS_MAX } from "../limits.ts";
import type { Mark, PerLotLosses } from "../marks.ts";
import { lotScale, quantaPerLotAt, ticksAt } from "./lot-value.ts";

/** What a seller's worst scenario is worth per unit, 1e-18, for both requirements. */
export interface WorstValues {
  readonly initial: bigint;
  readonly maintenance: bigint;
}

/** Per unit, 1e-18, to a mark: whole ticks, requirements rounded up. undefined beyond what ticks can say. */
export function markOfValue(
  instrument: Instrument,
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
): Mark | undefined {
  const ticks = ticksAt(instrument, value);
  const notionalPerLot = quantaPerLotAt(instrument, index);
  if (ticks > BigInt(TICKS_MAX) || notionalPerLot <= 0n) return undefined;
  const quantaPerLot = ticks * instrument.quantaPerTickLot;
  const losses = requirements(instrument, worst, quantaPerLot, notionalPerLot);
  return { ticks, fresh, quantaPerLot, notionalPerLot, losses };
}

/** Per lot, in quanta, rounded up. */
function requirements(
  instrument: Instrument,
  worst: WorstValues,
  value: bigint,
  notional: bigint,
): PerLotLosses {
  const risk = instrument.terms.optionRisk;
  assert(risk !== undefined, `${instrument.symbol} has no scenarios`);
  const most = mostPaid(instrument);
  const [units, scale] = lotScale(instrument);
  const short = (worstValue: bigint, floorPpm: bigint): bigint => {
    const loss = divCeil(worstValue * units, scale) - value;
    const needed = maximum(loss, mulDivUp(notional, floorPpm, PPM));
    return most === null ? needed : minimum(needed, maximum(most - value, 0n));
  };
  return {
    long: { initial: value, maintenance: value },
    short: {
      initial: short(worst.initial, risk.initialFloorPpm),
      maintenance: short(worst.maintenance, risk.maintenanceFloorPpm),
    },
  };
}

/** The most that a lot can ever pay; null: without bound. */
function mostPaid(instrument: Instrument): bigint | null {
  const { kind, option } = instrument.contract;
  assert(option !== null, `${instrument.symbol} is no option`);
  const [units, scale] = lotScale(instrument);
  if (kind === "digitalOption") return divCeil(option.payout * units, scale);
  return option.right === "put" ? divCeil(option.strike * units, scale) : null;
}
