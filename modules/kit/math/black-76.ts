/** Options on a forward or future (Black 1976): the generalised formula without carry. */
import { blackScholesGreeks, blackScholesPrice, type Greeks } from "./black-scholes.ts";
import {
  divNearest,
  mulQ,
  perPriceQ,
  Q_BITS,
  Q_ONE,
  requireWithin,
  roundQ,
  WAD,
  wadFromQ,
  YEAR_SECONDS,
} from "./fixed-point.ts";
import { lnRatioQ } from "./log.ts";
import { clamp, maximum } from "./mul-div.ts";
import { densityQ } from "./normal.ts";
import {
  GREEKS_VOLATILITY_MIN,
  inverseQ,
  type OptionTerms,
  PRICE_MAX,
  requireKind,
  requireTerms,
  rootYears,
  SECONDS_MAX,
  type Standing,
  scaleByWad,
  standing,
  VOLATILITY_MAX,
} from "./option-terms.ts";

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

/** Value, slope and bend with respect to the forward, and vega. */
type Curve = Pick<Greeks, "price" | "delta" | "gamma" | "vega">;

const WAD_SQUARED = WAD * WAD;

/** In units·Q, as the general formula has it where both legs' factors are one. */
function undiscounted(
  { kind, strike }: Pick<Black76Terms, "kind" | "strike">,
  forward: bigint,
  at: Pick<Standing, "n1" | "n2"> | null,
): bigint {
  const parity = (forward - strike) << Q_BITS;
  const call = kind === "call";
  const intrinsic = maximum(0n, call ? parity : -parity);
  if (at === null) return intrinsic;
  const value = forward * at.n1 - strike * at.n2;
  const most = maximum(intrinsic, (call ? forward : strike) << Q_BITS);
  return clamp(call ? value : value - parity, intrinsic, most);
}

/**
 * Prices of one option at many forwards and volatilities: those of `black76Price` without a rate, to the last unit. A grid has few of either, so
 * logarithms and deviations are remembered with it, which leaves the distribution itself.
 */
export function black76Pricer(
  option: Pick<Black76Terms, "kind" | "strike" | "seconds">,
): (forward: bigint, volatility: bigint) => bigint {
  const { strike, seconds } = option;
  const logarithmOf = remembering((forward) => {
    requireWithin("spot", forward, 1n, PRICE_MAX);
    return lnRatioQ(forward, strike);
  });
  const deviationOf = remembering((volatility) => {
    requireTerms(generalised({ ...option, forward: strike, volatility, rate: 0n }));
    const s = scaleByWad(volatility * rootYears(seconds));
    return s === 0n ? null : { s, inverse: inverseQ(s) };
  });
  return (forward, volatility) => {
    const deviation = deviationOf(volatility);
    const logarithm = logarithmOf(forward);
    const at = deviation === null ? null : standing(logarithm, deviation.s, deviation.inverse);
    return roundQ(undiscounted(option, forward, at));
  };
}

/** A grid has a dozen moves: looking through them costs less than hashing a bigint. */
function remembering<V>(make: (key: bigint) => V): (key: bigint) => V {
  const keys: bigint[] = [];
  const values: V[] = [];
  return (key) => {
    for (let i = keys.length - 1; i >= 0; i--) if (keys[i] === key) return values[i] as V;
    const value = make(key);
    keys.push(key);
    values.push(value);
    return value;
  };
}

/**
 * Those of `black76Greeks` without a rate, to the last unit, for two thirds of the work: both legs' factors are one, and what nobody asks for is
 * not made.
 */
export function black76Curve(terms: Omit<Black76Terms, "rate">): Curve {
  const { kind, forward, strike, volatility, seconds } = terms;
  requireKind(kind);
  requireWithin("spot", forward, 1n, PRICE_MAX);
  requireWithin("strike", strike, 1n, PRICE_MAX);
  requireWithin("volatility", volatility, GREEKS_VOLATILITY_MIN, VOLATILITY_MAX);
  requireWithin("seconds", seconds, 1n, SECONDS_MAX);
  const rootT = rootYears(seconds);
  const at = standing(lnRatioQ(forward, strike), scaleByWad(volatility * rootT));
  const density = densityQ(at.d1);
  return {
    price: roundQ(undiscounted(terms, forward, at)),
    delta: wadFromQ(kind === "call" ? at.n1 : at.n1 - Q_ONE),
    gamma: perPriceQ(mulQ(density, at.inverse) * WAD_SQUARED, forward),
    vega: roundQ(forward * mulQ(density, rootT)),
  };
}
