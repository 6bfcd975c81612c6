/**
 * Cash or nothing. A call pays when the settlement price is above the strike, a put when it is not, so both together always pay: what the
 * formula of kit/math says too.
 */
import { assert } from "../../kit/errors.ts";
import { digitalPrice } from "../../kit/math/digital.ts";
import type { OptionContract } from "./contract.ts";
import type { ContractKind } from "./kinds.ts";
import { residualOf } from "./option-pricing.ts";

function cash({ right, strike, payout }: OptionContract, price: bigint): bigint {
  return price > strike === (right === "call") ? payout : 0n;
}

export const digitalOption: ContractKind = {
  payoff({ option }, price) {
    assert(option !== null, "a digital option without its terms");
    return cash(option, price);
  },
  mark(contract, inputs) {
    const { option } = contract;
    assert(option !== null, "a digital option without its terms");
    const residual = residualOf(contract, inputs);
    if (residual === null) return cash(option, inputs.forward);
    return digitalPrice({
      kind: option.right,
      spot: inputs.spot,
      strike: residual.strike,
      rate: 0n,
      carry: 0n,
      volatility: inputs.volatility,
      seconds: residual.seconds,
      payout: option.payout,
    });
  },
  // It moves in one direction with the underlying, but up or down with volatility.
  worstForSeller({ option }) {
    const spot = option?.right === "call" ? 1 : -1;
    return [
      { spot, volatility: -1 },
      { spot, volatility: 0 },
      { spot, volatility: 1 },
    ];
  },
};
