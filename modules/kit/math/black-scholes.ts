/**
 * European options by the generalised Black-Scholes formula (Black 1976 on the forward spot·e^(carry·T)):
 *   call = S·Dq·N(d1) − K·D·N(d2),   D = e^(−rate·T), Dq = e^((carry − rate)·T), put by parity.
 * Everything is to the nearest unit of 1e-18, halves up, from values in Q; the error bounds are derived in README.md.
 */
import { mulQ, perPriceQ, roundQ, WAD, wadFromQ, YEAR_SECONDS } from "./fixed-point.ts";
import { lnRatioQ } from "./log.ts";
import { clamp, divFloor, maximum } from "./mul-div.ts";
import { densityQ } from "./normal.ts";
import {
  growth,
  type OptionTerms,
  rateTime,
  requireGreeksTerms,
  requireTerms,
  rootYears,
  type Standing,
  scaleByWad,
  standing,
  years,
} from "./option-terms.ts";

/** Value and its derivatives, 1e-18. */
export interface Greeks {
  readonly price: bigint;
  /** Per 1 of the underlying's price. */
  readonly delta: bigint;
  /** Change of delta per 1 of the underlying's price. */
  readonly gamma: bigint;
  /** Per 1.00 of volatility. */
  readonly vega: bigint;
  /** Per year that passes; negative when waiting costs. */
  readonly theta: bigint;
  /** Per 1.00 of the rate. */
  readonly rho: bigint;
  /** Change of delta per 1.00 of volatility. */
  readonly vanna: bigint;
  /** Change of vega per 1.00 of volatility. */
  readonly volga: bigint;
}

/** Factors of the two legs in Q, and the value of the forward contract S·Dq − K·D in units·Q. */
interface Legs {
  readonly asset: bigint;
  readonly discount: bigint;
  readonly forward: bigint;
}

function legsOf({ spot, strike, rate, carry, seconds }: OptionTerms): Legs {
  const discount = growth("rate", -rate, seconds);
  const asset = carry === 0n ? discount : growth("carry less rate", carry - rate, seconds);
  return { asset, discount, forward: spot * asset - strike * discount };
}

/** ln(F/K) in Q. */
export function logMoneyness({ spot, strike, carry, seconds }: OptionTerms): bigint {
  return lnRatioQ(spot, strike) + rateTime("carry", carry, seconds);
}

/** In units·Q, inside its bounds: max(0, ±forward) and the leg that is received. */
function value(terms: OptionTerms, legs: Legs, at: Standing | null): bigint {
  const { kind, spot, strike } = terms;
  const { asset, discount, forward } = legs;
  const intrinsic = maximum(0n, kind === "call" ? forward : -forward);
  if (at === null) return intrinsic;
  const call = spot * mulQ(asset, at.n1) - strike * mulQ(discount, at.n2);
  return kind === "call"
    ? clamp(call, intrinsic, maximum(intrinsic, spot * asset))
    : clamp(call - forward, intrinsic, maximum(intrinsic, strike * discount));
}

function standingOf(terms: OptionTerms): Standing | null {
  const s = scaleByWad(terms.volatility * rootYears(terms.seconds));
  return s === 0n ? null : standing(logMoneyness(terms), s);
}

/**
 * Price of a European option, 1e-18, to the nearest unit. Error at most 1/2 + (S·max(1, Dq) + K·max(1, D))·2^-114 units, so at most 1
 * while that sum is below 1e16 of money. At expiry, or without volatility, the discounted intrinsic value. Refuses terms outside `requireTerms`.
 */
export function blackScholesPrice(terms: OptionTerms): bigint {
  requireTerms(terms);
  return roundQ(value(terms, legsOf(terms), standingOf(terms)));
}

/**
 * Price and Greeks of a European option, 1e-18, each to the nearest unit; bounds in README.md. `rho` moves rate and carry together (the
 * stock's convention). Near expiry at the money gamma and theta grow without bound: margin and hedging should not ask for fewer than 60 seconds.
 */
export function blackScholesGreeks(terms: OptionTerms): Greeks {
  requireGreeksTerms(terms);
  const { kind, spot, strike, rate, carry, volatility, seconds } = terms;
  const call = kind === "call";
  const legs = legsOf(terms);
  const rootT = rootYears(seconds);
  const s = scaleByWad(volatility * rootT);
  const at = standing(logMoneyness(terms), s);
  // Signed shares of the two legs: a call holds N(d1) of the asset and owes N(d2) of the strike, a put the complements the other way.
  const held = mulQ(legs.asset, at.n1) - (call ? 0n : legs.asset);
  const owed = mulQ(legs.discount, at.n2) - (call ? 0n : legs.discount);
  const density = mulQ(legs.asset, densityQ(at.d1));
  const steepness = mulQ(density, at.inverse);
  const vegaShare = mulQ(density, rootT);
  // √T/s is 1/σ.
  const perVolatility = mulQ(rootT, at.inverse);
  const vannaShare = -mulQ(mulQ(density, at.d2), perVolatility);
  const decay = divFloor(spot * mulQ(density, s) * YEAR_SECONDS, 2n * seconds);
  const funding =
    rate === 0n && carry === 0n
      ? 0n
      : scaleByWad((carry - rate) * spot * held + rate * strike * owed);
  return {
    price: roundQ(value(terms, legs, at)),
    delta: wadFromQ(held),
    gamma: perPriceQ(steepness * WAD * WAD, spot),
    vega: roundQ(spot * vegaShare),
    theta: roundQ(-decay - funding),
    rho: roundQ(strike * mulQ(owed, years(seconds))),
    vanna: wadFromQ(vannaShare),
    volga: roundQ(-spot * mulQ(mulQ(vannaShare, rootT), at.d1)),
  };
}
