/**
 * How much of each account one block may push into the books. Drawn up once, before the first is closed: what the flow of a market's side has left,
 * shared among those who have to close there by what they are short of. Accounts below zero are not held back, since what the book does not take of them
 * is put on others; but what they sell is flow, up to all that a window gives.
 */
import type { LadderTerms } from "@keel/proto/gen/keel/margin/v1/ladder";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { absolute, divFloor, maximum, minimum } from "../../kit/math/mul-div.ts";
import { contained } from "../contained.ts";
import {
  isClosable,
  type MarketView,
  type MarketViews,
  type ModelledMarkets,
} from "../health/market-view.ts";
import type { MarketId, Side } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { emitThrottled } from "./events.ts";
import { type Claimant, shareFlow } from "./ladder-math.ts";
import type { Flow, Measures } from "./measures.ts";

/** Someone who has to close, with what of each position. */
export interface Closer {
  readonly id: AccountId;
  readonly equity: bigint;
  readonly maintenance: bigint;
  readonly wanted: readonly { readonly market: MarketId; readonly lots: bigint }[];
}

export interface Throttle {
  /** Lots that may still be closed at the book in this block; null: no bound. */
  allowance(id: AccountId, market: MarketId, side: Side): bigint | null;
  /** Of the side of the book that takes it, when the block began; quanta. */
  depth(market: MarketId, side: Side): bigint;
  spend(ctx: WriteContext, close: Spent): void;
}

export interface Spent {
  readonly id: AccountId;
  readonly view: MarketView;
  readonly side: Side;
  readonly lots: bigint;
}

/** What closes a position: lots long positive. */
export function closingSide(lots: bigint): Side {
  return lots > 0n ? "sell" : "buy";
}

export function createThrottle(
  ctx: WriteContext,
  parts: {
    readonly state: MarginState;
    readonly markets: ModelledMarkets;
    readonly measures: Measures;
  },
  terms: LadderTerms,
  closers: readonly Closer[],
  views: MarketViews,
): Throttle {
  const { markets, measures, state } = parts;
  const least = BigInt(state.params.require(ctx).liquidationNotionalMin);
  const flows = new Map<MarketId, Readonly<Record<Side, Flow>>>();
  const shares = new Map<string, Map<AccountId, bigint>>();
  const keyOf = (market: MarketId, side: Side): string => `${side}${market}`;

  function share(step: WriteContext, view: MarketView, side: Side, flow: Flow): void {
    const market = view.terms.id;
    const claimants: Claimant<AccountId>[] = [];
    for (const { equity, id, maintenance, wanted } of closers) {
      const part = wanted.find((one) => one.market === market);
      if (part === undefined || part.lots === 0n || closingSide(part.lots) !== side) continue;
      if (equity < 0n) continue;
      claimants.push({ id, wanted: absolute(part.lots), weight: maintenance - equity });
    }
    if (claimants.length === 0) return;
    const available = divFloor(flow.left, view.notionalPerLot);
    const clip = maximum(divFloor(minimum(least, flow.capacity), view.notionalPerLot), 1n);
    const given = new Map(shareFlow(available, claimants, clip));
    shares.set(keyOf(market, side), given);
    const wanted = claimants.reduce((sum, one) => sum + one.wanted, 0n);
    if (wanted <= available) return;
    emitThrottled(step, {
      market: view.terms.symbol,
      side,
      wantedLots: wanted,
      availableLots: available,
      accounts: claimants.length,
      waiting: claimants.filter(({ id }) => (given.get(id) ?? 0n) === 0n).length,
      flow,
    });
  }

  const held = new Set(closers.flatMap(({ wanted }) => wanted.map(({ market }) => market)));
  for (const market of [...held].sort((a, b) => a - b)) {
    const view = views(market);
    if (!isClosable(view) || view.notionalPerLot <= 0n) continue;
    contained(ctx, markets, market, (step) => {
      const flow = {
        sell: measures.flow(step, view, "sell", terms),
        buy: measures.flow(step, view, "buy", terms),
      };
      measures.forgive(step, view, flow);
      flows.set(market, flow);
      if (terms.flowPpm === 0n) return;
      share(step, view, "sell", flow.sell);
      share(step, view, "buy", flow.buy);
    });
  }

  return {
    allowance(id, market, side) {
      if (terms.flowPpm === 0n) return null;
      return shares.get(keyOf(market, side))?.get(id) ?? 0n;
    },
    depth: (market, side) => flows.get(market)?.[side].depth ?? 0n,
    spend(step, { id, lots, side, view }) {
      const market = view.terms.id;
      const given = shares.get(keyOf(market, side));
      const before = given?.get(id);
      if (given !== undefined && before !== undefined) {
        given.set(id, maximum(before - lots, 0n));
      }
      // Who was given nothing is below zero: what is sold of it keeps others waiting for one window, not for as many as it fills.
      const isFree = before === undefined && terms.flowPpm > 0n;
      const most = isFree ? (flows.get(market)?.[side].capacity ?? null) : null;
      measures.spend(step, market, { side, notional: lots * view.notionalPerLot, most });
    },
  };
}
