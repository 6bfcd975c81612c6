/** The exponential function: two tables and seven terms of Taylor's series. */
import { atBits, LN2 } from "./constants.ts";
import { Q_BITS, Q_ONE, qFromWad, requireWithin, wadFromQ } from "./fixed-point.ts";

const TABLE_BITS = 160n;
const COARSE_BITS = Q_BITS - 7n;
const FINE_BITS = Q_BITS - 14n;
const LN2_Q = atBits(LN2, Q_BITS);
/** 1/ln 2 with 40 bits: enough to find the power of two to within one. */
const INV_LN2_40 = (1n << 80n) / atBits(LN2, 40n);

/** e^(i/n) for i = 0…127 at 2^-120: powers of e^(1/n), itself by its series at 2^-160. */
function powers(n: bigint): readonly bigint[] {
  let term = 1n << TABLE_BITS;
  let base = 0n;
  for (let i = 1n; term !== 0n; i += 1n) {
    base += term;
    term /= n * i;
  }
  const table: bigint[] = [];
  let power = 1n << TABLE_BITS;
  for (let i = 0; i < 128; i += 1) {
    table.push((power + (1n << (TABLE_BITS - Q_BITS - 1n))) >> (TABLE_BITS - Q_BITS));
    power = (power * base) >> TABLE_BITS;
  }
  return table;
}

const COARSE = powers(128n);
const FINE = powers(128n * 128n);

/** 1/7! … 1/1! at 2^-120. */
const INVERSE_FACTORIALS: readonly bigint[] = [5040n, 720n, 120n, 24n, 6n, 2n, 1n].map(
  (factorial) => Q_ONE / factorial,
);

/**
 * e^x, both in Q; |x| below 2^7. For x ≤ 0 the absolute error is at most 12·2^-120, for x > 0 the relative error (20 + x)·2^-120: seven
 * floors of Horner's rule at sizes below 2^-14, three of the products, the two table entries, ln 2 once per power of two, and the
 * eighth term of the series, 2^-127.
 */
export function expQ(x: bigint): bigint {
  // x = twos·ln 2 + coarse/128 + fine/16384 + rest, with 0 ≤ rest < 2^-14.
  let twos = ((x >> 80n) * INV_LN2_40) >> 80n;
  let reduced = x - twos * LN2_Q;
  if (reduced < 0n) {
    twos -= 1n;
    reduced += LN2_Q;
  }
  const coarse = COARSE[Number(reduced >> COARSE_BITS)] as bigint;
  const fine = FINE[Number(BigInt.asUintN(Number(COARSE_BITS), reduced) >> FINE_BITS)] as bigint;
  const rest = BigInt.asUintN(Number(FINE_BITS), reduced);
  let sum = 0n;
  for (const coefficient of INVERSE_FACTORIALS) sum = ((sum * rest) >> Q_BITS) + coefficient;
  const tail = ((sum * rest) >> Q_BITS) + Q_ONE;
  const mantissa = (((coarse * fine) >> Q_BITS) * tail) >> Q_BITS;
  return twos < 0n ? mantissa >> -twos : mantissa << twos;
}

/** Below this e^x rounds to 0: e^-42 is 0.57 units, e^-43 is 0.21. */
const EXP_ZERO_BELOW = -43n * 10n ** 18n;
const EXP_MAX = 100n * 10n ** 18n;

/**
 * e^x in wad for any x ≤ 100 (1e20). To the nearest unit. Error: at most 1/2 + (21 + x)·e^x·2^-120·1e18 units of 1e-18, that is one
 * unit up to x = 36 and a relative 1e-34 above.
 */
export function expWad(x: bigint): bigint {
  if (x < EXP_ZERO_BELOW) return 0n;
  requireWithin("x", x, EXP_ZERO_BELOW, EXP_MAX);
  return wadFromQ(expQ(qFromWad(x)));
}
