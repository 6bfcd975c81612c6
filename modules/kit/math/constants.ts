/** ln 2, π and 1/√(2π), from their series at 2^-200, so that no digit here has to be believed. */
import { integerSqrt } from "./square-root.ts";

/** Fraction bits of the constants; two hundred terms of half a unit leave them right to 2^-190. */
export const CONSTANT_BITS = 200n;

/** Σ sign^i / ((2i+1)·n^(2i+1)): artanh(1/n) with sign 1, arctan(1/n) with sign −1; each term toward zero. */
export function inverseTangentSeries(n: bigint, sign: 1n | -1n, bits: bigint): bigint {
  const square = n * n;
  let power = (1n << bits) / n;
  let sum = power;
  let signed = 1n;
  for (let odd = 3n; power !== 0n; odd += 2n) {
    power /= square;
    signed *= sign;
    sum += signed * (power / odd);
  }
  return sum;
}

/** ln 2 = 2 artanh(1/3). */
export const LN2: bigint = 2n * inverseTangentSeries(3n, 1n, CONSTANT_BITS);

/** π = 16 arctan(1/5) − 4 arctan(1/239) (Machin). */
export const PI: bigint =
  16n * inverseTangentSeries(5n, -1n, CONSTANT_BITS) -
  4n * inverseTangentSeries(239n, -1n, CONSTANT_BITS);

/** 1/√(2π), the normal density at zero. */
export const INV_SQRT_2PI: bigint = integerSqrt((1n << (3n * CONSTANT_BITS)) / (2n * PI));

/** A constant at 2^-bits, to the nearest. */
export function atBits(constant: bigint, bits: bigint): bigint {
  const drop = CONSTANT_BITS - bits;
  return (constant + (1n << (drop - 1n))) >> drop;
}
