import type { Invariant } from "../kit/module.ts";
import type { BankState } from "./state.ts";

/** For each denom, the balances add up to the supply, none is zero or negative, and the holder index matches. */
export function supplyEqualsBalances(state: BankState): Invariant {
  return (ctx) => {
    const sums = new Map<string, bigint>();
    let violation: string | null = null;
    let holders = 0;
    state.balances.each(ctx, ([owner, denom], amount) => {
      if (amount <= 0n) violation ??= `a balance of ${denom} is ${amount}`;
      if (!state.holders.has(ctx, [denom, owner]))
        violation ??= `a holder of ${denom} is not indexed`;
      holders++;
      sums.set(denom, (sums.get(denom) ?? 0n) + amount);
    });
    if (holders !== state.holders.size(ctx))
      violation ??= `${holders} balances but ${state.holders.size(ctx)} index entries`;
    state.supply.each(ctx, (denom, supply) => {
      const sum = sums.get(denom) ?? 0n;
      if (sum !== supply)
        violation ??= `supply of ${denom} is ${supply}, balances add up to ${sum}`;
      sums.delete(denom);
    });
    for (const denom of sums.keys()) violation ??= `${denom} has balances but no supply`;
    return violation;
  };
}
