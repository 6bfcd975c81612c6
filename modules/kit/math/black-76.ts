/** Options on a forward or future (Black 1976): the generalised formula without carry. */
import { blackScholesGreeks, blackScholesPrice, type Greeks } from "./black-scholes.ts";
import { divNearest, YEAR_SECONDS } from "./fixed-point.ts";
import type { OptionTerms } from "./option-terms.ts";

/** As `OptionTerms`, on the forward's price for the same expiry. */
export interface Black76Terms extends Omit<OptionTerms, "spot" | "carry"> {
  readonly forward: bigint;
}

function generalised(terms: Black76Terms): OptionTerms {
  const { kind, forward, strike, rate, volatility, seconds } = terms;
  return { kind, spot: forward, strike, rate, carry: 0n, volatility, seconds };
}

/** Price, 1e-18, to the nearest unit: error at most 1/2 + (F + K)·max(1, D)·2^-114 units. With a zero rate call − put = F − K exactly. */
export function black76Price(terms: Black76Terms): bigint {
  return blackScholesPrice(generalised(terms));
}

/** Price and Greeks with respect to the forward; `rho` holds the forward fixed, so it is −T·price, from the rounded price: error at most 1/2 + T/2 units. */
export function black76Greeks(terms: Black76Terms): Greeks {
  const greeks = blackScholesGreeks(generalised(terms));
  return { ...greeks, rho: divNearest(-greeks.price * terms.seconds, YEAR_SECONDS) };
}
