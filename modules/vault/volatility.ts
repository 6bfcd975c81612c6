/** The volatility estimate and the spread that follows from it, pure and exact: an average of squared returns in units of 2^-64. */
import { YEAR_SECONDS } from "../kit/math/fixed-point.ts";
import { divTrunc, maximum, mulDivUp, PPM } from "../kit/math/mul-div.ts";
import { integerSqrt } from "../kit/math/square-root.ts";

const Q = 64n;
const ONE = 1n << Q;
/** Returns count up to this: 2^16 times the price is a fault, not a move. */
const RETURN_MAX = 1n << 80n;

/** v − ⌊v·a⌋ + ⌊r²·a⌋ for variance v, square r² and weight a, all in units of 2^-64. */
export function nextVariance(variance: bigint, square: bigint, weight: bigint): bigint {
  return variance - ((variance * weight) >> Q) + ((square * weight) >> Q);
}

/** Weight in units of 2^-64, toward zero. */
export function weightOf(ppm: bigint): bigint {
  return divTrunc(ppm << Q, PPM);
}

/** Square of the simple return from one mark to the next, toward zero; `before` > 0. */
export function squaredReturn(before: bigint, now: bigint): bigint {
  const move = divTrunc((now - before) << Q, before);
  const bounded = move > RETURN_MAX ? RETURN_MAX : move;
  return (bounded * bounded) >> Q;
}

/** √variance in ppm, rounded up by less than two. */
export function volatilityPpm(variance: bigint): bigint {
  if (variance === 0n) return 0n;
  return mulDivUp(integerSqrt(variance << Q) + 1n, PPM, ONE);
}

/** Annual volatility (mantissa × 10^exponent) over one sample, in ppm, rounded up by less than two. */
export function sampleVolatilityPpm(
  annual: { readonly mantissa: bigint; readonly exponent: number },
  sampleMs: bigint,
): bigint {
  const { mantissa, exponent } = annual;
  const places = exponent < 0 ? 10n ** BigInt(-exponent) : 1n;
  const value = exponent < 0 ? mantissa : mantissa * 10n ** BigInt(exponent);
  const squared = mulDivUp(
    value * value * PPM * PPM,
    sampleMs,
    places * places * YEAR_SECONDS * 1000n,
  );
  return squared === 0n ? 0n : integerSqrt(squared) + 1n;
}

/** Half the distance between bid and ask without inventory, ppm, rounded up. */
export function spreadPpm(
  volatility: bigint,
  terms: { readonly spreadMinPpm: bigint; readonly volatilityFactorPpm: bigint },
): bigint {
  return maximum(terms.spreadMinPpm, mulDivUp(volatility, terms.volatilityFactorPpm, PPM));
}
