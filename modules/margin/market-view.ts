/** What health needs of one market, read once and remembered for the length of one call. */
import type { ReadContext } from "../kit/context.ts";
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
