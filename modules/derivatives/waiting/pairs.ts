/**
 * Two orders of which one cancels the other. They share a market and a size; a fill of one takes as much off the other, and what the
 * owner or time cancels goes with its pair. A leg the chain had to take out (margin, reduce-only, a refused trigger) leaves the other
 * in force: better half a protection than none. That holds while they are placed, too: the second is not needed only when the first was
 * filled whole. Each leg reserves for itself.
 */
import type {
  MsgPlaceOco,
  MsgPlaceOcoResponse,
  MsgPlaceOrderResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { isBatch } from "../auction/opening.ts";
import { collectPair } from "../auction/orders.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import { formatSize, parseSize } from "../instruments.ts";
import { requireContinuous } from "../orders/admission.ts";
import { nothingMet } from "../orders/execution.ts";
import { placeRequest } from "../orders/placing.ts";
import { type OrderRequest, parseRequest } from "../orders/requests.ts";
import { respond } from "../orders/responses.ts";
import { recordOf } from "../orders/resting.ts";
import {
  closeTurn,
  nextNumber,
  openTurn,
  requireInstrument,
  type Turn,
  type Venue,
} from "../venue.ts";
import { waitingById } from "./waiting.ts";

export function parseOco({ legs }: MsgPlaceOco): readonly [OrderRequest, OrderRequest] {
  const [first, second] = legs.map(parseRequest);
  if (first === undefined || second === undefined || legs.length !== 2) {
    throw refuse("invalidLink", `expected two orders, got ${legs.length}`);
  }
  for (const leg of [first, second]) {
    const plain = leg.twap === null && leg.bracket === null && leg.displaySize === "";
    if (!plain || (leg.force !== "gtc" && leg.trigger === null)) {
      throw refuse("invalidLink", "a leg rests or waits for a trigger, and has no parts");
    }
  }
  if (first.market !== second.market || first.size !== second.size) {
    throw refuse("invalidLink", "expected two orders of one market and one size");
  }
  if (first.clientId !== "" && first.clientId === second.clientId) {
    throw refuse("invalidLink", "expected two different client ids");
  }
  return [first, second];
}

/** Throws ModuleError to refuse both; the caller reverts what was done until then. */
export function placeOco(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  [first, second]: readonly [OrderRequest, OrderRequest],
): MsgPlaceOcoResponse {
  const instrument = requireInstrument(ctx, venue, first.market);
  if (isBatch(instrument))
    return { legs: collectPair(ctx, venue, instrument, account, [first, second]) };
  const turn = openTurn(ctx, venue, instrument);
  requireContinuous(turn);
  const firstId = nextNumber(turn);
  const secondId = nextNumber(turn);
  const one = placeRequest(turn, account, first, { id: firstId, ocoId: secondId });
  const left = openLots(turn, firstId);
  const lots = unfilledLots(turn, first, one);
  const legs =
    lots === 0
      ? [one, notNeeded(turn, account, secondId, second.clientId)]
      : [one, placeRequest(turn, account, second, { id: secondId, ocoId: firstId, lots })];
  legs[0] = updated(turn, one, left);
  closeTurn(turn);
  return { legs };
}

/** What the first leg leaves to the second: all that it was not filled with, whether it rests, waits, or was taken out by the chain. */
function unfilledLots(
  { instrument }: Turn,
  { size }: OrderRequest,
  { fills, filledSize }: MsgPlaceOrderResponse,
): number {
  const filled = fills === 0 ? 0 : parseSize(instrument, filledSize);
  return parseSize(instrument, size) - filled;
}

/** What of an order rests or waits. */
function openLots(turn: Turn, id: number): number {
  const slot = turn.book.find(id);
  if (slot === 0) return Number(waitingById(turn, id)?.remainingLots ?? 0n);
  const order = turn.book.read(slot);
  return order.lots + Number(recordOf(turn, order).hiddenLots);
}

/** The second leg may have been filled at once, which took something off the first. */
function updated(turn: Turn, one: MsgPlaceOrderResponse, left: number): MsgPlaceOrderResponse {
  const now = openLots(turn, Number(one.orderId));
  if (now === left) return one;
  const remainingSize = formatSize(turn.instrument, now);
  if (now > 0) return { ...one, remainingSize };
  return { ...one, remainingSize, status: OrderStatus.ORDER_STATUS_CANCELLED, reason: "oco" };
}

function notNeeded(
  turn: Turn,
  account: AccountId,
  orderId: number,
  clientId: string,
): MsgPlaceOrderResponse {
  events.orderCancelled(turn, { id: orderId, account, clientId, lots: 0 }, "oco");
  return respond(
    turn,
    { orderId, execution: nothingMet(0), protection: undefined },
    { status: OrderStatus.ORDER_STATUS_CANCELLED, reason: "oco", resting: 0 },
  );
}
