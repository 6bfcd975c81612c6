/**
 * One slice of a TWAP: an immediate order over its share of what is left. Times are fixed when the order is placed, `started + n ×
 * interval`; a slice that was missed (stale price, halt, a full block) or not filled leaves its lots to the ones that follow, each of
 * which makes up for at most a multiple of its own share. After the last time the order ends, filled or not.
 */
import type { WaitingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import { divCeil, divFloor, minimum } from "../../kit/math/mul-div.ts";
import * as events from "../events.ts";
import { countFired, filledWorth } from "../keys/counting.ts";
import { TWAP_CATCH_UP } from "../limits.ts";
import { limitOf, requireTradable } from "../orders/admission.ts";
import { type Execution, execute, reducible } from "../orders/execution.ts";
import { intentOfWaiting } from "../orders/intents.ts";
import { nowMs, type Turn } from "../venue.ts";
import { cancelWaiting, moveWaiting, takeOut } from "./waiting.ts";
import { waitingHolder } from "./waiting-index.ts";

/** Number of the slice whose time it is, from 0. */
export function sliceAt(order: WaitingOrder, nowMs: number): number {
  const passed = Number(divFloor(BigInt(nowMs) - order.startedMs, order.intervalMs));
  const last = order.slices - 1;
  return passed < last ? passed : last;
}

/** Lots of that slice before anything limits them: an even part of what is left, with a bounded catch-up. */
export function sliceLots(order: WaitingOrder, slice: number): number {
  const { remainingLots, sizeLots, slices } = order;
  const even = divCeil(remainingLots, BigInt(slices - slice));
  const most = divCeil(sizeLots, BigInt(slices)) * TWAP_CATCH_UP;
  return Number(minimum(even, most));
}

/** Throws ModuleError when the market takes no such order now. */
export function runSlice(turn: Turn, order: WaitingOrder): void {
  const { ctx, instrument, venue } = turn;
  const intent = intentOfWaiting(order);
  const mark = requireTradable(turn, order.reduceOnly);
  const slice = sliceAt(order, nowMs(ctx));
  let lots = sliceLots(order, slice);
  if (order.reduceOnly) {
    const position = venue.clearing.positionLots(ctx, intent.account, instrument.id);
    const most = reducible(position, intent.side);
    if (most === 0n) {
      cancelWaiting(turn, order, "reduce_only");
      return;
    }
    lots = Number(minimum(most, BigInt(lots)));
  }
  const nextMs = order.startedMs + BigInt(slice + 1) * order.intervalMs;
  // What the slice may execute is checked fill by fill, so its part of the reserve makes room for it and comes back after.
  const remainingLots = order.remainingLots - BigInt(lots);
  // Marked for an auction while the market was matched by them, it is so no more.
  const without = { ...order, dueSequence: 0n, nextMs, remainingLots };
  moveWaiting(turn, order, without);
  const execution = execute(turn, {
    account: intent.account,
    side: intent.side,
    limitTicks: limitOf(turn, intent, mark),
    lots,
    orderId: intent.id,
    selfTrade: intent.selfTrade,
    reservePpm: null,
    builder: intent.builder,
    trader: intent.trader,
  });
  const { decrementedLots, filledLots, notional } = execution;
  const quanta = filledWorth({ instrument, mark }, notional, filledLots);
  countFired(turn, order, { quanta, lots: filledLots });
  const unfilled = lots - filledLots - decrementedLots;
  const after = { ...without, remainingLots: without.remainingLots + BigInt(unfilled) };
  moveWaiting(turn, without, after);
  events.twapSlice(turn, order, {
    number: slice + 1,
    lots,
    filled: filledLots,
    remaining: after.remainingLots,
    reason: filledLots < lots ? reasonOf(execution) : "",
  });
  endTwap(turn, after, { last: slice + 1 === order.slices, filled: filledLots, lots });
}

function reasonOf({ decrementedLots, matched, stop }: Execution): string {
  if (stop !== null) return stop.reason;
  if (decrementedLots > 0) return "self_trade";
  return matched.end === "steps" ? "fills_bound" : "immediate";
}

/** After a slice it ends: filled, after the last one with what is left, or, like any order, when an own one took all that was left without a fill. */
export function endTwap(
  turn: Turn,
  order: WaitingOrder,
  slice: { readonly last: boolean; readonly filled: number; readonly lots: number },
): void {
  if (order.remainingLots > 0n) {
    if (slice.last) cancelWaiting(turn, order, "twap_end");
    return;
  }
  takeOut(turn, order);
  const { clientId, id } = order;
  const named = { id: Number(id), account: waitingHolder(order), clientId };
  if (slice.filled > 0) events.orderFilled(turn, named);
  else events.orderCancelled(turn, { ...named, lots: slice.lots }, "self_trade");
}
