/** What an account's assets count for its margin. Pure. */

import { mulDivDown, PPM } from "../../kit/math/mul-div.ts";
import type { AssetHolding } from "../account-codec.ts";
import { type AssetView, countedQuanta } from "./valuation.ts";

/** Null: no collateral any more, or unknown. */
export type AssetViews = (denom: string) => AssetView | null;

/** Quanta. */
export interface Backing {
  /** Part of equity. */
  readonly maintenance: bigint;
  /** At most that. */
  readonly initial: bigint;
  /** How far below zero settlement cash may be. */
  readonly debtMax: bigint;
}

export const NO_BACKING: Backing = { maintenance: 0n, initial: 0n, debtMax: 0n };

export function backingOf(assets: readonly AssetHolding[], views: AssetViews | undefined): Backing {
  if (assets.length === 0 || views === undefined) return NO_BACKING;
  let maintenance = 0n;
  let initial = 0n;
  let debtMax = 0n;
  for (const { denom, units } of assets) {
    const view = views(denom);
    if (view === null) continue;
    const counted = countedQuanta(view, units, view.maintenancePpm);
    maintenance += counted;
    initial += countedQuanta(view, units, view.initialPpm);
    if (view.usable) debtMax += mulDivDown(counted, view.terms.debtPpm, PPM);
  }
  return { maintenance, initial, debtMax };
}
