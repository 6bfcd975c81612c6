/** Which orders a market takes now: the checks in their order, all but margin's. */
import type { AccountId } from "../../kit/account-id.ts";
import { collects, isBatch } from "../auction/opening.ts";
import { refuse } from "../errors.ts";
import { formatMoney } from "../instruments.ts";
import { GOOD_TIL_BLOCKS_MAX, OPEN_ORDERS_PER_MARKET_MAX } from "../limits.ts";
import type { Mark } from "../marking/mark.ts";
import { bandLimit, isCoarse, markOf, sizeNotional } from "../marks.ts";
import { nowMs, type Turn } from "../venue.ts";
import { reducible } from "./execution.ts";
import type { Intent } from "./intents.ts";

/** An order admitted by every check that needs no margin. */
export interface Admitted {
  readonly intent: Intent;
  readonly limitTicks: number;
  /** What may execute: less than asked for with reduce-only orders larger than the position. */
  readonly lots: number;
  readonly crosses: boolean;
}

/** The market takes this kind of order now, and has a price that is fresh, or good enough to shrink a position at. */
export function requireTradable(turn: Turn, reduceOnly: boolean): Mark {
  const { ctx, instrument, venue } = turn;
  const { status, symbol } = instrument;
  if (status === "settling" || status === "settled") {
    throw refuse("marketExpired", `market ${symbol} has expired: cancels only`);
  }
  if (status !== "active" && status !== "closeOnly") {
    throw refuse("marketNotActive", `market ${symbol} is ${status}: cancels only`);
  }
  if (status === "closeOnly" && !reduceOnly) {
    throw refuse("closeOnly", `market ${symbol} takes reduce-only orders only`);
  }
  const mark = markOf(ctx, venue, instrument);
  if (mark?.fresh === true) {
    if (reduceOnly || !isCoarse(instrument, mark)) return mark;
    throw refuse(
      "closeOnly",
      `a tick of ${symbol} is too large beside its price: reduce-only orders only`,
    );
  }
  if (mark?.stage?.reduces !== true) {
    throw refuse("stalePrice", `the price of ${symbol} is stale: cancels only`);
  }
  if (!reduceOnly) {
    throw refuse("stalePrice", `the price of ${symbol} is late: reduce-only orders only`);
  }
  return mark;
}

/** What meets the book at once, or moves in it, has no place in a market that collects for an auction. */
export function requireContinuous({ ctx, instrument, venue }: Turn): void {
  if (!collects(ctx, venue, instrument)) return;
  throw isBatch(instrument)
    ? refuse("notInAuction", `${instrument.symbol} holds auctions: this kind of order has no place`)
    : refuse("opening", `${instrument.symbol} collects for its opening: only orders that rest`);
}

export function admit(turn: Turn, intent: Intent, mark: Mark): Admitted {
  const { book } = turn;
  const { account, reduceOnly } = intent;
  const limitTicks = limitOf(turn, intent, mark);
  const rests = intent.force === "gtc";
  if (rests || intent.bracket !== undefined) requireRoom(turn, intent);
  if (rests) requireGoodTil(turn, intent);
  requireClientId(turn, account, intent.clientId);
  const lots = reduceOnly ? requireReducible(turn, intent) : intent.lots;
  if (!reduceOnly && !rests && !turn.venue.clearing.exists(turn.ctx, account)) {
    throw refuse("unknownAccount", "the sub-account holds no collateral");
  }
  const valueTicks = intent.type === "limit" ? limitTicks : Number(mark.ticks);
  requireNotional(turn, intent, mark, valueTicks);
  const crosses = book.crosses(intent.side, limitTicks);
  if (crosses && intent.postOnly) {
    throw refuse("postOnlyWouldCross", "a post-only order would execute at once");
  }
  return { intent, limitTicks, lots, crosses };
}

/** No other open order of the sub-account in this market bears it; empty is always free. */
export function requireClientId(turn: Turn, account: AccountId, clientId: string): void {
  if (clientId === "") return;
  const resting = turn.book.findByClientId(account, clientId);
  const { ctx, instrument, venue } = turn;
  const collected =
    instrument.terms.auction !== undefined &&
    venue.state.collected.has(ctx, [instrument.id, account, clientId]);
  if (collected || resting !== 0 || turn.waiting.findByClientId(account, clientId) !== 0) {
    throw refuse("clientIdInUse", `client id "${clientId}" names an open order`);
  }
}

export function requireNotional(turn: Turn, intent: Intent, mark: Mark, ticks: number): void {
  const { instrument } = turn;
  const { displayLots, sizeLots } = intent;
  const notional = sizeNotional(instrument, mark, ticks, sizeLots);
  // Who takes an iceberg meets it part by part.
  const met = displayLots === 0 ? notional : sizeNotional(instrument, mark, ticks, displayLots);
  const least = instrument.terms.notionalMin;
  if (!intent.reduceOnly && !intent.triggered && met < least) {
    throw refuse(
      "notionalTooSmall",
      `expected at least ${formatMoney(least)}, got ${formatMoney(met)}`,
    );
  }
  if (notional > instrument.notionalMax) {
    throw refuse(
      "notionalTooLarge",
      `expected at most ${formatMoney(instrument.notionalMax)}, got ${formatMoney(notional)}`,
    );
  }
}

/** Worst price of execution: the limit; for market orders the band around mark, their slippage bound and the worst price given. */
export function limitOf(turn: Turn, intent: Intent, mark: Mark): number {
  const { instrument } = turn;
  const { side, slippagePpm } = intent;
  const widest = instrument.terms.priceBandPpm;
  const bounded = intent.type === "market" && slippagePpm > 0 && BigInt(slippagePpm) < widest;
  const band = bandLimit(instrument, mark, side, bounded ? BigInt(slippagePpm) : widest);
  const ticks = intent.priceTicks;
  if (ticks === 0) return band;
  const beyond = side === "buy" ? ticks > band : ticks < band;
  if (!beyond) return ticks;
  if (intent.type === "market" || intent.triggered) return band;
  const bound = side === "buy" ? "at most" : "at least";
  throw refuse(
    "priceOutOfBand",
    `expected a ${side} limit of ${bound} ${band} ticks, got ${ticks}`,
  );
}

/** Room for the order, and for those of its bracket. */
export function requireRoom(turn: Turn, intent: Intent): void {
  const { book, instrument, waiting } = turn;
  const { account, bracket } = intent;
  const most = instrument.terms.openOrdersMax;
  const attached = bracket === undefined ? 0 : 2;
  if (book.openOrders(account) + waiting.openOrders(account) + attached >= most) {
    throw refuse(
      "tooManyOpenOrders",
      `expected at most ${most} open orders in ${instrument.symbol}`,
    );
  }
  if (book.size >= OPEN_ORDERS_PER_MARKET_MAX) {
    throw refuse("bookFull", `the book of ${instrument.symbol} is full`);
  }
}

export function requireGoodTil(turn: Turn, intent: Intent): void {
  const { ctx, venue } = turn;
  const { goodTilMs, goodTilHeight } = intent;
  const { height } = ctx.header;
  if (
    goodTilHeight !== 0 &&
    (goodTilHeight < height || goodTilHeight > height + GOOD_TIL_BLOCKS_MAX)
  ) {
    throw refuse(
      "invalidGoodTil",
      `expected a last block from ${height} to ${height + GOOD_TIL_BLOCKS_MAX}, got ${goodTilHeight}`,
    );
  }
  if (goodTilMs === 0) return;
  const now = nowMs(ctx);
  const latest = now + Number(venue.state.params.require(ctx).goodTilMaxMs);
  if (goodTilMs <= now || goodTilMs > latest) {
    throw refuse(
      "invalidGoodTil",
      `expected a good-til time after ${now} and up to ${latest}, got ${goodTilMs}`,
    );
  }
}

export function requireReducible(turn: Turn, { account, lots, side }: Intent): number {
  const position = turn.venue.clearing.positionLots(turn.ctx, account, turn.instrument.id);
  const most = reducible(position, side);
  if (most === 0n) {
    throw refuse("reduceOnlyWouldIncrease", `no position that a ${side} would reduce`);
  }
  return most < BigInt(lots) ? Number(most) : lots;
}
