/** A European option on the settlement price: Black-76 on the part of it that is still to come. */
import { assert } from "../../kit/errors.ts";
import {
  black76Curve,
  black76Greeks,
  black76Price,
  black76Pricer,
} from "../../kit/math/black-76.ts";
import { divHalfEven } from "../../kit/math/mul-div.ts";
import type { Contract } from "./contract.ts";
import type { ContractKind, MarkInputs, UnitGreeks } from "./contract-kind.ts";
import {
  greeksSeconds,
  intrinsic,
  optionBounds,
  residualOf,
  secondsOf,
  settledGreeks,
  shareOf,
} from "./option-pricing.ts";

function greeks(contract: Contract, inputs: MarkInputs): UnitGreeks {
  const { option } = contract;
  assert(option !== null, "a European option without its terms");
  const residual = residualOf(contract, inputs);
  if (residual === null) {
    const up = option.right === "call" ? 1n : -1n;
    return settledGreeks(intrinsic(option, inputs.forward), up, inputs);
  }
  const whole = black76Greeks({
    kind: option.right,
    forward: inputs.spot,
    strike: residual.strike,
    rate: 0n,
    volatility: inputs.volatility,
    seconds: greeksSeconds(residual.seconds),
  });
  return shareOf(whole, secondsOf(inputs.remainingMs), residual);
}

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
  pricer(contract, inputs) {
    const { option } = contract;
    assert(option !== null, "a European option without its terms");
    // Of a settlement window the part gone by is fixed, so what is left is the same option in every scenario.
    const residual = residualOf(contract, inputs);
    if (residual === null) return (moved) => intrinsic(option, moved.forward);
    const { strike, seconds, weight, whole } = residual;
    const price = black76Pricer({ kind: option.right, strike, seconds });
    return ({ spot, volatility }) => divHalfEven(price(spot, volatility) * weight, whole);
  },
  greeks,
  curve(contract, inputs) {
    const { option } = contract;
    assert(option !== null, "a European option without its terms");
    const residual = residualOf(contract, inputs);
    if (residual === null || residual.whole !== 1n) return greeks(contract, inputs);
    return black76Curve({
      kind: option.right,
      forward: inputs.spot,
      strike: residual.strike,
      volatility: inputs.volatility,
      seconds: greeksSeconds(residual.seconds),
    });
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
