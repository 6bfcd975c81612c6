/** How near an account's positions are to being deleveraged, before anyone is: its place among those on its side, and what a given need would close of it. */
import type { DeleverageRank } from "@keel/proto/gen/keel/margin/v1/waterfall";
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext } from "../../kit/context.ts";
import { minimum, mulDivDown } from "../../kit/math/mul-div.ts";
import type { MarketViews, ModelledMarkets } from "../health/market-view.ts";
import { marketViews } from "../health/market-view.ts";
import type { MarginState } from "../state.ts";
import { leveragePpm } from "./deleverage.ts";
import {
  allocateDeleveraging,
  type Counterparty,
  compareLeverage,
  lotsAbove,
} from "./deleverage-math.ts";
import { spared } from "./parties.ts";
import { type Holder, holdersOf } from "./sides.ts";

const LAMPS = 5n;

export function deleverageRanks(
  ctx: ReadContext,
  parts: { readonly state: MarginState; readonly markets: ModelledMarkets },
  id: AccountId,
  needed: bigint,
): DeleverageRank[] {
  const views = marketViews(ctx, parts.markets);
  const held = parts.state.accounts.get(ctx, id)?.positions ?? [];
  return held
    .filter(({ lots }) => lots !== 0n)
    .map(({ market, lots }) => rankOf(ctx, parts, views, { id, market, lots, needed }))
    .filter((rank) => rank !== null);
}

/** Null: the market has no price, or the account is itself below zero. */
function rankOf(
  ctx: ReadContext,
  parts: { readonly state: MarginState; readonly markets: ModelledMarkets },
  views: MarketViews,
  asked: {
    readonly id: AccountId;
    readonly market: number;
    readonly lots: bigint;
    readonly needed: bigint;
  },
): DeleverageRank | null {
  const view = views(asked.market);
  if (view === undefined) return null;
  const { deleverageSharePpm = 0, hedgesLast = false } =
    parts.state.waterfall.params.get(ctx) ?? {};
  const side = { view, long: asked.lots > 0n, hedgesLast };
  const holders = holdersOf(ctx, parts, views, side);
  const own = holders.find(({ id }) => id === asked.id);
  if (own === undefined) return null;
  const exposed = { ...own, lots: own.unhedged };
  const others = holders.filter(({ id }) => id !== asked.id);
  const ahead = others.filter((other) => compareLeverage(unhedged(other), exposed) < 0);
  const broke = ahead.filter(({ equity }) => equity === 0n);
  const lotsBefore =
    sum(broke.map(({ unhedged: lots }) => lots)) + lotsAbove(ahead.map(unhedged), exposed);
  const sideLots = sum(holders.map(({ lots }) => lots));
  const reached = sum(ahead.map(({ lots }) => lots));
  // 5 while less than a fifth of the side stands before it, and so on.
  const lamp = LAMPS - minimum(mulDivDown(reached, LAMPS, sideLots), LAMPS - 1n);
  return {
    market: view.terms.symbol,
    lots: asked.lots.toString(),
    unhedgedLots: own.unhedged.toString(),
    leveragePpm: own.equity === 0n ? "" : leveragePpm(exposed, view).toString(),
    rank: ahead.length + 1,
    accounts: holders.length,
    lotsBefore: (own.unhedged === 0n
      ? sum(others.map((one) => one.unhedged))
      : lotsBefore
    ).toString(),
    sideLots: sideLots.toString(),
    lamp: Number(lamp),
    closedLots: closedOf(holders, asked.id, asked.needed, deleverageSharePpm).toString(),
    proRataLots: mulDivDown(own.lots, minimum(asked.needed, sideLots), sideLots).toString(),
  };
}

/** At mark, where nobody's equity bounds its part: unhedged lots first, then the rest; of each a share of the position while that is enough. */
function closedOf(
  holders: readonly Holder[],
  id: AccountId,
  needed: bigint,
  sharePpm: number,
): bigint {
  let left = needed;
  let closed = 0n;
  const rest = new Map(holders.map((holder) => [holder.id, { ...holder }]));
  for (const of of [unhedged, whole]) {
    const parties = [...rest.values()].map(of).filter(({ cap }) => cap > 0n);
    if (left === 0n || parties.length === 0) continue;
    for (const part of allocateDeleveraging(spared(parties, left, sharePpm), left).parts) {
      const one = rest.get(part.id);
      if (one !== undefined) one.lots -= part.lots;
      left -= part.lots;
      if (part.id === id) closed += part.lots;
    }
  }
  return closed;
}

function unhedged({ id, unhedged: lots, equity }: Holder): Counterparty<AccountId> {
  return { id, lots, equity, cap: lots };
}

function whole({ id, lots, equity }: Holder): Counterparty<AccountId> {
  return { id, lots, equity, cap: lots };
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
