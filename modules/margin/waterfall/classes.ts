/** Which risk class a market belongs to: that of its feed, so that what is listed on an underlying later belongs without being named. */
import type { WaterfallParams } from "@keel/proto/gen/keel/margin/v1/waterfall";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { remembered } from "../../kit/remembered.ts";
import type { MarketId, MarketsPort } from "../ports.ts";
import type { WaterfallState } from "./state.ts";

export interface RiskClasses {
  /** Some feed has one. */
  any(ctx: ReadContext): boolean;
  /** Empty: none, the shared fund's. */
  ofFeed(ctx: ReadContext, feedId: number): string;
  of(ctx: ReadContext, market: MarketId): string;
  /** Counts a trade's fees, less rebates, for the market's class. */
  noteFees(ctx: WriteContext, market: MarketId, quanta: bigint): void;
}

const byFeed = new WeakMap<WaterfallParams, ReadonlyMap<number, string>>();

function classesOf(params: WaterfallParams): ReadonlyMap<number, string> {
  let known = byFeed.get(params);
  if (known === undefined) {
    known = new Map(params.feeds.map(({ feedId, riskClass }) => [feedId, riskClass]));
    byFeed.set(params, known);
  }
  return known;
}

export function createRiskClasses(
  state: WaterfallState,
  markets: Pick<MarketsPort, "terms">,
): RiskClasses {
  // Asked with every fill.
  const paramsOf = remembered((ctx, _all: "") => state.params.get(ctx) ?? null);
  const any = (ctx: ReadContext): boolean => (paramsOf(ctx, "")?.feeds.length ?? 0) > 0;

  function ofFeed(ctx: ReadContext, feedId: number): string {
    const params = paramsOf(ctx, "");
    return params === null ? "" : (classesOf(params).get(feedId) ?? "");
  }

  function of(ctx: ReadContext, market: MarketId): string {
    const feedId = any(ctx) ? markets.terms(ctx, market)?.feedId : undefined;
    return feedId === undefined ? "" : ofFeed(ctx, feedId);
  }

  return {
    any,
    ofFeed,
    of,
    noteFees(ctx, market, quanta) {
      if (quanta === 0n) return;
      const riskClass = of(ctx, market);
      if (riskClass === "") return;
      const fees = (state.classFees.get(ctx, riskClass) ?? 0n) + quanta;
      if (fees === 0n) state.classFees.delete(ctx, riskClass);
      else state.classFees.set(ctx, riskClass, fees);
    },
  };
}
