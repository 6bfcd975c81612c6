/**
 * The end of a block: positions of expired markets are settled, cash too far below zero is made good from collateral assets, then every account whose bound does not vouch for it (bounds/) is judged at the block's
 * final marks, those under water are liquidated (most under water first, inside the block's bounds), and whoever is then below zero stands in the deficit queue.
 */
import type { AccountId } from "../kit/account-id.ts";
import type { WriteContext } from "../kit/context.ts";
import { parseMoney } from "../kit/money.ts";
import { heldMarkets, shortOfMargin, shortSince } from "./bounds/branch-bounds.ts";
import type { Settlements } from "./clearing/settlement.ts";
import type { Conversion } from "./collateral-assets/conversion.ts";
import { contained } from "./contained.ts";
import type { Proposals } from "./custody/proposals.ts";
import { refreshSolvency } from "./custody/solvency.ts";
import type { MarketView, MarketViews, ModelledMarkets } from "./health/market-view.ts";
import { assetViews, isClosable, readRiskArray, readView } from "./health/market-view.ts";
import { DELEVERAGES_PER_BLOCK_MAX } from "./limits.ts";
import { Asked } from "./liquidation/asked.ts";
import type { LiquidationBudget } from "./liquidation/closing.ts";
import type { Sick } from "./liquidation/due.ts";
import type { Ladder } from "./liquidation/ladder.ts";
import { portfolioMarkets } from "./portfolio/held-markets.ts";
import type { RiskArray } from "./portfolio/risk-array.ts";
import type { MarketId } from "./ports.ts";
import type { MarginState } from "./state.ts";
import type { Advances } from "./waterfall/advances.ts";
import type { Deficits } from "./waterfall/deficits.ts";
import type { Endings } from "./waterfall/endings.ts";

/** Most under water first: ascending equity per requirement by cross-multiplication, then account id. */
export function compareSick(
  a: { readonly id: string; readonly equity: bigint; readonly maintenance: bigint },
  b: { readonly id: string; readonly equity: bigint; readonly maintenance: bigint },
): number {
  const left = a.equity * b.maintenance;
  const right = b.equity * a.maintenance;
  if (left !== right) return left < right ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

export function createEndBlock(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly ladder: Ladder;
  readonly deficits: Deficits;
  readonly settlements: Settlements;
  readonly proposals: Proposals;
  readonly conversion: Conversion;
  readonly endings: Endings;
  readonly advances: Advances;
}): (ctx: WriteContext) => void {
  const { state, markets, ladder, deficits, settlements, proposals, conversion } = parts;
  const { advances, endings } = parts;

  /**
   * Every market that someone holds is read once, in the order of ids, and the risk arrays of those that portfolio accounts hold; one that throws is
   * quarantined, and as such has a mark that needs no model. Nothing is read later, so which market falls first does not depend on who is judged.
   */
  function readViews(ctx: WriteContext): MarketViews {
    const views = new Map<MarketId, MarketView | undefined>();
    const arrays = new Map<MarketId, RiskArray | null>();
    const read: MarketViews = (market) => {
      if (views.has(market)) return views.get(market);
      let view: MarketView | undefined;
      const once = (): boolean =>
        contained(ctx, markets, market, (step) => {
          view = readView(step, markets, market);
        });
      if (!once()) once();
      views.set(market, view);
      return view;
    };
    const riskArray = (market: MarketId): RiskArray | null => {
      let array = arrays.get(market);
      if (array !== undefined) return array;
      array = null;
      contained(ctx, markets, market, (step) => {
        array = readRiskArray(step, markets, market);
      });
      arrays.set(market, array);
      return array;
    };
    const held = heldMarkets(ctx, state);
    for (const market of held) read(market);
    const modelled = portfolioMarkets(ctx, state);
    for (const market of held) if (modelled.has(market)) riskArray(market);
    return Object.assign(read, { riskArray, asset: assetViews(ctx, markets) });
  }

  /** `first`: of this block. Of the stranded, below zero, nothing can be closed. */
  function scan(
    ctx: WriteContext,
    views: MarketViews,
    first: boolean,
  ): { sick: Sick[]; stranded: Sick[]; negative: AccountId[] } {
    const sick: Sick[] = [];
    const stranded: Sick[] = [];
    const negative: AccountId[] = [];
    for (const { id, account, equity, maintenance } of shortOfMargin(ctx, state, views, first)) {
      if (equity < 0n) negative.push(id);
      const held = account.positions.filter(({ lots }) => lots !== 0n);
      const closable = held.find((position) => isClosable(views(position.market)));
      if (closable !== undefined) sick.push({ id, equity, maintenance, market: closable.market });
      else if (equity < 0n && held[0] !== undefined)
        stranded.push({ id, equity, maintenance, market: held[0].market });
    }
    return { sick: sick.sort(compareSick), stranded: stranded.sort(compareSick), negative };
  }

  /** Cash alone is worth the same at both. */
  function worthTheSame(ctx: WriteContext, before: MarketViews, now: MarketViews): boolean {
    if (state.assets.judged.size(ctx) > 0) return false;
    return heldMarkets(ctx, state).every((market) => {
      const [a, b] = [before(market), now(market)];
      return a?.quantaPerLot === b?.quantaPerLot && a?.fundingIndex === b?.fundingIndex;
    });
  }

  /** Who may be below zero by now, of those with positions. `known`: at the block's marks, before anything was closed. */
  function belowZero(
    ctx: WriteContext,
    before: MarketViews,
    now: MarketViews,
    known: readonly AccountId[],
  ): readonly AccountId[] {
    if (!worthTheSame(ctx, before, now)) return scan(ctx, now, false).negative;
    const written = shortSince(ctx, state, now).filter(({ equity }) => equity < 0n);
    return [...known, ...written.map(({ id }) => id)];
  }

  function drawUp(
    ctx: WriteContext,
    candidates: readonly AccountId[],
    views: MarketViews,
    tried: ReadonlySet<AccountId>,
  ): void {
    deficits.refresh(ctx, candidates, views);
    if (heldMarkets(ctx, state).some((market) => views(market) === undefined)) {
      deficits.gateUnjudged(ctx);
    }
    refreshSolvency(ctx, state, views, deficits.gateWithdrawals);
    endings.watch(ctx, views, tried);
  }

  return (ctx) => {
    proposals.prune(ctx);
    const quiet =
      state.active.size(ctx) === 0 &&
      state.assets.judged.size(ctx) === 0 &&
      state.deficits.size(ctx) === 0 &&
      state.unfilled.size(ctx) === 0 &&
      state.waterfall.endings.size(ctx) === 0 &&
      state.waterfall.advances.size(ctx) === 0 &&
      state.ladder.bids.size(ctx) === 0;
    if (quiet && !settlements.pending(ctx)) return;
    const params = state.params.require(ctx);
    const budget: LiquidationBudget = {
      notional: parseMoney(params.liquidationNotionalPerBlockMax) ?? 0n,
      deleverages: DELEVERAGES_PER_BLOCK_MAX,
      worked: false,
      tried: new Set(),
      throttle: null,
      closed: new Set(),
      asked: new Asked(),
      origins: new Map(),
      promised: new Map(),
    };
    deficits.recover(ctx);
    const settled = settlements.run(ctx);
    const views = readViews(ctx);
    ladder.measures.sample(ctx, views);
    const below = [...settled, ...conversion.run(ctx, views)];
    const owing = advances.reclaim(ctx, views);
    const { sick, stranded, negative } = scan(ctx, views, true);
    const turns = ladder.rounds.run(ctx, sick, views, budget);
    // Who has nothing but what funds have paid is wound up, be it short of a requirement or not.
    const judged = new Set([...sick, ...stranded].map(({ id }) => id));
    const others = owing.filter(({ id }) => !judged.has(id));
    ladder.bankruptcies.cover(ctx, { stranded, owing: others }, views, budget);
    if (!budget.worked && sick.length === 0) {
      drawUp(ctx, [...negative, ...below], views, budget.tried);
      return;
    }
    // Liquidations move money and may move marks: the queue is drawn up on what holds now.
    const now = readViews(ctx);
    const worked = [...turns, ...stranded, ...others].map(({ id }) => id);
    const known = belowZero(ctx, views, now, negative);
    drawUp(ctx, [...known, ...worked, ...below], now, budget.tried);
  };
}
