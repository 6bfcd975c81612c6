/** Every fund's balance and inventory at cost are what it got less what it paid, and never negative. There are few funds, so the running form reads all. */
import type { ReadContext } from "../kit/context.ts";
import type { ModuleInvariants } from "../kit/module.ts";
import { type Fund, fundId, type InsuranceState } from "./state.ts";

export function fundFault(fund: Fund): string | null {
  const { balance, inventory, funded, received, paid, redeemed, shares, ownShares, drawn } = fund;
  const id = fundId(fund.denom, fund.riskClass);
  const amounts = [balance, inventory, funded, received, paid, redeemed, shares, ownShares, drawn];
  if (amounts.some((amount) => amount < 0n)) return `fund ${id}: an amount is negative`;
  if (fund.riskClass !== "" && inventory > 0n) return `fund ${id}: only the shared fund buys`;
  if (ownShares > shares) return `fund ${id}: the protocol holds more shares than there are`;
  const expected = funded + received - paid - redeemed;
  return balance + inventory === expected
    ? null
    : `fund ${id}: balance is ${balance}, inventory ${inventory}, its history sums to ${expected}`;
}

/** Shares are somebody's, each once. */
export function sharesFault(ctx: ReadContext, state: InsuranceState): string | null {
  const held = new Map<string, bigint>();
  let fault: string | null = null;
  state.underwriters.each(ctx, ([, id], { shares, leaving }) => {
    if (shares <= 0n || leaving < 0n || leaving > shares)
      fault = `an underwriter of ${id} holds ${shares} shares, ${leaving} under notice`;
    held.set(id, (held.get(id) ?? 0n) + shares);
    return fault !== null;
  });
  state.funds.each(ctx, (id, { shares, ownShares }) => {
    const others = held.get(id) ?? 0n;
    held.delete(id);
    if (others + ownShares !== shares)
      fault ??= `fund ${id}: ${shares} shares, ${others} of underwriters and ${ownShares} own`;
  });
  for (const id of held.keys()) fault ??= `shares of a fund in ${id}, which is not there`;
  return fault;
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
    full: {
      "shares-held": (ctx) => sharesFault(ctx, state),
    },
  };
}
