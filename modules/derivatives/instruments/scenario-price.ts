/** What a contract is worth when the underlying and its volatility have moved: one price per scenario of a margin model. */
import type { Contract } from "./contract.ts";
import type { MarkInputs } from "./contract-kind.ts";
import { kinds } from "./kinds.ts";
import { boundedVolatility, shocked } from "./option-pricing.ts";

/**
 * Per unit, 1e-18. The spot moves by `movePpm`, of which only what is still to come of a settlement window feels anything; `volatility`,
 * annual and 1e-18, is taken within what the formulas take, and by contracts without an option not at all.
 */
export function scenarioPricer(
  contract: Contract,
  inputs: MarkInputs,
): (movePpm: bigint, volatility: bigint) => bigint {
  const { mark, pricer } = kinds[contract.kind];
  const priced = pricer?.(contract, inputs) ?? ((moved) => mark(contract, moved));
  return (movePpm, volatility) =>
    priced({
      ...shocked(inputs, movePpm, 0n),
      volatility: contract.option === null ? 0n : boundedVolatility(volatility),
    });
}
