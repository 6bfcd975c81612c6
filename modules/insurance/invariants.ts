/** Every fund's balance is what it got less what it paid, and never negative. There are few funds, so the running form reads all. */
import type { ModuleInvariants } from "../kit/module.ts";
import type { Fund, InsuranceState } from "./state.ts";

export function fundFault(fund: Fund): string | null {
  const { denom, balance, funded, received, paid } = fund;
  if (balance < 0n || funded < 0n || received < 0n || paid < 0n) {
    return `fund ${denom}: an amount is negative`;
  }
  const expected = funded + received - paid;
  return balance === expected
    ? null
    : `fund ${denom}: balance is ${balance}, its history sums to ${expected}`;
}

export function insuranceInvariants(state: InsuranceState): ModuleInvariants {
  return {
    running: {
      "fund-balances": (ctx) => {
        let fault: string | null = null;
        state.funds.each(ctx, (_denom, fund) => {
          fault = fundFault(fund);
          return fault !== null;
        });
        return fault;
      },
    },
    full: {},
  };
}
