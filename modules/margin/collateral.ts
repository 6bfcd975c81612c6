/** Money in and out of sub-accounts. Coins lie in the one collateral vault; accounts hold claims on it. */

import type { AccountId } from "../kit/account-id.ts";
import { ownerOf } from "../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { absolute } from "../kit/math/mul-div.ts";
import { MONEY_LIMIT } from "../kit/money.ts";
import type { Account } from "./account-codec.ts";
import { EMPTY_ACCOUNT } from "./account-codec.ts";
import { refuse } from "./errors.ts";
import { requireOpenGate } from "./gate.ts";
import { evaluate, freeCollateral } from "./health/health.ts";
import type { MarketViews, ModelledMarkets } from "./health/market-view.ts";
import { holdsBack, marketViews } from "./health/market-view.ts";
import { shortText } from "./portfolio/refusals.ts";
import type { BankPort, ClearingPort, GuardPort } from "./ports.ts";
import type { MarginState } from "./state.ts";
import { COLLATERAL_VAULT } from "./state.ts";

export interface Collateral {
  /** Coins of `sender` become collateral of `to`; creates the sub-account. Returns its collateral. */
  deposit(ctx: WriteContext, sender: Uint8Array, to: AccountId, amount: bigint): bigint;
  /** Free collateral of `from` becomes coins of its owner. Returns the collateral left. */
  withdraw(ctx: WriteContext, from: AccountId, amount: bigint): bigint;
  transfer(ctx: WriteContext, from: AccountId, to: AccountId, amount: bigint): void;
  /** Held trading fees become coins of `recipient`. */
  collectFees(ctx: WriteContext, recipient: Uint8Array, amount: bigint): void;
  /** Held trading fees become collateral of a sub-account. */
  shareFees: ClearingPort["shareFees"];
}

export function createCollateral(
  state: MarginState,
  bank: BankPort,
  markets: ModelledMarkets,
  guard: GuardPort,
): Collateral {
  function credit(ctx: WriteContext, id: AccountId, amount: bigint): bigint {
    const known = state.accounts.get(ctx, id);
    const account = known ?? EMPTY_ACCOUNT;
    const collateral = account.collateral + amount;
    const totals = state.totals.require(ctx);
    const total = totals.collateral + amount;
    if (absolute(collateral) >= MONEY_LIMIT || absolute(total) >= MONEY_LIMIT) {
      throw refuse("outOfRange", "collateral would leave its range");
    }
    state.accounts.set(ctx, id, { ...account, collateral });
    state.totals.set(ctx, {
      ...totals,
      collateral: total,
      accounts: totals.accounts + (known === undefined ? 1n : 0n),
    });
    return collateral;
  }

  /** Takes `amount` out of an account that may spare it; an account left empty is removed. */
  function debit(ctx: WriteContext, id: AccountId, amount: bigint): bigint {
    const account = state.accounts.get(ctx, id);
    if (account === undefined) throw refuse("unknownAccount", "no such sub-account");
    requireSpare(ctx, account, amount);
    const collateral = account.collateral - amount;
    const { assets, positions } = account;
    const gone = collateral === 0n && positions.length === 0 && assets.length === 0;
    const totals = state.totals.require(ctx);
    if (gone && account.portfolio) state.portfolios.delete(ctx, id);
    if (gone) state.accounts.delete(ctx, id);
    else state.accounts.set(ctx, id, { ...account, collateral });
    state.totals.set(ctx, {
      ...totals,
      collateral: totals.collateral - amount,
      accounts: totals.accounts - (gone ? 1n : 0n),
    });
    return collateral;
  }

  /** Free collateral at fresh marks, and no position or order in a quarantined market. */
  function requireSpare(ctx: ReadContext, account: Account, amount: bigint): void {
    for (const position of account.positions) {
      const terms = markets.terms(ctx, position.market);
      if (terms?.status === "quarantined") {
        throw refuse("marketQuarantined", `market ${terms.symbol} is quarantined`);
      }
    }
    const views = marketViews(ctx, markets);
    const health = evaluate(account, views);
    if (!health.fresh || holdsBack(account.positions, views)) {
      throw refuse("stalePrice", "a price of this sub-account is stale");
    }
    const free = freeCollateral(account, health);
    if (amount > free) {
      throw refuse(
        "insufficientCollateral",
        `expected at most the free collateral of ${free}, got ${amount}: ${withoutText(account, views, amount)}`,
      );
    }
  }

  /** What the account would be judged by without the amount. */
  function withoutText(account: Account, views: MarketViews, amount: bigint): string {
    const after = { ...account, collateral: account.collateral - amount };
    return shortText(after, views, evaluate(after, views));
  }

  function moveVault(ctx: WriteContext, delta: bigint): void {
    const totals = state.totals.require(ctx);
    state.totals.set(ctx, { ...totals, netDeposits: totals.netDeposits + delta });
  }

  function denom(ctx: ReadContext): string {
    return state.params.require(ctx).settlementDenom;
  }

  return {
    deposit(ctx, sender, to, amount) {
      const collateral = credit(ctx, to, amount);
      moveVault(ctx, amount);
      bank.transfer(ctx, sender, COLLATERAL_VAULT, denom(ctx), amount);
      guard.deposited(ctx, denom(ctx), amount);
      return collateral;
    },

    withdraw(ctx, from, amount) {
      requireOpenGate(ctx, state);
      guard.withdrawing(ctx, denom(ctx), amount);
      const left = debit(ctx, from, amount);
      moveVault(ctx, -amount);
      bank.transfer(ctx, COLLATERAL_VAULT, ownerOf(from), denom(ctx), amount);
      return left;
    },

    transfer(ctx, from, to, amount) {
      if (from === to) throw refuse("sameAccount", "expected two different sub-accounts");
      debit(ctx, from, amount);
      credit(ctx, to, amount);
    },

    shareFees(ctx, to, quanta) {
      const totals = state.totals.require(ctx);
      assert(quanta > 0n && quanta <= totals.feesHeld, "a share of fees that are not held");
      state.totals.set(ctx, { ...totals, feesHeld: totals.feesHeld - quanta });
      credit(ctx, to, quanta);
    },

    collectFees(ctx, recipient, amount) {
      const totals = state.totals.require(ctx);
      if (amount > totals.feesHeld) {
        throw refuse(
          "insufficientFees",
          `expected at most the held fees of ${totals.feesHeld}, got ${amount}`,
        );
      }
      state.totals.set(ctx, {
        ...totals,
        feesHeld: totals.feesHeld - amount,
        netDeposits: totals.netDeposits - amount,
      });
      bank.transfer(ctx, COLLATERAL_VAULT, recipient, denom(ctx), amount);
      guard.left(ctx, denom(ctx), amount);
    },
  };
}
