/**
 * The life of a market: proposed → active → close-only → settling → settled, then removed; halted and quarantined beside it. Each record says
 * when its next step is due and one queue holds them all in order of time, so a block touches the markets whose time has come and no
 * others. What the block's bound leaves over waits its turn; it cannot trade meanwhile, because expiry is told by time and not by status.
 */
import type { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { atomically } from "../../kit/atomically.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import * as events from "../events.ts";
import type { Maturity } from "../instruments/contract.ts";
import { marketRemoved } from "../instruments/events.ts";
import { instrumentParams } from "../instruments/params.ts";
import { instrumentOf } from "../instruments.ts";
import type { MarketId } from "../ports.ts";
import { releaseSettlement } from "../settlement/prices.ts";
import { nowMs, type Venue } from "../venue.ts";

const PROPOSED: MarketStatus = MarketStatus.MARKET_STATUS_PROPOSED;
const ACTIVE: MarketStatus = MarketStatus.MARKET_STATUS_ACTIVE;
const CLOSE_ONLY: MarketStatus = MarketStatus.MARKET_STATUS_CLOSE_ONLY;
const QUARANTINED: MarketStatus = MarketStatus.MARKET_STATUS_QUARANTINED;
const SETTLING: MarketStatus = MarketStatus.MARKET_STATUS_SETTLING;
const SETTLED: MarketStatus = MarketStatus.MARKET_STATUS_SETTLED;

/** What is close-only since ever has been so since the first millisecond: 0 would be never. */
function closesMs({ closeOnlyMs, expiryMs }: Maturity): number {
  return expiryMs === closeOnlyMs ? 1 : expiryMs - closeOnlyMs;
}

/** When the market's next step is due, Unix ms; 0: nothing happens by itself. */
function nextDue(market: Market): number {
  const { contract } = instrumentOf(market);
  const { maturity } = contract;
  switch (market.status) {
    case PROPOSED:
      return Number(market.activatesMs);
    case ACTIVE:
      return maturity === null ? 0 : closesMs(maturity);
    case QUARANTINED:
    case SETTLING:
      return 0;
    case SETTLED:
      return Number(market.dueMs);
    default:
      return maturity?.expiryMs ?? 0;
  }
}

/** 0 where it is not, and of dated markets, which end by the clock. */
function closeOnlySinceMs(ctx: ReadContext, market: Market): bigint {
  if (market.status !== CLOSE_ONLY || instrumentOf(market).contract.maturity !== null) return 0n;
  return market.closeOnlySinceMs > 0n ? market.closeOnlySinceMs : BigInt(nowMs(ctx));
}

/** The one way a market's record is written: the queue of steps follows it. Statuses other than settled set `due_ms` themselves. */
export function storeMarket(ctx: WriteContext, { state }: Venue, market: Market): Market {
  const before = state.markets.get(ctx, market.id);
  const due = nextDue(market);
  const since = closeOnlySinceMs(ctx, market);
  const same = BigInt(due) === market.dueMs && since === market.closeOnlySinceMs;
  const next = same ? market : { ...market, dueMs: BigInt(due), closeOnlySinceMs: since };
  state.markets.set(ctx, market.id, next);
  const queued = Number(before?.dueMs ?? 0n);
  if (queued !== due) {
    if (queued !== 0) state.due.delete(ctx, [queued, market.id]);
    if (due !== 0) state.due.set(ctx, [due, market.id], true);
  }
  return next;
}

/** Begin of a block: takes the steps that are due, oldest first, up to the block's bound. */
export function advanceMarkets(
  ctx: WriteContext,
  venue: Venue,
  quarantine: (id: MarketId, reason: string) => void,
): void {
  const { state } = venue;
  if (state.due.size(ctx) === 0) return;
  const now = nowMs(ctx);
  const most = instrumentParams(ctx, venue).transitionsPerBlockMax;
  const ids: MarketId[] = [];
  state.due.each(ctx, ([timeMs, id]) => {
    if (timeMs > now) return true;
    return ids.push(id) >= most;
  });
  for (const id of ids) {
    try {
      atomically(ctx, (inner) => advance(inner, venue, id, now));
    } catch (error) {
      if (error instanceof RangeError) throw error;
      quarantine(id, error instanceof Error ? error.message : "unknown fault");
    }
  }
}

function advance(ctx: WriteContext, venue: Venue, id: MarketId, now: number): void {
  const market = venue.state.markets.get(ctx, id);
  assert(market !== undefined, `market ${id} is due but not listed`);
  if (market.status === SETTLED) {
    removeMarket(ctx, venue, market);
    return;
  }
  const status = statusAt(market, now);
  assert(status !== market.status, `market ${market.symbol} has no step to take`);
  if (status === SETTLING) venue.state.settling.set(ctx, id, true);
  storeMarket(ctx, venue, { ...market, status });
  events.marketUpdated(ctx, market.symbol, instrumentOf({ ...market, status }).status);
}

function statusAt(market: Market, now: number): MarketStatus {
  const { maturity } = instrumentOf(market).contract;
  if (maturity !== null) {
    if (now >= maturity.expiryMs) return SETTLING;
    if (now >= maturity.expiryMs - maturity.closeOnlyMs) return CLOSE_ONLY;
  }
  return ACTIVE;
}

/** The last position is paid: from now on the market is only remembered. */
export function markSettled(ctx: WriteContext, venue: Venue, market: Market): void {
  const { state } = venue;
  const dueMs = BigInt(nowMs(ctx)) + instrumentParams(ctx, venue).retentionMs;
  state.settling.delete(ctx, market.id);
  // The queue is told by the record before, which has nothing due.
  state.markets.set(ctx, market.id, { ...market, status: SETTLED, dueMs });
  state.due.set(ctx, [Number(dueMs), market.id], true);
}

/** Takes everything of a market without orders and positions out of state. Its id is never given again. */
export function removeMarket(ctx: WriteContext, venue: Venue, market: Market): void {
  const { state } = venue;
  const { id, symbol } = market;
  state.markets.delete(ctx, id);
  state.symbols.delete(ctx, symbol);
  state.counters.delete(ctx, id);
  state.settling.delete(ctx, id);
  state.auctions.delete(ctx, id);
  if (state.stops.size(ctx) > 0) state.stops.delete(ctx, id);
  if (market.dueMs !== 0n) state.due.delete(ctx, [Number(market.dueMs), id]);
  const key = instrumentOf(market).settlementKey;
  if (key === null) {
    state.funding.delete(ctx, id);
    state.fundingHistory.delete(ctx, id);
    state.markBasis.delete(ctx, id);
  } else releaseSettlement(ctx, venue, key);
  const ids = state.ids.get(ctx) ?? { lastMarketId: 0, lastSeriesId: 0 };
  if (id > ids.lastMarketId) state.ids.set(ctx, { ...ids, lastMarketId: id });
  venue.books.drop(ctx, id);
  venue.waiting.drop(ctx, id);
  marketRemoved(ctx, symbol, id);
}

/** Whether a market has, or before its removal had, this id. Ids are never given again. */
export function wasListed(ctx: ReadContext, { state }: Venue, id: MarketId): boolean {
  return state.markets.has(ctx, id) || (id > 0 && id <= (state.ids.get(ctx)?.lastMarketId ?? 0));
}

/** The id after the last one that was ever given. */
export function nextMarketId(ctx: WriteContext, { state }: Venue): MarketId {
  let last = state.ids.get(ctx)?.lastMarketId ?? 0;
  state.markets.each(
    ctx,
    (id) => {
      if (id > last) last = id;
      return true;
    },
    { descending: true },
  );
  return last + 1;
}
