/**
 * Options on a surface are priced in turns: the oracle keeps, for each turn, surface and index as they were when it last came round, and a market
 * belongs to the turn of its number. So a block prices its share of all options from scratch, and the others by what the last pricing says of
 * a small move: delta and gamma of the value and of the worst scenarios, the smile moving with the forward. What such a step leaves out grows with the
 * cube of the move: at a quarter of a standard deviation it is below half a percent of an option at the money, at a third of that below a twentieth of one.
 * A move beyond a quarter, or a turn that has not come for too long, gives a mark that is not fresh: nothing is matched or liquidated at it until
 * its turn comes. While the surface is stale no turn does, and what has moved so far is priced as it is.
 *
 * Near the end, where a quarter of a deviation is little and the mean so far counts, there are no turns.
 */
import type { ReadContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { Q_BITS, WAD } from "../../kit/math/fixed-point.ts";
import {
  absolute,
  clamp,
  divFloor,
  divHalfEven,
  maximum,
  mulDivUp,
  PPM,
} from "../../kit/math/mul-div.ts";
import type { Share } from "../../kit/math/share.ts";
import { integerSqrt } from "../../kit/math/square-root.ts";
import { ssviPoint, volatilityOfVariance, volatilitySkew } from "../../kit/math/ssvi.ts";
import type { Instrument } from "../instruments.ts";
import type { Mark } from "../marking/mark.ts";
import type { AnchoredSmile, Smile } from "../ports.ts";
import { type Outlook, toPrice } from "../settlement/prices.ts";
import type { Venue } from "../venue.ts";
import type { MarkInputs, Scenario } from "./contract-kind.ts";
import { kinds } from "./kinds.ts";
import {
  CURVE_BITS,
  type Curve,
  type LotCurves,
  lotCurves,
  lotMark,
  moveShare,
  spanOf,
} from "./lot-curves.ts";
import { boundedVolatility, SPOT_MAX, shocked } from "./option-pricing.ts";
import { markOfValue, type OptionLot, optionLot } from "./option-requirements.ts";
import { forwardOf } from "./volatility.ts";

const HOUR_MS = 3_600_000n;

const BEND_SCALE = 2n * PPM * PPM * WAD * WAD;

/** What the options of one turn and one expiry are priced at, and how far they are from it now. */
interface Base {
  readonly anchor: AnchoredSmile;
  readonly index: bigint;
  readonly forward: bigint;
  /** Forward over index, a count of 2^-128. */
  readonly perIndex: bigint;
  /** The index asked for last, and the forward's move to it. */
  to: bigint;
  move: bigint;
  distance: bigint;
  /** The move as lots are moved by; null: too far for that. */
  share: Share | null;
  readonly span: bigint;
}

interface Priced {
  readonly base: Base;
  readonly volatility: bigint;
  /** The largest move of the forward that the curves are good for. */
  readonly reach: bigint;
  readonly value: Curve;
  readonly initial: Curve;
  readonly maintenance: Curve;
  /** The same of a lot, in numbers; null where that cannot be. */
  readonly lots: LotCurves | null;
}

interface Made {
  readonly priced: Priced;
  readonly index: bigint;
  readonly fresh: boolean;
  readonly held: boolean;
  readonly mark: Mark;
}

/** Of a market; all of it follows from what it is remembered with. */
interface Known {
  readonly lot: OptionLot;
  /** No turns when no more time than this is left. */
  readonly endMs: bigint;
  priced: Priced | null;
  made: Made | null;
}

const known = new WeakMap<Instrument, Known>();
const bases = new WeakMap<Smile, Base>();

/** Null: not by turns. */
export function surfaceMark(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
  outlook: Outlook,
): Mark | null {
  const { option, maturity } = instrument.contract;
  if (option === null || maturity === null || option.volatilitySurfaceId === 0) return null;
  let last = known.get(instrument);
  if (last === undefined) {
    const endMs = maximum(HOUR_MS, 2n * BigInt(maturity.windowMs));
    last = { lot: optionLot(instrument), endMs, priced: null, made: null };
    known.set(instrument, last);
  }
  if (outlook.remainingMs <= last.endMs) return null;
  const { id, expiryMs } = instrument;
  const anchor = venue.oracle.anchoredSmile(ctx, option.volatilitySurfaceId, expiryMs, id);
  if (anchor === undefined) return null;
  const { age } = anchor;
  const base = baseOf(anchor);
  let { priced } = last;
  if (priced === null || priced.base !== base) {
    priced = price(instrument, last.lot, base);
    if (priced === null) return null;
    last.priced = priced;
  }
  const index = outlook.spot;
  moveTo(base, index);
  const near = base.distance <= priced.reach;
  // No turn comes while the surface is stale, and accounts are judged by this for as long: far from its turn the small move says nothing.
  if (age === "stale" && !near) return null;
  const fresh = outlook.fresh && age !== "stale" && !anchor.late && near;
  const held = age === "held";
  const { made } = last;
  if (
    made !== null &&
    made.priced === priced &&
    made.index === index &&
    made.fresh === fresh &&
    made.held === held
  ) {
    return made.mark;
  }
  const { lots } = priced;
  const { share } = base;
  const quick =
    held || lots === null || share === null
      ? null
      : lotMark(lots, last.lot, share, { index, fresh });
  const mark = quick ?? moved(instrument, last.lot, priced, { index, fresh, held });
  last.made = { priced, index, fresh, held, mark };
  return mark;
}

/** The same object as long as nothing it is made of changed. */
function baseOf(anchor: AnchoredSmile): Base {
  const { smile, mantissa, exponent } = anchor;
  const last = bases.get(smile);
  if (last?.anchor.mantissa === mantissa && last.anchor.exponent === exponent) return last;
  const index = toPrice(mantissa, exponent);
  const forward = forwardOf(index, smile.basisPpm);
  const perIndex = index > 0n ? divFloor(forward << CURVE_BITS, index) : 0n;
  const span = spanOf(forward);
  const share = moveShare(0n, span);
  const none = { to: index, move: 0n, distance: 0n, share };
  const base: Base = { anchor, index, forward, perIndex, span, ...none };
  bases.set(smile, base);
  return base;
}

function moveTo(base: Base, index: bigint): void {
  if (base.to === index) return;
  base.to = index;
  base.move = ((index - base.index) * base.perIndex) >> CURVE_BITS;
  base.distance = absolute(base.move);
  base.share = moveShare(base.move, base.span);
}

/** From scratch. Null when the forward is worth nothing, or more than anything is. */
function price(instrument: Instrument, lot: OptionLot, base: Base): Priced | null {
  const { forward } = base;
  const { smile } = base.anchor;
  const { contract, terms } = instrument;
  const { option } = contract;
  const risk = terms.optionRisk;
  assert(option !== null && risk !== undefined, `${instrument.symbol} is no option`);
  if (forward <= 0n || forward > SPOT_MAX) return null;
  const point = ssviPoint(smile.slice, forward, option.strike);
  const volatility = boundedVolatility(volatilityOfVariance(point.variance, smile.seconds));
  const skew = volatilitySkew(point, volatility, smile.seconds);
  const deviation = integerSqrt((point.variance * WAD * WAD) >> Q_BITS);
  const remainingMs = smile.seconds * 1000n;
  const inputs: MarkInputs = {
    ...{ spot: forward, forward, mean: 0n, averagedMs: 0n, remainingMs, volatility },
  };
  const at = (spotPpm: bigint, volatilityPpm: bigint): Curve =>
    curve(instrument, shocked(inputs, spotPpm, volatilityPpm), {
      spotPpm: PPM + spotPpm,
      // The scenario's volatility moves with the strike's as far as it is a multiple of it.
      drift: divHalfEven(skew * (PPM + volatilityPpm), PPM),
      forward,
    });
  const worst = (shockPpm: bigint): Curve => {
    const scenarios = kinds[contract.kind].worstForSeller?.(contract) ?? [];
    const of = ({ spot, volatility: vol }: Scenario): Curve =>
      at(BigInt(spot) * shockPpm, BigInt(vol) * risk.volatilityShockPpm);
    return scenarios.map(of).reduce((a, b) => (b.value > a.value ? b : a));
  };
  const value = at(0n, 0n);
  const initial = worst(risk.initialShockPpm);
  const maintenance = worst(risk.maintenanceShockPpm);
  const linear = contract.kind !== "digitalOption";
  return {
    base,
    volatility,
    reach: divFloor(deviation * forward, 4n * WAD),
    ...{ value, initial, maintenance },
    lots: linear ? lotCurves(option, lot, forward, [value, initial, maintenance]) : null,
  };
}

function curve(
  { contract }: Instrument,
  inputs: MarkInputs,
  scale: { readonly spotPpm: bigint; readonly drift: bigint; readonly forward: bigint },
): Curve {
  const { curve: lean, greeks: full } = kinds[contract.kind];
  const greeks = (lean ?? full)?.(contract, inputs);
  assert(greeks !== undefined, `${contract.kind} has no Greeks`);
  const { spotPpm, drift, forward } = scale;
  const followed = divHalfEven(greeks.vega * drift, forward);
  const slope = divHalfEven(greeks.delta * spotPpm, PPM) + followed;
  return {
    value: greeks.price,
    slope: divFloor(slope << CURVE_BITS, WAD),
    bend: divFloor((greeks.gamma * spotPpm * spotPpm) << CURVE_BITS, BEND_SCALE),
    vega: greeks.vega,
  };
}

/** After a move of the forward, toward −∞. */
function along({ value, slope, bend }: Curve, move: bigint): bigint {
  return value + ((move * (slope + bend * move)) >> CURVE_BITS);
}

function moved(
  instrument: Instrument,
  lot: OptionLot,
  priced: Priced,
  now: {
    readonly index: bigint;
    readonly fresh: boolean;
    readonly held: boolean;
  },
): Mark {
  const { contract } = instrument;
  const { bounds } = kinds[contract.kind];
  assert(bounds !== undefined, "an option without bounds");
  const { index, fresh, held } = now;
  const { forward, move } = priced.base;
  const [low, high] = bounds(contract, forward + move);
  const value = clamp(along(priced.value, move), low, maximum(low, high));
  const { initial, maintenance, volatility } = priced;
  // Twice the move of volatility, to first order: see `option-marks.ts`.
  const wider = held
    ? mulDivUp(absolute(initial.vega) * volatility, lot.terms.volatilityShockPpm, PPM * WAD)
    : 0n;
  const kept = along(maintenance, move);
  const worst = { initial: maximum(along(initial, move) + wider, kept), maintenance: kept };
  return markOfValue(lot, { index, value, worst, fresh });
}
