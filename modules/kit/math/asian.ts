/**
 * Options on the arithmetic average of equally spaced fixings, some of which may be known already. The sum of the fixings to come is
 * taken as lognormal with its exact mean and variance (Turnbull and Wakeman 1991, without the higher moments; Levy 1992), and Black's formula
 * applied to it, against a strike less what is fixed. The method's own error is measured in README.md; the bounds here are against the method.
 */
import { type Moments, momentsOf } from "./asian-moments.ts";
import { expQ } from "./exp.ts";
import {
  divNearest,
  mulQ,
  outOfDomain,
  perPriceQ,
  Q_BITS,
  Q_ONE,
  requireWithin,
  WAD,
  YEAR_SECONDS,
} from "./fixed-point.ts";
import { lnRatioQ } from "./log.ts";
import { divFloor, maximum } from "./mul-div.ts";
import { densityQ } from "./normal.ts";
import {
  GREEKS_VOLATILITY_MIN,
  growth,
  type OptionTerms,
  PRICE_MAX,
  requireTerms,
  SECONDS_MAX,
  type Standing,
  scaleByWad,
  standing,
  VOLATILITY_MAX,
} from "./option-terms.ts";
import { integerSqrt } from "./square-root.ts";

/** `seconds` is the time to payment, at or after the last fixing. */
export interface AsianTerms extends OptionTerms {
  /** Fixings in the whole average. */
  readonly fixings: bigint;
  /** How many of them are known, and their sum, 1e-18. */
  readonly fixedCount: bigint;
  readonly fixedSum: bigint;
  /** To the first fixing not known. */
  readonly secondsToNextFixing: bigint;
  readonly fixingIntervalSeconds: bigint;
}

export interface AsianGreeks {
  readonly price: bigint;
  readonly delta: bigint;
  readonly gamma: bigint;
  readonly vega: bigint;
  readonly theta: bigint;
}

export const FIXINGS_MAX = 10_000n;
/** Of σ²T up to the last fixing: beyond a deviation of 4 two moments say nothing about the sum. */
const VARIANCE_MAX = 16n;
const VARIANCE_UNIT = WAD * WAD * YEAR_SECONDS;

function requireAsianTerms(terms: AsianTerms): void {
  requireTerms(terms);
  requireWithin("fixings", terms.fixings, 1n, FIXINGS_MAX);
  requireWithin("fixedCount", terms.fixedCount, 0n, terms.fixings);
  requireWithin("fixedSum", terms.fixedSum, 0n, terms.fixedCount * PRICE_MAX);
  const remaining = terms.fixings - terms.fixedCount;
  if (remaining === 0n) return;
  requireWithin("secondsToNextFixing", terms.secondsToNextFixing, 0n, SECONDS_MAX);
  requireWithin("fixingIntervalSeconds", terms.fixingIntervalSeconds, 1n, SECONDS_MAX);
  const last = terms.secondsToNextFixing + (remaining - 1n) * terms.fixingIntervalSeconds;
  requireWithin("seconds", terms.seconds, last, SECONDS_MAX);
  if (terms.volatility * terms.volatility * last > VARIANCE_MAX * VARIANCE_UNIT)
    throw outOfDomain(
      `volatility² times years to the last fixing must be at most ${VARIANCE_MAX}, got a volatility of ${terms.volatility} over ${last} seconds`,
    );
}

/** The fixings to come. */
interface Ahead {
  /** Mean of their sum per unit of spot, Q. */
  readonly mean: bigint;
  /** Deviation of the logarithm of their sum, Q. */
  readonly s: bigint;
  readonly moments: Moments;
}

function variance(volatility: bigint, seconds: bigint): bigint {
  return divFloor((volatility * volatility * seconds) << Q_BITS, VARIANCE_UNIT);
}

function lookAhead(terms: AsianTerms): Ahead | null {
  const count = terms.fixings - terms.fixedCount;
  if (count === 0n) return null;
  const { carry, volatility, secondsToNextFixing, fixingIntervalSeconds } = terms;
  const x = growth("carry", carry, fixingIntervalSeconds);
  const moments = momentsOf(count, x, expQ(variance(volatility, fixingIntervalSeconds)));
  const mean = mulQ(growth("carry", carry, secondsToNextFixing), moments.mean);
  const spread =
    lnRatioQ(moments.square << Q_BITS, moments.mean * moments.mean) +
    variance(volatility, secondsToNextFixing);
  return { mean, s: integerSqrt(maximum(0n, spread) << Q_BITS), moments };
}

/** The strike of the sum to come: fixings × strike − what is fixed. At or below zero a call is sure to pay. */
function residualOf({ fixings, strike, fixedSum }: AsianTerms): bigint {
  return fixings * strike - fixedSum;
}

/** Where the residual strike stands; null when nothing is left to chance. */
function standingOf(terms: AsianTerms, ahead: Ahead, residual: bigint): Standing | null {
  if (residual <= 0n || ahead.s === 0n) return null;
  return standing(lnRatioQ(terms.spot * ahead.mean, residual << Q_BITS), ahead.s);
}

/** Undiscounted value times `fixings`, units·Q. */
function sumValue(terms: AsianTerms, ahead: Ahead | null): bigint {
  const residual = residualOf(terms);
  const sign = terms.kind === "call" ? 1n : -1n;
  const forward = terms.spot * (ahead?.mean ?? 0n) - (residual << Q_BITS);
  const intrinsic = maximum(0n, sign * forward);
  const at = ahead === null ? null : standingOf(terms, ahead, residual);
  if (ahead === null || at === null) return intrinsic;
  const call = terms.spot * mulQ(ahead.mean, at.n1) - residual * at.n2;
  return maximum(intrinsic, terms.kind === "call" ? call : call - forward);
}

/**
 * Price, 1e-18, to the nearest unit; against the method's exact value the error is at most 1/2 + D·F·n·max(1, 1/s)·2^-113 units, F and s being forward
 * and deviation of the average of the n fixings to come. Before the first fixing, among them, and after the last.
 */
export function asianPrice(terms: AsianTerms): bigint {
  requireAsianTerms(terms);
  const discount = growth("rate", -terms.rate, terms.seconds);
  return divNearest(discount * sumValue(terms, lookAhead(terms)), terms.fixings << (2n * Q_BITS));
}

/**
 * Price and its exact derivatives under the method, 1e-18, each to the nearest unit. `theta` lets the time to every fixing and to the payment
 * pass; the next fixing must be at least a second away.
 */
export function asianGreeks(terms: AsianTerms): AsianGreeks {
  requireAsianTerms(terms);
  requireWithin("volatility", terms.volatility, GREEKS_VOLATILITY_MIN, VOLATILITY_MAX);
  const { kind, spot, rate, carry, volatility, fixings } = terms;
  const ahead = lookAhead(terms);
  if (ahead !== null)
    requireWithin("secondsToNextFixing", terms.secondsToNextFixing, 1n, SECONDS_MAX);
  const discount = growth("rate", -rate, terms.seconds);
  const total = discount * sumValue(terms, ahead);
  const price = divNearest(total, fixings << (2n * Q_BITS));
  const funding = scaleByWad(rate * total);
  const residual = residualOf(terms);
  const at = ahead === null ? null : standingOf(terms, ahead, residual);
  if (ahead === null || at === null) {
    // Sure to pay (a call with what is fixed above the strike), or sure not to.
    const held = ahead !== null && kind === "call" ? mulQ(discount, ahead.mean) : 0n;
    const drift = scaleByWad(carry * spot * held) << Q_BITS;
    return {
      price,
      delta: divNearest(held * WAD, fixings << Q_BITS),
      gamma: 0n,
      vega: 0n,
      theta: divNearest(funding - drift, fixings << (2n * Q_BITS)),
    };
  }
  const asset = mulQ(discount, ahead.mean);
  const held = mulQ(asset, kind === "call" ? at.n1 : at.n1 - Q_ONE);
  const density = mulQ(asset, densityQ(at.d1));
  const steepness = mulQ(density, at.inverse);
  const { square, squareSlope } = ahead.moments;
  // Seconds of variance in the sum: those before the first fixing, and the average over pairs of those after it.
  const effective =
    (terms.secondsToNextFixing << Q_BITS) +
    terms.fixingIntervalSeconds * divFloor(squareSlope << Q_BITS, square);
  const vega = spot * mulQ(steepness, scaleByWad(volatility * effective));
  const decay = divFloor(spot * steepness * volatility * volatility, 2n * WAD * WAD);
  const drift = scaleByWad(carry * spot * held);
  return {
    price,
    delta: divNearest(held * WAD, fixings << Q_BITS),
    gamma: perPriceQ(steepness * WAD * WAD, spot * fixings),
    vega: divNearest(vega, (fixings * YEAR_SECONDS) << Q_BITS),
    theta: divNearest(funding - ((drift + decay) << Q_BITS), fixings << (2n * Q_BITS)),
  };
}
