/**
 * Black-76 in floating point, in the one form a solver needs: the option out of the money, as a share of what it can be worth at most. With
 * k = |ln(F/K)| and s = σ√T that share is c(k, s) = N(s/2 − k/s) − e^k·N(−s/2 − k/s), the same for calls and puts, rising in s from 0 to 1.
 */

/**
 * Chebyshev coefficients of (x + 4)·M(x) in (x − 4)/(x + 4), M being Mills' ratio (1 − N(x))/φ(x); from 40-digit values, the first left out at 6e-17.
 */
const MILLS: readonly number[] = [
  2.4325604285150404, -1.8842545745794834, 0.5569566490963817, -0.12161597214420457,
  0.017360708143727772, -0.0008036212007299657, -0.0002520349348054353, 4.7383719270581175e-5,
  2.5325891365988257e-6, -1.5404069839913e-6, -8.474960630061696e-9, 5.185338601094672e-8,
  -2.8281293276602497e-10, -1.9486566378891076e-9, -2.4919454968275654e-11, 7.957248719448847e-11,
  4.618414179155227e-12, -3.2908561242243826e-12, -4.36538404380976e-13, 1.230071183923197e-13,
  3.241417358207432e-14, -3.0532395587485404e-15, -2.018374027589046e-15, -7.170195503353218e-17,
  1.0169552396149276e-16, 1.7562442263428737e-17,
];

const ROOT_2PI = Math.sqrt(2 * Math.PI);
const LOG_ROOT_2PI = Math.log(ROOT_2PI);

/** M(x) for x ≥ 0; relative error about 4e-16. */
function mills(x: number): number {
  const t = (x - 4) / (x + 4);
  let next = 0;
  let afterNext = 0;
  for (let i = MILLS.length - 1; i > 0; i -= 1) {
    const value = 2 * t * next - afterNext + (MILLS[i] ?? 0);
    afterNext = next;
    next = value;
  }
  return (t * next - afterNext + (MILLS[0] ?? 0)) / (x + 4);
}

/** φ(x). */
export function density(x: number): number {
  return Math.exp((-x * x) / 2) / ROOT_2PI;
}

/** M(h − t) − M(h + t) without cancellation, for a half-width t below 0.1: the odd part of the series about h. */
function millsDifference(h: number, t: number): number {
  let derivative = mills(h);
  let next = h * derivative - 1;
  let power = t;
  let sum = 0;
  for (let n = 1; n <= 13; n += 1) {
    if (n % 2 === 1) sum -= 2 * power * next;
    const following = h * next + n * derivative;
    derivative = next;
    next = following;
    power *= t / (n + 1);
  }
  return sum;
}

/** Beyond this the recurrence of the series loses more than the plain difference does. */
const SERIES_H_MAX = 5;
const SERIES_T_MAX = 0.1;

/** c(k, s) by its logarithm and its complement 1 − c; k ≥ 0, s > 0. */
export interface Share {
  readonly log: number;
  readonly complement: number;
}

export function timeValueShare(k: number, s: number): Share {
  const h = k / s;
  const t = s / 2;
  const a = h - t;
  if (a < 0) {
    // Likelier in the money than not: the complement is the sum of two positive terms.
    const complement = density(a) * (mills(-a) + mills(h + t));
    const difference = t < SERIES_T_MAX ? millsDifference(h, t) : undefined;
    return difference === undefined
      ? { log: Math.log1p(-complement), complement }
      : { log: logShare(a, difference), complement };
  }
  const series = t < SERIES_T_MAX && h < SERIES_H_MAX;
  const log = logShare(a, series ? millsDifference(h, t) : mills(a) - mills(h + t));
  return { log, complement: -Math.expm1(log) };
}

function logShare(a: number, difference: number): number {
  return (-a * a) / 2 - LOG_ROOT_2PI + Math.log(difference);
}
