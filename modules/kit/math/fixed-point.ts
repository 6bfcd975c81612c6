/**
 * The two scales of the analytics. Outside, a real number is an integer count of 1e-18 ("wad"). Inside, it is a count of 2^-120
 * ("Q"): 2^-120 is 7.5e-37, so a price of 1e15 keeps fifteen guard bits below 1e-18, and with magnitudes under 2^8 a value fits two machine words.
 */
import { ModuleError } from "../errors.ts";
import { divFloor } from "./mul-div.ts";

export const WAD: bigint = 10n ** 18n;
/** Fraction bits of Q. */
export const Q_BITS = 120n;
export const Q_ONE: bigint = 1n << Q_BITS;
const Q_HALF = Q_ONE >> 1n;

/** A year is 365 days, whatever the calendar says: 31,536,000 seconds. */
export const YEAR_SECONDS = 31_536_000n;

export const MATH_CODESPACE = "math";
/** Code of every refusal of this folder: an argument outside the stated domain. */
export const OUT_OF_DOMAIN = 2;

export function outOfDomain(message: string): ModuleError {
  return new ModuleError(MATH_CODESPACE, OUT_OF_DOMAIN, message);
}

/** Refuses `value` outside [low, high]; the message names the field, the bounds and the value, all in its own unit. */
export function requireWithin(field: string, value: bigint, low: bigint, high: bigint): void {
  if (value < low || value > high)
    throw outOfDomain(`${field} must be within [${low}, ${high}], got ${value}`);
}

/** ⌊a·b⌋ in Q. */
export function mulQ(a: bigint, b: bigint): bigint {
  return (a * b) >> Q_BITS;
}

/** A product of something in units and something in Q, in units: to the nearest, halves up. */
export function roundQ(product: bigint): bigint {
  return (product + Q_HALF) >> Q_BITS;
}

/** Q to wad: to the nearest, halves up. */
export function wadFromQ(value: bigint): bigint {
  return roundQ(value * WAD);
}

/** Wad to Q: toward −∞. */
export function qFromWad(value: bigint): bigint {
  return divFloor(value << Q_BITS, WAD);
}

/** a / d to the nearest integer, halves up; d > 0. */
export function divNearest(a: bigint, divisor: bigint): bigint {
  return divFloor(2n * a + divisor, 2n * divisor);
}

const PRICE_DROP = 64n;

/** A product in units·Q over a price or its square, in units, to the nearest, halves up. Bits far below the unit go first, for half the work: 2^-56 of the quotient's unit. */
export function perPriceQ(product: bigint, price: bigint): bigint {
  return divNearest(product >> PRICE_DROP, price << (Q_BITS - PRICE_DROP));
}
