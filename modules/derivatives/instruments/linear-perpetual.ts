/** A perpetual is worth its index. It never settles: a payoff is what closing it at a price would bring. */
import type { ContractKind } from "./contract-kind.ts";

export const linearPerpetual: ContractKind = {
  payoff: (_contract, price) => price,
  mark: (_contract, { spot }) => spot,
};
