/**
 * An average-price option: pays on the mean over a long window. Priced as one on equally spaced fixings, at most a thousand of them,
 * those gone by known through the mean so far. The spot of the rest is the one that gives the forward, so that a fixing half gone by shifts
 * nothing and the last mark is the payoff.
 */
import { assert } from "../../kit/errors.ts";
import { asianPrice } from "../../kit/math/asian.ts";
import { divCeil, divFloor, divHalfEven, maximum, minimum } from "../../kit/math/mul-div.ts";
import type { ContractKind } from "./kinds.ts";
import { intrinsic, secondsOf } from "./option-pricing.ts";

const FIXINGS_MAX = 1000n;

export const asianOption: ContractKind = {
  payoff({ option }, price) {
    assert(option !== null, "an average-price option without its terms");
    return intrinsic(option, price);
  },
  mark({ option, maturity }, inputs) {
    assert(option !== null && maturity !== null, "an average-price option without its terms");
    const { forward, volatility, mean, averagedMs } = inputs;
    const seconds = secondsOf(inputs.remainingMs);
    if (seconds === 0n) return intrinsic(option, forward);
    const window = divFloor(BigInt(maturity.windowMs), 1000n);
    const interval = divCeil(window, FIXINGS_MAX);
    const fixings = divCeil(window, interval);
    // Counted back from the end, where the last one lies.
    const ahead = minimum(fixings, divCeil(seconds, interval));
    const fixed = averagedMs === 0n ? 0n : fixings - ahead;
    const rest = divHalfEven(forward * (fixed + ahead) - mean * fixed, ahead);
    return asianPrice({
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
    });
  },
  worstForSeller: (contract) => [
    { spot: contract.option?.right === "call" ? 1 : -1, volatility: 1 },
  ],
};
