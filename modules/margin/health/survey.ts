/** A walk over the accounts with positions, some at a time: who holds what, and who is near being liquidated. */
import type { AccountId } from "../../kit/account-id.ts";
import { accountIdKey } from "../../kit/account-id.ts";
import type { ReadContext } from "../../kit/context.ts";
import { PPM } from "../../kit/math/mul-div.ts";
import { readOr } from "../../kit/read-or.ts";
import type { RiskArray } from "../portfolio/risk-array.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { maintenanceHealth } from "./health.ts";
import {
  type MarketView,
  type MarketViews,
  type ModelledMarkets,
  marketViews,
  withPortfolio,
} from "./market-view.ts";

export interface Surveyed {
  readonly id: AccountId;
  /** Equity is below the maintenance requirement × (1 + the given share). */
  readonly near: boolean;
  readonly positions: readonly { readonly market: MarketId; readonly lots: bigint }[];
}

/** A market that cannot be read has no view until the end of a block, which stops it: who measures must not stop all the others with it. */
function readable(views: MarketViews): MarketViews {
  const found = (market: MarketId): MarketView | undefined =>
    readOr(
      () => views(market),
      () => undefined,
    );
  const riskArray = (market: MarketId): RiskArray | null =>
    readOr(
      () => views.riskArray?.(market) ?? null,
      () => null,
    );
  return Object.assign(withPortfolio(found, views), { riskArray });
}

/** At most `count` accounts after `after` (null: from the first), in key order, so that an owner's stand together. */
export function surveyAccounts(
  ctx: ReadContext,
  state: MarginState,
  markets: ModelledMarkets,
  walk: { readonly after: AccountId | null; readonly count: number; readonly nearPpm: bigint },
): Surveyed[] {
  const views = readable(marketViews(ctx, markets));
  const out: Surveyed[] = [];
  const from = walk.after === null ? "" : `${accountIdKey.encode(walk.after)}\u0000`;
  state.active.eachBetween(ctx, from, undefined, (id) => {
    const account = state.accounts.get(ctx, id);
    if (account === undefined) return false;
    const health = maintenanceHealth(account, views);
    const near = health !== null && health.equity * PPM < health.maintenance * (PPM + walk.nearPpm);
    const positions = account.positions.filter(({ lots }) => lots !== 0n);
    out.push({ id, near, positions: positions.map(({ market, lots }) => ({ market, lots })) });
    return out.length >= walk.count;
  });
  return out;
}
