/** The bounds of debt: cash below zero by no more than assets that can be sold allow. What is required of an account has no part in it. */
import type { AccountId } from "../../kit/account-id.ts";
import { WAD } from "../../kit/math/fixed-point.ts";
import { absolute, divCeil, divFloor, PPM } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import { backingOf } from "../collateral-assets/backing.ts";
import { isJudged } from "../collateral-assets/state.ts";
import { cashOf } from "../health/health.ts";
import type { MarketViews } from "../health/market-view.ts";
import { Bounds, type Rule } from "./bounds.ts";
import { profitOf } from "./market-path.ts";
import type { Paths } from "./paths.ts";
import type { Shares } from "./shares.ts";

/** Owes more than it may. Whoever has equity below zero is among them: assets count for maintenance no less than for debt. */
export interface Owing {
  readonly id: AccountId;
}

function waits(account: Account, views: MarketViews, paths: Paths, shares: Shares): boolean {
  for (const { lots, market } of account.positions) {
    if (lots === 0n) continue;
    const path = paths.market(market, views);
    const side = lots < 0n ? path.short : path.long;
    const view = views(market);
    if (view === undefined) shares.only(side);
    else shares.lots(side, absolute(lots), view.notionalPerLot);
  }
  for (const { denom, units } of account.assets) {
    const { side } = paths.asset(denom, views.asset);
    const view = views.asset?.(denom) ?? null;
    if (view === null) {
      shares.only(side);
      continue;
    }
    const { decimals } = view.terms;
    shares.units(side, units, view.price, decimals);
    // Rounded twice, and the level with them.
    shares.keepBack(2n + divCeil(units, 10n ** BigInt(decimals) * WAD));
  }
  return shares.bound;
}

const CASH: Rule<Owing> = {
  concerns: isJudged,
  judge(id, account, views) {
    const cash = cashOf(account, views);
    if (cash === null) return null;
    const over = cash + backingOf(account.assets, views.asset).debtMax;
    return over < 0n ? { id } : over;
  },
  measures: {
    gain: (from, to, side) => profitOf(from, to, side) * PPM,
    counted: ({ maintenancePpm, price, terms, usable }) =>
      usable ? divFloor(price * maintenancePpm * terms.debtPpm, PPM) : 0n,
  },
  waits,
};

export class CashBounds extends Bounds<Owing> {
  constructor() {
    super(CASH);
  }
}
