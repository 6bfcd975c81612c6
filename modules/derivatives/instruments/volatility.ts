/** The volatility an option is marked by: one figure of a feed, or a surface's at its own strike and expiry. */
import type { ReadContext } from "../../kit/context.ts";
import { divHalfEven, PPM } from "../../kit/math/mul-div.ts";
import { ssviPoint, volatilityOfVariance } from "../../kit/math/ssvi.ts";
import type { Instrument } from "../instruments.ts";
import { type Outlook, toPrice } from "../settlement/prices.ts";
import type { Venue } from "../venue.ts";
import { boundedPrice, boundedVolatility } from "./option-pricing.ts";

export interface Quoted {
  /** Annual, 1e-18, inside what marks take. */
  readonly volatility: bigint;
  /** Forward = index × (1 + this), ppm; 0 with a feed. */
  readonly basisPpm: bigint;
  readonly fresh: boolean;
  /** The surface is no longer fresh and not yet stale. */
  readonly held: boolean;
  /** The forward is one that formulas take; else the volatility is that of the nearest that is. */
  readonly priceable: boolean;
}

/** undefined before there is a volatility, and for a surface once the expiry has come; `spot` is the index, 1e-18. */
export function volatilityOf(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
  spot: bigint,
): Quoted | undefined {
  const { contract, expiryMs } = instrument;
  if (contract.option === null) return undefined;
  const { volatilityFeedId, volatilitySurfaceId, strike } = contract.option;
  if (volatilitySurfaceId === 0) {
    const price = venue.oracle.price(ctx, volatilityFeedId);
    if (price === undefined) return undefined;
    const volatility = boundedVolatility(toPrice(price.mantissa, price.exponent));
    return { volatility, basisPpm: 0n, fresh: price.fresh, held: false, priceable: true };
  }
  const smile = venue.oracle.smile(ctx, volatilitySurfaceId, expiryMs);
  if (smile === undefined) return undefined;
  const expected = forwardOf(spot, smile.basisPpm);
  const forward = boundedPrice(expected);
  const { variance } = ssviPoint(smile.slice, forward, strike);
  return {
    volatility: boundedVolatility(volatilityOfVariance(variance, smile.seconds)),
    basisPpm: smile.basisPpm,
    fresh: smile.age !== "stale",
    held: smile.age === "held",
    priceable: forward === expected,
  };
}

/** index × (1 + basis), half to even. */
export function forwardOf(spot: bigint, basisPpm: bigint): bigint {
  return basisPpm === 0n ? spot : divHalfEven(spot * (PPM + basisPpm), PPM);
}

/** The outlook with the forward's price for what is still to come. */
export function withBasis(outlook: Outlook, basisPpm: bigint): Outlook {
  if (basisPpm === 0n) return outlook;
  const { averagedMs, mean, remainingMs } = outlook;
  const spot = boundedPrice(forwardOf(outlook.spot, basisPpm));
  const whole = averagedMs + remainingMs;
  const forward =
    averagedMs === 0n ? spot : divHalfEven(mean * averagedMs + spot * remainingMs, whole);
  return { ...outlook, spot, forward };
}
