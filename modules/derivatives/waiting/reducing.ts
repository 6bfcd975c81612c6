/**
 * How many reduce-only orders may wait. They reserve nothing, so what they are there to reduce stands for them: the position, with the
 * open orders that could make or grow one. A sub-account that holds neither has nothing to protect, and the room of a market and the turns
 * of a block are everybody's.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { divFloor, maximum, minimum } from "../../kit/math/mul-div.ts";
import { refuse } from "../errors.ts";
import type { Instrument } from "../instruments.ts";
import {
  IDLE_ENDED_PER_BLOCK_MAX,
  IDLE_PARTS,
  REDUCING_PER_LEAST_ORDER,
  WAITING_CROWDED,
} from "../limits.ts";
import type { Mark } from "../marking/mark.ts";
import { markOf, sizeNotional } from "../marks.ts";
import { reducible } from "../orders/execution.ts";
import type { Side } from "../ports.ts";
import { closeTurn, openTurn, type Turn, type Venue } from "../venue.ts";
import { cancelWaiting, waitingById } from "./waiting.ts";

/** Lots that an order of `side` could come to reduce once the account's open orders of the other side are filled. */
function couldReduce(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
  { account, side }: { readonly account: AccountId; readonly side: Side },
): bigint {
  const { clearing } = venue;
  const held = clearing.account(ctx, account)?.positions.find((p) => p.market === instrument.id);
  const lots = clearing.positionLots(ctx, account, instrument.id);
  const [position, entries] =
    side === "sell" ? [lots, held?.openBuyLots ?? 0n] : [-lots, held?.openSellLots ?? 0n];
  return maximum(position + entries, 0n);
}

/** Rounded down, but a position smaller than the least order is protected like one. */
function mostReducing(instrument: Instrument, mark: Mark, lots: bigint): number {
  if (lots === 0n) return 0;
  const least = instrument.terms.notionalMin;
  const notional = sizeNotional(instrument, mark, Number(mark.ticks), Number(lots));
  const orders = least > 0n ? minimum(lots, divFloor(notional, least)) : lots;
  return Number(REDUCING_PER_LEAST_ORDER * maximum(orders, 1n));
}

/** Throws ModuleError: nothing to reduce, or as many wait for it as may. */
export function requireReason(
  turn: Turn,
  order: { account: AccountId; side: Side },
  mark: Mark,
): void {
  const { ctx, instrument, venue, waiting } = turn;
  const { account, side } = order;
  const lots = couldReduce(ctx, venue, instrument, order);
  if (lots === 0n) {
    throw refuse(
      "reduceOnlyWouldIncrease",
      `no position that a ${side} would reduce, and no open order that could make one`,
    );
  }
  const most = mostReducing(instrument, mark, lots);
  if (waiting.reducing(account, side).length >= most) {
    throw refuse(
      "tooManyWaiting",
      `expected at most ${most} reduce-only ${side}s to wait for ${lots} lots`,
    );
  }
}

/** A reduce-only order without a position to reduce now: placed, it would be refused. */
export function reducesNothing(
  ctx: ReadContext,
  venue: Venue,
  { id: market }: Instrument,
  order: number,
): boolean {
  const index = venue.waiting.of(ctx, market);
  const [side, account] = [index.reducesOf(order), index.accountOf(order)];
  if (side === null || account === undefined) return false;
  return reducible(venue.clearing.positionLots(ctx, account, market), side) === 0n;
}

/** A block looks at one part of the sub-accounts, so each has its turn once in so many blocks. */
function hasTurn({ header }: ReadContext, account: AccountId): boolean {
  let sum = 0;
  for (let at = 0; at < account.length; at++) sum += account.charCodeAt(at);
  return sum % IDLE_PARTS === header.height % IDLE_PARTS;
}

/** In a crowded market, what waits beyond what its sub-account could have placed now leaves, newest first, by account. */
export function endIdle(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  crowded: number = WAITING_CROWDED,
): void {
  const index = venue.waiting.of(ctx, instrument.id);
  if (index.size <= crowded) return;
  const mark = markOf(ctx, venue, instrument);
  if (mark === undefined) return;
  const idle: { readonly account: AccountId; readonly ids: readonly number[] }[] = [];
  for (const account of index.accounts.keys()) {
    if (!hasTurn(ctx, account)) continue;
    for (const side of ["sell", "buy"] as const) {
      const ids = index.reducing(account, side);
      if (ids.length === 0) continue;
      const lots = couldReduce(ctx, venue, instrument, { account, side });
      const most = mostReducing(instrument, mark, lots);
      if (ids.length > most) idle.push({ account, ids: ids.slice(most) });
    }
  }
  if (idle.length === 0) return;
  idle.sort((a, b) => (a.account < b.account ? -1 : a.account > b.account ? 1 : 0));
  const turn = openTurn(ctx, venue, instrument);
  for (const id of idle.flatMap(({ ids }) => ids).slice(0, IDLE_ENDED_PER_BLOCK_MAX)) {
    const order = waitingById(turn, id);
    if (order !== undefined) cancelWaiting(turn, order, "reduce_only");
  }
  closeTurn(turn);
}
