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
  const known = new Map<MarketId, MarketView | undefined>();
  return (market) => {
    if (known.has(market)) return known.get(market);
    const view = readView(ctx, markets, market);
    known.set(market, view);
    return view;
  };
}
