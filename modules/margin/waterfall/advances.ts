/**
 * What funds have paid for an account that still holds something. The loss is paid at once, whatever can be closed; but what is left open may gain afterwards, and would be an
 * option that the owner has for nothing and the fund has written. So the payment is remembered by fund, nothing leaves the account meanwhile and nobody trades for it but the
 * liquidation, and whatever it comes to be worth above zero goes back, up to what was paid. It is forgotten when nothing is left that could gain.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { minimum, mulDivDown } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import { maintenanceHealth } from "../health/health.ts";
import { isClosable, type MarketViews } from "../health/market-view.ts";
import type { LossPayment, MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { WaterfallState } from "./state.ts";

export interface Advances {
  /** Of every account that owes some, as far as it is worth more than nothing at these marks. Returns those that still do, by id, each with a market in which it can be closed. */
  reclaim(
    ctx: WriteContext,
    views: MarketViews,
  ): readonly { readonly id: AccountId; readonly market: MarketId }[];
}

/** Where no fund has paid any it costs nothing. */
export function hasAdvance(ctx: ReadContext, { advances }: WaterfallState, id: AccountId): boolean {
  if (advances.size(ctx) === 0) return false;
  let found = false;
  advances.eachWithPrefix(ctx, id, () => {
    found = true;
    return true;
  });
  return found;
}

/** It has something left that may gain. */
export function mayGain({ assets, positions }: Account): boolean {
  return assets.length > 0 || positions.some(({ lots }) => lots !== 0n);
}

/** The funds have paid; who holds nothing has nothing to return. */
export function noteAdvance(
  ctx: WriteContext,
  { accounts, waterfall: { advances } }: MarginState,
  id: AccountId,
  payments: readonly LossPayment[],
): void {
  const account = accounts.get(ctx, id);
  if (account === undefined || !mayGain(account)) return;
  for (const { amount, riskClass } of payments) {
    if (amount === 0n) continue;
    advances.set(ctx, [id, riskClass], (advances.get(ctx, [id, riskClass]) ?? 0n) + amount);
  }
}

export function forgetAdvance(
  ctx: WriteContext,
  { advances }: WaterfallState,
  id: AccountId,
): void {
  for (const [riskClass] of owedBy(ctx, advances, id)) advances.delete(ctx, [id, riskClass]);
}

function owedBy(
  ctx: ReadContext,
  advances: WaterfallState["advances"],
  id: AccountId,
): (readonly [string, bigint])[] {
  const owed: (readonly [string, bigint])[] = [];
  if (advances.size(ctx) === 0) return owed;
  advances.eachWithPrefix(ctx, id, ([, riskClass], amount) => {
    owed.push([riskClass, amount]);
  });
  return owed;
}

export function createAdvances(parts: {
  readonly state: MarginState;
  /** Account → the fund of the class (claims.ts). */
  readonly pay: (ctx: WriteContext, id: AccountId, amount: bigint, riskClass: string) => void;
}): Advances {
  const { pay, state } = parts;
  const { advances } = state.waterfall;

  /** To each fund in proportion to what it has paid, rounded down along the list so that the parts sum to it exactly: no more than that to any. */
  function giveBack(ctx: WriteContext, id: AccountId, worth: bigint): void {
    const owed = owedBy(ctx, advances, id);
    const all = owed.reduce((sum, [, amount]) => sum + amount, 0n);
    const taken = minimum(worth, all);
    let passed = 0n;
    for (const [riskClass, amount] of owed) {
      const before = mulDivDown(taken, passed, all);
      passed += amount;
      const part = mulDivDown(taken, passed, all) - before;
      pay(ctx, id, part, riskClass);
      if (part === amount) advances.delete(ctx, [id, riskClass]);
      else advances.set(ctx, [id, riskClass], amount - part);
    }
  }

  return {
    reclaim(ctx, views) {
      const closable: { id: AccountId; market: MarketId }[] = [];
      if (advances.size(ctx) === 0) return closable;
      const ids = new Set<AccountId>();
      advances.each(ctx, ([id]) => void ids.add(id));
      for (const id of ids) {
        const account = state.accounts.get(ctx, id);
        const health = account === undefined ? null : maintenanceHealth(account, views);
        const worth = health?.equity ?? 0n;
        if (worth > 0n) giveBack(ctx, id, worth);
        if (account === undefined || !mayGain(account)) forgetAdvance(ctx, state.waterfall, id);
        else if (hasAdvance(ctx, state.waterfall, id)) {
          const open = account.positions.find(
            ({ lots, market }) => lots !== 0n && isClosable(views(market)),
          );
          if (open !== undefined) closable.push({ id, market: open.market });
        }
      }
      return closable;
    },
  };
}

/** Amounts are amounts, of accounts that exist. */
export function advancesFault(
  ctx: ReadContext,
  { accounts, waterfall: { advances } }: MarginState,
): string | null {
  let fault: string | null = null;
  advances.each(ctx, ([id, riskClass], amount) => {
    if (amount <= 0n) fault ??= `a fund has paid ${amount} for an account`;
    if (!accounts.has(ctx, id)) fault ??= `the fund "${riskClass}" has paid for no account`;
  });
  return fault;
}
