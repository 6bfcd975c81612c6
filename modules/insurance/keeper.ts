/**
 * The insurance funds: one claim on the collateral vault per settlement asset. Clearing credits and draws on it; anyone may add coins.
 */
import type { Params } from "@keel/proto/gen/keel/insurance/v1/types";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { minimum } from "../kit/math/mul-div.ts";
import { refuse } from "./errors.ts";
import { emitPaid, emitReceived } from "./events.ts";
import { MONEY_LIMIT } from "./limits.ts";
import type { InsurancePorts } from "./ports.ts";
import { afterLoss, available, drawnNow } from "./shares.ts";
import type { Fund, InsuranceState } from "./state.ts";
import { createUnderwriting, type Underwriting } from "./underwriting.ts";

export interface InsuranceKeeper extends Underwriting {
  balance(ctx: ReadContext, denom: string): bigint;
  /** Coins put into the vault for the fund from outside, genesis included, less what was paid out to underwriters. */
  funded(ctx: ReadContext, denom: string): bigint;
  /** Raises the claim; the coins are in the vault already. */
  credit(ctx: WriteContext, denom: string, amount: bigint, reason: string): void;
  /** What may be paid now: the balance, or less where an hour's draw is capped. */
  available(ctx: ReadContext, denom: string): bigint;
  /** Pays at most `amount`, as far as what is available reaches; returns what was paid. */
  cover(ctx: WriteContext, denom: string, amount: bigint, reason: string): bigint;
  /** A gift: coins of `sender` into the vault, onto the claim. Returns the balance. */
  fund(ctx: WriteContext, sender: Uint8Array, denom: string, amount: bigint): bigint;
  params(ctx: ReadContext): Params;
}

export function emptyFund(denom: string): Fund {
  return {
    denom,
    balance: 0n,
    funded: 0n,
    received: 0n,
    paid: 0n,
    redeemed: 0n,
    shares: 0n,
    ownShares: 0n,
    drawn: 0n,
    drawnAtNs: 0n,
  };
}

export function createKeeper(state: InsuranceState, ports: InsurancePorts): InsuranceKeeper {
  const load = (ctx: ReadContext, denom: string): Fund =>
    state.funds.get(ctx, denom) ?? emptyFund(denom);
  const availableOf = (ctx: ReadContext, fund: Fund): bigint =>
    available(fund, BigInt(state.params.require(ctx).drawCapPpm), ctx.header.timeNs);
  return {
    ...createUnderwriting(state, ports),
    balance: (ctx, denom) => load(ctx, denom).balance,
    funded(ctx, denom) {
      const { funded, redeemed } = load(ctx, denom);
      return funded - redeemed;
    },
    available: (ctx, denom) => availableOf(ctx, load(ctx, denom)),
    params: (ctx) => state.params.require(ctx),

    credit(ctx, denom, amount, reason) {
      assert(amount >= 0n, `a credit must not be negative, got ${amount}`);
      if (amount === 0n) return;
      const fund = load(ctx, denom);
      const balance = fund.balance + amount;
      state.funds.set(ctx, denom, { ...fund, balance, received: fund.received + amount });
      emitReceived(ctx, { denom, amount, reason, balance });
    },

    cover(ctx, denom, amount, reason) {
      assert(amount >= 0n, `a deficit must not be negative, got ${amount}`);
      const fund = load(ctx, denom);
      const paid = minimum(amount, availableOf(ctx, fund));
      if (paid === 0n) return 0n;
      const { firstLossPpm, drawCapPpm } = state.params.require(ctx);
      const { fund: after, firstLoss } = afterLoss(fund, paid, BigInt(firstLossPpm));
      const nowNs = ctx.header.timeNs;
      const drawn = drawCapPpm === 0 ? 0n : drawnNow(fund, BigInt(drawCapPpm), nowNs) + paid;
      state.funds.set(ctx, denom, {
        ...after,
        paid: fund.paid + paid,
        drawn,
        drawnAtNs: drawCapPpm === 0 ? 0n : nowNs,
      });
      emitPaid(ctx, {
        denom,
        amount: paid,
        reason,
        balance: after.balance,
        wanted: amount,
        firstLoss,
      });
      return paid;
    },

    fund(ctx, sender, denom, amount) {
      const fund = state.funds.get(ctx, denom);
      if (fund === undefined) {
        throw refuse("unknownDenom", `there is no fund in "${denom.slice(0, 130)}"`);
      }
      const balance = fund.balance + amount;
      if (balance >= MONEY_LIMIT) throw refuse("invalidAmount", "the fund would leave its range");
      ports.bank.transfer(ctx, sender, ports.vault, denom, amount);
      state.funds.set(ctx, denom, { ...fund, balance, funded: fund.funded + amount });
      return balance;
    },
  };
}
