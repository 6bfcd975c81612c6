/** What an option is priced from, in wad, and what every formula needs of it: discount factors and the deviation σ√T. */
import { expQ } from "./exp.ts";
import { outOfDomain, Q_BITS, Q_ONE, requireWithin, WAD, YEAR_SECONDS } from "./fixed-point.ts";
import { divTrunc } from "./mul-div.ts";
import { cdfQ } from "./normal.ts";
import { integerSqrt } from "./square-root.ts";

export type OptionKind = "call" | "put";

export interface OptionTerms {
  readonly kind: OptionKind;
  /** Price of the underlying now, 1e-18. */
  readonly spot: bigint;
  readonly strike: bigint;
  /** Continuously compounded per year, 1e-18; discounts the payment. */
  readonly rate: bigint;
  /** Growth of the forward per year, 1e-18: the rate for a stock without dividends, 0 when `spot` is itself a forward. */
  readonly carry: bigint;
  /** Per square root of a year, 1e-18: 0.6 is 6e17. */
  readonly volatility: bigint;
  /** To expiry; a year has 31,536,000. */
  readonly seconds: bigint;
}

/** 1e15 units of money. */
export const PRICE_MAX: bigint = 10n ** 33n;
/** 100, that is 10,000 %. */
export const VOLATILITY_MAX: bigint = 100n * WAD;
/** 0.0001: Greeks of a smaller volatility are spikes that nothing should be hedged by. */
export const GREEKS_VOLATILITY_MIN: bigint = 10n ** 14n;
/** A hundred years. */
export const SECONDS_MAX: bigint = 100n * YEAR_SECONDS;
const RATE_MAX = 10n * WAD;
const EXPONENT_MAX = 10n;

export function requireKind(kind: OptionKind): void {
  if (kind !== "call" && kind !== "put")
    throw outOfDomain(`kind must be "call" or "put", got ${JSON.stringify(kind)}`);
}

/** Refuses terms outside the domain of prices. */
export function requireTerms(terms: OptionTerms): void {
  requireKind(terms.kind);
  requireWithin("spot", terms.spot, 1n, PRICE_MAX);
  requireWithin("strike", terms.strike, 1n, PRICE_MAX);
  requireWithin("rate", terms.rate, -RATE_MAX, RATE_MAX);
  requireWithin("carry", terms.carry, -RATE_MAX, RATE_MAX);
  requireWithin("volatility", terms.volatility, 0n, VOLATILITY_MAX);
  requireWithin("seconds", terms.seconds, 0n, SECONDS_MAX);
}

/** Refuses terms outside the domain of Greeks: those of prices, less the instant of expiry and a vanishing volatility. */
export function requireGreeksTerms(terms: OptionTerms): void {
  requireTerms(terms);
  requireWithin("volatility", terms.volatility, GREEKS_VOLATILITY_MIN, VOLATILITY_MAX);
  requireWithin("seconds", terms.seconds, 1n, SECONDS_MAX);
}

const EXPONENT_UNIT = WAD * YEAR_SECONDS;
const INV_EXPONENT_BITS = 230n;
const INV_EXPONENT = (1n << INV_EXPONENT_BITS) / EXPONENT_UNIT;

/** rate × time in Q, at most one unit below the exact value. Refused beyond ±10: money would change more than twenty-thousandfold. */
export function rateTime(field: string, rate: bigint, seconds: bigint): bigint {
  if (rate === 0n || seconds === 0n) return 0n;
  const product = rate * seconds;
  if (product > EXPONENT_MAX * EXPONENT_UNIT || product < -EXPONENT_MAX * EXPONENT_UNIT)
    throw outOfDomain(
      `${field} times years must be within [-10, 10], got a rate of ${rate} over ${seconds} seconds`,
    );
  return (product * INV_EXPONENT) >> (INV_EXPONENT_BITS - Q_BITS);
}

/** e^(rate × time) in Q; relative error at most 32·2^-120 where it exceeds 1, absolute error 13·2^-120 where not. */
export function growth(field: string, rate: bigint, seconds: bigint): bigint {
  const exponent = rateTime(field, rate, seconds);
  return exponent === 0n ? Q_ONE : expQ(exponent);
}

/** T in Q, toward zero. */
export function years(seconds: bigint): bigint {
  return divTrunc(seconds << Q_BITS, YEAR_SECONDS);
}

let lastSeconds = 0n;
let lastRoot = 0n;

/** √T in Q, toward zero. The last one is remembered: an option is priced in many scenarios at one time. */
export function rootYears(seconds: bigint): bigint {
  if (seconds !== lastSeconds) {
    lastRoot = integerSqrt(years(seconds << Q_BITS));
    lastSeconds = seconds;
  }
  return lastRoot;
}

const INV_WAD_BITS = 190n;
const INV_WAD = (1n << INV_WAD_BITS) / WAD;

/** A product of something in wad and something in Q, in Q, toward −∞; a multiplication instead of a division by 1e18, right to 2^-120 of the product. */
export function scaleByWad(product: bigint): bigint {
  return (product * INV_WAD) >> INV_WAD_BITS;
}

/** Where the strike stands in the distribution at expiry; all in Q. */
export interface Standing {
  /** 1/s, s = σ√T being the deviation of the logarithm. */
  readonly inverse: bigint;
  readonly d1: bigint;
  readonly d2: bigint;
  /** N(d1), N(d2). */
  readonly n1: bigint;
  readonly n2: bigint;
}

const Q_ONE_SQUARED = 1n << (2n * Q_BITS);

/** 1/s in Q, toward zero; s > 0. */
export function inverseQ(s: bigint): bigint {
  return divTrunc(Q_ONE_SQUARED, s);
}

/** From k = ln(F/K) and s > 0: d1 = k/s + s/2, d2 = d1 − s. */
export function standing(k: bigint, s: bigint, inverse: bigint = inverseQ(s)): Standing {
  const d1 = ((k * inverse) >> Q_BITS) + (s >> 1n);
  const d2 = d1 - s;
  return { inverse, d1, d2, n1: cdfQ(d1), n2: cdfQ(d2) };
}
