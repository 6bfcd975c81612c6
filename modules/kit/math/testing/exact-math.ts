/**
 * The judge of the analytics: numbers of 360 fraction bits (108 decimal places), and every function by another road than the kernels take. The
 * exponential by halving its argument, the logarithm by inverting it, the error function by its own series about zero. Slow, and sharing no code.
 */

/** A real number times 2^360. */
export type Exact = bigint;

const BITS = 360n;
export const ONE: Exact = 1n << BITS;

export function mul(a: Exact, b: Exact): Exact {
  return (a * b) >> BITS;
}

export function div(a: Exact, b: Exact): Exact {
  return (a << BITS) / b;
}

export function ratio(numerator: bigint, denominator: bigint): Exact {
  return (numerator << BITS) / denominator;
}

/** A number at 1e-18 as Exact. */
export function exactFromWad(wad: bigint): Exact {
  return ratio(wad, 10n ** 18n);
}

/** e^x: e^(x/2^k) by its series, squared k times. 0 below −250, where it is under 1e-108. */
export function exp(x: Exact): Exact {
  if (x < -250n * ONE) return 0n;
  if (x < 0n) return div(ONE, exp(-x));
  let halvings = 0n;
  while (x >> halvings > ONE / 64n) halvings += 1n;
  const reduced = x >> halvings;
  let sum = ONE;
  let term = ONE;
  for (let n = 1n; term !== 0n; n += 1n) {
    term = mul(term, reduced) / n;
    sum += term;
  }
  for (let i = 0n; i < halvings; i += 1n) sum = mul(sum, sum);
  return sum;
}

const LN16_ROUGH = ratio(2_772_589n, 1_000_000n);

/** ln x: Halley's iteration on e^y = x from the number of hexadecimal digits. */
export function ln(x: Exact): Exact {
  let y = (BigInt(x.toString(16).length) - 1n - BITS / 4n) * LN16_ROUGH;
  for (;;) {
    const power = exp(y);
    const step = div(2n * (x - power), x + power);
    y += step;
    // It converges cubically: after a step below 2^-130 nothing is left at 2^-360.
    if (step < ONE >> 130n && step > -(ONE >> 130n)) return y;
  }
}

/** √x by Heron's iteration from above. */
export function sqrt(x: Exact): Exact {
  if (x === 0n) return 0n;
  const square = x << BITS;
  let root = 1n << BigInt(2 * square.toString(16).length + 1);
  for (;;) {
    const next = (root + square / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}

/** arctan(1/n) by Euler's series, whose terms are all positive. */
function arctanInverse(n: bigint): Exact {
  let term = (ONE * n) / (n * n + 1n);
  let sum = 0n;
  for (let k = 1n; term !== 0n; k += 1n) {
    sum += term;
    term = (term * 2n * k) / ((2n * k + 1n) * (n * n + 1n));
  }
  return sum;
}

/** π by Gauss: 48 arctan(1/18) + 32 arctan(1/57) − 20 arctan(1/239). */
export const PI: Exact =
  48n * arctanInverse(18n) + 32n * arctanInverse(57n) - 20n * arctanInverse(239n);

const SQRT_2PI = sqrt(2n * PI);

export function density(x: Exact): Exact {
  return div(exp(-mul(x, x) / 2n), SQRT_2PI);
}

/**
 * N(x) = 1/2 + (1/√2π)·Σ (−1)^n x^(2n+1) / (2^n n! (2n+1)). Up to |x| = 13.5 the terms reach 1e39, which leaves seventy places; beyond it the
 * tail is below 8e-42 and taken as 0.
 */
export function cdf(x: Exact): Exact {
  if (x < 0n) return ONE - cdf(-x);
  if (x > (27n * ONE) / 2n) return ONE;
  const halfSquare = mul(x, x) / 2n;
  let term = x;
  let sum = x;
  for (let n = 1n; term !== 0n; n += 1n) {
    term = -(mul(term, halfSquare) / n);
    sum += term / (2n * n + 1n);
  }
  return ONE / 2n + div(sum, SQRT_2PI);
}

/** |wad − exact| in units of 1e-18, to a millionth. */
export function errorUnits(wad: bigint, exact: Exact): number {
  const difference = exactFromWad(wad) - exact;
  return Number(mul(difference < 0n ? -difference : difference, 10n ** 24n)) / 1e6;
}
