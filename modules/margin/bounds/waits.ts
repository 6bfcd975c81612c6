/** On which levels an account's health depends, and by how much: one for each of its positions, and one for each asset that backs it. */
import { absolute } from "../../kit/math/mul-div.ts";
import type { Account, AssetHolding, Position } from "../account-codec.ts";
import type { MarketView, MarketViews } from "../health/market-view.ts";
import type { Paths } from "./paths.ts";
import type { Shares } from "./shares.ts";

/** By what the slack is shared: the value that moves. A lot that was paid in full can lose no more than its requirement, which is its value. */
function weightOf(view: MarketView, lots: bigint): bigint {
  if (view.losses === null) return view.quantaPerLot;
  return lots < 0n ? view.notionalPerLot : 0n;
}

function plainPosition(
  { lots, market }: Position,
  views: MarketViews,
  paths: Paths,
  shares: Shares,
): void {
  const path = paths.market(market, views);
  const side = lots < 0n ? path.short : path.long;
  const view = views(market);
  if (view === undefined) return shares.only(side);
  shares.lots(side, absolute(lots), weightOf(view, lots));
  // Its requirement was rounded up, and may be again.
  if (view.losses === null) shares.keepBack(1n);
}

function backing(
  assets: readonly AssetHolding[],
  views: MarketViews,
  paths: Paths,
  shares: Shares,
): void {
  for (const { denom, units } of assets) {
    const { side } = paths.asset(denom, views.asset);
    const view = views.asset?.(denom) ?? null;
    if (view === null) {
      shares.only(side);
      continue;
    }
    shares.units(side, units, view.price, view.terms.decimals);
    shares.keepBack(1n);
  }
}

/** Into shares that were begun with what the account has over. False: it has to be looked at all the time. */
export function waitsOf(
  account: Account,
  views: MarketViews,
  paths: Paths,
  shares: Shares,
): boolean {
  if (account.portfolio) return false;
  for (const position of account.positions) {
    if (position.lots !== 0n) plainPosition(position, views, paths, shares);
  }
  if (account.assets.length > 0) backing(account.assets, views, paths, shares);
  return shares.bound;
}
