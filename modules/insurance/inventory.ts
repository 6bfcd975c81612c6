/**
 * What the shared fund pays for assets of accounts and gets for them. Buying is an exchange: neither a loss nor a draw, and shares are worth what they
 * were. What a sale brings beyond cost, or below, is a gain or a loss when it is made. Which assets they are is margin's to know.
 */
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { maximum } from "../kit/math/mul-div.ts";
import { emitBought, emitSold } from "./events.ts";
import { type InsurancePorts, type InventorySale, NO_ASSETS } from "./ports.ts";
import { afterSale, purse } from "./shares.ts";
import type { Fund, InsuranceState } from "./state.ts";
import { fundId } from "./state.ts";

/** Amounts in quanta. */
export interface Inventory {
  /** Cost of what is not sold yet. */
  inventory(ctx: ReadContext, denom: string): bigint;
  /** What may be spent now on assets of accounts above zero. */
  purse(ctx: ReadContext, denom: string): bigint;
  /** Throws AssertionError beyond the balance. */
  buy(ctx: WriteContext, denom: string, cost: bigint): void;
  /** `proceeds` are in the vault already. Throws AssertionError beyond the cost of what is there. */
  sell(
    ctx: WriteContext,
    denom: string,
    sold: { readonly cost: bigint; readonly proceeds: bigint },
  ): void;
}

/** Of one fund: those of classes buy nothing. */
export function saleOf(
  ctx: ReadContext,
  { assets }: Pick<InsurancePorts, "assets">,
  { denom, riskClass }: Fund,
): InventorySale {
  return (riskClass === "" ? assets : NO_ASSETS).sale(ctx, denom);
}

export function createInventory(
  state: InsuranceState,
  load: (ctx: ReadContext, denom: string, riskClass: string) => Fund,
): Inventory {
  const shared = (ctx: ReadContext, denom: string): Fund => load(ctx, denom, "");
  return {
    inventory: (ctx, denom) => shared(ctx, denom).inventory,
    purse(ctx, denom) {
      const { purchaseCapPpm } = state.params.require(ctx);
      return purse(shared(ctx, denom), BigInt(purchaseCapPpm));
    },

    buy(ctx, denom, cost) {
      const fund = shared(ctx, denom);
      assert(
        cost > 0n && cost <= fund.balance,
        `the fund buys for ${cost} and has ${fund.balance}`,
      );
      const balance = fund.balance - cost;
      const inventory = fund.inventory + cost;
      state.funds.set(ctx, fundId(denom, ""), { ...fund, balance, inventory });
      emitBought(ctx, { denom, amount: cost, balance, inventory });
    },

    sell(ctx, denom, { cost, proceeds }) {
      const fund = shared(ctx, denom);
      assert(
        cost >= 0n && cost <= fund.inventory && proceeds >= 0n,
        `the fund sells for ${proceeds} what cost ${cost}, and holds ${fund.inventory}`,
      );
      const { firstLossPpm } = state.params.require(ctx);
      const { fund: after, firstLoss } = afterSale(fund, { cost, proceeds }, BigInt(firstLossPpm));
      state.funds.set(ctx, fundId(denom, ""), {
        ...after,
        received: fund.received + maximum(proceeds - cost, 0n),
        paid: fund.paid + maximum(cost - proceeds, 0n),
      });
      const { balance, inventory } = after;
      emitSold(ctx, { denom, amount: proceeds, cost, firstLoss, balance, inventory });
    },
  };
}
