/**
 * A dated future pays the settlement price and is marked at the one expected: spot, and inside the settlement window the mean so far
 * for the time gone and spot for the rest, so that the last mark is the settlement price. No basis is marked: nobody can paint it.
 */
import type { ContractKind } from "./contract-kind.ts";

export const datedFuture: ContractKind = {
  payoff: (_contract, price) => price,
  mark: (_contract, { forward }) => forward,
};
