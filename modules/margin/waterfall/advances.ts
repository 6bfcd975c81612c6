/**
 * What funds have paid for an account that still holds something. The loss is paid at once, whatever can be closed; but what is left open may gain afterwards, and would be an
 * option that the owner has for nothing and the fund has written. So the payment is remembered by fund, nothing leaves the account meanwhile and nobody trades for it but the
 * liquidation, and whatever it comes to be worth above zero goes back, up to what was paid, with all that the payment
 * has changed in the fund (own shares, draw cap, assessment): a price that goes and comes back costs nobody. It is forgotten when nothing is left that could gain.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { clamp, minimum, mulDivDown, mulDivUp } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import { countedQuanta } from "../collateral-assets/valuation.ts";
import { evaluate, maintenanceHealth } from "../health/health.ts";
import { isClosable, type MarketViews } from "../health/market-view.ts";
import type { LossPayment, LossRecovery, MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { emitAdvanceForgotten, emitAdvanceMade, emitAdvanceReturned } from "./events.ts";
import type { Advance, WaterfallState } from "./state.ts";

export interface Advances {
  /** Of every account that owes some, as far as it is worth more than nothing at these marks. Returns those that still do, by id, each with a market in which it can be closed. */
  reclaim(
    ctx: WriteContext,
    views: MarketViews,
  ): readonly { readonly id: AccountId; readonly market: MarketId }[];
}

interface Named {
  readonly state: MarginState;
  readonly name: (id: AccountId) => string;
}

interface Returning extends Named {
  /** Account → the fund of the class (claims.ts). */
  readonly giveBack: (ctx: WriteContext, id: AccountId, recovery: LossRecovery) => void;
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

/** What the account owes to all funds, quanta. */
export function owedToFunds(ctx: ReadContext, { advances }: WaterfallState, id: AccountId): bigint {
  return owedBy(ctx, advances, id).reduce((sum, [, { amount }]) => sum + amount, 0n);
}

/** A position, or assets; but for those that are too little to count a quantum at a good price, which nobody would ever have anything back of. */
export function mayGain({ assets, positions }: Account, views: MarketViews): boolean {
  if (positions.some(({ lots }) => lots !== 0n)) return true;
  return assets.some(({ denom, units }) => {
    const view = views.asset?.(denom) ?? null;
    if (view === null) return false;
    const counts = view.usable && view.price > 0n && view.maintenancePpm > 0n;
    return !counts || countedQuanta(view, units, view.maintenancePpm) > 0n;
  });
}

/** The funds have paid; who holds nothing has nothing to return. */
export function noteAdvance(
  ctx: WriteContext,
  { name, state }: Named,
  id: AccountId,
  payments: readonly LossPayment[],
): void {
  const account = state.accounts.get(ctx, id);
  const holds = account?.positions.some(({ lots }) => lots !== 0n) || account?.assets.length;
  if (!holds) return;
  const { advances } = state.waterfall;
  const paid = new Map<string, bigint>();
  for (const { amount, assessed, ownShares, riskClass } of payments) {
    if (amount === 0n) continue;
    const known = advances.get(ctx, [id, riskClass]);
    advances.set(ctx, [id, riskClass], {
      amount: (known?.amount ?? 0n) + amount,
      ownShares: (known?.ownShares ?? 0n) + ownShares,
      assessed: (known?.assessed ?? 0n) + assessed,
    });
    paid.set(riskClass, (paid.get(riskClass) ?? 0n) + amount);
  }
  for (const [riskClass, amount] of paid) {
    const left = advances.get(ctx, [id, riskClass])?.amount ?? 0n;
    emitAdvanceMade(ctx, { account: name(id), riskClass, amount, left });
  }
}

/** What is still owed is borne for good. */
export function forgetAdvance(ctx: WriteContext, { name, state }: Named, id: AccountId): void {
  const { advances } = state.waterfall;
  for (const [riskClass, { amount }] of owedBy(ctx, advances, id)) {
    advances.delete(ctx, [id, riskClass]);
    emitAdvanceForgotten(ctx, { account: name(id), riskClass, amount });
  }
}

function owedBy(
  ctx: ReadContext,
  advances: WaterfallState["advances"],
  id: AccountId,
): (readonly [string, Advance])[] {
  const owed: (readonly [string, Advance])[] = [];
  if (advances.size(ctx) === 0) return owed;
  advances.eachWithPrefix(ctx, id, ([, riskClass], advance) => {
    owed.push([riskClass, advance]);
  });
  return owed;
}

/** The part of an advance that `amount` of it is; what goes with it rounds down, so that the last part has all of it. */
function partOf(advance: Advance, amount: bigint): Advance {
  return {
    amount,
    ownShares: mulDivDown(advance.ownShares, amount, advance.amount),
    assessed: mulDivDown(advance.assessed, amount, advance.amount),
  };
}

/**
 * To each fund in proportion to what it has paid, rounded down along the list so that the parts sum to it exactly: no more than that to any. Returns
 * what of `worth`, quanta, they have taken.
 */
export function returnAdvance(
  ctx: WriteContext,
  { giveBack, name, state }: Returning,
  id: AccountId,
  worth: bigint,
): bigint {
  const { advances } = state.waterfall;
  const owed = owedBy(ctx, advances, id);
  const all = owed.reduce((sum, [, { amount }]) => sum + amount, 0n);
  const taken = minimum(worth, all);
  let passed = 0n;
  for (const [riskClass, advance] of owed) {
    const before = mulDivDown(taken, passed, all);
    passed += advance.amount;
    const part = partOf(advance, mulDivDown(taken, passed, all) - before);
    if (part.amount === 0n) continue;
    giveBack(ctx, id, { riskClass, ...part });
    const left = advance.amount - part.amount;
    if (left === 0n) advances.delete(ctx, [id, riskClass]);
    else
      advances.set(ctx, [id, riskClass], {
        amount: left,
        ownShares: advance.ownShares - part.ownShares,
        assessed: advance.assessed - part.assessed,
      });
    emitAdvanceReturned(ctx, { account: name(id), riskClass, amount: part.amount, left });
  }
  return taken;
}

/** What the account may be worth to the funds now; null: nobody knows, since something that it holds has no good price. */
function presentWorth(account: Account, views: MarketViews): bigint | null {
  const priced = account.assets.every(({ denom }) => views.asset?.(denom)?.usable === true);
  const { complete, equity, fresh } = evaluate(account, views);
  return priced && complete && fresh ? equity : null;
}

/** Quanta, and the fund's own shares that come back with them. */
export type Recoverable = Pick<Advance, "amount" | "ownShares">;

export const NOTHING_OWED: Recoverable = { amount: 0n, ownShares: 0n };

/** Of what the fund of the class has paid, as much as would be taken back at these prices, all of it where there are none; rounded up, and its shares down. */
export function recoverable(
  ctx: ReadContext,
  { accounts, waterfall: { advances } }: MarginState,
  views: MarketViews,
  riskClass: string,
): Recoverable {
  if (advances.size(ctx) === 0) return NOTHING_OWED;
  const owed = new Map<AccountId, { all: bigint; own: Advance | undefined }>();
  advances.each(ctx, ([id, fund], advance) => {
    const known = owed.get(id);
    const all = (known?.all ?? 0n) + advance.amount;
    owed.set(id, { all, own: fund === riskClass ? advance : known?.own });
  });
  const sum = { ...NOTHING_OWED };
  for (const [id, { all, own }] of owed) {
    const account = own === undefined ? undefined : accounts.get(ctx, id);
    if (own === undefined || account === undefined) continue;
    const back = clamp(presentWorth(account, views) ?? all, 0n, all);
    const part = partOf(own, mulDivUp(own.amount, back, all));
    sum.amount += part.amount;
    sum.ownShares += part.ownShares;
  }
  return sum;
}

export function createAdvances(parts: Returning): Advances {
  const { state } = parts;
  const { advances } = state.waterfall;
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
        const owes = worth <= 0n;
        if (!owes) returnAdvance(ctx, parts, id, worth);
        if (account === undefined || !mayGain(account, views)) forgetAdvance(ctx, parts, id);
        else if (owes || hasAdvance(ctx, state.waterfall, id)) {
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

/** Amounts are amounts, of accounts that exist; no more of one counts as an assessment than was paid. */
export function advancesFault(
  ctx: ReadContext,
  { accounts, waterfall: { advances } }: MarginState,
): string | null {
  let fault: string | null = null;
  advances.each(ctx, ([id, riskClass], { amount, assessed, ownShares }) => {
    if (amount <= 0n) fault ??= `a fund has paid ${amount} for an account`;
    if (ownShares < 0n || assessed < 0n || assessed > amount) {
      fault ??= `of ${amount} paid by the fund "${riskClass}" ${assessed} is an assessment, with ${ownShares} shares`;
    }
    if (!accounts.has(ctx, id)) fault ??= `the fund "${riskClass}" has paid for no account`;
  });
  return fault;
}
