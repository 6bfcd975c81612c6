/**
 * The value of one lot of an option, and what its worst scenarios make of it, after a move of the forward: in safe integers, counts of a quantum over a
 * power of two, so that a block of marks makes no bigint but what it returns. How far such a figure can be from the exact one is known, so where
 * both round to the same ticks and quanta it is the mark; where they might not, nobody is answered, and the caller does the sums in full.
 */
import { absolute, divFloor, maximum } from "../../kit/math/mul-div.ts";
import { SHARE_BITS, type Share, shareOf, takeShare } from "../../kit/math/share.ts";
import { bitLength } from "../../kit/math/square-root.ts";
import { TICKS_MAX } from "../limits.ts";
import type { Mark } from "../marks.ts";
import type { OptionContract } from "./contract.ts";
import { type OptionLot, sizeOf } from "./option-requirements.ts";

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

/** All figures stay below this many bits, which leaves sums of them safe. */
const FIGURE_BITS = 50;
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
  return shareOf(span > SHARE_BITS ? move >> (span - SHARE_BITS) : move << (SHARE_BITS - span));
}

/** Null: a lot is too large for safe integers. Of an option whose bounds are those of a forward, not of a cash payment. */
export function lotCurves(
  option: OptionContract,
  lot: OptionLot,
  forward: bigint,
  curves: readonly [value: Curve, initial: Curve, maintenance: Curve],
): LotCurves | null {
  const { units, scale, quantaPerTickLot } = lot.terms;
  const span = spanOf(forward);
  /** x × 2^power per unit in counts of a lot, toward −∞. */
  const counts = (x: bigint, power: bigint): bigint => {
    const shift = power + GUARD_BITS_MAX;
    return shift >= 0n
      ? divFloor((x * units) << shift, scale)
      : divFloor(x * units, scale << -shift);
  };
  const wide = curves.flatMap(({ value, slope, bend }) => [
    counts(value, 0n),
    counts(slope, span - CURVE_BITS),
    counts(bend, 2n * span - CURVE_BITS),
  ]);
  wide.push(counts(forward, 0n), counts(1n, span), counts(option.strike, 0n));
  const largest = wide.reduce(
    (most, one) => maximum(most, absolute(one)),
    quantaPerTickLot << GUARD_BITS_MAX,
  );
  const drop = maximum(BigInt(bitLength(largest) - FIGURE_BITS), 0n);
  const guardBits = GUARD_BITS_MAX - drop;
  if (guardBits < GUARD_BITS_MIN || units << guardBits > scale) return null;
  return {
    call: option.right === "call",
    guard: Number(1n << guardBits),
    tick: Number(quantaPerTickLot << guardBits),
    figures: wide.map((one) => Number(one >> drop)),
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
  const ceiling = most === null ? Number.MAX_SAFE_INTEGER : Number(most) - quanta;
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
