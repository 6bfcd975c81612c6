/** Moves of claims inside the vault: between one account and the insurance fund, or from account to account. No coin moves; every total follows. */
import type { AccountId } from "../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { noteCovered } from "./custody/solvency.ts";
import type { InsurancePort } from "./ports.ts";
import type { MarginState } from "./state.ts";

export interface Claims {
  /** Account → insurance, exactly `amount`. */
  pay(ctx: WriteContext, id: AccountId, amount: bigint, reason: "penalty" | "residue"): void;
  /** Insurance → account, as far as the fund reaches; returns what was paid. */
  cover(ctx: WriteContext, id: AccountId, amount: bigint): bigint;
  /** Account → account, whatever is left of it: an open profit goes too, so its collateral may fall below zero. */
  give(ctx: WriteContext, from: AccountId, to: AccountId, amount: bigint): void;
  /** What the fund may pay now. */
  fund(ctx: ReadContext): bigint;
}

export function createClaims(state: MarginState, insurance: InsurancePort): Claims {
  function move(ctx: WriteContext, id: AccountId, delta: bigint): void {
    const account = state.accounts.get(ctx, id);
    assert(account !== undefined, "a claim moved on an unknown account");
    state.accounts.set(ctx, id, { ...account, collateral: account.collateral + delta });
    const totals = state.totals.require(ctx);
    state.totals.set(ctx, { ...totals, collateral: totals.collateral + delta });
  }
  const denom = (ctx: ReadContext): string => state.params.require(ctx).settlementDenom;
  return {
    pay(ctx, id, amount, reason) {
      if (amount === 0n) return;
      move(ctx, id, -amount);
      insurance.credit(ctx, denom(ctx), amount, reason);
    },
    cover(ctx, id, amount) {
      const paid = insurance.cover(ctx, denom(ctx), amount, "deficit");
      assert(paid >= 0n && paid <= amount, `insurance paid ${paid} of ${amount}`);
      if (paid > 0n) move(ctx, id, paid);
      noteCovered(ctx, state, id, paid);
      return paid;
    },
    give(ctx, from, to, amount) {
      assert(amount >= 0n && from !== to, "collateral goes from one account to another");
      if (amount === 0n) return;
      move(ctx, from, -amount);
      move(ctx, to, amount);
    },
    fund: (ctx) => insurance.available(ctx, denom(ctx)),
  };
}
