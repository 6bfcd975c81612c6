/** What health needs of one market. */
import type { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import type { ReadContext } from "../../kit/context.ts";
import { remembered } from "../../kit/remembered.ts";
import type { AssetViews } from "../collateral-assets/backing.ts";
import type { AssetView } from "../collateral-assets/valuation.ts";
import type { RiskArray } from "../portfolio/risk-array.ts";
import type { MarketId, MarketsPort, MarketTerms, PerLotLosses, PriceStage } from "../ports.ts";

export interface MarketView {
  readonly terms: MarketTerms;
  readonly markTicks: bigint;
  /** Accounts are judged and trades cleared at it; whether a trade may add risk is the venue's to say. */
  readonly fresh: boolean;
  /** Narrower than that: no withdrawal against the market, or no liquidation in it, for now. */
  readonly stage?: PriceStage | undefined;
  readonly fundingIndex: bigint;
  /** Value of one lot at mark, quanta. */
  readonly quantaPerLot: bigint;
  /** What sizes, bands and bounds are measured by: the value, or for an option that of the underlying. */
  readonly notionalPerLot: bigint;
  /** Null: the tiers of the terms. */
  readonly losses: PerLotLosses | null;
}

/** Markets as margin's own code asks them: with what the margin model in state makes of them. */
export interface ModelledMarkets extends MarketsPort {
  model(ctx: ReadContext): PortfolioModel | undefined;
  /** Null: the model says nothing of it, or it has no price. */
  riskArray(ctx: ReadContext, market: MarketId, model: PortfolioModel): RiskArray | null;
  /** Collateral beside the settlement asset, at present prices; null: it is none. */
  asset(ctx: ReadContext, denom: string): AssetView | null;
}

export interface MarketViews {
  /** undefined: unknown market, or no price yet. */
  (market: MarketId): MarketView | undefined;
  /** What a lot makes in each scenario of the margin model; null: there is no model, or none for this market. Asked of portfolio accounts alone. */
  readonly riskArray?: (market: MarketId) => RiskArray | null;
  /** Asked of accounts that hold assets alone. */
  readonly asset?: AssetViews;
}

/** Positions are liquidated in it now: its price allows it and nothing has stopped the market. */
export function isClosable(view: MarketView | undefined): view is MarketView {
  if (view === undefined || !(view.stage?.liquidates ?? view.fresh)) return false;
  return view.terms.status === "active" || view.terms.status === "closeOnly";
}

/** A price it is valued by is too old to let collateral go. */
export function holdsBack(
  positions: readonly { readonly market: MarketId; readonly lots: bigint }[],
  views: MarketViews,
): boolean {
  return positions.some(
    ({ market, lots }) => lots !== 0n && views(market)?.stage?.withdraws === false,
  );
}

export function readView(
  ctx: ReadContext,
  markets: ModelledMarkets,
  market: MarketId,
): MarketView | undefined {
  const terms = markets.terms(ctx, market);
  if (terms === undefined) return undefined;
  const mark = markets.mark(ctx, market);
  if (mark === undefined) return undefined;
  return {
    terms,
    markTicks: mark.ticks,
    fresh: mark.stage?.reduces ?? mark.fresh,
    stage: mark.stage,
    fundingIndex: markets.fundingIndex(ctx, market),
    quantaPerLot: mark.quantaPerLot,
    notionalPerLot: mark.notionalPerLot,
    losses: mark.losses,
  };
}

export function readRiskArray(
  ctx: ReadContext,
  markets: ModelledMarkets,
  market: MarketId,
): RiskArray | null {
  const model = markets.model(ctx);
  return model === undefined ? null : markets.riskArray(ctx, market, model);
}

/** Gas of one view, and of one risk array, in one call: about what a read costs, whether it was computed for this call or stood. */
const VIEW_GAS = 1_000;

interface Readers {
  readonly view: (ctx: ReadContext, market: MarketId) => MarketView | undefined;
  readonly riskArray: (ctx: ReadContext, market: MarketId) => RiskArray | null;
}
const readers = new WeakMap<ModelledMarkets, Readers>();

/** Views outlive the call: all orders of a block are judged at the same marks. */
function rememberedReaders(markets: ModelledMarkets): Readers {
  let known = readers.get(markets);
  if (known === undefined) {
    known = {
      view: remembered((ctx, market: MarketId) => readView(ctx, markets, market)),
      riskArray: remembered((ctx, market: MarketId) => readRiskArray(ctx, markets, market)),
    };
    readers.set(markets, known);
  }
  return known;
}

/** Other views of the markets, with the same risk arrays and assets. */
export function withPortfolio(read: MarketViews, { asset, riskArray }: MarketViews): MarketViews {
  return Object.assign(
    read,
    riskArray === undefined ? {} : { riskArray },
    asset === undefined ? {} : { asset },
  );
}

/** Assets as they stand, each read once. */
export function assetViews(ctx: ReadContext, markets: ModelledMarkets): AssetViews {
  const known = new Map<string, AssetView | null>();
  return (denom) => {
    let view = known.get(denom);
    if (view === undefined) {
      view = markets.asset(ctx, denom);
      known.set(denom, view);
    }
    return view;
  };
}

/** Valid while no mark, funding index or listing changes: within one message or one step. */
export function marketViews(ctx: ReadContext, markets: ModelledMarkets): MarketViews {
  const { view, riskArray } = rememberedReaders(markets);
  const known = new Map<MarketId, MarketView | undefined>();
  /** Made when a portfolio asks: most orders come from no portfolio. */
  let arrays: Map<MarketId, RiskArray | null> | null = null;
  const views = (market: MarketId): MarketView | undefined => {
    if (known.has(market)) return known.get(market);
    ctx.gas.consume(VIEW_GAS, "MarketView");
    const found = view(ctx, market);
    known.set(market, found);
    return found;
  };
  let assets: AssetViews | null = null;
  views.asset = (denom: string): AssetView | null => {
    assets ??= assetViews(ctx, markets);
    return assets(denom);
  };
  views.riskArray = (market: MarketId): RiskArray | null => {
    arrays ??= new Map();
    let found = arrays.get(market);
    if (found === undefined) {
      ctx.gas.consume(VIEW_GAS, "RiskArray");
      found = riskArray(ctx, market);
      arrays.set(market, found);
    }
    return found;
  };
  return views;
}
