/** Integer multiplication and division with the rounding in the name. Every division of the state machine goes through these. */
import { AssertionError } from "../errors.ts";

function assertDivisor(divisor: bigint): void {
  if (divisor <= 0n) throw new AssertionError(`divisor must be positive, got ${divisor}`);
}

/** ⌊a / d⌋, toward −∞; d > 0. */
export function divFloor(a: bigint, divisor: bigint): bigint {
  assertDivisor(divisor);
  return a < 0n ? (a + 1n) / divisor - 1n : a / divisor;
}

/** ⌈a / d⌉, toward +∞; d > 0. */
export function divCeil(a: bigint, divisor: bigint): bigint {
  assertDivisor(divisor);
  return a > 0n ? (a - 1n) / divisor + 1n : a / divisor;
}

/** a / d toward zero; d > 0. */
export function divTrunc(a: bigint, divisor: bigint): bigint {
  assertDivisor(divisor);
  return a / divisor;
}

/** a / d to the nearest integer, halves to the even one; d > 0. */
export function divHalfEven(a: bigint, divisor: bigint): bigint {
  const floor = divFloor(a, divisor);
  const rest = a - floor * divisor;
  const twice = rest + rest;
  if (twice < divisor) return floor;
  if (twice > divisor) return floor + 1n;
  return floor % 2n === 0n ? floor : floor + 1n;
}

/** ⌊a·b / d⌋, toward −∞; d > 0. */
export function mulDivDown(a: bigint, b: bigint, divisor: bigint): bigint {
  return divFloor(a * b, divisor);
}

/** ⌈a·b / d⌉, toward +∞; d > 0. */
export function mulDivUp(a: bigint, b: bigint, divisor: bigint): bigint {
  return divCeil(a * b, divisor);
}

/** a·b / d toward zero; d > 0. */
export function mulDivTrunc(a: bigint, b: bigint, divisor: bigint): bigint {
  return divTrunc(a * b, divisor);
}

export const PPM = 1_000_000n;

export function absolute(a: bigint): bigint {
  return a < 0n ? -a : a;
}

export function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function maximum(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

export function clamp(a: bigint, low: bigint, high: bigint): bigint {
  // The text of an assert is made every time, and writing bigints costs more than all the rest.
  if (low > high) throw new AssertionError(`clamp bounds crossed: ${low} > ${high}`);
  return a < low ? low : a > high ? high : a;
}

/** A bigint as a number, asserted to be a safe integer. */
export function toSafeNumber(a: bigint, what: string): number {
  const value = Number(a);
  if (!Number.isSafeInteger(value))
    throw new AssertionError(`${what} is out of the safe integer range: ${a}`);
  return value;
}

/** Total-order comparator for Array.sort. */
export function compareBigints(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
