/**
 * The normal distribution. The upper tail is Taylor's series about the nearest of 401 points i/32, whose coefficients are the
 * derivatives of the density (Hermite's recurrence), made once when the module loads.
 */
import { atBits, CONSTANT_BITS, INV_SQRT_2PI } from "./constants.ts";
import { expQ } from "./exp.ts";
import { Q_BITS, Q_ONE, qFromWad, WAD, wadFromQ } from "./fixed-point.ts";

const INV_SQRT_2PI_Q = atBits(INV_SQRT_2PI, Q_BITS);

/** Points lie 2^-5 apart, so an argument is at most 2^-6 from one. */
const SPACING_BITS = Q_BITS - 5n;
const HALF_SPACING = 1n << (SPACING_BITS - 1n);
const REACH_BITS = Q_BITS - 6n;
const POINTS = 401;
/** Beyond 12.5 the tail, 3.8e-36 at most, counts as 0; so does the density beyond 12.9. */
const TAIL_ZERO_ABOVE = (25n * Q_ONE) / 2n;
const TERMS = 15;
/** Terms that carry the tail from one point to the next, twice as far as an argument lies, at 2^-144. */
const TABLE_TERMS = 20;
const TABLE_BITS = 144n;

/** The tail at a point, and the coefficients of its series in (distance × 64), highest first; Q. */
interface Point {
  readonly tail: bigint;
  readonly coefficients: readonly bigint[];
}

function round(value: bigint, drop: bigint): bigint {
  return (value + (1n << (drop - 1n))) >> drop;
}

/** e^(−1/n) at 2^-200. */
function smallExp(n: bigint): bigint {
  let term = 1n << CONSTANT_BITS;
  let sum = 0n;
  for (let i = 1n; term !== 0n; i += 1n) {
    sum += term;
    term = -(term / (n * i));
  }
  return sum;
}

const TABLE: readonly Point[] = (() => {
  const points: Point[] = [];
  // Density by φ((i+1)/32) = φ(i/32)·e^(−(2i+1)/2048), the ratios themselves a geometric sequence.
  let density = INV_SQRT_2PI;
  let ratio = smallExp(2048n);
  const ratioStep = smallExp(1024n);
  let tail = 1n << (TABLE_BITS - 1n);
  for (let i = 0n; i < POINTS; i += 1n) {
    // derivative[n] = φ^(n)/n!, so the tail's own series has −derivative[n]/(n+1) at distance^(n+1).
    let previous = 0n;
    let derivative = density >> (CONSTANT_BITS - TABLE_BITS);
    const coefficients: bigint[] = [];
    let next = tail;
    for (let n = 0n; n < TABLE_TERMS; n += 1n) {
      const coefficient = -derivative / (n + 1n);
      if (n < TERMS) coefficients.unshift(round(coefficient, TABLE_BITS - Q_BITS + 6n * (n + 1n)));
      next += coefficient >> (5n * (n + 1n));
      const following = -(((i * derivative) >> 5n) + previous) / (n + 1n);
      previous = derivative;
      derivative = following;
    }
    points.push({ tail: round(tail, TABLE_BITS - Q_BITS), coefficients });
    tail = next;
    density = (density * ratio) >> CONSTANT_BITS;
    ratio = (ratio * ratioStep) >> CONSTANT_BITS;
  }
  return points;
})();

/** 1 − N(a) for a ≥ 0, both in Q. Absolute error at most 20·2^-120: fifteen floors, the table, and the sixteenth term, 2^-121. */
function upperTailQ(a: bigint): bigint {
  if (a > TAIL_ZERO_ABOVE) return 0n;
  const index = (a + HALF_SPACING) >> SPACING_BITS;
  const distance = a - (index << SPACING_BITS);
  const { tail, coefficients } = TABLE[Number(index)] as Point;
  let sum = 0n;
  for (const coefficient of coefficients) sum = ((sum * distance) >> REACH_BITS) + coefficient;
  const value = tail + ((sum * distance) >> REACH_BITS);
  return value < 0n ? 0n : value;
}

/** N(x), both in Q; N(x) + N(−x) = 1 exactly. Absolute error at most 20·2^-120. */
export function cdfQ(x: bigint): bigint {
  return x < 0n ? upperTailQ(-x) : Q_ONE - upperTailQ(x);
}

/** φ(x), both in Q. Absolute error at most 8·2^-120. */
export function densityQ(x: bigint): bigint {
  const exponent = (x * x) >> (Q_BITS + 1n);
  return exponent > DENSITY_ZERO_ABOVE ? 0n : (expQ(-exponent) * INV_SQRT_2PI_Q) >> Q_BITS;
}

const DENSITY_ZERO_ABOVE = 83n * Q_ONE;
const WAD_ZERO_ABOVE = 13n * WAD;

/**
 * N(x) in wad for any x. To the nearest unit (below ½ the value, above it the complement, so that N(x) + N(−x) = 1 exactly); error
 * at most 1/2 + 2^-55 units of 1e-18.
 */
export function normalCdf(x: bigint): bigint {
  const magnitude = x < 0n ? -x : x;
  const tail = magnitude > WAD_ZERO_ABOVE ? 0n : wadFromQ(upperTailQ(qFromWad(magnitude)));
  return x < 0n ? tail : WAD - tail;
}

/** φ(x) in wad for any x. To the nearest unit; error at most 1/2 + 2^-56 units of 1e-18. */
export function normalDensity(x: bigint): bigint {
  const magnitude = x < 0n ? -x : x;
  return magnitude > WAD_ZERO_ABOVE ? 0n : wadFromQ(densityQ(qFromWad(magnitude)));
}
