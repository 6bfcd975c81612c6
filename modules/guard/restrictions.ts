/**
 * What is restricted, in one form whoever restricts: per market and for all of them, one entry of each source, with its cause and its end. Everything
 * else asks only what holds now: of several entries the strictest of each kind.
 */
import {
  RestrictionLevel as Level,
  type Restriction,
  type Restrictions,
  RestrictionSource as Source,
} from "@keel/proto/gen/keel/guard/v1/types";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { maximum } from "../kit/math/mul-div.ts";
import { contained } from "./contained.ts";
import { emit, nowMs } from "./events.ts";
import type { MarketId, VenuePort } from "./ports.ts";
import { ALL_MARKETS, type GuardState } from "./state.ts";

export const SOURCE_NAMES: Readonly<Partial<Record<Source, string>>> = {
  [Source.RESTRICTION_SOURCE_RANGE_HALT]: "range_halt",
  [Source.RESTRICTION_SOURCE_RANGE_MARGIN]: "range_margin",
  [Source.RESTRICTION_SOURCE_RANGE_WITHDRAWALS]: "range_withdrawals",
  [Source.RESTRICTION_SOURCE_OUTAGE]: "outage",
  [Source.RESTRICTION_SOURCE_OUTAGE_WITHDRAWALS]: "outage_withdrawals",
  [Source.RESTRICTION_SOURCE_EMERGENCY]: "emergency",
  [Source.RESTRICTION_SOURCE_AUTHORITY]: "authority",
  [Source.RESTRICTION_SOURCE_CONTROLLER]: "controller",
};

/** What holds in a market, all entries together. */
export interface InForce {
  readonly level: Level;
  readonly initialRaisePpm: bigint;
  /** 0: no cap. */
  readonly openInterestMaxLots: bigint;
}

const NOTHING: InForce = {
  level: Level.RESTRICTION_LEVEL_UNSPECIFIED,
  initialRaisePpm: 0n,
  openInterestMaxLots: 0n,
};

function lowerCap(a: bigint, b: bigint): bigint {
  if (a === 0n || b === 0n) return a + b;
  return a < b ? a : b;
}

function strictest(a: InForce, b: InForce): InForce {
  return {
    level: a.level > b.level ? a.level : b.level,
    initialRaisePpm: maximum(a.initialRaisePpm, b.initialRaisePpm),
    openInterestMaxLots: lowerCap(a.openInterestMaxLots, b.openInterestMaxLots),
  };
}

// Records are immutable, and asked for by every order and health check.
const folded = new WeakMap<Restrictions, InForce>();

function fold(record: Restrictions | undefined): InForce {
  if (record === undefined) return NOTHING;
  let known = folded.get(record);
  if (known === undefined) {
    known = record.items.reduce<InForce>(strictest, NOTHING);
    folded.set(record, known);
  }
  return known;
}

/** Where nothing is restricted anywhere, nothing is read and nothing charged. */
export function inForce(ctx: ReadContext, state: GuardState, market: MarketId): InForce {
  if (state.restrictions.size(ctx) === 0) return NOTHING;
  const own = fold(state.restrictions.get(ctx, market));
  const all = fold(state.restrictions.get(ctx, ALL_MARKETS));
  return all === NOTHING ? own : own === NOTHING ? all : strictest(own, all);
}

/** Until when nothing may leave the vault (0: until blocks have passed), and why; null: it may. */
export function withdrawalsClosed(
  ctx: ReadContext,
  state: GuardState,
): { readonly untilMs: bigint; readonly blocksLeft: number; readonly cause: string } | null {
  if (state.restrictions.size(ctx) === 0) return null;
  const items = state.restrictions.get(ctx, ALL_MARKETS)?.items ?? [];
  let found: Restriction | null = null;
  for (const item of items) {
    if (!item.withdrawalsClosed) continue;
    const { blocksLeft, untilMs } = item;
    if (found === null || untilMs > found.untilMs || blocksLeft > found.blocksLeft) found = item;
  }
  return found;
}

function write(ctx: WriteContext, state: GuardState, market: MarketId, items: Restriction[]): void {
  if (items.length === 0) state.restrictions.delete(ctx, market);
  else state.restrictions.set(ctx, market, { market, items });
}

export function restrictionOf(
  ctx: ReadContext,
  state: GuardState,
  market: MarketId,
  source: Source,
): Restriction | undefined {
  return state.restrictions.get(ctx, market)?.items.find((item) => item.source === source);
}

/** In place of what the source said before. */
export function replace(
  ctx: WriteContext,
  state: GuardState,
  market: MarketId,
  restriction: Restriction,
): void {
  const others = (state.restrictions.get(ctx, market)?.items ?? []).filter(
    ({ source }) => source !== restriction.source,
  );
  const items = [...others, restriction].sort((a, b) => a.source - b.source);
  write(ctx, state, market, items);
}

/** Joined with what the source said before: the stricter of each holds, until the later end. Returns what holds now. */
export function tighten(
  ctx: WriteContext,
  state: GuardState,
  market: MarketId,
  asked: Partial<Restriction> & { readonly source: Source; readonly cause: string },
): Restriction {
  const before = restrictionOf(ctx, state, market, asked.source);
  const fresh: Restriction = {
    level: Level.RESTRICTION_LEVEL_UNSPECIFIED,
    initialRaisePpm: 0n,
    openInterestMaxLots: 0n,
    withdrawalsClosed: false,
    untilMs: 0n,
    blocksLeft: 0,
    sinceMs: nowMs(ctx),
    ...asked,
  };
  const after =
    before === undefined
      ? fresh
      : {
          ...fresh,
          ...strictest(before, fresh),
          withdrawalsClosed: before.withdrawalsClosed || fresh.withdrawalsClosed,
          sinceMs: before.sinceMs,
          untilMs: maximum(before.untilMs, fresh.untilMs),
          blocksLeft: before.blocksLeft > fresh.blocksLeft ? before.blocksLeft : fresh.blocksLeft,
        };
  replace(ctx, state, market, after);
  return after;
}

/** Ends those that are over or named; where a halt ended, markets that trade again open as after one. Returns how many ended. */
export function end(
  ctx: WriteContext,
  parts: { readonly state: GuardState; readonly venue: VenuePort },
  market: MarketId,
  over: (item: Restriction) => boolean,
  reason: "expired" | "loosened",
): number {
  const { state, venue } = parts;
  const items = state.restrictions.get(ctx, market)?.items ?? [];
  const ended = items.filter(over);
  if (ended.length === 0) return 0;
  const left = items.filter((item) => !over(item));
  write(ctx, state, market, left);
  const symbol = venue.terms(ctx, market)?.symbol ?? "";
  for (const { cause, source } of ended) {
    emit(ctx, "guard_ended", { market: symbol, source: SOURCE_NAMES[source] ?? "", reason, cause });
  }
  const halted = ended.some(({ level }) => level === Level.RESTRICTION_LEVEL_HALTED);
  if (halted) {
    for (const id of market === ALL_MARKETS ? venue.marketIds(ctx) : [market]) {
      if (inForce(ctx, state, id).level < Level.RESTRICTION_LEVEL_HALTED) {
        contained(ctx, venue, id, (inner) => venue.openAfterHalt(inner, id));
      }
    }
  }
  return ended.length;
}
