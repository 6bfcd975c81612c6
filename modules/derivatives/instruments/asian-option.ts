/**
 * An average-price option: pays on the mean over a long window. Priced as one on equally spaced fixings, at most a thousand of them,
 * those gone by known through the mean so far. The spot of the rest is the one that gives the forward, so that a fixing half gone by shifts
 * nothing and the last mark is the payoff.
 */
import { assert } from "../../kit/errors.ts";
import { type AsianTerms, asianGreeks, asianPrice } from "../../kit/math/asian.ts";
import { divCeil, divFloor, divHalfEven, maximum, minimum } from "../../kit/math/mul-div.ts";
import type { Contract } from "./contract.ts";
import type { ContractKind, MarkInputs } from "./contract-kind.ts";
import { intrinsic, optionBounds, secondsOf, settledGreeks, shareOf } from "./option-pricing.ts";

const FIXINGS_MAX = 1000n;

function termsOf({ option, maturity }: Contract, inputs: MarkInputs): AsianTerms | null {
  assert(option !== null && maturity !== null, "an average-price option without its terms");
  const { forward, volatility, mean, averagedMs } = inputs;
  const seconds = secondsOf(inputs.remainingMs);
  if (seconds === 0n) return null;
  const window = divFloor(BigInt(maturity.windowMs), 1000n);
  const interval = divCeil(window, FIXINGS_MAX);
  const fixings = divCeil(window, interval);
  // Counted back from the end, where the last one lies.
  const ahead = minimum(fixings, divCeil(seconds, interval));
  const fixed = averagedMs === 0n ? 0n : fixings - ahead;
  const rest = divHalfEven(forward * (fixed + ahead) - mean * fixed, ahead);
  return {
    kind: option.right,
    spot: maximum(rest, 1n),
    strike: option.strike,
    rate: 0n,
    carry: 0n,
    volatility,
    seconds,
    fixings: fixed + ahead,
    fixedCount: fixed,
    fixedSum: fixed * mean,
    secondsToNextFixing: maximum(seconds - (ahead - 1n) * interval, 0n),
    fixingIntervalSeconds: interval,
  };
}

export const asianOption: ContractKind = {
  payoff({ option }, price) {
    assert(option !== null, "an average-price option without its terms");
    return intrinsic(option, price);
  },
  mark(contract, inputs) {
    const { option } = contract;
    assert(option !== null, "an average-price option without its terms");
    const terms = termsOf(contract, inputs);
    return terms === null ? intrinsic(option, inputs.forward) : asianPrice(terms);
  },
  greeks(contract, inputs) {
    const { option } = contract;
    assert(option !== null, "an average-price option without its terms");
    const terms = termsOf(contract, inputs);
    if (terms === null) {
      const up = option.right === "call" ? 1n : -1n;
      return settledGreeks(intrinsic(option, inputs.forward), up, inputs);
    }
    const secondsToNextFixing = maximum(terms.secondsToNextFixing, 1n);
    // It takes a share of the average still to come by itself.
    const whole = { weight: 1n, whole: 1n };
    return shareOf(asianGreeks({ ...terms, secondsToNextFixing }), terms.seconds, whole);
  },
  bounds({ option }, forward) {
    assert(option !== null, "an average-price option without its terms");
    return optionBounds(option, forward);
  },
  worstForSeller: (contract) => [
    { spot: contract.option?.right === "call" ? 1 : -1, volatility: 1 },
  ],
};
