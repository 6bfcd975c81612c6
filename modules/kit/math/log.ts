/** The natural logarithm, of a ratio of integers: so that ln(F/K) needs no rounded quotient. */
import { atBits, CONSTANT_BITS, inverseTangentSeries, LN2 } from "./constants.ts";
import { Q_BITS, Q_ONE, requireWithin, WAD, wadFromQ } from "./fixed-point.ts";
import { divTrunc } from "./mul-div.ts";
import { bitLength } from "./square-root.ts";

const LN2_Q = atBits(LN2, Q_BITS);

/** ln(1 + j/256) for j = 0…256 in Q, each from the one before by 2 artanh(1/(2n+1)). */
const LN_TABLE: readonly bigint[] = (() => {
  const table: bigint[] = [];
  let sum = 0n;
  for (let j = 0n; j <= 256n; j += 1n) {
    table.push(atBits(sum, Q_BITS));
    sum += 2n * inverseTangentSeries(2n * (256n + j) + 1n, 1n, CONSTANT_BITS);
  }
  return table;
})();

/** 2/11, 2/9 … 2/3, 2 in Q: the artanh series in the square of its argument, times 2. */
const ARTANH: readonly bigint[] = [11n, 9n, 7n, 5n, 3n, 1n].map((odd) => (2n * Q_ONE) / odd);

/**
 * ln(a/b) in Q for positive integers a, b. Absolute error at most (10 + |log2(a/b)|)·2^-120: the quotient and six floors at sizes below 2^-9,
 * the table entry, ln 2 once per power of two, and the seventh term of the series, 2^-132. ln(a/a) = 0 exactly.
 */
export function lnRatioQ(a: bigint, b: bigint): bigint {
  // a/b = 2^twos · (1 + j/256) · (1 + w)/(1 − w), with |w| ≤ 2^-9.9
  let twos = 0;
  let top = a;
  let bottom = b;
  if (a < b || a >= 2n * b) {
    twos = bitLength(a) - bitLength(b);
    if (twos >= 0) bottom = b << BigInt(twos);
    else top = a << BigInt(-twos);
    if (top < bottom) {
      twos -= 1;
      top *= 2n;
    }
  }
  const j = divTrunc(512n * top + bottom, 2n * bottom);
  const pivot = bottom * j;
  const scaled = top << 8n;
  const numerator = (scaled - pivot) << Q_BITS;
  const w = numerator / (scaled + pivot);
  const square = (w * w) >> Q_BITS;
  let sum = 0n;
  for (const coefficient of ARTANH) sum = ((sum * square) >> Q_BITS) + coefficient;
  return ((sum * w) >> Q_BITS) + (LN_TABLE[Number(j) - 256] as bigint) + BigInt(twos) * LN2_Q;
}

const LN_MAX = 10n ** 60n;

/** ln x in wad for x from 1 unit (1e-18) to 1e60 (1e42). To the nearest unit; error at most 1/2 + 2^-50 units of 1e-18. */
export function lnWad(x: bigint): bigint {
  requireWithin("x", x, 1n, LN_MAX);
  return wadFromQ(lnRatioQ(x, WAD));
}
