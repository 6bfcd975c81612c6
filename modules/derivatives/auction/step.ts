/** The end of a block in a market that collects: its orders get ids and enter the book, and when an auction is due, it is held. */
import type { CollectedCancel, CollectedOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { holderOf } from "../book/books.ts";
import type { Instrument } from "../instruments.ts";
import { OPEN_ORDERS_PER_MARKET_MAX, ROUND_ORDERS_MAX, WAITING_PER_MARKET_MAX } from "../limits.ts";
import type { Mark } from "../marking/mark.ts";
import { bandLimit, markOf } from "../marks.ts";
import {
  cancelCollectedToo,
  cancelOpen,
  cancelSlot,
  cancelWaitingToo,
  expireDue,
} from "../orders/cancelling.ts";
import { reducible } from "../orders/execution.ts";
import { sideOf } from "../orders/requests.ts";
import { cancel, enforceReduceOnly, rest } from "../orders/resting.ts";
import { closeTurn, nextNumber, nowMs, openTurn, type Turn, type Venue } from "../venue.ts";
import { waitingById } from "../waiting/waiting.ts";
import {
  collectedKey,
  collectedNamed,
  collectedOf,
  hasFired,
  isToWait,
  pairOf,
  releaseCollected,
  shownLots,
  standsBefore,
  takeCollected,
} from "./collected.ts";
import { beginWaiting } from "./conditional.ts";
import { collects, endOpening, openingMs, trades } from "./opening.ts";
import { byLists, takeCancels } from "./rounds.ts";
import { holdAuction, holdOpening } from "./run.ts";
import { enterSlices, returnSlices } from "./slices.ts";

/**
 * Expiries and auctions of a market at the end of a block. While it is stopped or its price stale, nothing but expiries and cancels of rounds, and the collected
 * orders stay as they are. Where rounds are given they have been held before, unless the market stood still then.
 */
export function auctionStep(ctx: WriteContext, venue: Venue, instrument: Instrument): void {
  if (byLists(instrument)) carryOutPast(ctx, venue, instrument);
  else if (!holdRound(ctx, venue, instrument, Number.MAX_SAFE_INTEGER))
    withoutAuction(ctx, venue, instrument, Number.MAX_SAFE_INTEGER);
}

/** Cancels of rounds up to this block's that a market kept while it stood still: before anything can match with what they cancel. */
export function carryOutPast(ctx: WriteContext, venue: Venue, instrument: Instrument): void {
  const turn = openTurn(ctx, venue, instrument);
  carryOutAll(turn, ctx.header.height);
  closeTurn(turn);
}

/** A round of a market that gives rounds; where no auction can be held its cancels are carried out all the same, and its orders wait for one. */
export function roundStep(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  round: number,
): void {
  if (!holdRound(ctx, venue, instrument, round)) withoutAuction(ctx, venue, instrument, round);
}

function withoutAuction(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  round: number,
): void {
  const turn = openTurn(ctx, venue, instrument);
  expireDue(turn);
  carryOutAll(turn, round);
  closeTurn(turn);
}

/** False, and nothing is done: the market is stopped, or its price stale. */
function holdRound(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  round: number,
): boolean {
  const mark =
    trades(instrument) && collects(ctx, venue, instrument)
      ? markOf(ctx, venue, instrument)
      : undefined;
  if (mark?.fresh !== true) return false;
  const turn = openTurn(ctx, venue, instrument);
  auctionRound(turn, round, mark);
  closeTurn(turn);
  return true;
}

/** What has expired or was cancelled for it leaves, what was collected for it enters, and the auction is held, unless the market waits for its opening. */
function auctionRound(turn: Turn, round: number, mark: Mark): void {
  const { ctx, instrument, venue } = turn;
  expireDue(turn);
  carryOutAll(turn, round);
  const immediate = enterCollected(turn, round, mark);
  const opening = openingMs(ctx, venue, instrument);
  if (opening <= nowMs(ctx)) {
    if (opening === 0) {
      const slices = enterSlices(turn, mark);
      returnSlices(turn, slices, holdAuction(turn, mark));
    } else if (!holdOpening(turn, mark) && uncross(turn, mark)) endOpening(ctx, venue, instrument);
  }
  for (const id of immediate) {
    const slot = turn.book.find(id);
    if (slot !== 0) cancel(turn, slot, "immediate");
  }
}

/** Cancels of rounds up to this one. */
function carryOutAll(turn: Turn, round: number): void {
  const { ctx, instrument, venue } = turn;
  // Auction terms are never taken away, so a market without them has no cancel to look for.
  if (instrument.terms.auction === undefined) return;
  for (const cancel of takeCancels(ctx, venue, instrument.id, round)) carryOut(turn, cancel);
}

/** Of an order that is gone by now nothing is left to do. */
function carryOut(turn: Turn, { clientId, orderId, ...named }: CollectedCancel): void {
  const { book, ctx, instrument, venue } = turn;
  const account = holderOf(named);
  if (clientId === "" && orderId === 0n) {
    for (const order of collectedOf(ctx, venue, instrument.id, account)) {
      if (standsBefore(order, named.round)) releaseCollected(ctx, venue, instrument, order, "user");
    }
    cancelOpen(turn, account, "user");
    return;
  }
  const slot =
    clientId === "" ? book.find(Number(orderId)) : book.findByClientId(account, clientId);
  const id = clientId === "" ? Number(orderId) : turn.waiting.findByClientId(account, clientId);
  const rests = slot !== 0 && book.accountOf(slot) === account;
  const waits = turn.waiting.accountOf(id) === account;
  // An id is in one place, and by id all that the account has collected are read.
  const collected =
    clientId === "" && (rests || waits)
      ? undefined
      : collectedNamed(ctx, venue, instrument.id, account, { clientId, orderId });
  if (collected !== undefined) {
    // Of a later round it may or may not be here yet, as the proposer liked.
    if (collected.round <= named.round) cancelCollectedToo(turn, collected, "user");
    return;
  }
  if (rests) cancelSlot(turn, slot, "user");
  const waiting = waits ? waitingById(turn, id) : undefined;
  if (waiting !== undefined) cancelWaitingToo(turn, waiting, "user");
}

/** Ids ascend by owner, sub-account and client id, whatever the order of transactions was; the second of a pair comes right behind the first. Returns those that leave after the auction. */
function enterCollected(turn: Turn, round: number, mark: Mark): number[] {
  const { ctx, venue, instrument, book } = turn;
  const immediate: number[] = [];
  const reducing = new Set<AccountId>();
  const paired = new Map<string, Ids>();
  for (const order of pairsTogether(enteringOf(turn, round))) {
    const waits = isToWait(order);
    const full = waits
      ? turn.waiting.size >= WAITING_PER_MARKET_MAX
      : book.size >= OPEN_ORDERS_PER_MARKET_MAX;
    if (!waits && order.reduceOnly && !reducesNow(turn, order)) {
      releaseCollected(ctx, venue, instrument, order, "reduce_only");
      continue;
    }
    if (full) {
      releaseCollected(ctx, venue, instrument, order, "book_full");
      continue;
    }
    const ids = idsOf(turn, order, paired);
    if (waits) {
      beginWaiting(turn, order, mark, ids);
      continue;
    }
    takeCollected(ctx, venue, order);
    enter(turn, ids, order);
    if (order.immediate) immediate.push(ids.id);
    if (order.reduceOnly) reducing.add(holderOf(order));
  }
  for (const account of reducing) enforceReduceOnly(turn, account);
  return immediate;
}

/** Numbers ascend with what enters: the book and the trailing stops are kept by them. */
function pairsTogether(due: readonly CollectedOrder[]): Iterable<CollectedOrder> {
  if (due.every(({ pairClientId }) => pairClientId === "")) return due;
  const named = new Map(due.map((order) => [holderOf(order) + order.clientId, order]));
  const all = new Set<CollectedOrder>();
  for (const order of due) {
    all.add(order);
    if (order.pairClientId === "") continue;
    const pair = named.get(holderOf(order) + order.pairClientId);
    if (pair?.pairClientId === order.clientId) all.add(pair);
  }
  return all;
}

interface Ids {
  readonly id: number;
  readonly ocoId: number;
}

/** `paired`: those that await the second order of a pair whose first has entered. What the chain takes out before it enters leaves the other without a pair. */
function idsOf(turn: Turn, order: CollectedOrder, paired: Map<string, Ids>): Ids {
  const { clientId, pairClientId, waiting } = order;
  if (hasFired(waiting)) return { id: Number(waiting?.id), ocoId: Number(waiting?.ocoId) };
  if (pairClientId === "") return { id: nextNumber(turn), ocoId: 0 };
  const known = paired.get(holderOf(order) + clientId);
  if (known !== undefined) return known;
  const id = nextNumber(turn);
  if (pairOf(turn.ctx, turn.venue, order) === undefined) return { id, ocoId: 0 };
  const ocoId = nextNumber(turn);
  paired.set(holderOf(order) + pairClientId, { id: ocoId, ocoId: id });
  return { id, ocoId };
}

/** Those that are not over; the others leave, each with its pair. */
function enteringOf(turn: Turn, round: number): readonly CollectedOrder[] {
  const due = dueOf(turn, round);
  const now = BigInt(nowMs(turn.ctx));
  const over = due.filter(({ goodTilMs }) => goodTilMs !== 0n && goodTilMs <= now);
  if (over.length === 0) return due;
  const { collected } = turn.venue.state;
  const stands = (order: CollectedOrder): boolean => collected.has(turn.ctx, collectedKey(order));
  for (const order of over) if (stands(order)) cancelCollectedToo(turn, order, "expired");
  return due.filter(stands);
}

/** Of rounds up to this one, as many as one takes in: in key order, of the earliest rounds. */
function dueOf({ ctx, instrument, venue }: Turn, round: number): readonly CollectedOrder[] {
  const due = collectedOf(ctx, venue, instrument.id).filter(
    (order) => order.round <= BigInt(round),
  );
  if (due.length <= ROUND_ORDERS_MAX) return due;
  const keyed = due.map((order, at) => ({ order, at }));
  keyed.sort((a, b) => Number(a.order.round - b.order.round) || a.at - b.at);
  const first = keyed.slice(0, ROUND_ORDERS_MAX);
  const names = new Set(first.map(({ order }) => holderOf(order) + order.clientId));
  // A pair enters together: no more than those of the account that the bound has cut.
  const second = keyed
    .slice(ROUND_ORDERS_MAX)
    .filter(
      ({ order }) => order.pairClientId !== "" && names.has(holderOf(order) + order.pairClientId),
    );
  return [...first, ...second].sort((a, b) => a.at - b.at).map(({ order }) => order);
}

/** Where rounds are given that is not asked when it is accepted. */
function reducesNow({ ctx, instrument, venue }: Turn, order: CollectedOrder): boolean {
  const position = venue.clearing.positionLots(ctx, holderOf(order), instrument.id);
  return reducible(position, sideOf(order.side) ?? "buy") > 0n;
}

/** A conditional order that has fired has its id and its parts from when it waited. */
function enter(turn: Turn, { id, ocoId }: Ids, order: CollectedOrder): void {
  const priority = hasFired(order.waiting) ? nextNumber(turn) : id;
  const { bracket, displayLots } = order.waiting ?? order;
  const shown = shownLots(order);
  rest(turn, {
    id,
    priority,
    account: holderOf(order),
    side: sideOf(order.side) ?? "buy",
    ticks: Number(order.priceTicks),
    lots: shown,
    sizeLots: Number(order.sizeLots),
    reduceOnly: order.reduceOnly,
    postOnly: false,
    clientId: order.clientId,
    goodTilMs: Number(order.goodTilMs),
    goodTilHeight: 0,
    displayLots: Number(displayLots),
    hiddenLots: Number(order.lots) - shown,
    ocoId,
    bracket,
    builder: order.builder,
    trader: order.trader,
    feeReservePpm: order.feeReservePpm,
  });
}

/**
 * Continuous matching cannot begin on a crossed book. What still crosses after the auction lies beyond the band, where no new order is taken
 * either, or was held back by the cap on open interest, and leaves. False: some of it is left for the next block.
 */
function uncross(turn: Turn, mark: Mark): boolean {
  const { book, instrument } = turn;
  const { auction } = instrument.terms;
  const high = bandLimit(instrument, mark, "buy");
  const low = bandLimit(instrument, mark, "sell");
  let left = auction?.ordersMax ?? 0;
  for (;;) {
    const bid = book.bids.best();
    const ask = book.asks.best();
    if (bid === 0 || ask === 0 || book.bids.ticksOf(bid) < book.asks.ticksOf(ask)) return true;
    if (left === 0) return false;
    left -= 1;
    const buy = book.bids.firstOf(bid);
    const sell = book.asks.firstOf(ask);
    if (book.bids.ticksOf(bid) > high) cancel(turn, buy, "price_band");
    else if (book.asks.ticksOf(ask) < low) cancel(turn, sell, "price_band");
    else cancel(turn, book.idOf(buy) > book.idOf(sell) ? buy : sell, "open_interest_cap");
  }
}
