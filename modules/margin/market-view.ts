/** What health needs of one market. */
import type { ReadContext } from "../kit/context.ts";
import { remembered } from "../kit/remembered.ts";
import type { MarketId, MarketsPort, MarketTerms, PerLotLosses } from "./ports.ts";

export interface MarketView {
  readonly terms: MarketTerms;
  readonly markTicks: bigint;
  readonly fresh: boolean;
  readonly fundingIndex: bigint;
  /** Value of one lot at mark, quanta. */
  readonly quantaPerLot: bigint;
  /** What sizes, bands and bounds are measured by: the value, or for an option that of the underlying. */
  readonly notionalPerLot: bigint;
  /** Null: the tiers of the terms. */
  readonly losses: PerLotLosses | null;
}

/** undefined: unknown market, or no price yet. */
export type MarketViews = (market: MarketId) => MarketView | undefined;

/** The market trades: its price is fresh and nothing has stopped it. */
export function isClosable(view: MarketView | undefined): view is MarketView {
  return (
    view?.fresh === true && (view.terms.status === "active" || view.terms.status === "closeOnly")
  );
}

export function readView(
  ctx: ReadContext,
  markets: MarketsPort,
  market: MarketId,
): MarketView | undefined {
  const terms = markets.terms(ctx, market);
  if (terms === undefined) return undefined;
  const mark = markets.mark(ctx, market);
  if (mark === undefined) return undefined;
  return {
    terms,
    markTicks: mark.ticks,
    fresh: mark.fresh,
    fundingIndex: markets.fundingIndex(ctx, market),
    quantaPerLot: mark.quantaPerLot,
    notionalPerLot: mark.notionalPerLot,
    losses: mark.losses,
  };
}

/** Gas of one view in one call: about what a read costs, whether it was computed for this call or stood. */
const VIEW_GAS = 1_000;

type View = (ctx: ReadContext, market: MarketId) => MarketView | undefined;
const readers = new WeakMap<MarketsPort, View>();

/** Views outlive the call: all orders of a block are judged at the same marks. */
function rememberedView(markets: MarketsPort): View {
  let view = readers.get(markets);
  if (view === undefined) {
    view = remembered((ctx, market: MarketId) => readView(ctx, markets, market));
    readers.set(markets, view);
  }
  return view;
}

/** Valid while no mark, funding index or listing changes: within one message or one step. */
export function marketViews(ctx: ReadContext, markets: MarketsPort): MarketViews {
  const view = rememberedView(markets);
  const known = new Map<MarketId, MarketView | undefined>();
  return (market) => {
    if (known.has(market)) return known.get(market);
    ctx.gas.consume(VIEW_GAS, "MarketView");
    const found = view(ctx, market);
    known.set(market, found);
    return found;
  };
}
