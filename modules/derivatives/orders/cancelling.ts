/** Cancels: one order (and its pair), all of an account, and those whose time has passed. Taken in every status of a market, at any price. */
import type { MsgCancelOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { CollectedOrder, WaitingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import { heightKey, u32Key } from "../../kit/collections/codecs.ts";
import type { WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import {
  cancelAllCollected,
  collectedIn,
  collectedNamed,
  idOf,
  pairOf,
  releaseCollected,
  standsBefore,
} from "../auction/collected.ts";
import { collectCancel, roundOf } from "../auction/rounds.ts";
import { holderOf } from "../book/books.ts";
import { refuse } from "../errors.ts";
import { formatSize, type Instrument } from "../instruments.ts";
import { marketsWithOrders } from "../occupied.ts";
import {
  closeTurn,
  instrumentById,
  nowMs,
  openTurn,
  requireInstrument,
  type Turn,
  type Venue,
} from "../venue.ts";
import { cancelPartner, partnerOf } from "../waiting/links.ts";
import { cancelWaiting, waitingById } from "../waiting/waiting.ts";
import { waitingHolder } from "../waiting/waiting-index.ts";
import { checkClientId } from "./requests.ts";
import { cancel } from "./resting.ts";

export interface OrderName {
  readonly market: string;
  /** 0: by client id. */
  readonly orderId: bigint;
  readonly clientId: string;
}

export function checkOrderName({ orderId, clientId }: OrderName): void {
  if ((orderId === 0n) === (clientId === "")) {
    throw refuse("invalidRequest", "expected either an order id or a client id");
  }
}

interface OpenOrder {
  readonly slot: number;
  readonly waiting: WaitingOrder | undefined;
}

/** An open order of the account: its slot in the book, or its record when it waits. Throws ModuleError when there is none. */
export function findOpen(turn: Turn, account: AccountId, name: OrderName): OpenOrder {
  const found = seekOpen(turn, account, name);
  if (found !== undefined) return found;
  const { clientId, orderId } = name;
  const said = orderId === 0n ? `client id "${clientId.slice(0, 40)}"` : orderId;
  throw refuse("unknownOrder", `no open order ${said} of this sub-account`);
}

function seekOpen(turn: Turn, account: AccountId, name: OrderName): OpenOrder | undefined {
  checkOrderName(name);
  const { book } = turn;
  const given = Number(name.orderId);
  const id = Number.isSafeInteger(given) ? given : 0;
  const named = name.orderId === 0n;
  const slot = named ? book.findByClientId(account, name.clientId) : book.find(id);
  if (slot !== 0 && book.accountOf(slot) === account) return { slot, waiting: undefined };
  const waitingId = named ? turn.waiting.findByClientId(account, name.clientId) : id;
  if (turn.waiting.accountOf(waitingId) === account) {
    return { slot: 0, waiting: waitingById(turn, waitingId) };
  }
  return undefined;
}

/** Where lists give rounds, an order leaves at the begin of the cancel's round; elsewhere at once. */
export function cancelOrder(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  name: OrderName,
): MsgCancelOrderResponse {
  checkOrderName(name);
  const instrument = requireInstrument(ctx, venue, name.market);
  const turn = openTurn(ctx, venue, instrument);
  const round = roundOf(ctx, instrument);
  if (round !== 0) {
    const { clientId, orderId } = name;
    requireNamed(turn, account, name);
    collectCancel(ctx, venue, instrument, account, { clientId, orderId, orders: 1, round });
    return { orderId, cancelledSize: "0", round: BigInt(round) };
  }
  const { id, lots } = cancelNamed(turn, account, name);
  closeTurn(turn);
  return { orderId: BigInt(id), cancelledSize: formatSize(instrument, lots), round: 0n };
}

function cancelNamed(turn: Turn, account: AccountId, name: OrderName): Cancelled {
  const { ctx, instrument, venue } = turn;
  // One that has fired and is not in the book yet has an id, too.
  const named = name.orderId === 0n ? undefined : seekOpen(turn, account, name);
  // A market without auction terms never collected.
  const collected =
    named === undefined && instrument.terms.auction !== undefined
      ? collectedNamed(ctx, venue, instrument.id, account, name)
      : undefined;
  if (collected !== undefined) return cancelCollectedToo(turn, collected, "user");
  const { slot, waiting } = named ?? findOpen(turn, account, name);
  return waiting === undefined
    ? cancelSlot(turn, slot, "user")
    : cancelWaitingToo(turn, waiting, "user");
}

/** Of a market that gives rounds. By client id also for an order that has not come yet, which a proposer may have left out; by id only for one that there is. */
function requireNamed(turn: Turn, account: AccountId, name: OrderName): void {
  const { ctx, instrument, venue } = turn;
  if (name.clientId !== "") checkClientId(name.clientId);
  else if (collectedNamed(ctx, venue, instrument.id, account, name) === undefined)
    findOpen(turn, account, name);
}

interface Cancelled {
  readonly id: number;
  readonly lots: number;
}

/** Cancels an order of the book, and its pair. */
export function cancelSlot(turn: Turn, slot: number, reason: string): Cancelled {
  const partner = partnerOf(turn, slot);
  const order = cancel(turn, slot, reason);
  cancelPartner(turn, order.account, partner);
  return order;
}

/** As cancelSlot, for an order that waits. */
export function cancelWaitingToo(turn: Turn, order: WaitingOrder, reason: string): Cancelled {
  cancelWaiting(turn, order, reason);
  cancelPartner(turn, waitingHolder(order), Number(order.ocoId));
  return { id: Number(order.id), lots: Number(order.remainingLots) };
}

/** As cancelSlot, for an order that is collected. */
export function cancelCollectedToo(turn: Turn, order: CollectedOrder, reason: string): Cancelled {
  const { ctx, instrument, venue } = turn;
  const pair = pairOf(ctx, venue, order);
  releaseCollected(ctx, venue, instrument, order, reason);
  if (pair !== undefined) releaseCollected(ctx, venue, instrument, pair, "oco");
  cancelPartner(turn, holderOf(order), Number(order.waiting?.ocoId ?? 0n));
  return { id: Number(idOf(order)), lots: Number(order.lots) };
}

export interface CancelBounds {
  readonly most: number;
  /** Leaves reduce-only orders that wait: they cannot make a position. */
  readonly sparesReducing: boolean;
}

const ALL: CancelBounds = { most: Number.MAX_SAFE_INTEGER, sparesReducing: false };

/** Cancels open orders of the account in one market: collected, then resting, then waiting ones; returns how many. */
export function cancelAllIn(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  account: AccountId,
  reason: string,
  { most, sparesReducing }: CancelBounds = ALL,
): number {
  const collected = cancelAllCollected(ctx, venue, instrument, account, { reason, most });
  const open = venue.books.of(ctx, instrument.id).openOrders(account);
  const waiting = venue.waiting.of(ctx, instrument.id).openOrders(account);
  const left = most - collected;
  if (open + waiting === 0 || left === 0) return collected;
  const turn = openTurn(ctx, venue, instrument);
  const cancelled = cancelOpen(turn, account, reason, { most: left, sparesReducing });
  closeTurn(turn);
  return collected + cancelled;
}

/** Of a turn's market: resting, then waiting orders; returns how many. */
export function cancelOpen(
  turn: Turn,
  account: AccountId,
  reason: string,
  { most, sparesReducing }: CancelBounds = ALL,
): number {
  const slots = turn.book.ordersOf(account).slice(0, most);
  for (const slot of slots) cancel(turn, slot, reason);
  const ids = turn.waiting.ordersOf(account);
  const going = sparesReducing ? ids.filter((id) => turn.waiting.reducesOf(id) === null) : ids;
  const taken = going.slice(0, most - slots.length);
  for (const id of taken) {
    const order = waitingById(turn, id);
    if (order !== undefined) cancelWaiting(turn, order, reason);
  }
  return slots.length + taken.length;
}

/**
 * All of the account's in one market, as it asks for itself. Where lists give rounds: what rests when the cancel's round begins, so not the orders of
 * that same round. Returns how many there are of them now.
 */
export function cancelAllFor(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  account: AccountId,
): number {
  const round = roundOf(ctx, instrument);
  if (round === 0) return cancelAllIn(ctx, venue, instrument, account, "user");
  const collected = collectedIn(ctx, venue, instrument, account);
  const resting = venue.books.of(ctx, instrument.id).openOrders(account);
  const waiting = venue.waiting.of(ctx, instrument.id).openOrders(account);
  const orders = collected.length + resting + waiting;
  // Also when there are none yet: a proposer may have left some out.
  collectCancel(ctx, venue, instrument, account, { clientId: "", orderId: 0n, orders, round });
  const earlier = collected.filter((order) => standsBefore(order, BigInt(round)));
  return earlier.length + resting + waiting;
}

/** How many orders of any kind the account has open in one market. */
export function openOrdersIn(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  account: AccountId,
): number {
  const collected = collectedIn(ctx, venue, instrument, account).length;
  const resting = venue.books.of(ctx, instrument.id).openOrders(account);
  return collected + resting + venue.waiting.of(ctx, instrument.id).openOrders(account);
}

/** In every market. Without a reason: as the account asks for itself. */
export function cancelAll(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  reason?: string,
): number {
  let cancelled = 0;
  for (const id of marketsWithOrders(ctx, venue.state)) {
    const instrument = instrumentById(ctx, venue, id);
    assert(instrument !== undefined, `market ${id} has orders but no record`);
    cancelled +=
      reason === undefined
        ? cancelAllFor(ctx, venue, instrument, account)
        : cancelAllIn(ctx, venue, instrument, account, reason);
  }
  return cancelled;
}

/** Cancels orders whose good-til time or last block has passed, oldest first, up to the block's bound for each of the two. */
export function expireDue(turn: Turn): void {
  const { ctx, instrument, venue } = turn;
  const { expiries, heightExpiries, params } = venue.state;
  const most = params.require(ctx).expiriesPerBlockMax;
  const due: number[] = [];
  for (const [queue, through] of [
    [expiries, nowMs(ctx)],
    [heightExpiries, ctx.header.height],
  ] as const) {
    const bound = due.length + most;
    const from = u32Key.encode(instrument.id);
    const to = from + heightKey.encode(through + 1);
    queue.eachBetween(ctx, from, to, ([, , id]) => due.push(id) >= bound);
  }
  for (const id of due) {
    const slot = turn.book.find(id);
    const waiting = slot === 0 ? waitingById(turn, id) : undefined;
    // Neither: it went with its pair, or for its other bound.
    if (slot !== 0) cancelSlot(turn, slot, "expired");
    else if (waiting !== undefined) cancelWaitingToo(turn, waiting, "expired");
  }
}
