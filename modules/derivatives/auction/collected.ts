/** Orders collected for the auction of their block or round: the record and its reserve in margin change together here. */
import type { CollectedOrder, WaitingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import { u32Key } from "../../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { GAS } from "../../kit/gas.ts";
import { holderOf } from "../book/books.ts";
import * as events from "../events.ts";
import { feeReserve } from "../fees/rates.ts";
import type { Instrument } from "../instruments.ts";
import { sideOf } from "../orders/requests.ts";
import type { MarketId } from "../ports.ts";
import type { Turn, Venue } from "../venue.ts";

export type CollectedKey = readonly [MarketId, AccountId, string];

/** By client id. One that has none has waited and fired: by its id behind a space, so that no client id is the same. */
export function collectedKey(
  order: Pick<CollectedOrder, "market" | "owner" | "subaccount" | "clientId" | "waiting">,
): CollectedKey {
  const { clientId, market, waiting } = order;
  return [market, holderOf(order), clientId === "" ? ` ${waiting?.id}` : clientId];
}

/** In key order: sub-account, then client id. */
export function collectedOf(
  ctx: ReadContext,
  venue: Venue,
  market: MarketId,
  account: AccountId | "" = "",
): CollectedOrder[] {
  const orders: CollectedOrder[] = [];
  const prefix = u32Key.encode(market) + account;
  venue.state.collected.eachWithPrefix(ctx, prefix, (_key, order) => void orders.push(order));
  return orders;
}

/** The account's in this market: between blocks only where it stands still, or where lists give rounds. Terms of auctions are never taken away, so a market without them has none. */
export function collectedIn(
  ctx: ReadContext,
  venue: Venue,
  { id, terms }: Instrument,
  account: AccountId,
): CollectedOrder[] {
  return terms.auction === undefined ? [] : collectedOf(ctx, venue, id, account);
}

/** A conditional order that is for the auction now. */
export function hasFired(waiting: WaitingOrder | undefined): boolean {
  return waiting !== undefined && waiting.id !== 0n;
}

/** A conditional order that is for no auction before it has fired. */
export function isToWait({ waiting }: CollectedOrder): boolean {
  return waiting !== undefined && waiting.id === 0n;
}

/** What a cancel of everything of this round finds there when the round begins: of earlier rounds, and what waited until it fired. */
export function standsBefore({ round, waiting }: CollectedOrder, of: bigint): boolean {
  return round < of || (round === of && hasFired(waiting));
}

/** The other order of its pair, while neither has an id. One that bears its name and does not name this one came when it had left. */
export function pairOf(
  ctx: ReadContext,
  venue: Venue,
  order: CollectedOrder,
): CollectedOrder | undefined {
  const { clientId, market, pairClientId } = order;
  if (pairClientId === "") return undefined;
  const other = venue.state.collected.get(ctx, [market, holderOf(order), pairClientId]);
  return other?.pairClientId === clientId ? other : undefined;
}

/** What shows of it when it enters. */
export function shownLots({ displayLots, lots, waiting }: CollectedOrder): number {
  const display = waiting?.displayLots ?? displayLots;
  return Number(display > 0n && display < lots ? display : lots);
}

/** 0 before it has one. */
export function idOf({ waiting }: CollectedOrder): bigint {
  return waiting?.id ?? 0n;
}

interface OrderNames {
  readonly clientId: string;
  readonly orderId: bigint;
}

/** By client id, or by the id that one has which has fired. */
export function collectedNamed(
  ctx: ReadContext,
  venue: Venue,
  market: MarketId,
  account: AccountId,
  { clientId, orderId }: OrderNames,
): CollectedOrder | undefined {
  if (clientId !== "") return venue.state.collected.get(ctx, [market, account, clientId]);
  return collectedOf(ctx, venue, market, account).find(({ waiting }) => waiting?.id === orderId);
}

/** How many the account has in this market, at no more gas than their number. */
export function countCollected(
  ctx: ReadContext,
  venue: Venue,
  market: MarketId,
  account: AccountId,
): number {
  let count = 0;
  venue.state.collected.scan(ctx, u32Key.encode(market) + account, () => {
    count += 1;
  });
  ctx.gas.consume(count * GAS.iterNextFlat, "IterNextFlat");
  return count;
}

/** The order leaves the collection with its reserve as it is: it goes into the book. */
export function takeCollected(ctx: WriteContext, venue: Venue, order: CollectedOrder): void {
  venue.state.collected.delete(ctx, collectedKey(order));
}

/** At most `most`; returns how many. */
export function cancelAllCollected(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  account: AccountId,
  { reason, most }: { readonly reason: string; readonly most: number },
): number {
  const orders = collectedIn(ctx, venue, instrument, account).slice(0, most);
  for (const order of orders) releaseCollected(ctx, venue, instrument, order, reason);
  return orders.length;
}

/** Cancels a collected order, with its reserve. */
export function releaseCollected(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  order: CollectedOrder,
  reason: string,
): void {
  unreserve(ctx, venue, instrument, order, order.lots);
  takeCollected(ctx, venue, order);
  const { clientId } = order;
  const account = holderOf(order);
  const lots = Number(order.lots);
  const orderId = idOf(order);
  events.orderNotEntered(ctx, venue, instrument, { account, clientId, lots, orderId }, reason);
}

/** Takes lots off one that has fired; off all of it cancels it. */
export function reduceCollected(
  turn: Turn,
  order: CollectedOrder,
  lots: number,
  reason: string,
): void {
  const { ctx, instrument, venue } = turn;
  const left = order.lots - BigInt(lots);
  if (left <= 0n) {
    releaseCollected(ctx, venue, instrument, order, reason);
    return;
  }
  unreserve(ctx, venue, instrument, order, BigInt(lots));
  venue.state.collected.set(ctx, collectedKey(order), { ...order, lots: left });
  const named = { id: Number(idOf(order)), account: holderOf(order) };
  events.orderReduced(turn, named, Number(left), reason);
}

/** Gives back what margin holds for these lots of an order. */
function unreserve(
  ctx: WriteContext,
  { clearing }: Venue,
  instrument: Instrument,
  order: CollectedOrder,
  lots: bigint,
): void {
  if (order.reduceOnly) return;
  const fees = (of: bigint): bigint =>
    feeReserve(instrument, Number(order.priceTicks), Number(of), order.feeReservePpm);
  const gone = fees(order.lots - lots) - fees(order.lots);
  const side = sideOf(order.side) ?? "buy";
  clearing.adjustOpenOrders(ctx, holderOf(order), instrument.id, side, -lots, gone);
}
