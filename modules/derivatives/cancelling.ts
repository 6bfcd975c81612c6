/** Cancels: one order, all of an account, and those whose time has passed. Taken in every status of a market, at any price. */
import type { MsgCancelOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { AccountId } from "../kit/account-id.ts";
import { heightKey, u32Key } from "../kit/collections/codecs.ts";
import type { WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { cancelAllCollected, cancelCollected } from "./collected.ts";
import { refuse } from "./errors.ts";
import { formatSize, type Instrument } from "./instruments.ts";
import { marketsWith } from "./occupied.ts";
import { cancel } from "./resting.ts";
import {
  closeTurn,
  instrumentById,
  nowMs,
  openTurn,
  requireInstrument,
  type Venue,
} from "./venue.ts";

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

export function cancelOrder(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  name: OrderName,
): MsgCancelOrderResponse {
  checkOrderName(name);
  const instrument = requireInstrument(ctx, venue, name.market);
  const turn = openTurn(ctx, venue, instrument);
  const id = Number(name.orderId);
  const slot =
    name.orderId === 0n
      ? turn.book.findByClientId(account, name.clientId)
      : turn.book.find(Number.isSafeInteger(id) ? id : 0);
  if (slot === 0 && name.orderId === 0n) {
    const collected = cancelCollected(ctx, venue, instrument, account, name.clientId);
    if (collected !== null) return collected;
  }
  if (slot === 0 || turn.book.accountOf(slot) !== account) {
    const said = name.orderId === 0n ? `client id "${name.clientId.slice(0, 40)}"` : name.orderId;
    throw refuse("unknownOrder", `no open order ${said} of this sub-account`);
  }
  const order = cancel(turn, slot, "user");
  closeTurn(turn);
  return { orderId: BigInt(order.id), cancelledSize: formatSize(instrument, order.lots) };
}

/** Cancels every open order of the account in one market; returns how many. */
export function cancelAllIn(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  account: AccountId,
  reason: string,
): number {
  const collected = cancelAllCollected(ctx, venue, instrument, account, reason);
  if (venue.books.of(ctx, instrument.id).openOrders(account) === 0) return collected;
  const turn = openTurn(ctx, venue, instrument);
  const slots = turn.book.ordersOf(account);
  for (const slot of slots) cancel(turn, slot, reason);
  closeTurn(turn);
  return collected + slots.length;
}

export function cancelAll(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  reason: string,
): number {
  let cancelled = 0;
  const { orders, collected } = venue.state;
  const ids = new Set([...marketsWith(ctx, orders), ...marketsWith(ctx, collected)]);
  for (const id of [...ids].sort((a, b) => a - b)) {
    const instrument = instrumentById(ctx, venue, id);
    assert(instrument !== undefined, `market ${id} has orders but no record`);
    cancelled += cancelAllIn(ctx, venue, instrument, account, reason);
  }
  return cancelled;
}

/** Cancels orders whose good-til time has passed, oldest times first, up to the block's bound. */
export function expireOrders(ctx: WriteContext, venue: Venue, instrument: Instrument): number {
  const now = nowMs(ctx);
  const most = venue.state.params.require(ctx).expiriesPerBlockMax;
  const due: number[] = [];
  const from = u32Key.encode(instrument.id);
  const to = from + heightKey.encode(now + 1);
  venue.state.expiries.eachBetween(ctx, from, to, ([, , id]) => due.push(id) >= most);
  if (due.length === 0) return 0;
  const turn = openTurn(ctx, venue, instrument);
  for (const id of due) cancel(turn, turn.book.find(id), "expired");
  closeTurn(turn);
  return due.length;
}
