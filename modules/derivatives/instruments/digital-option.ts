/**
 * Cash or nothing. A call pays when the settlement price is above the strike, a put when it is not, so both together always pay: what the
 * formula of kit/math says too.
 */
import { assert } from "../../kit/errors.ts";
import { type DigitalTerms, digitalGreeks, digitalPrice } from "../../kit/math/digital.ts";
import type { OptionContract } from "./contract.ts";
import type { ContractKind, MarkInputs } from "./contract-kind.ts";
import { greeksSeconds, type Residual, residualOf, secondsOf, shareOf } from "./option-pricing.ts";

function cash({ right, strike, payout }: OptionContract, price: bigint): bigint {
  return price > strike === (right === "call") ? payout : 0n;
}

function termsOf(
  { right, payout }: OptionContract,
  { spot, volatility }: MarkInputs,
  { strike }: Residual,
  seconds: bigint,
): DigitalTerms {
  return { kind: right, spot, strike, rate: 0n, carry: 0n, volatility, seconds, payout };
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
    return digitalPrice(termsOf(option, inputs, residual, residual.seconds));
  },
  greeks(contract, inputs) {
    const { option } = contract;
    assert(option !== null, "a digital option without its terms");
    const residual = residualOf(contract, inputs);
    if (residual === null) {
      const price = cash(option, inputs.forward);
      return { price, delta: 0n, gamma: 0n, vega: 0n, theta: 0n, rho: 0n };
    }
    const terms = termsOf(option, inputs, residual, greeksSeconds(residual.seconds));
    // Money, not a share of a price: the part of the mean gone by moves the strike and nothing else.
    const whole = { weight: 1n, whole: 1n };
    return shareOf(digitalGreeks(terms), secondsOf(inputs.remainingMs), whole);
  },
  bounds({ option }) {
    assert(option !== null, "a digital option without its terms");
    return [0n, option.payout];
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
