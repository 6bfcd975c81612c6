/** What health needs of one market, read once and remembered for the length of one call. */
import type { ReadContext } from "../kit/context.ts";
import type { MarketId, MarketsPort, MarketTerms } from "./ports.ts";

export interface MarketView {
  readonly terms: MarketTerms;
  readonly markTicks: bigint;
  readonly fresh: boolean;
  readonly fundingIndex: bigint;
  /** Value of one lot at mark, quanta. */
  readonly quantaPerLot: bigint;
}

/** undefined: unknown market, or no price yet. */
export type MarketViews = (market: MarketId) => MarketView | undefined;

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
    quantaPerLot: mark.ticks * terms.quantaPerTickLot,
  };
}

/** Valid while no mark, funding index or listing changes: within one message or one step. */
export function marketViews(ctx: ReadContext, markets: MarketsPort): MarketViews {
  // Most accounts are in one market, or few: a list is searched faster than a map is made.
  const known: MarketId[] = [];
  const views: (MarketView | undefined)[] = [];
  return (market) => {
    const at = known.indexOf(market);
    if (at >= 0) return views[at];
    const view = readView(ctx, markets, market);
    known.push(market);
    views.push(view);
    return view;
  };
}
