/**
 * What a validator without quotes of options says about volatility: a surface made of the path of the price. Short volatility follows the last hours'
 * realised variance and rises when the price stands below its recent mean; it returns to a long-run level within weeks, and a fall makes low
 * strikes dearer. So it moves with the price, and jumps in a crash. Always within the set without arbitrage.
 */
import type { SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";

export interface SurfaceModel {
  /** A price as it is now; times never fall. */
  observe(price: number, timeMs: number): void;
  /** Undefined before the first price. Expiries ascending and ahead. */
  vote(surfaceId: number, expiriesMs: readonly number[], nowMs: number): SurfaceVote | undefined;
}

const YEAR_MS = 365 * 86_400_000;
const LONG_RUN = 0.55;
const VOLATILITY_MIN = 0.25;
const VOLATILITY_MAX = 2.5;
/** Realised variance is forgotten by half in four hours, the mean price in one. */
const VARIANCE_HALF_LIFE_MS = 4 * 3_600_000;
const MEAN_HALF_LIFE_MS = 3_600_000;
/** Of the return to the long run: half of it in ten days. */
const REVERSION_PER_YEAR = (365 / 10) * Math.LN2;
/** Forwards stand so far above the index a year ahead. */
const CARRY = 0.05;
const RHO_CALM = -0.15;
const RHO_CRASH = -0.7;
const GAMMA_PPM = 420_000;
/** Of the most that arbitrage allows. */
const ETA_SHARE = 0.6;
/** A gap in the prices counts as no longer. */
const STEP_MAX_MS = 60_000;

export function createSurfaceModel(): SurfaceModel {
  let last: { price: number; timeMs: number } | undefined;
  let variance = LONG_RUN ** 2;
  let mean = 0;
  return {
    observe(price, timeMs) {
      if (last === undefined) mean = price;
      else if (timeMs > last.timeMs) {
        const step = Math.min(timeMs - last.timeMs, STEP_MAX_MS);
        const move = Math.log(price / last.price);
        const kept = 2 ** (-step / VARIANCE_HALF_LIFE_MS);
        variance = kept * variance + (1 - kept) * ((move * move * YEAR_MS) / step);
        mean += (price - mean) * (1 - 2 ** (-step / MEAN_HALF_LIFE_MS));
      } else return;
      last = { price, timeMs };
    },
    vote(surfaceId, expiriesMs, nowMs) {
      if (last === undefined) return undefined;
      const fall = Math.max(0, Math.log(mean / last.price));
      const realised = Math.sqrt(0.25 * LONG_RUN ** 2 + 0.75 * variance) * (1 + 2 * fall);
      const short = Math.min(Math.max(realised, VOLATILITY_MIN), VOLATILITY_MAX);
      const rho = Math.max(RHO_CALM - 2 * fall, RHO_CRASH);
      return {
        surfaceId,
        rhoPpm: Math.round(rho * 1e6),
        etaPpm: Math.floor(((ETA_SHARE * 2) / (1 - rho)) * 1e6),
        gammaPpm: GAMMA_PPM,
        expiries: expiriesMs.map((expiryMs) => {
          const years = (expiryMs - nowMs) / YEAR_MS;
          return {
            expiryMs: BigInt(expiryMs),
            theta: BigInt(Math.max(1, Math.round(totalVariance(short, years) * 1e12))) * 1_000_000n,
            basisPpm: Math.round(CARRY * years * 1e6),
          };
        }),
      };
    },
  };
}

/** The integral of a variance that returns to its long run exponentially: never falling in time. */
function totalVariance(short: number, years: number): number {
  const excess = short ** 2 - LONG_RUN ** 2;
  const x = REVERSION_PER_YEAR * years;
  return LONG_RUN ** 2 * years + (excess * -Math.expm1(-x)) / REVERSION_PER_YEAR;
}
