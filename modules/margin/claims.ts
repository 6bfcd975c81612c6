/** Moves of claims inside the vault: between one account and the insurance fund, or from account to account. No coin moves; every total follows. */
import type { AccountId } from "../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { maximum } from "../kit/math/mul-div.ts";
import { noteCovered } from "./custody/solvency.ts";
import type { InsurancePort, LossPart, LossPayment, LossRecovery, MarketId } from "./ports.ts";
import type { MarginState } from "./state.ts";
import type { RiskClasses } from "./waterfall/classes.ts";

export interface Claims {
  /** Account → insurance, exactly `amount`: to the fund of the market's class, or the shared one. */
  pay(
    ctx: WriteContext,
    id: AccountId,
    amount: bigint,
    reason: "penalty" | "residue",
    market?: MarketId,
  ): void;
  /** Account → the fund of the class, exactly the amount: what that had paid for it. */
  giveBack(ctx: WriteContext, id: AccountId, recovery: LossRecovery): void;
  /** Insurance → account, as far as the funds reach; returns what was paid, by bearer. */
  cover(ctx: WriteContext, id: AccountId, loss: readonly LossPart[]): readonly LossPayment[];
  /** Shared fund → account, exactly `amount` ≤ purse for assets that the fund takes: an exchange, no loss. */
  buy(ctx: WriteContext, id: AccountId, amount: bigint): void;
  /**
   * What may be paid for assets now. Of an account below zero as far as the fund has money: the queue takes nothing for it before its own assets are
   * sold, so a bound would leave what it misses open beside money that could pay.
   */
  purse(ctx: ReadContext, belowZero: boolean): bigint;
  /** Account → account, whatever is left of it: an open profit goes too, so its collateral may fall below zero. */
  give(ctx: WriteContext, from: AccountId, to: AccountId, amount: bigint): void;
  /** What may be paid now of a loss in the market, less what is promised: by class, of which its own fund pays first. */
  fund(ctx: ReadContext, market: MarketId, promised: ReadonlyMap<string, bigint>): bigint;
}

export function createClaims(
  state: MarginState,
  insurance: InsurancePort,
  classes: RiskClasses,
): Claims {
  function move(ctx: WriteContext, id: AccountId, delta: bigint): void {
    const account = state.accounts.get(ctx, id);
    assert(account !== undefined, "a claim moved on an unknown account");
    state.accounts.set(ctx, id, { ...account, collateral: account.collateral + delta });
    const totals = state.totals.require(ctx);
    state.totals.set(ctx, { ...totals, collateral: totals.collateral + delta });
  }
  const denom = (ctx: ReadContext): string => state.params.require(ctx).settlementDenom;
  return {
    pay(ctx, id, amount, reason, market) {
      if (amount === 0n) return;
      move(ctx, id, -amount);
      const riskClass = market === undefined ? "" : classes.of(ctx, market);
      insurance.credit(ctx, denom(ctx), amount, reason, riskClass);
    },
    giveBack(ctx, id, recovery) {
      if (recovery.amount === 0n) return;
      move(ctx, id, -recovery.amount);
      insurance.recover(ctx, denom(ctx), recovery);
    },
    cover(ctx, id, loss) {
      const payments = insurance.allocate(ctx, denom(ctx), loss);
      const wanted = loss.reduce((sum, { amount }) => sum + amount, 0n);
      const paid = payments.reduce((sum, { amount }) => sum + amount, 0n);
      assert(paid >= 0n && paid <= wanted, `insurance paid ${paid} of ${wanted}`);
      if (paid > 0n) move(ctx, id, paid);
      noteCovered(ctx, state, id, paid);
      return payments;
    },
    buy(ctx, id, amount) {
      insurance.buy(ctx, denom(ctx), amount);
      move(ctx, id, amount);
    },
    purse: (ctx, belowZero) =>
      belowZero ? insurance.fundBalance(ctx, denom(ctx), "") : insurance.purse(ctx, denom(ctx)),
    give(ctx, from, to, amount) {
      assert(amount >= 0n && from !== to, "collateral goes from one account to another");
      if (amount === 0n) return;
      move(ctx, from, -amount);
      move(ctx, to, amount);
    },
    fund(ctx, market, promised) {
      const own = classes.of(ctx, market);
      let left = insurance.available(ctx, denom(ctx), own);
      for (const [riskClass, amount] of promised) {
        const elsewhere =
          riskClass === own || riskClass === ""
            ? 0n
            : insurance.fundAvailable(ctx, denom(ctx), riskClass);
        left -= maximum(amount - elsewhere, 0n);
      }
      return maximum(left, 0n);
    },
  };
}
