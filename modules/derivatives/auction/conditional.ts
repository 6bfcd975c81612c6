/**
 * Conditional orders (stop, take-profit, trailing stop) of a market that is matched by auction. Accepted, one is collected like any order, so neither its number
 * nor what a trailing stop starts from depends on the sequence of a block; entering, it begins to wait; when it fires, at the end of a block, it is collected
 * again under its id, for the auction that is next: that of the block, or where inclusion lists give rounds, of the block after.
 */
import type { CollectedOrder, WaitingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import { TimeInForce, TriggerKind } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { holderOf } from "../book/books.ts";
import { collectedWorth, countFired } from "../keys/counting.ts";
import type { Mark } from "../marking/mark.ts";
import { intentOfWaiting } from "../orders/intents.ts";
import type { MarketId } from "../ports.ts";
import type { Turn, Venue } from "../venue.ts";
import { waitReserved } from "../waiting/waiting.ts";
import { collectedKey, takeCollected } from "./collected.ts";
import { collectIntent } from "./orders.ts";
import { roundOf } from "./rounds.ts";
import { begunTwap } from "./slices.ts";

/** What waits from when the market was continuous may be of a kind that auctions have no place for: it goes on waiting. Post-only means nothing where all pay the same. */
export function firesInAuctions(
  ctx: ReadContext,
  venue: Venue,
  market: MarketId,
  id: number,
): boolean {
  const key = venue.waiting.of(ctx, market).keyOf(id);
  const order = key === undefined ? undefined : venue.state.waiting.get(ctx, key);
  if (order === undefined) return false;
  // Of a TWAP no more than one slice is marked.
  if (order.kind === TriggerKind.TRIGGER_KIND_TWAP) return order.dueSequence === 0n;
  return order.timeInForce !== TimeInForce.TIME_IN_FORCE_FOK && order.goodTilHeight === 0n;
}

/** A collected order begins to wait, with the reserve that margin holds for it. */
export function beginWaiting(
  turn: Turn,
  collected: CollectedOrder,
  mark: Mark,
  ids: { readonly id: number; readonly ocoId: number },
): void {
  const { ctx, venue } = turn;
  const { waiting } = collected;
  assert(waiting !== undefined, "an order begins to wait that has no trigger");
  takeCollected(ctx, venue, collected);
  const placedHeight = BigInt(ctx.header.height);
  const [id, ocoId] = [BigInt(ids.id), BigInt(ids.ocoId)];
  const begun = { ...waiting, id, ocoId, placedHeight };
  const order = waiting.kind === TriggerKind.TRIGGER_KIND_TWAP ? begunTwap(ctx, begun) : begun;
  waitReserved(turn, order, Number(mark.ticks));
}

/** It does not wait any more. Throws ModuleError when the market takes no such order now. */
export function collectFired(turn: Turn, order: WaitingOrder, mark: Mark): void {
  const { ctx, instrument, venue } = turn;
  const intent = intentOfWaiting(order);
  collectIntent(turn, intent, mark, roundOf(ctx, instrument), { fired: order, pair: "" });
  const collected = venue.state.collected.get(ctx, collectedKey({ ...order, waiting: order }));
  assert(
    collected !== undefined && holderOf(collected) === intent.account,
    "a fired order is lost",
  );
  const quanta = collectedWorth({ instrument, mark }, collected);
  countFired(turn, order, { quanta, lots: Number(collected.lots) });
}
