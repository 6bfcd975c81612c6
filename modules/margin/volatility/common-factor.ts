/**
 * How a feed moves along with a common factor, from the same minute samples and with the slow estimate's memory: covariance and the factor's variance,
 * both exponentially weighted. Units of 2^-64, rounded down.
 */
import type { DynamicMargin, FeedVolatility } from "@keel/proto/gen/keel/margin/v1/dynamic";
import { clamp, divTrunc, PPM } from "../../kit/math/mul-div.ts";
import { integerSqrt } from "../../kit/math/square-root.ts";
import { left, logReturn, weigh } from "./estimators.ts";

const BITS = 64n;

/** √0.9: at least a tenth of a variance is its own, whatever was measured. */
const BETA_MAX_PPM = 948_683n;

/** With nothing known, nothing moves along: the dearer assumption for a book of unlike hedges, and the stressed sum covers the others. */
export const WITHOUT_FACTOR = { factorMantissa: 0n, factorVariance: "", factorCovariance: "" };

type FactorState = Pick<FeedVolatility, "factorMantissa" | "factorVariance" | "factorCovariance">;

/** The estimates after a sample: the feed's return over `steps` minutes, and the factor's price now (0: none). */
export function movedAlong(
  state: FactorState,
  sample: { readonly logarithm: bigint; readonly steps: bigint; readonly factor: bigint },
  weight: bigint,
): FactorState {
  const { logarithm, steps, factor } = sample;
  if (factor === 0n) return WITHOUT_FACTOR;
  // The first sample, or a factor of which there was no price yet.
  if (state.factorMantissa === 0n) return { ...WITHOUT_FACTOR, factorMantissa: factor };
  const moved = logReturn(state.factorMantissa, factor);
  const kept = left(weight, steps - 1n);
  const faded = (text: string): bigint => (BigInt(text || "0") * kept) >> BITS;
  const covariance = faded(state.factorCovariance);
  const product = (logarithm * moved) >> BITS;
  const next = covariance - ((covariance * weight) >> BITS) + ((product * weight) >> BITS);
  return {
    factorMantissa: factor,
    factorVariance: weigh(faded(state.factorVariance), moved, weight).toString(),
    factorCovariance: next.toString(),
  };
}

/**
 * Share of its own range that the price moves when the factor moves by a whole range: covariance / √(variance × factor's variance), which is the
 * regression's beta in units of both ranges. Null: there is no factor. The factor itself moves by all of it, and what nothing is measured of by nothing: it
 * begins there, so that the first samples do not take an offset away.
 */
export function betaPpm(terms: DynamicMargin, state: FeedVolatility): bigint | null {
  if (terms.factorFeedId === 0) return null;
  if (terms.factorFeedId === terms.feedId) return PPM;
  const covariance = BigInt(state.factorCovariance || "0");
  const scale = integerSqrt(BigInt(state.slowVariance) * BigInt(state.factorVariance || "0"));
  if (scale === 0n) return 0n;
  return clamp(divTrunc(covariance * PPM, scale), -BETA_MAX_PPM, BETA_MAX_PPM);
}
