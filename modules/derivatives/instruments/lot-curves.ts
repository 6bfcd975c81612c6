/**
 * The value of one lot of an option, and what its worst scenarios make of it, after a move of the forward: in safe integers, counts of a quantum over a
 * power of two, so that a block of marks makes no bigint but what it returns. How far such a figure can be from the exact one is known, so where
 * both round to the same ticks and quanta it is the mark; where they might not, nobody is answered, and the caller does the sums in full.
 */
import { divFloor, maximum, minimum } from "../../kit/math/mul-div.ts";
import { SHARE_BITS, type Share, shareOf, takeShare } from "../../kit/math/share.ts";
import { bitLength } from "../../kit/math/square-root.ts";
import { TICKS_MAX } from "../limits.ts";
import type { Mark } from "../marking/mark.ts";
import type { OptionContract } from "./contract.ts";
import { type LotTerms, type OptionLot, sizeOf } from "./option-requirements.ts";

/** A value near where it was computed, per unit, 1e-18; moves are of the forward. */
export interface Curve {
  readonly value: bigint;
  /** Per 1e-18 of the move, and half of its change per 1e-18; counts of 2^-128. */
  readonly slope: bigint;
  readonly bend: bigint;
  /** Per 1.00 of volatility. */
  readonly vega: bigint;
}

/** Fraction bits of `Curve`. */
export const CURVE_BITS = 128n;

/** A forward and what its bend makes of it have at most so many bits; no figure is beyond 2^50, which leaves sums of them safe. */
const FIGURE_BITS = 49n;
const FIGURE_MAX = 1_125_899_906_842_624;
/** Fewer bits below the quantum would leave too many figures undecided. */
const GUARD_BITS_MIN = 12n;
const GUARD_BITS_MAX = 40n;
/**
 * How far a figure may be off, in its own counts: one each for the floors of value, slope, bend and move, less than two for each of two products, one
 * for the unit of 1e-18 that the exact sum rounds down to; the bounds, of one floor and one product each, are nearer.
 */
const ERROR = 16;

/** For moves below 2^span of 1e-18, which are a share of that. */
export interface LotCurves {
  readonly call: boolean;
  /** Counts in a quantum. */
  readonly guard: number;
  /** Counts in a tick. */
  readonly tick: number;
  /** Value, slope and bend of the value, the initial and the maintenance scenario; then the forward, its slope, and the strike. */
  readonly figures: readonly number[];
}

/** Moves of a forward are said as shares of 2^span: more than half of it, and at most all. */
export function spanOf(forward: bigint): bigint {
  return BigInt(bitLength(forward)) - 1n;
}

/** A move of the forward as a share of the span, toward −∞. Null: it is larger. */
export function moveShare(move: bigint, span: bigint): Share | null {
  const limit = 1n << span;
  if (move <= -limit || move >= limit) return null;
  return shareOf(span > SHARE_BITS ? move >> (span - SHARE_BITS) : move << (SHARE_BITS - span));
}

/** Beyond the widest price, power and guard together; what is lost of a figure below 2^50 is far less than a count. */
const RATE_BITS = 160n;
const rates = new WeakMap<LotTerms, bigint>();

/** Quanta of a lot per 1e-18 of price, a count of 2^-160 toward −∞. */
function rateOf(terms: LotTerms): bigint {
  let rate = rates.get(terms);
  if (rate === undefined) {
    rate = divFloor(terms.units << RATE_BITS, terms.scale);
    rates.set(terms, rate);
  }
  return rate;
}

/** Null: a lot is too large for safe integers. Of an option whose bounds are those of a forward, not of a cash payment. */
export function lotCurves(
  option: OptionContract,
  { terms }: OptionLot,
  forward: bigint,
  curves: readonly [value: Curve, initial: Curve, maintenance: Curve],
): LotCurves | null {
  const rate = rateOf(terms);
  const span = spanOf(forward);
  const bendBits = RATE_BITS + CURVE_BITS - 2n * span;
  const [value, initial, maintenance] = curves;
  const bend = maximum(value.bend, maximum(initial.bend, maintenance.bend));
  const largest = maximum((forward * rate) >> RATE_BITS, (bend * rate) >> bendBits);
  const guardBits = minimum(
    FIGURE_BITS - BigInt(bitLength(maximum(largest, terms.quantaPerTickLot))),
    GUARD_BITS_MAX,
  );
  if (guardBits < GUARD_BITS_MIN || terms.units << guardBits > terms.scale) return null;
  const priceRate = RATE_BITS - guardBits;
  const slopeRate = priceRate + CURVE_BITS - span;
  const bendRate = bendBits - guardBits;
  const counts = (x: bigint, bits: bigint): number => Number((x * rate) >> bits);
  const figures = [
    counts(value.value, priceRate),
    counts(value.slope, slopeRate),
    counts(value.bend, bendRate),
    counts(initial.value, priceRate),
    counts(initial.slope, slopeRate),
    counts(initial.bend, bendRate),
    counts(maintenance.value, priceRate),
    counts(maintenance.slope, slopeRate),
    counts(maintenance.bend, bendRate),
    counts(forward, priceRate),
    counts(1n, priceRate - span),
    counts(option.strike, priceRate),
  ];
  if (figures.some((one) => one > FIGURE_MAX || one < -FIGURE_MAX)) return null;
  return {
    call: option.right === "call",
    guard: Number(1n << guardBits),
    tick: Number(terms.quantaPerTickLot << guardBits),
    figures,
  };
}

function along(figures: readonly number[], first: number, move: Share): number {
  const bent = takeShare(figures[first + 2] as number, move);
  return (figures[first] as number) + takeShare((figures[first + 1] as number) + bent, move);
}

/** Whole quanta, rounded up, of a figure that may be off; NaN: undecided. */
function quantaUp(figure: number, guard: number): number {
  const rest = figure % guard;
  return rest > ERROR && rest < guard - ERROR ? (figure - rest) / guard + 1 : Number.NaN;
}

/** Null: undecided. The same mark as `markOfValue` makes of the exact sums. */
export function lotMark(
  { call, guard, tick, figures }: LotCurves,
  { terms, most }: OptionLot,
  move: Share,
  now: { readonly index: bigint; readonly fresh: boolean },
): Mark | null {
  const forward = (figures[9] as number) + takeShare(figures[10] as number, move);
  const strike = figures[11] as number;
  const paid = call ? forward - strike : strike - forward;
  const low = paid > 0 ? paid : 0;
  const high = call ? forward : strike;
  let value = along(figures, 0, move);
  if (value > high) value = high;
  if (value < low) value = low;
  // To the nearest tick; near a half nothing is decided, so there are no halves.
  const raised = value + tick / 2;
  const rest = raised % tick;
  if (rest <= ERROR || rest >= tick - ERROR) return null;
  const ticks = (raised - rest) / tick;
  const quanta = (ticks * tick) / guard;
  const keptFigure = along(figures, 6, move);
  const openedFigure = along(figures, 3, move);
  const kept = quantaUp(keptFigure, guard);
  const opened = openedFigure > keptFigure ? quantaUp(openedFigure, guard) : kept;
  const { notional, initialFloor, maintenanceFloor } = sizeOf(terms, now.index);
  // Without bound: a floor that is no safe integer must not come out as the largest one.
  const ceiling = most === null ? Number.POSITIVE_INFINITY : Number(most) - quanta;
  const initial = within(opened - quanta, Number(initialFloor), ceiling);
  const maintenance = within(kept - quanta, Number(maintenanceFloor), ceiling);
  // NaN is no safe integer, and neither is what would not fit.
  if (!Number.isSafeInteger(initial) || !Number.isSafeInteger(maintenance)) return null;
  if (ticks > TICKS_MAX || notional <= 0n) return null;
  const quantaPerLot = BigInt(quanta);
  return {
    ticks: BigInt(ticks),
    fresh: now.fresh,
    quantaPerLot,
    notionalPerLot: notional,
    losses: {
      long: { initial: quantaPerLot, maintenance: quantaPerLot },
      short: { initial: BigInt(initial), maintenance: BigInt(maintenance) },
    },
  };
}

/** What a seller needs: at least the floor, at most what the contract can still pay. */
function within(needed: number, floor: number, ceiling: number): number {
  const least = needed < floor ? floor : needed;
  const most = ceiling < 0 ? 0 : ceiling;
  return least > most ? most : least;
}
