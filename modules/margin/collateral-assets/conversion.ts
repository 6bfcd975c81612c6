/**
 * Settlement cash below zero is made good out of the account's own assets: the insurance fund buys them for exactly what they count for maintenance,
 * so equity stays as it is.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { compareBigints, minimum } from "../../kit/math/mul-div.ts";
import { owingTooMuch } from "../bounds/branch-bounds.ts";
import type { Claims } from "../claims.ts";
import { maintenanceHealth } from "../health/health.ts";
import type { MarketViews } from "../health/market-view.ts";
import type { MarginState } from "../state.ts";
import { backingOf } from "./backing.ts";
import { emitCollateralConverted } from "./events.ts";
import { unitsOf, withUnits } from "./holdings.ts";
import { withBought } from "./inventory.ts";
import { isJudged } from "./state.ts";
import { type AssetView, countedQuanta, unitsFor } from "./valuation.ts";

/** Accounts converted in one block; the others wait for the next. */
const CONVERSIONS_PER_BLOCK_MAX = 200;

export interface Conversion {
  /** Converts all that can be sold of an account below zero equity, with what is too little to count. */
  convertAll(ctx: WriteContext, id: AccountId, views: MarketViews): void;
  /** The block's part: every account that owes more than it may. Returns those that hold nothing to close and are below zero. */
  run(ctx: WriteContext, views: MarketViews): readonly AccountId[];
}

interface Owed {
  /** Cash wanted; null: for all that can be sold. */
  readonly need: bigint | null;
  readonly debt: bigint;
  readonly debtMax: bigint;
}

export function createConversion(parts: {
  readonly state: MarginState;
  readonly claims: Claims;
  readonly name: (id: AccountId) => string;
}): Conversion {
  const { state, claims, name } = parts;
  const { assets, judged } = state.assets;

  /** How many units the fund buys to pay `most`, and what it pays: the difference of what is counted, so that rounding moves nothing. */
  function purchase(view: AssetView, held: bigint, most: bigint, fund: bigint) {
    const counted = (units: bigint): bigint => countedQuanta(view, units, view.maintenancePpm);
    const payFor = (units: bigint): bigint => counted(held) - counted(held - units);
    const wanted = minimum(unitsFor(view, minimum(most, fund)) ?? 0n, held);
    const units = payFor(wanted) > fund ? wanted - 1n : wanted;
    return { units, pay: payFor(units) };
  }

  function convertOne(
    ctx: WriteContext,
    id: AccountId,
    view: AssetView,
    owed: Owed,
    left: bigint | null,
  ): bigint {
    const { denom } = view.terms;
    const account = state.accounts.get(ctx, id);
    const asset = assets.get(ctx, denom);
    assert(account !== undefined && asset !== undefined, "conversion of what is not there");
    const held = unitsOf(account, denom);
    const all = countedQuanta(view, held, view.maintenancePpm);
    const purse = claims.purse(ctx, owed.need === null);
    const bought = purchase(view, held, minimum(left ?? all, all), purse);
    const { pay } = bought;
    // Of who is below zero nothing stays behind that is too little to count: it would keep a loss open that it can pay nothing of.
    const units = owed.need === null && view.price > 0n && pay === all ? held : bought.units;
    if (units === 0n || (pay === 0n && units !== held)) return 0n;
    if (pay > 0n) claims.buy(ctx, id, pay);
    const paid = state.accounts.get(ctx, id);
    assert(paid !== undefined, "a converted account is gone");
    const after = withUnits(paid, denom, -units);
    state.accounts.set(ctx, id, after);
    if (!isJudged(after) && judged.has(ctx, id)) judged.delete(ctx, id);
    assets.set(ctx, denom, withBought(asset, units, pay));
    emitCollateralConverted(ctx, { account: name(id), view, units, pay, ...owed });
    return pay;
  }

  /** Least haircut first, then by denom. */
  function convert(ctx: WriteContext, id: AccountId, views: MarketViews, owed: Owed): void {
    const account = state.accounts.get(ctx, id);
    const sellable = (account?.assets ?? []).flatMap(({ denom }) => {
      const view = views.asset?.(denom) ?? null;
      return view?.usable === true && view.maintenancePpm > 0n ? [view] : [];
    });
    sellable.sort((a, b) => compareBigints(b.maintenancePpm, a.maintenancePpm));
    let left = owed.need;
    for (const view of sellable) {
      if (left !== null && left <= 0n) return;
      const paid = convertOne(ctx, id, view, owed, left);
      if (left !== null) left -= paid;
    }
  }

  /** Null: it cannot be judged, or owes nothing. */
  function owedBy(ctx: WriteContext, id: AccountId, views: MarketViews) {
    const account = state.accounts.get(ctx, id);
    const health = account === undefined ? null : maintenanceHealth(account, views);
    if (account === undefined || health === null || health.cash >= 0n) return null;
    const { debtMax } = backingOf(account.assets, views.asset);
    const debt = -health.cash;
    const need = health.equity < 0n ? null : debt;
    return { account, equity: health.equity, need, debt, debtMax };
  }

  return {
    convertAll(ctx, id, views) {
      const owed = owedBy(ctx, id, views);
      if (owed === null || owed.account.assets.length === 0) return;
      const { debt, debtMax } = owed;
      convert(ctx, id, views, { need: null, debt, debtMax });
    },

    run(ctx, views) {
      const below: AccountId[] = [];
      let converted = 0;
      for (const { id } of owingTooMuch(ctx, state, views)) {
        const owed = owedBy(ctx, id, views);
        if (owed === null) continue;
        const { account, debt, debtMax, equity, need } = owed;
        if (debt > debtMax && converted < CONVERSIONS_PER_BLOCK_MAX) {
          converted += 1;
          convert(ctx, id, views, { need, debt, debtMax });
        }
        const holds = account.positions.some(({ lots }) => lots !== 0n);
        if (equity < 0n && !holds) below.push(id);
      }
      return below;
    },
  };
}
