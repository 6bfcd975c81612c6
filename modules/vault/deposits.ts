/** Shares for coins, and requests to give shares back. */

import type { ReadContext, WriteContext } from "../kit/context.ts";
import { divFloor, maximum } from "../kit/math/mul-div.ts";
import { parsePositiveMoney } from "../kit/money.ts";
import { refuse } from "./errors.ts";
import { emitCancelled, emitDeposit, emitRequested } from "./events.ts";
import { isEmptyHolder, unlockedShares, withNewShares } from "./holders.ts";
import { SHARES_LIMIT, WITHDRAWALS_PER_OWNER_MAX } from "./limits.ts";
import { parseShares } from "./params.ts";
import type { VaultPorts } from "./ports.ts";
import { type Holder, NO_HOLDER, type Withdrawal } from "./records.ts";
import { firstShares, sharesFor } from "./shares.ts";
import { IDLE_ACCOUNT, VAULT_ADDRESS, type VaultState } from "./state.ts";
import type { Valuation, Valuer } from "./valuation.ts";

export interface Deposits {
  /** Returns the shares minted for the sender, at least `sharesMin`. All throw ModuleError to refuse. */
  deposit(ctx: WriteContext, sender: Uint8Array, amount: bigint, sharesMin: bigint): bigint;
  request(ctx: WriteContext, owner: Uint8Array, shares: bigint): Withdrawal;
  /** Returns the shares that were not yet paid. */
  cancel(ctx: WriteContext, owner: Uint8Array, id: bigint): bigint;
}

/** Block time in Unix milliseconds, rounded down. */
export function nowMs({ header }: ReadContext): bigint {
  return divFloor(header.timeNs, 1_000_000n);
}

export function setHolder(
  ctx: WriteContext,
  state: VaultState,
  owner: Uint8Array,
  holder: Holder,
): void {
  if (isEmptyHolder(holder)) state.holders.delete(ctx, owner);
  else state.holders.set(ctx, owner, holder);
}

export function createDeposits(
  state: VaultState,
  valuer: Valuer,
  { addresses, ledger }: Pick<VaultPorts, "addresses" | "ledger">,
): Deposits {
  /** What the sender gets, and what the vault keeps of the first deposit. */
  function mint(
    ctx: WriteContext,
    amount: bigint,
    valuation: Valuation,
  ): { readonly own: bigint; readonly holder: bigint } {
    const params = state.params.require(ctx);
    const { shares } = state.totals.require(ctx);
    const least =
      parsePositiveMoney(shares === 0n ? params.firstDepositMin : params.depositMin) ?? 0n;
    if (amount < least) {
      throw refuse("depositTooSmall", `expected at least ${least} quanta, got ${amount}`);
    }
    if (shares === 0n) return firstShares(amount);
    if (valuation.equity <= 0n) {
      throw refuse("withoutEquity", "there are shares but no equity: nobody can say their price");
    }
    return { own: 0n, holder: sharesFor(amount, shares, valuation.equity) };
  }

  return {
    deposit(ctx, sender, amount, sharesMin) {
      const valuation = valuer.all(ctx);
      if (!valuation.priced) {
        throw refuse("notPriced", "a position of the vault has no fresh price in an open market");
      }
      const minted = mint(ctx, amount, valuation);
      const least = maximum(sharesMin, 1n);
      if (minted.holder < least) {
        throw refuse("tooFewShares", `expected at least ${least} shares, got ${minted.holder}`);
      }
      const totals = state.totals.require(ctx);
      const shares = totals.shares + minted.own + minted.holder;
      if (shares >= SHARES_LIMIT) throw refuse("invalidAmount", "shares would leave their range");
      state.totals.set(ctx, { ...totals, shares });
      if (minted.own > 0n) {
        state.holders.set(ctx, VAULT_ADDRESS, { ...NO_HOLDER, shares: minted.own });
      }
      const now = nowMs(ctx);
      const lockedUntilMs = now + state.params.require(ctx).lockupMs;
      const holder = state.holders.get(ctx, sender) ?? NO_HOLDER;
      const lock = { untilMs: lockedUntilMs, shares: minted.holder };
      state.holders.set(ctx, sender, withNewShares(holder, lock, now));
      ledger.deposit(ctx, sender, IDLE_ACCOUNT, amount);
      emitDeposit(ctx, {
        owner: addresses.format(sender),
        amount,
        shares: minted.holder,
        equity: valuation.equity,
        lockedUntilMs,
      });
      return minted.holder;
    },

    request(ctx, owner, shares) {
      const holder = state.holders.get(ctx, owner) ?? NO_HOLDER;
      if (shares > holder.shares) {
        throw refuse(
          "insufficientShares",
          `expected at most ${holder.shares} shares, got ${shares}`,
        );
      }
      const now = nowMs(ctx);
      const unlocked = unlockedShares(holder, now);
      if (shares > unlocked) {
        throw refuse("sharesLocked", `expected at most ${unlocked} shares now, got ${shares}`);
      }
      const params = state.params.require(ctx);
      const least = parseShares(params.withdrawalSharesMin) ?? 1n;
      if (shares < least && shares < holder.shares) {
        throw refuse("invalidAmount", `expected at least ${least} shares or all, got ${shares}`);
      }
      if (holder.withdrawals >= WITHDRAWALS_PER_OWNER_MAX) {
        throw refuse(
          "tooManyWithdrawals",
          `expected at most ${WITHDRAWALS_PER_OWNER_MAX} withdrawals in the queue`,
        );
      }
      const totals = state.totals.require(ctx);
      const id = totals.nextWithdrawal;
      const withdrawal = { id, owner, shares, dueMs: now + params.withdrawalDelayMs };
      state.withdrawals.set(ctx, id, withdrawal);
      state.holders.set(ctx, owner, {
        ...holder,
        shares: holder.shares - shares,
        queuedShares: holder.queuedShares + shares,
        withdrawals: holder.withdrawals + 1,
      });
      state.totals.set(ctx, {
        ...totals,
        nextWithdrawal: id + 1n,
        queuedShares: totals.queuedShares + shares,
      });
      emitRequested(ctx, { ...withdrawal, owner: addresses.format(owner) });
      return withdrawal;
    },

    cancel(ctx, owner, id) {
      const withdrawal = id > 0n ? state.withdrawals.get(ctx, id) : undefined;
      const holder = state.holders.get(ctx, owner);
      if (withdrawal === undefined || holder === undefined || !isSame(withdrawal.owner, owner)) {
        throw refuse("unknownWithdrawal", `no withdrawal ${id} of this address`);
      }
      const { shares } = withdrawal;
      state.withdrawals.delete(ctx, id);
      state.holders.set(ctx, owner, {
        ...holder,
        shares: holder.shares + shares,
        queuedShares: holder.queuedShares - shares,
        withdrawals: holder.withdrawals - 1,
      });
      const totals = state.totals.require(ctx);
      state.totals.set(ctx, { ...totals, queuedShares: totals.queuedShares - shares });
      emitCancelled(ctx, { owner: addresses.format(owner), id, shares });
      return shares;
    },
  };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
