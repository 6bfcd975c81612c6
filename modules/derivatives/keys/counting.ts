/**
 * What counts against a grant's bound, by one measure for all that a key does. Lots count at the higher of mark and the highest price they may
 * trade at, an option's at least at the underlying: a low price, a trigger or a premium that its sender chose never makes an order small. What is
 * filled at once counts at no less than was paid. Products of integers: nothing is rounded.
 */
import type { MsgPlaceOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  type CollectedOrder,
  type WaitingOrder,
  Side as WireSide,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { assert } from "../../kit/errors.ts";
import { parseDecimal } from "../../kit/math/decimal.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import { MONEY_PLACES } from "../instruments/contract.ts";
import { type Instrument, notionalOf, parseSize } from "../instruments.ts";
import type { Mark } from "../marking/mark.ts";
import { bandLimit } from "../marks.ts";
import type { Turn } from "../venue.ts";
import { changeWaiting, waitingById } from "../waiting/waiting.ts";
import { requireGrant, requireGrantedMarket, spend, WHOLE } from "./grants.ts";
import { UNCOUNTED } from "./reach.ts";
import type { GrantKey } from "./state.ts";

/** A market and its mark at this moment. */
export interface Measure {
  readonly instrument: Instrument;
  readonly mark: Mark;
}

interface Counted {
  readonly quanta: bigint;
  readonly lots: number;
}

/**
 * Whether closing counts for nothing, so that an exhausted key can still close. Not in options: a band around them is as wide as their underlying, so
 * a sale of what is held at a tick would give all of it away.
 */
export function isFree({ losses }: Mark, reduceOnly: boolean): boolean {
  return reduceOnly && losses === null;
}

/** Quanta that lots count for which trade at `ticks` or below. */
export function lotsWorth({ instrument, mark }: Measure, ticks: number, lots: number): bigint {
  const highest = maximum(BigInt(ticks), mark.ticks);
  const atPrice = notionalOf(instrument, Number(highest), lots);
  return maximum(atPrice, mark.notionalPerLot * BigInt(lots));
}

/** Quanta that filled lots count for. */
export function filledWorth(measure: Measure, paidQuanta: bigint, lots: number): bigint {
  return maximum(paidQuanta, lotsWorth(measure, 0, lots));
}

/** An auction fills a buy at its limit or below, a sale anywhere up to the end of the band. */
export function collectedWorth(measure: Measure, order: CollectedOrder): bigint {
  const limit = Number(order.priceTicks);
  const most = bandLimit(measure.instrument, measure.mark, "buy");
  const ticks = order.side === WireSide.SIDE_SELL && most > limit ? most : limit;
  return lotsWorth(measure, ticks, Number(order.lots));
}

/** What an order that was just placed or amended can do: what it filled, and what of it rests or waits. */
export function placedWorth(turn: Turn, mark: Mark, placed: MsgPlaceOrderResponse): Counted {
  const { instrument } = turn;
  const measure = { instrument, mark };
  const paid = parseDecimal(placed.filledQuote, MONEY_PLACES);
  assert(paid !== null, `expected money, got "${placed.filledQuote}"`);
  const filled = lotsOf(instrument, placed.filledSize);
  const open = lotsOf(instrument, placed.remainingSize);
  const ticks = open === 0 ? 0 : openTicks(turn, Number(placed.orderId));
  const quanta = filledWorth(measure, paid, filled) + lotsWorth(measure, ticks, open);
  return { quanta, lots: filled + open };
}

/** Of a response, where none are "0". */
export function lotsOf(instrument: Instrument, size: string): number {
  return size === "0" ? 0 : parseSize(instrument, size);
}

function openTicks(turn: Turn, orderId: number): number {
  const slot = turn.book.find(orderId);
  if (slot !== 0) return turn.book.read(slot).ticks;
  const order = waitingById(turn, orderId);
  return order === undefined ? 0 : waitingTicks(order);
}

/** 0 with neither: a trailing stop, or a TWAP at the market. */
function waitingTicks({ priceTicks, triggerTicks }: WaitingOrder): number {
  return Number(maximum(priceTicks, triggerTicks));
}

/** An order that waits remembers its key, and what its lots were counted at: marks move until it fires. */
export function rememberKey(turn: Turn, mark: Mark, orderId: number, trader: Uint8Array): void {
  const order = waitingById(turn, orderId);
  if (order === undefined) return;
  const quanta = lotsWorth({ instrument: turn.instrument, mark }, waitingTicks(order), 1);
  changeWaiting(turn, { ...order, keyCount: { trader, quantaPerLot: quanta.toString() } });
}

/**
 * When a key's order fires: it does so under the grant as that now is, and counts for what it does beyond what was counted already. Throws
 * ModuleError when the grant is gone, has expired or is exhausted.
 */
export function countFired(turn: Turn, order: WaitingOrder, { quanta, lots }: Counted): void {
  const { keyCount, subaccount } = order;
  if (keyCount === undefined) return;
  const { ctx, instrument, venue } = turn;
  if (keyCount.quantaPerLot === UNCOUNTED) return;
  const at: GrantKey = [order.owner, keyCount.trader];
  const grant = requireGrant(ctx, venue, at, subaccount);
  requireGrantedMarket(grant, instrument.id, instrument.symbol);
  const counted = BigInt(keyCount.quantaPerLot) * BigInt(lots);
  if (quanta > counted) spend(ctx, venue, at, grant, quanta - counted);
}

export function wellCounted({ keyCount }: WaitingOrder): boolean {
  return (
    keyCount === undefined ||
    (keyCount.trader.length === 20 &&
      (keyCount.quantaPerLot === UNCOUNTED || WHOLE.test(keyCount.quantaPerLot)))
  );
}
