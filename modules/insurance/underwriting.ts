/**
 * Underwriting: coins for shares of a fund, which earn what it receives and bear what it pays. Leaving takes notice. Shares under notice
 * bear losses like all others and leave by themselves when it ends, after the liquidations of that block, at what they are worth then: who
 * could choose the moment would leave with the first news of a crash. A shortfall that stays open, because its market has stopped, holds them for
 * another wait at most: then they leave on what the fund would have after paying it.
 */

import { terminatedKey } from "../kit/collections/codecs.ts";
import type { WriteContext } from "../kit/context.ts";
import { maximum, minimum } from "../kit/math/mul-div.ts";
import { refuse, unknownFund } from "./errors.ts";
import { emitNotice, emitRedeemed, emitUnderwritten } from "./events.ts";
import { LEAVING_PER_BLOCK_MAX, MONEY_LIMIT } from "./limits.ts";
import type { InsurancePorts } from "./ports.ts";
import { afterUnderwriting, worthOf } from "./shares.ts";
import type { Fund, FundId, InsuranceState, Underwriter } from "./state.ts";

export const NS_PER_MS = 1_000_000n;

/** All refuse with ModuleError and leave reverting to the caller. Amounts in quanta, `owner` as address bytes. */
export interface Underwriting {
  /** Returns the shares. */
  underwrite(ctx: WriteContext, owner: Uint8Array, fund: FundId, amount: bigint): bigint;
  /** 0 shares take notice back. Returns when they may leave, nanoseconds; 0: nothing leaves. */
  giveNotice(ctx: WriteContext, owner: Uint8Array, fund: FundId, shares: bigint): bigint;
  /** Pays whose notice has ended, of each fund a bounded number, oldest first. */
  payLeaving(ctx: WriteContext): void;
  /** To be called before the wait changes: what is shorter afterwards does not free anybody before the present wait would have. */
  keepNotice(ctx: WriteContext, cooldownMs: bigint): void;
}

export function createUnderwriting(state: InsuranceState, ports: InsurancePorts): Underwriting {
  const { bank, vault, addresses, shortfalls, flows } = ports;

  function requireFund(ctx: WriteContext, id: FundId): Fund {
    const fund = state.funds.get(ctx, id);
    if (fund === undefined) {
      const [denom = "", riskClass = ""] = id.split("#");
      throw unknownFund(denom, riskClass);
    }
    return fund;
  }

  function requireUnderwriter(ctx: WriteContext, owner: Uint8Array, id: FundId): Underwriter {
    const known = state.underwriters.get(ctx, [owner, id]);
    if (known === undefined) {
      throw refuse("insufficientShares", `${addresses.format(owner)} has no shares of this fund`);
    }
    return known;
  }

  /** What is owed already is not for newcomers to pay. */
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
    underwrite(ctx, owner, id, amount) {
      const fund = requireFund(ctx, id);
      const { denom, riskClass } = fund;
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
      flows.deposited(ctx, denom, amount);
      const { shares, ownShares, minted } = after;
      const funded = fund.funded + amount;
      state.funds.set(ctx, id, { ...fund, balance, funded, shares, ownShares });
      const known = state.underwriters.get(ctx, [owner, id]);
      state.underwriters.set(ctx, [owner, id], {
        shares: (known?.shares ?? 0n) + minted,
        leaving: known?.leaving ?? 0n,
        leavesAtNs: known?.leavesAtNs ?? 0n,
      });
      const who = addresses.format(owner);
      emitUnderwritten(ctx, { owner: who, denom, riskClass, amount, shares: minted, balance });
      return minted;
    },

    giveNotice(ctx, owner, id, leaving) {
      const { denom, riskClass } = requireFund(ctx, id);
      const known = requireUnderwriter(ctx, owner, id);
      if (leaving > known.shares) {
        throw refuse(
          "insufficientShares",
          `expected at most ${known.shares} shares, got ${leaving}`,
        );
      }
      const endNs = ctx.header.timeNs + state.params.require(ctx).cooldownMs * NS_PER_MS;
      const leavesAtNs = leaving === 0n ? 0n : maximum(endNs, state.noticeFloor.get(ctx) ?? 0n);
      if (known.leaving > 0n) state.leaving.delete(ctx, [id, [known.leavesAtNs, owner]]);
      if (leaving > 0n) state.leaving.set(ctx, [id, [leavesAtNs, owner]], true);
      state.underwriters.set(ctx, [owner, id], { shares: known.shares, leaving, leavesAtNs });
      const who = addresses.format(owner);
      emitNotice(ctx, { owner: who, denom, riskClass, shares: leaving, leavesAtNs });
      return leavesAtNs;
    },

    payLeaving(ctx) {
      if (state.leaving.size(ctx) === 0) return;
      const ids: FundId[] = [];
      state.funds.each(ctx, (id) => void ids.push(id));
      for (const id of ids) payLeavingOf(ctx, id);
    },

    keepNotice(ctx, cooldownMs) {
      const present = state.params.require(ctx).cooldownMs;
      if (cooldownMs >= present) return;
      const untilNs = ctx.header.timeNs + present * NS_PER_MS;
      state.noticeFloor.set(ctx, maximum(untilNs, state.noticeFloor.get(ctx) ?? 0n));
    },
  };

  /** While a shortfall is open only those leave who have waited once more. */
  function payLeavingOf(ctx: WriteContext, id: FundId): void {
    const { denom } = requireFund(ctx, id);
    const missing = shortfalls.pendingShortfall(ctx, denom);
    const held = missing > 0n ? state.params.require(ctx).cooldownMs * NS_PER_MS : 0n;
    const due: Uint8Array[] = [];
    state.leaving.eachWithPrefix(ctx, terminatedKey.encode(id), ([, [leavesAtNs, owner]]) => {
      if (leavesAtNs + held > ctx.header.timeNs) return true;
      due.push(owner);
      return due.length >= LEAVING_PER_BLOCK_MAX;
    });
    for (const owner of due) redeem(ctx, owner, id, missing);
  }

  function redeem(ctx: WriteContext, owner: Uint8Array, id: FundId, missing: bigint): void {
    const fund = requireFund(ctx, id);
    const { denom, riskClass } = fund;
    const { shares, leaving, leavesAtNs } = requireUnderwriter(ctx, owner, id);
    // What is missing is kept back whole of each fund: who leaves bears a part of it that those who stay may not have to.
    const counted = { ...fund, balance: fund.balance - minimum(missing, fund.balance) };
    const amount = worthOf(counted, leaving);
    const balance = fund.balance - amount;
    state.funds.set(ctx, id, {
      ...fund,
      balance,
      redeemed: fund.redeemed + amount,
      shares: fund.shares - leaving,
    });
    state.leaving.delete(ctx, [id, [leavesAtNs, owner]]);
    if (leaving === shares) state.underwriters.delete(ctx, [owner, id]);
    else
      state.underwriters.set(ctx, [owner, id], {
        shares: shares - leaving,
        leaving: 0n,
        leavesAtNs: 0n,
      });
    if (amount > 0n) {
      bank.transfer(ctx, vault, owner, denom, amount);
      flows.left(ctx, denom, amount);
    }
    const who = addresses.format(owner);
    emitRedeemed(ctx, { owner: who, denom, riskClass, amount, shares: leaving, balance });
  }
}
