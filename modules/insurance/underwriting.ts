/**
 * Underwriting: coins for shares of a fund, which earn what it receives and bear what it pays. Leaving takes notice. Shares under notice
 * bear losses like all others and leave by themselves when it ends, after the liquidations of that block, at what they are worth then: who
 * could choose the moment would leave with the first news of a crash. A shortfall that stays open, because its market has stopped, holds them for
 * another wait at most: then they leave on what the fund would have after paying it.
 *
 * Inventory is sold to anyone at any time at a price that state says, so what a sale would bring now is known. Who enters pays for the gain of it and
 * not for its loss, who leaves bears the loss and has no part in the gain: nobody comes or goes at the cost of those who stay, whatever the price does
 * next. While some of it cannot be sold nobody enters, and who leaves waits as for a shortfall, then leaves without a part in that.
 */

import { terminatedKey } from "../kit/collections/codecs.ts";
import type { WriteContext } from "../kit/context.ts";
import { maximum } from "../kit/math/mul-div.ts";
import { MONEY_LIMIT } from "../kit/money.ts";
import { refuse, unknownFund } from "./errors.ts";
import { emitNotice, emitRedeemed, emitUnderwritten } from "./events.ts";
import { saleOf } from "./inventory.ts";
import { LEAVING_PER_BLOCK_MAX } from "./limits.ts";
import type { InsurancePorts } from "./ports.ts";
import { afterUnderwriting, type Beside, leavingPay, worth } from "./shares.ts";
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

  /**
   * What belongs to those who are there: the gain of what the fund holds, without a price of which nobody can say what shares cost, and what may come back of its payments: at the
   * end of this block, and nobody buys in before.
   */
  function requireBeside(ctx: WriteContext, fund: Fund): Beside {
    const { gain, unpriced } = saleOf(ctx, ports, fund);
    if (unpriced > 0n) {
      throw refuse(
        "underwritingClosed",
        `assets that cost the fund ${unpriced} cannot be sold now, so nothing says what its shares are worth`,
      );
    }
    return { gain, owed: shortfalls.recoverable(ctx, fund.denom, fund.riskClass) };
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
      if (worth(fund) + amount >= MONEY_LIMIT)
        throw refuse("invalidAmount", "the fund would leave its range");
      const after = afterUnderwriting(fund, amount, requireBeside(ctx, fund));
      if (after === null) {
        throw worth(fund) === 0n
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

  /** While a shortfall is open, or assets cannot be sold, only those leave who have waited once more. */
  function payLeavingOf(ctx: WriteContext, id: FundId): void {
    const fund = requireFund(ctx, id);
    const missing = shortfalls.pendingShortfall(ctx, fund.denom);
    const { loss, unpriced } = saleOf(ctx, ports, fund);
    const waits = missing > 0n || unpriced > 0n;
    const held = waits ? state.params.require(ctx).cooldownMs * NS_PER_MS : 0n;
    const due: Uint8Array[] = [];
    state.leaving.eachWithPrefix(ctx, terminatedKey.encode(id), ([, [leavesAtNs, owner]]) => {
      if (leavesAtNs + held > ctx.header.timeNs) return true;
      due.push(owner);
      return due.length >= LEAVING_PER_BLOCK_MAX;
    });
    // What is missing is kept back whole of each fund: who leaves bears a part of it that those who stay may not have to.
    const kept = missing + loss + unpriced;
    for (const owner of due) if (!redeem(ctx, owner, id, kept)) return;
  }

  /** False: the balance pays not all of the shares. The others wait, first in line, for inventory to be sold. */
  function redeem(ctx: WriteContext, owner: Uint8Array, id: FundId, kept: bigint): boolean {
    const fund = requireFund(ctx, id);
    const { denom, riskClass } = fund;
    const known = requireUnderwriter(ctx, owner, id);
    const { shares, amount } = leavingPay(fund, known.leaving, kept);
    if (shares === 0n) return false;
    const balance = fund.balance - amount;
    state.funds.set(ctx, id, {
      ...fund,
      balance,
      redeemed: fund.redeemed + amount,
      shares: fund.shares - shares,
    });
    leave(ctx, owner, id, shares);
    if (amount > 0n) {
      bank.transfer(ctx, vault, owner, denom, amount);
      flows.left(ctx, denom, amount);
    }
    const who = addresses.format(owner);
    emitRedeemed(ctx, { owner: who, denom, riskClass, amount, shares, balance });
    return shares === known.leaving;
  }

  /** Takes paid shares off their owner and its notice. */
  function leave(ctx: WriteContext, owner: Uint8Array, id: FundId, paid: bigint): void {
    const known = requireUnderwriter(ctx, owner, id);
    const shares = known.shares - paid;
    const leaving = known.leaving - paid;
    const leavesAtNs = leaving === 0n ? 0n : known.leavesAtNs;
    if (leaving === 0n) state.leaving.delete(ctx, [id, [known.leavesAtNs, owner]]);
    if (shares === 0n) state.underwriters.delete(ctx, [owner, id]);
    else state.underwriters.set(ctx, [owner, id], { shares, leaving, leavesAtNs });
  }
}
