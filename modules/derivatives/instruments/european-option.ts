/** A European option on the settlement price: Black-76 on the part of it that is still to come. */
import { assert } from "../../kit/errors.ts";
import { black76Greeks, black76Price } from "../../kit/math/black-76.ts";
import { divHalfEven } from "../../kit/math/mul-div.ts";
import type { ContractKind } from "./kinds.ts";
import {
  greeksSeconds,
  intrinsic,
  optionBounds,
  residualOf,
  secondsOf,
  settledGreeks,
  shareOf,
} from "./option-pricing.ts";

export const europeanOption: ContractKind = {
  payoff({ option }, price) {
    assert(option !== null, "a European option without its terms");
    return intrinsic(option, price);
  },
  mark(contract, inputs) {
    const { option } = contract;
    assert(option !== null, "a European option without its terms");
    const residual = residualOf(contract, inputs);
    if (residual === null) return intrinsic(option, inputs.forward);
    const { strike, seconds, weight, whole } = residual;
    const price = black76Price({
      kind: option.right,
      forward: inputs.spot,
      strike,
      rate: 0n,
      volatility: inputs.volatility,
      seconds,
    });
    return divHalfEven(price * weight, whole);
  },
  greeks(contract, inputs) {
    const { option } = contract;
    assert(option !== null, "a European option without its terms");
    const residual = residualOf(contract, inputs);
    if (residual === null) {
      const up = option.right === "call" ? 1n : -1n;
      return settledGreeks(intrinsic(option, inputs.forward), up, inputs);
    }
    const greeks = black76Greeks({
      kind: option.right,
      forward: inputs.spot,
      strike: residual.strike,
      rate: 0n,
      volatility: inputs.volatility,
      seconds: greeksSeconds(residual.seconds),
    });
    return shareOf(greeks, secondsOf(inputs.remainingMs), residual);
  },
  bounds({ option }, forward) {
    assert(option !== null, "a European option without its terms");
    return optionBounds(option, forward);
  },
  // A price rises with volatility and in one direction with the underlying: the worst corner of the grid is known.
  worstForSeller: (contract) => [
    { spot: contract.option?.right === "call" ? 1 : -1, volatility: 1 },
  ],
};
