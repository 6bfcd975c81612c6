/**
 * Underwriting: coins for shares of a fund, which earn what it receives and bear what it pays. Leaving takes notice. Shares under notice
 * bear losses like all others and leave by themselves when it ends, after the liquidations of that block, at what they are worth then: who
 * could choose the moment would leave with the first news of a crash.
 */
import type { WriteContext } from "../kit/context.ts";
import { refuse } from "./errors.ts";
import { emitNotice, emitRedeemed, emitUnderwritten } from "./events.ts";
import { LEAVING_PER_BLOCK_MAX, MONEY_LIMIT } from "./limits.ts";
import type { InsurancePorts } from "./ports.ts";
import { afterUnderwriting, worthOf } from "./shares.ts";
import type { Fund, InsuranceState, Underwriter, UnderwriterKey } from "./state.ts";

const NS_PER_MS = 1_000_000n;

/** All refuse with ModuleError and leave reverting to the caller. Amounts in quanta, `owner` as address bytes. */
export interface Underwriting {
  /** Returns the shares. */
  underwrite(ctx: WriteContext, owner: Uint8Array, denom: string, amount: bigint): bigint;
  /** 0 shares take notice back. Returns when they may leave, nanoseconds; 0: nothing leaves. */
  giveNotice(ctx: WriteContext, owner: Uint8Array, denom: string, shares: bigint): bigint;
  /** Pays whose notice has ended, oldest first; nobody while a shortfall is open. */
  payLeaving(ctx: WriteContext): void;
}

export function createUnderwriting(state: InsuranceState, ports: InsurancePorts): Underwriting {
  const { bank, vault, addresses, shortfalls } = ports;

  function requireFund(ctx: WriteContext, denom: string): Fund {
    const fund = state.funds.get(ctx, denom);
    if (fund === undefined) {
      throw refuse("unknownDenom", `there is no fund in "${denom.slice(0, 130)}"`);
    }
    return fund;
  }

  function requireUnderwriter(ctx: WriteContext, owner: Uint8Array, denom: string): Underwriter {
    const known = state.underwriters.get(ctx, [owner, denom]);
    if (known === undefined) {
      throw refuse("insufficientShares", `${addresses.format(owner)} has no shares of this fund`);
    }
    return known;
  }

  /** What is owed already is not for newcomers to pay, nor for leavers to escape. */
  function requireNoShortfall(ctx: WriteContext, denom: string): void {
    const missing = shortfalls.pendingShortfall(ctx, denom);
    if (missing > 0n) {
      throw refuse(
        "shortfallOpen",
        `accounts below zero miss ${missing}; try again when that is settled`,
      );
    }
  }

  return {
    underwrite(ctx, owner, denom, amount) {
      const fund = requireFund(ctx, denom);
      if (state.params.require(ctx).cooldownMs === 0n) {
        throw refuse("underwritingClosed", "this chain takes no underwriters");
      }
      requireNoShortfall(ctx, denom);
      const balance = fund.balance + amount;
      if (balance >= MONEY_LIMIT) throw refuse("invalidAmount", "the fund would leave its range");
      const after = afterUnderwriting(fund, amount);
      if (after === null) {
        throw fund.balance === 0n
          ? refuse(
              "underwritingClosed",
              "the fund is empty, so nothing says what its shares are worth",
            )
          : refuse(
              "invalidAmount",
              `${amount} is too little, or the fund too small, for a fair number of shares`,
            );
      }
      bank.transfer(ctx, owner, vault, denom, amount);
      const { shares, ownShares, minted } = after;
      const funded = fund.funded + amount;
      state.funds.set(ctx, denom, { ...fund, balance, funded, shares, ownShares });
      const known = state.underwriters.get(ctx, [owner, denom]);
      state.underwriters.set(ctx, [owner, denom], {
        shares: (known?.shares ?? 0n) + minted,
        leaving: known?.leaving ?? 0n,
        leavesAtNs: known?.leavesAtNs ?? 0n,
      });
      emitUnderwritten(ctx, {
        owner: addresses.format(owner),
        denom,
        amount,
        shares: minted,
        balance,
      });
      return minted;
    },

    giveNotice(ctx, owner, denom, leaving) {
      requireFund(ctx, denom);
      const known = requireUnderwriter(ctx, owner, denom);
      if (leaving > known.shares) {
        throw refuse(
          "insufficientShares",
          `expected at most ${known.shares} shares, got ${leaving}`,
        );
      }
      const waitNs = state.params.require(ctx).cooldownMs * NS_PER_MS;
      const leavesAtNs = leaving === 0n ? 0n : ctx.header.timeNs + waitNs;
      const key = [owner, denom] as const;
      if (known.leaving > 0n) state.leaving.delete(ctx, [known.leavesAtNs, key]);
      if (leaving > 0n) state.leaving.set(ctx, [leavesAtNs, key], true);
      state.underwriters.set(ctx, key, { shares: known.shares, leaving, leavesAtNs });
      emitNotice(ctx, { owner: addresses.format(owner), denom, shares: leaving, leavesAtNs });
      return leavesAtNs;
    },

    payLeaving(ctx) {
      const due: UnderwriterKey[] = [];
      state.leaving.each(ctx, ([leavesAtNs, key]) => {
        if (leavesAtNs > ctx.header.timeNs) return true;
        due.push(key);
        return due.length >= LEAVING_PER_BLOCK_MAX;
      });
      for (const key of due) {
        if (shortfalls.pendingShortfall(ctx, key[1]) === 0n) redeem(ctx, key);
      }
    },
  };

  function redeem(ctx: WriteContext, key: UnderwriterKey): void {
    const [owner, denom] = key;
    const fund = requireFund(ctx, denom);
    const { shares, leaving, leavesAtNs } = requireUnderwriter(ctx, owner, denom);
    const amount = worthOf(fund, leaving);
    const balance = fund.balance - amount;
    state.funds.set(ctx, denom, {
      ...fund,
      balance,
      redeemed: fund.redeemed + amount,
      shares: fund.shares - leaving,
    });
    state.leaving.delete(ctx, [leavesAtNs, key]);
    if (leaving === shares) state.underwriters.delete(ctx, key);
    else
      state.underwriters.set(ctx, key, { shares: shares - leaving, leaving: 0n, leavesAtNs: 0n });
    if (amount > 0n) bank.transfer(ctx, vault, owner, denom, amount);
    emitRedeemed(ctx, { owner: addresses.format(owner), denom, amount, shares: leaving, balance });
  }
}
