/** What must always hold of what the guard keeps. */
import {
  RestrictionLevel as Level,
  type MarketRules,
  type Restriction,
  RestrictionSource as Source,
} from "@keel/proto/gen/keel/guard/v1/types";
import type { ReadContext } from "../kit/context.ts";
import type { ModuleInvariants } from "../kit/module.ts";
import { MOVES_MAX, RAISE_MAX_PPM } from "./limits.ts";
import { SOURCE_NAMES } from "./restrictions.ts";
import type { GuardState } from "./state.ts";

const CONTROLLER: Source = Source.RESTRICTION_SOURCE_CONTROLLER;
const EMERGENCY: Source = Source.RESTRICTION_SOURCE_EMERGENCY;

/** A restriction has a cause and, unless rules of the market move it, an end; what it raises is inside what anyone may raise. */
function itemFault(item: Restriction): string | null {
  const { blocksLeft, cause, initialRaisePpm, level, source, untilMs } = item;
  const name = SOURCE_NAMES[source];
  if (name === undefined) return `has unknown source ${source}`;
  if (cause === "") return `${name} has no cause`;
  if (source === CONTROLLER) {
    if (level !== Level.RESTRICTION_LEVEL_UNSPECIFIED || item.withdrawalsClosed) {
      return "a controller has halted it";
    }
  } else if (untilMs === 0n && blocksLeft === 0) return `${name} has no end`;
  if (initialRaisePpm < 0n || initialRaisePpm > RAISE_MAX_PPM) {
    return `${name} raises initial margin by ${initialRaisePpm} ppm`;
  }
  return null;
}

/** What a controller moves lies inside the bounds of the rules. */
function controllerFault(item: Restriction, rules: MarketRules | undefined): string | null {
  if (item.source !== CONTROLLER) return null;
  const { margin, openInterest } = rules ?? {};
  const { initialRaisePpm: raise, openInterestMaxLots: cap } = item;
  if (raise > (margin?.raiseMaxPpm ?? 0n)) return `a controller raises by ${raise} ppm`;
  const low = openInterest?.lotsMin ?? 0n;
  const high = openInterest?.lotsMax ?? 0n;
  return cap >= low && cap <= high ? null : `a controller caps at ${cap} lots`;
}

export function restrictionsFault(ctx: ReadContext, state: GuardState): string | null {
  let fault: string | null = null;
  const countedTo = state.emergencyUse.get(ctx)?.untilMs ?? 0n;
  state.restrictions.each(ctx, (market, record) => {
    if (record.market !== market || record.items.length === 0) fault = "a record is not its own";
    let before = 0;
    for (const item of record.items) {
      const found = itemFault(item) ?? controllerFault(item, state.rules.get(ctx, market));
      if (found !== null) fault = found;
      if (item.source === EMERGENCY && item.untilMs > countedTo)
        fault = "the emergency key holds longer than is counted";
      if (item.source <= before) fault = "sources do not ascend";
      before = item.source;
    }
    if (fault !== null) fault = `market ${market}: ${fault}`;
    return fault !== null;
  });
  return fault;
}

/** Every market with rules for controllers has what they move, and nothing is kept for markets without rules. */
export function recordsFault(ctx: ReadContext, state: GuardState): string | null {
  let fault: string | null = null;
  state.rules.each(ctx, (market, { margin, openInterest }) => {
    if (margin === undefined && openInterest === undefined) return false;
    const items = state.restrictions.get(ctx, market)?.items ?? [];
    if (!items.some(({ source }) => source === CONTROLLER)) {
      fault = `market ${market} has rules but no controller`;
    }
    return fault !== null;
  });
  const ranges = (market: number): number => state.rules.get(ctx, market)?.ranges.length ?? 0;
  state.watches.each(ctx, ([market, range]) => {
    if (range >= ranges(market)) fault = `market ${market} watches a range it does not have`;
    return fault !== null;
  });
  state.measures.each(ctx, (market) => {
    if (!state.rules.has(ctx, market)) fault = `market ${market} is measured without rules`;
    return fault !== null;
  });
  const moves = state.moves.size(ctx);
  return fault ?? (moves > MOVES_MAX ? `${moves} moves are remembered` : null);
}

/** Few records each, so all of it in every block. */
export function guardInvariants(state: GuardState): ModuleInvariants {
  return {
    running: {
      restrictions: (ctx) => restrictionsFault(ctx, state),
      records: (ctx) => recordsFault(ctx, state),
    },
    full: {},
  };
}
