/** Price ranges: each market's price is measured against its rules at the begin of a block, before anyone trades at it. */
import {
  RestrictionLevel as Level,
  type MarketRules,
  type PriceRange,
  RestrictionSource as Source,
} from "@keel/proto/gen/keel/guard/v1/types";
import type { WriteContext } from "../kit/context.ts";
import { quantities } from "../kit/explanation.ts";
import { WAD } from "../kit/math/fixed-point.ts";
import { divCeil, maximum, PPM } from "../kit/math/mul-div.ts";
import { emit, nowMs, remember } from "./events.ts";
import type { GuardPorts, MarketId } from "./ports.ts";
import { moveOf, type RangeMove, watched } from "./range.ts";
import { tighten } from "./restrictions.ts";
import { ALL_MARKETS, type GuardState } from "./state.ts";

export interface Parts {
  readonly state: GuardState;
  readonly ports: GuardPorts;
}

type Market = NonNullable<ReturnType<GuardPorts["venue"]["terms"]>> & { readonly id: MarketId };

/** Of the rule, or of its deviations at the volatility that is measured, if those are more. */
function limitOf(ctx: WriteContext, { ports }: Parts, market: Market, range: PriceRange): bigint {
  const { deviationsPpm, horizonMs, limitPpm } = range;
  if (deviationsPpm === 0n) return limitPpm;
  const wide = ports.volatility.rangeOver(ctx, market.feedId, { deviationsPpm, horizonMs });
  return wide === null ? limitPpm : maximum(limitPpm, divCeil(wide * PPM, WAD));
}

/** Collects for an auction, or where the market has none is halted for as long. */
function stop(
  ctx: WriteContext,
  { ports, state }: Parts,
  market: Market,
  range: PriceRange,
  cause: string,
): "auction" | "halt" | "none" {
  const { auctionMs } = range;
  if (auctionMs === 0n) return "none";
  if (ports.venue.callAuction(ctx, market.id, Number(auctionMs), "price_range")) return "auction";
  tighten(ctx, state, market.id, {
    source: Source.RESTRICTION_SOURCE_RANGE_HALT,
    level: Level.RESTRICTION_LEVEL_HALTED,
    untilMs: nowMs(ctx) + auctionMs,
    cause,
  });
  return "halt";
}

function trip(
  ctx: WriteContext,
  parts: Parts,
  market: Market,
  range: PriceRange,
  move: RangeMove & { readonly limitPpm: bigint },
): void {
  const { state } = parts;
  const { auctionMs, horizonMs, initialRaisePpm, raiseMs, withdrawalDelayMs } = range;
  const { from, limitPpm, movePpm, to } = move;
  const now = nowMs(ctx);
  const cause = `${market.symbol}: lot value ${from} -> ${to} is ${movePpm} ppm within ${horizonMs} ms, limit ${limitPpm} ppm`;
  const action = stop(ctx, parts, market, range, cause);
  if (initialRaisePpm > 0n) {
    tighten(ctx, state, market.id, {
      source: Source.RESTRICTION_SOURCE_RANGE_MARGIN,
      initialRaisePpm,
      untilMs: now + raiseMs,
      cause,
    });
  }
  if (withdrawalDelayMs > 0n) {
    // What a false price has made can leave from any account, so no account's money leaves.
    tighten(ctx, state, ALL_MARKETS, {
      source: Source.RESTRICTION_SOURCE_RANGE_WITHDRAWALS,
      withdrawalsClosed: true,
      untilMs: now + withdrawalDelayMs,
      cause,
    });
  }
  const attributes = {
    market: market.symbol,
    horizon_ms: horizonMs,
    limit_ppm: limitPpm,
    move_ppm: movePpm,
    from,
    to,
    action,
    until_ms: action === "none" ? 0n : now + auctionMs,
    initial_raise_ppm: initialRaisePpm,
    withdrawal_delay_ms: withdrawalDelayMs,
  };
  emit(ctx, "guard_range", attributes, () => ({
    rule:
      "move = larger of the rise from the lowest and the fall from the highest value of a lot within the horizon, as a share of it, down; the range is left above the limit, " +
      "which is the rule's own or so many deviations over the horizon, if those are more",
    inputs: [
      ...quantities("quanta", { "left extreme": from, value: to }),
      ...quantities("ms", { horizon: horizonMs }),
      ...quantities("ppm", { "own limit": range.limitPpm, deviations: range.deviationsPpm }),
    ],
    results: [
      ...quantities("ppm", { move: movePpm, limit: limitPpm, raise: initialRaisePpm }),
      ...quantities("", { action }),
      ...quantities("ms", { length: auctionMs, "withdrawals closed": withdrawalDelayMs }),
    ],
  }));
  const after = `${action} ${auctionMs} ms, raise ${initialRaisePpm} ppm, withdrawals ${withdrawalDelayMs} ms`;
  remember(ctx, state, { market: market.id, what: "price_range", before: "", after, cause });
}

/**
 * One market with ranges. While it does not trade, its ranges only remember where the price is now: a move during a halt or an auction is what
 * they were for, and does not trip them again when the market opens.
 */
export function watchRanges(
  ctx: WriteContext,
  parts: Parts,
  id: MarketId,
  { ranges }: MarketRules,
): void {
  const { ports, state } = parts;
  if (ranges.length === 0) return;
  const terms = ports.venue.terms(ctx, id);
  const mark = ports.venue.mark(ctx, id);
  if (terms === undefined || mark?.fresh !== true || mark.notionalPerLot <= 0n) return;
  const market = { ...terms, id };
  const value = mark.notionalPerLot;
  const now = nowMs(ctx);
  const trades = terms.status === "active" || terms.status === "closeOnly";
  const tripped: number[] = [];
  ranges.forEach((range, number) => {
    const before = trades ? (state.watches.get(ctx, [id, number])?.buckets ?? []) : [];
    const limitPpm = limitOf(ctx, parts, market, range);
    const move = moveOf(before, value);
    if (trades && move.movePpm > limitPpm) {
      trip(ctx, parts, market, range, { ...move, limitPpm });
      tripped.push(number);
    }
    const after = watched(before, value, now, range.horizonMs);
    if (after !== before) state.watches.set(ctx, [id, number], { buckets: [...after] });
  });
  // Whatever stopped the market, all its ranges begin anew from the price that did.
  if (tripped.length === 0) return;
  ranges.forEach((range, number) => {
    const buckets = [...watched([], value, now, range.horizonMs)];
    state.watches.set(ctx, [id, number], { buckets });
  });
}
