/**
 * Option prices from their definitions, over the exact functions. Only prices: the Greeks of a test are their central differences, so no
 * formula of a derivative is trusted.
 */
import {
  cdf,
  div,
  type Exact,
  exactFromWad,
  exp,
  ln,
  mul,
  ONE,
  ratio,
  sqrt,
} from "./exact-math.ts";

export interface ExactTerms {
  readonly kind: "call" | "put";
  readonly spot: Exact;
  readonly strike: Exact;
  readonly rate: Exact;
  readonly carry: Exact;
  readonly volatility: Exact;
  readonly years: Exact;
}

interface WadTerms {
  readonly kind: "call" | "put";
  readonly spot: bigint;
  readonly strike: bigint;
  readonly rate: bigint;
  readonly carry: bigint;
  readonly volatility: bigint;
  readonly seconds: bigint;
}

export function exactYears(seconds: bigint): Exact {
  return ratio(seconds, 31_536_000n);
}

export function exactTerms(terms: WadTerms): ExactTerms {
  return {
    kind: terms.kind,
    spot: exactFromWad(terms.spot),
    strike: exactFromWad(terms.strike),
    rate: exactFromWad(terms.rate),
    carry: exactFromWad(terms.carry),
    volatility: exactFromWad(terms.volatility),
    years: exactYears(terms.seconds),
  };
}

/** d1 and d2. */
export function exactStanding(terms: ExactTerms): readonly [Exact, Exact] {
  const s = mul(terms.volatility, sqrt(terms.years));
  const k = ln(div(terms.spot, terms.strike)) + mul(terms.carry, terms.years);
  const d1 = div(k, s) + s / 2n;
  return [d1, d1 - s];
}

/** Undiscounted: E[max(±(X − K), 0)] of a lognormal X with mean `forward` and deviation `s` of its logarithm. */
function expectedPayoff(kind: "call" | "put", forward: Exact, strike: Exact, s: Exact): Exact {
  const d1 = div(ln(div(forward, strike)), s) + s / 2n;
  const d2 = d1 - s;
  return kind === "call"
    ? mul(forward, cdf(d1)) - mul(strike, cdf(d2))
    : mul(strike, cdf(-d2)) - mul(forward, cdf(-d1));
}

export function exactPrice(terms: ExactTerms): Exact {
  const { kind, spot, strike, rate, carry, volatility, years } = terms;
  const forward = mul(spot, exp(mul(carry, years)));
  const s = mul(volatility, sqrt(years));
  return mul(exp(-mul(rate, years)), expectedPayoff(kind, forward, strike, s));
}

export function exactDigitalPrice(terms: ExactTerms, payout: Exact): Exact {
  const [, d2] = exactStanding(terms);
  const discounted = mul(payout, exp(-mul(terms.rate, terms.years)));
  return mul(discounted, cdf(terms.kind === "call" ? d2 : -d2));
}

export interface ExactAsian extends ExactTerms {
  readonly fixings: bigint;
  readonly fixedSum: Exact;
  /** Years to each fixing to come. */
  readonly times: readonly Exact[];
}

/** Moment matching by the double sum it is defined by. */
export function exactAsianPrice(terms: ExactAsian): Exact {
  const { kind, spot, strike, rate, carry, volatility, years, fixings, fixedSum, times } = terms;
  const variance = mul(volatility, volatility);
  const growths = times.map((time) => exp(mul(carry, time)));
  const spreads = times.map((time) => exp(mul(variance, time)));
  const mean = growths.reduce((sum, growth) => sum + growth, 0n);
  let square = 0n;
  growths.forEach((a, i) => {
    growths.forEach((b, j) => {
      const earlier = i < j ? i : j;
      square += mul(mul(a, b), spreads[earlier] ?? ONE);
    });
  });
  const residual = fixings * strike - fixedSum;
  const forward = mul(spot, mean);
  const s = sqrt(ln(div(square, mul(mean, mean))));
  const value =
    residual <= 0n
      ? kind === "call"
        ? forward - residual
        : 0n
      : expectedPayoff(kind, forward, residual, s);
  return mul(exp(-mul(rate, years)), value) / fixings;
}

/** (f(x + h) − f(x − h)) / 2h, with h = 1e-20 of x: right to about thirty-five digits. */
export function centralDifference(f: (x: Exact) => Exact, x: Exact): Exact {
  const h = x / 10n ** 20n;
  return div(f(x + h) - f(x - h), 2n * h);
}

/** (f(x + h) − 2f(x) + f(x − h)) / h², h = 1e-16 of x. */
export function secondDifference(f: (x: Exact) => Exact, x: Exact): Exact {
  const h = x / 10n ** 16n;
  return div(div(f(x + h) - 2n * f(x) + f(x - h), h), h);
}
