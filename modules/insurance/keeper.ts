/**
 * The insurance funds: claims on the collateral vault, one per settlement asset that all risk classes share and one per class that was opened. Clearing
 * credits and draws on them; anyone may add coins.
 */

import type { Params } from "@keel/proto/gen/keel/insurance/v1/types";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { MONEY_LIMIT } from "../kit/money.ts";
import { refuse, unknownFund } from "./errors.ts";
import { emitFundSet, emitReceived } from "./events.ts";
import { createInventory, type Inventory, saleOf } from "./inventory.ts";
import { FUNDS_MAX } from "./limits.ts";
import { createPaying, type Paying } from "./paying.ts";
import type { InsurancePorts } from "./ports.ts";
import { afterGift } from "./shares.ts";
import type { Fund, InsuranceState } from "./state.ts";
import { fundId, NO_ASSESSMENT } from "./state.ts";
import { createUnderwriting, NS_PER_MS, type Underwriting } from "./underwriting.ts";

export interface InsuranceKeeper extends Underwriting, Paying, Inventory {
  /** Of all funds in the asset. */
  balance(ctx: ReadContext, denom: string): bigint;
  /** Coins put into the vault for all funds in the asset from outside, genesis included, less what was paid out to underwriters. */
  funded(ctx: ReadContext, denom: string): bigint;
  /** Raises the claim of one fund; the coins are in the vault already. */
  credit(
    ctx: WriteContext,
    denom: string,
    amount: bigint,
    reason: string,
    riskClass?: string,
  ): void;
  /** A gift: coins of `sender` into the vault, onto the claim. Returns the balance. */
  fund(
    ctx: WriteContext,
    sender: Uint8Array,
    denom: string,
    amount: bigint,
    riskClass?: string,
  ): bigint;
  /** Opens the fund of a class, or changes its terms. Returns from when on they hold, ns. */
  setFund(ctx: WriteContext, denom: string, riskClass: string, assessablePpm: number): bigint;
  hasFund(ctx: ReadContext, denom: string, riskClass: string): boolean;
  /** The classes that have a fund in the asset, ascending, without the shared one. */
  riskClasses(ctx: ReadContext, denom: string): readonly string[];
  params(ctx: ReadContext): Params;
}

export function emptyFund(denom: string, riskClass: string): Fund {
  return {
    denom,
    riskClass,
    balance: 0n,
    inventory: 0n,
    funded: 0n,
    received: 0n,
    paid: 0n,
    redeemed: 0n,
    shares: 0n,
    ownShares: 0n,
    drawn: 0n,
    drawnAtNs: 0n,
    assessment: NO_ASSESSMENT,
  };
}

export function createKeeper(state: InsuranceState, ports: InsurancePorts): InsuranceKeeper {
  const load = (ctx: ReadContext, denom: string, riskClass: string): Fund =>
    state.funds.get(ctx, fundId(denom, riskClass)) ?? emptyFund(denom, riskClass);

  /** Of all funds in the asset: there are few. */
  function sum(ctx: ReadContext, denom: string, of: (fund: Fund) => bigint): bigint {
    let total = 0n;
    state.funds.each(ctx, (_id, fund) => {
      if (fund.denom === denom) total += of(fund);
    });
    return total;
  }

  return {
    ...createUnderwriting(state, ports),
    ...createPaying(state, load),
    ...createInventory(state, load),
    balance: (ctx, denom) => sum(ctx, denom, ({ balance }) => balance),
    funded: (ctx, denom) => sum(ctx, denom, ({ funded, redeemed }) => funded - redeemed),
    hasFund: (ctx, denom, riskClass) => state.funds.has(ctx, fundId(denom, riskClass)),
    params: (ctx) => state.params.require(ctx),

    riskClasses(ctx, denom) {
      const found: string[] = [];
      state.funds.each(ctx, (_id, fund) => {
        if (fund.denom === denom && fund.riskClass !== "") found.push(fund.riskClass);
      });
      return found;
    },

    credit(ctx, denom, amount, reason, riskClass = "") {
      assert(amount >= 0n, `a credit must not be negative, got ${amount}`);
      if (amount === 0n) return;
      const fund = load(ctx, denom, riskClass);
      const balance = fund.balance + amount;
      const received = fund.received + amount;
      state.funds.set(ctx, fundId(denom, riskClass), { ...fund, balance, received });
      emitReceived(ctx, { denom, riskClass, amount, reason, balance });
    },

    fund(ctx, sender, denom, amount, riskClass = "") {
      const id = fundId(denom, riskClass);
      const fund = state.funds.get(ctx, id);
      if (fund === undefined) throw unknownFund(denom, riskClass);
      const after = afterGift(fund, amount, saleOf(ctx, ports, fund).gain);
      if (after.balance >= MONEY_LIMIT) {
        throw refuse("invalidAmount", "the fund would leave its range");
      }
      ports.bank.transfer(ctx, sender, ports.vault, denom, amount);
      ports.flows.deposited(ctx, denom, amount);
      state.funds.set(ctx, id, { ...after, funded: fund.funded + amount });
      return after.balance;
    },

    setFund(ctx, denom, riskClass, assessablePpm) {
      const id = fundId(denom, riskClass);
      const known = state.funds.get(ctx, id);
      if (known === undefined && state.funds.size(ctx) >= FUNDS_MAX) {
        throw refuse("invalidRequest", `expected at most ${FUNDS_MAX} funds`);
      }
      if (!state.funds.has(ctx, denom)) throw unknownFund(denom, "");
      const fund = known ?? emptyFund(denom, riskClass);
      const nowNs = ctx.header.timeNs;
      const { nextPpm, atNs, sharePpm } = fund.assessment;
      const present = nowNs >= atNs ? nextPpm : sharePpm;
      // Who has lent on the old terms may leave before worse ones hold.
      const waits = assessablePpm > present && fund.shares > fund.ownShares;
      const waitNs = waits ? state.params.require(ctx).cooldownMs * NS_PER_MS : 0n;
      const floorNs = waits ? (state.noticeFloor.get(ctx) ?? 0n) : 0n;
      const from = nowNs + waitNs > floorNs ? nowNs + waitNs : floorNs;
      const next = { sharePpm: present, nextPpm: assessablePpm, atNs: waits ? from : nowNs };
      state.funds.set(ctx, id, { ...fund, assessment: { ...fund.assessment, ...next } });
      emitFundSet(ctx, { denom, riskClass, assessablePpm, atNs: next.atNs });
      return next.atNs;
    },
  };
}
