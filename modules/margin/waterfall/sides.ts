/** The accounts on one side of a market, as deleveraging sees them. */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { absolute, maximum, minimum, mulDivDown } from "../../kit/math/mul-div.ts";
import type { Account, Position } from "../account-codec.ts";
import { findPosition } from "../clearing/fill.ts";
import { maintenanceHealth, positionValue } from "../health/health.ts";
import type { MarketView, MarketViews, ModelledMarkets } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { moveOfLot } from "./shocks.ts";

export interface Holder {
  readonly id: AccountId;
  /** Positive, as the next. */
  readonly lots: bigint;
  /** Without those that an opposite position of the account in the same underlying hedges. */
  readonly unhedged: bigint;
  /** ≥ 0. */
  readonly equity: bigint;
}

/** By how much one lot gains when the underlying rises, per ppm of ± 1 %: only compared with others of the same feed. */
const HEDGE_MOVE_PPM = 10_000n;

/** What a lot of each market gains between a fall and a rise of its underlying by 1 %; remembered for the call. */
export function lotDeltas(
  ctx: ReadContext,
  markets: ModelledMarkets,
  views: MarketViews,
): (market: MarketId) => bigint {
  const known = new Map<MarketId, bigint>();
  return (market) => {
    let delta = known.get(market);
    if (delta === undefined) {
      const view = views(market);
      delta =
        view === undefined
          ? 0n
          : moveOfLot(ctx, markets, view, HEDGE_MOVE_PPM) -
            moveOfLot(ctx, markets, view, -HEDGE_MOVE_PPM);
      known.set(market, delta);
    }
    return delta;
  };
}

/** Of a position's lots those that the account's other positions in the same underlying do not offset, rounded down. */
export function unhedgedLots(
  account: Account,
  position: Position,
  view: MarketView,
  views: MarketViews,
  deltaOf: (market: MarketId) => bigint,
): bigint {
  const lots = absolute(position.lots);
  const own = position.lots * deltaOf(position.market);
  if (own === 0n) return lots;
  let net = 0n;
  for (const other of account.positions) {
    if (other.lots === 0n) continue;
    if (views(other.market)?.terms.feedId !== view.terms.feedId) continue;
    net += other.lots * deltaOf(other.market);
  }
  if (net === 0n || net > 0n !== own > 0n) return 0n;
  return minimum(lots, mulDivDown(lots, absolute(net), absolute(own)));
}

/** What the account's positions in these markets stand to gain at mark. */
export function gainedIn(
  account: Account,
  views: MarketViews,
  isStopped: (market: MarketId) => boolean,
): bigint {
  let gained = 0n;
  for (const position of account.positions) {
    if (position.lots === 0n || !isStopped(position.market)) continue;
    const view = views(position.market);
    if (view !== undefined) gained += maximum(positionValue(position, view), 0n);
  }
  return gained;
}

/** All with lots on the side and no less than no equity, in key order: a scan of all accounts, for who asks outside the block's work (which asks side-books.ts). */
export function holdersOf(
  ctx: ReadContext,
  parts: { readonly state: MarginState; readonly markets: ModelledMarkets },
  views: MarketViews,
  side: {
    readonly view: MarketView;
    readonly long: boolean;
    readonly hedgesLast: boolean;
  },
): Holder[] {
  const { view, long, hedgesLast } = side;
  const deltaOf = lotDeltas(ctx, parts.markets, views);
  const stopped = parts.state.waterfall.endings;
  const found: Holder[] = [];
  parts.state.active.each(ctx, (id) => {
    const account = parts.state.accounts.get(ctx, id);
    assert(account !== undefined, "an active account has no record");
    const position = findPosition(account, view.terms.id);
    if (position === undefined || position.lots === 0n || position.lots > 0n !== long) return;
    // What it has gained in a market that a loss has stopped may not be there.
    const equity =
      (maintenanceHealth(account, views)?.equity ?? -1n) -
      gainedIn(account, views, (market) => stopped.has(ctx, market));
    if (equity < 0n) return;
    const lots = absolute(position.lots);
    const unhedged = hedgesLast ? unhedgedLots(account, position, view, views, deltaOf) : lots;
    found.push({ id, lots, unhedged, equity });
  });
  return found;
}
