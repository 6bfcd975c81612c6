/**
 * Products of safe integers beyond the safe integers, in numbers: for what is computed so often that a bigint per step is too much. A share is a
 * count of 2^-52 from −1 to 1, as two limbs of 26 bits; every step below is exact in 53 bits but for the parts that are said to be left out.
 */

export const SHARE_BITS = 52n;
/** 2^26. A quotient of it is exact, and `| 0` leaves its whole part, toward zero. */
const LIMB = 67_108_864;

export interface Share {
  readonly high: number;
  /** Of the sign of `high`, or `high` is zero. */
  readonly low: number;
}

/** Of a count within ±2^52. */
export function shareOf(count: bigint): Share {
  const whole = Number(count);
  const high = (whole / LIMB) | 0;
  return { high, low: whole - high * LIMB };
}

/** a × share for whole |a| < 2^52: an integer less than 2 from the exact product. */
export function takeShare(a: number, { high, low }: Share): number {
  const top = (a / LIMB) | 0;
  const rest = a - top * LIMB;
  // What rest × low would add is below one.
  return top * high + (((top * low + rest * high) / LIMB) | 0);
}
