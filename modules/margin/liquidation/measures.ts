/** What the ladder measures of each market: the mark's moving average, the book's depth, the hour's volatility, and what liquidations have sold. */
import type { LadderTerms, MarketMeasure } from "@keel/proto/gen/keel/margin/v1/ladder";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { divFloor, maximum, minimum, mulDivDown, PPM } from "../../kit/math/mul-div.ts";
import { parseMoney } from "../../kit/money.ts";
import { heldMarkets } from "../bounds/branch-bounds.ts";
import { contained } from "../contained.ts";
import type { MarketView, MarketViews, ModelledMarkets } from "../health/market-view.ts";
import { isClosable, withPortfolio } from "../health/market-view.ts";
import type { MarketId, Side } from "../ports.ts";
import type { MarginState } from "../state.ts";
import {
  averageQuanta,
  countedDepth,
  flowCapacity,
  flowUsed,
  measured,
  warmedPpm,
} from "./measure.ts";

/** Not oftener than this, whatever the blocks do. */
const SAMPLE_MS = 1_000n;

export interface Flow {
  /** Of the side of the book that takes it; quanta. */
  readonly depth: bigint;
  readonly capacity: bigint;
  readonly left: bigint;
}

export interface Measures {
  /** Once a block, before anyone is judged. Without terms what was measured is dropped. */
  sample(ctx: WriteContext, views: MarketViews): void;
  /** The markets at their average values, for the second key; null: there is no second key. */
  averages(ctx: ReadContext, views: MarketViews): MarketViews | null;
  /** Variance of an hour, × 2^64. */
  variance(ctx: ReadContext, market: MarketId): bigint;
  /** For liquidations on `side`: of the depth that takes them, how much may be given now. */
  flow(ctx: ReadContext, view: MarketView, side: Side, terms: LadderTerms): Flow;
  /** Takes off what time has forgiven: before the first of a block is spent. */
  forgive(ctx: WriteContext, view: MarketView, flows: Readonly<Record<Side, Flow>>): void;
  /** Liquidations on `side` took this much notional out of the book. `most`: counted no further than to this; null: all of it. */
  spend(
    ctx: WriteContext,
    market: MarketId,
    taken: { readonly side: Side; readonly notional: bigint; readonly most: bigint | null },
  ): void;
}

export function nowMs(ctx: ReadContext): bigint {
  return divFloor(ctx.header.timeNs, 1_000_000n);
}

export function createMeasures(state: MarginState, markets: ModelledMarkets): Measures {
  const { measures } = state.ladder;

  /** Notional that rests on `book` within the range of the mark; quanta. */
  function depthNow(ctx: ReadContext, view: MarketView, book: Side, terms: LadderTerms): bigint {
    const { quantaPerTickLot } = view.terms;
    const range = mulDivDown(view.notionalPerLot, terms.depthRangePpm, PPM * quantaPerTickLot);
    const limitTicks =
      book === "sell" ? view.markTicks + range : maximum(view.markTicks - range, 1n);
    const lots = markets.depthLots(ctx, { market: view.terms.id, side: book, limitTicks });
    return lots * view.notionalPerLot;
  }

  function sampleOne(ctx: WriteContext, view: MarketView, terms: LadderTerms): void {
    const market = view.terms.id;
    const known = measures.get(ctx, market);
    const timeMs = nowMs(ctx);
    if (known !== undefined && timeMs - known.sampledMs < SAMPLE_MS) return;
    const next = measured(terms, known, market, {
      timeMs,
      quantaPerLot: view.quantaPerLot,
      notionalPerLot: view.notionalPerLot,
      bidDepth: depthNow(ctx, view, "buy", terms),
      askDepth: depthNow(ctx, view, "sell", terms),
    });
    measures.set(ctx, market, next);
  }

  function drop(ctx: WriteContext): void {
    if (measures.size(ctx) === 0) return;
    const all: MarketId[] = [];
    measures.each(ctx, (market) => void all.push(market));
    for (const market of all) measures.delete(ctx, market);
  }

  /** No clip is smaller, be it one lot. */
  function leastClip(ctx: ReadContext, view: MarketView): bigint {
    const least = parseMoney(state.params.require(ctx).liquidationNotionalMin) ?? 0n;
    return maximum(least, view.notionalPerLot);
  }

  function depthOf(
    ctx: ReadContext,
    view: MarketView,
    book: Side,
    terms: LadderTerms,
    known: MarketMeasure | undefined,
  ): bigint {
    // Nothing is known of what could not be measured.
    if (known === undefined) return 0n;
    const now = depthNow(ctx, view, book, terms);
    const average = BigInt(book === "buy" ? known.bidDepth : known.askDepth);
    const seen = mulDivDown(average, warmedPpm(terms, known, nowMs(ctx)), PPM);
    return countedDepth(now, seen, terms.depthCountedPpm);
  }

  return {
    sample(ctx, views) {
      const terms = state.params.require(ctx).ladder;
      if (terms === undefined) {
        drop(ctx);
        return;
      }
      for (const market of heldMarkets(ctx, state)) {
        const view = views(market);
        if (isClosable(view)) {
          contained(ctx, markets, market, (step) => sampleOne(step, view, terms));
        }
      }
    },

    averages(ctx, views) {
      const terms = state.params.require(ctx).ladder;
      if (terms === undefined || terms.averageMs === 0n) return null;
      const made = new Map<MarketId, MarketView | undefined>();
      const read: MarketViews = (market) => {
        if (made.has(market)) return made.get(market);
        const view = views(market);
        const measure = view === undefined ? undefined : measures.get(ctx, market);
        // Where nothing is measured now an average would follow nothing: it counts at its last mark, as everywhere.
        const average = measure !== undefined && isClosable(view) ? at(view, measure) : view;
        made.set(market, average);
        return average;
      };
      return withPortfolio(read, views);
    },

    variance: (ctx, market) => BigInt(measures.get(ctx, market)?.variance ?? "0"),

    flow(ctx, view, side, terms) {
      const known = measures.get(ctx, view.terms.id);
      const depth = depthOf(ctx, view, side === "sell" ? "buy" : "sell", terms, known);
      const capacity = flowCapacity(terms, depth, leastClip(ctx, view));
      const used =
        known === undefined ? 0n : flowUsed(terms, known, { side, capacity, nowMs: nowMs(ctx) });
      return { depth, capacity, left: maximum(capacity - used, 0n) };
    },

    forgive(ctx, view, flows) {
      const terms = state.params.require(ctx).ladder;
      const known = measures.get(ctx, view.terms.id);
      if (terms === undefined || known === undefined) return;
      if (known.sold === "0" && known.bought === "0") return;
      const time = nowMs(ctx);
      const used = (side: Side): string =>
        flowUsed(terms, known, { side, capacity: flows[side].capacity, nowMs: time }).toString();
      measures.set(ctx, view.terms.id, {
        ...known,
        sold: used("sell"),
        bought: used("buy"),
        flowMs: time,
      });
    },

    spend(ctx, market, { most, notional, side }) {
      const known = measures.get(ctx, market);
      if (known === undefined) return;
      const { bought, sold } = known;
      const after = (used: string): string => {
        const whole = BigInt(used) + notional;
        return (most === null ? whole : maximum(BigInt(used), minimum(whole, most))).toString();
      };
      measures.set(ctx, market, {
        ...known,
        sold: side === "sell" ? after(sold) : sold,
        bought: side === "buy" ? after(bought) : bought,
        flowMs: nowMs(ctx),
      });
    },
  };
}

/** A lot at its average value; a share of the notional is one of that, too. Losses per lot are of now. */
function at(view: MarketView, measure: MarketMeasure): MarketView {
  const quantaPerLot = averageQuanta(measure);
  if (view.losses !== null) return { ...view, quantaPerLot };
  return { ...view, quantaPerLot, notionalPerLot: quantaPerLot };
}
