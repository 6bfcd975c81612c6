/**
 * Cash-or-nothing options: the payout when the underlying ends above the strike (call), or not above it (put), so that call and
 * put together pay always. call = payout·D·N(d2), put = payout·D·N(−d2).
 */

import { logMoneyness } from "./black-scholes.ts";
import { mulQ, perPriceQ, Q_ONE, requireWithin, roundQ, WAD, YEAR_SECONDS } from "./fixed-point.ts";
import { divFloor } from "./mul-div.ts";
import { densityQ } from "./normal.ts";
import {
  growth,
  type OptionTerms,
  PRICE_MAX,
  requireGreeksTerms,
  requireTerms,
  rootYears,
  scaleByWad,
  standing,
  years,
} from "./option-terms.ts";

export interface DigitalTerms extends OptionTerms {
  /** Money paid, 1e-18. */
  readonly payout: bigint;
}

/** As those of `Greeks`; all 1e-18. */
export interface DigitalGreeks {
  readonly price: bigint;
  readonly delta: bigint;
  readonly gamma: bigint;
  readonly vega: bigint;
  readonly theta: bigint;
  /** Rate and carry moving together. */
  readonly rho: bigint;
}

function requirePayout({ payout }: DigitalTerms): void {
  requireWithin("payout", payout, 0n, PRICE_MAX);
}

/**
 * Price, 1e-18, to the nearest unit: error at most 1/2 + payout·max(1, D)·max(1, 1/s)·2^-114 units, s = σ√T. At expiry, or without volatility, the discounted payout
 * or nothing, by whether the forward lies above the strike.
 */
export function digitalPrice(terms: DigitalTerms): bigint {
  requireTerms(terms);
  requirePayout(terms);
  const discount = growth("rate", -terms.rate, terms.seconds);
  const s = scaleByWad(terms.volatility * rootYears(terms.seconds));
  const k = logMoneyness(terms);
  const above = s === 0n ? (k > 0n ? Q_ONE : 0n) : standing(k, s).n2;
  return roundQ(terms.payout * mulQ(discount, terms.kind === "call" ? above : Q_ONE - above));
}

/** Price and Greeks, 1e-18, each to the nearest unit; bounds in README.md. */
export function digitalGreeks(terms: DigitalTerms): DigitalGreeks {
  requireGreeksTerms(terms);
  requirePayout(terms);
  const { kind, spot, rate, carry, volatility, seconds, payout } = terms;
  const discount = growth("rate", -rate, seconds);
  const rootT = rootYears(seconds);
  const s = scaleByWad(volatility * rootT);
  const { inverse, d1, d2, n2 } = standing(logMoneyness(terms), s);
  const share = mulQ(discount, kind === "call" ? n2 : Q_ONE - n2);
  const density = mulQ(discount, densityQ(d2));
  // Change of the share per unit of d2: a put loses what a call gains.
  const slope = kind === "call" ? density : -density;
  const steepness = mulQ(slope, inverse);
  const drift = scaleByWad(carry * inverse) - divFloor(d1 * YEAR_SECONDS, 2n * seconds);
  const funding = scaleByWad(rate * share);
  return {
    price: roundQ(payout * share),
    delta: perPriceQ(payout * steepness * WAD, spot),
    gamma: perPriceQ(-payout * mulQ(mulQ(steepness, inverse), d1) * WAD * WAD, spot * spot),
    vega: roundQ(-payout * mulQ(mulQ(slope, d1), mulQ(rootT, inverse))),
    theta: roundQ(payout * (funding - mulQ(slope, drift))),
    rho: roundQ(payout * mulQ(steepness - share, years(seconds))),
  };
}
