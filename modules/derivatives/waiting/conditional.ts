/**
 * Placing an order that waits: a stop, take-profit or trailing stop, or a TWAP. It reserves its worst case as a resting order does (the
 * fee at its limit, else at its trigger, else at the present mark), so that it is not refused for margin when its time comes; reduce-only
 * ones reserve nothing, and need something to reduce (`reducing.ts`). One whose trigger is reached already fires at the end of this block.
 */
import type { MsgPlaceOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  OrderStatus,
  TriggerKind,
  type WaitingOrder,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { numberOf } from "../../kit/account-id.ts";
import { divCeil } from "../../kit/math/mul-div.ts";
import { isBatch } from "../auction/opening.ts";
import { refuse } from "../errors.ts";
import { parsePrice } from "../instruments.ts";
import { uncounted } from "../keys/reach.ts";
import { AUCTION_SLICE_GAS, TWAP_SLICE_GAS, WAITING_PER_MARKET_MAX } from "../limits.ts";
import type { Mark } from "../marking/mark.ts";
import { sizeNotional } from "../marks.ts";
import {
  requireClientId,
  requireGoodTil,
  requireNotional,
  requireRoom,
} from "../orders/admission.ts";
import { nothingMet } from "../orders/execution.ts";
import type { Intent } from "../orders/intents.ts";
import type { OrderRequest, TriggerRequest } from "../orders/requests.ts";
import { respond } from "../orders/responses.ts";
import { wireForce, wireSelfTrade, wireSide, wireType } from "../orders/wire.ts";
import { nextNumber, nowMs, type Turn } from "../venue.ts";
import { requireReason } from "./reducing.ts";
import { wait } from "./waiting.ts";

export function placeWaiting(
  turn: Turn,
  intent: Intent,
  request: OrderRequest,
  mark: Mark,
): MsgPlaceOrderResponse {
  const { ctx, instrument, venue } = turn;
  const { account } = intent;
  requireRoom(turn, intent);
  if (turn.waiting.size >= WAITING_PER_MARKET_MAX) {
    throw refuse("tooManyWaiting", `${instrument.symbol} holds as many waiting orders as it can`);
  }
  requireGoodTil(turn, intent);
  requireClientId(turn, account, intent.clientId);
  if (!venue.clearing.exists(ctx, account)) {
    throw refuse("unknownAccount", "the sub-account holds no collateral");
  }
  if (intent.reduceOnly) requireReason(turn, intent, mark);
  const record = waitingRecord(turn, intent, request, mark);
  const id = intent.id === 0 ? nextNumber(turn) : intent.id;
  const order = { ...record, id: BigInt(id) };
  if (wait(turn, order, Number(mark.ticks))) venue.clearing.requireInitial(ctx, account);
  return respond(
    turn,
    { orderId: id, execution: nothingMet(intent.lots), protection: undefined },
    { status: OrderStatus.ORDER_STATUS_WAITING, reason: "", resting: intent.lots },
  );
}

/** What waits, as it is stored, without its id. Throws ModuleError when its terms are none. */
export function waitingRecord(
  turn: Turn,
  intent: Intent,
  request: OrderRequest,
  mark: Mark,
): WaitingOrder {
  const { ctx, instrument, venue } = turn;
  const { account, reduceOnly } = intent;
  const markTicks = Number(mark.ticks);
  const trigger = request.trigger === null ? null : triggerTerms(turn, request.trigger);
  const triggerTicks = trigger?.triggerTicks ?? 0;
  const valueTicks = intent.priceTicks || triggerTicks || markTicks;
  requireNotional(turn, intent, mark, valueTicks);
  if (request.twap !== null) {
    const { slices } = request.twap;
    const share = Number(divCeil(BigInt(intent.lots), BigInt(slices)));
    requireSlices(turn, intent, mark, { slices, share, ticks: valueTicks });
    const sliceGas = isBatch(instrument) ? AUCTION_SLICE_GAS : TWAP_SLICE_GAS;
    ctx.gas.consume(slices * sliceGas, "slices");
  }
  const now = nowMs(ctx);
  return {
    market: instrument.id,
    id: 0n,
    owner: venue.accounts.owner(account),
    subaccount: numberOf(account),
    side: wireSide(intent.side),
    kind: trigger?.kind ?? TriggerKind.TRIGGER_KIND_TWAP,
    type: wireType(intent.type),
    priceTicks: BigInt(intent.priceTicks),
    sizeLots: BigInt(intent.sizeLots),
    remainingLots: BigInt(intent.lots),
    timeInForce: wireForce(intent.force),
    postOnly: intent.postOnly,
    reduceOnly,
    clientId: intent.clientId,
    goodTilMs: BigInt(intent.goodTilMs),
    goodTilHeight: BigInt(intent.goodTilHeight),
    selfTradePrevention: wireSelfTrade(intent.selfTrade),
    maxSlippagePpm: intent.slippagePpm,
    displayLots: BigInt(intent.displayLots),
    triggerTicks: BigInt(triggerTicks),
    trailTicks: BigInt(trigger?.trailTicks ?? 0),
    trailPpm: trigger?.trailPpm ?? 0,
    ocoId: BigInt(intent.ocoId),
    bracket: intent.bracket,
    reserveTicks: reduceOnly ? 0n : BigInt(valueTicks),
    feeReservePpm: reduceOnly ? 0 : waitingFeePpm(turn, intent),
    placedHeight: BigInt(ctx.header.height),
    slices: request.twap?.slices ?? 0,
    intervalMs: BigInt(request.twap?.intervalMs ?? 0),
    startedMs: request.twap === null ? 0n : BigInt(now),
    nextMs: request.twap === null ? 0n : BigInt(now),
    dueSequence: 0n,
    parentId: 0n,
    builder: intent.builder,
    keyCount: uncounted(intent.trader),
  };
}

/** What its lots are worth while it waits: at its limit, else at its trigger, else at the mark. */
export function valueTicksOf({ priceTicks, triggerTicks }: WaitingOrder, { ticks }: Mark): number {
  return Number(priceTicks || triggerTicks || ticks);
}

interface TriggerTerms {
  readonly kind: TriggerKind;
  readonly triggerTicks: number;
  readonly trailTicks: number;
  readonly trailPpm: number;
}

function triggerTerms({ instrument }: Turn, request: TriggerRequest): TriggerTerms {
  const { kind, price, trail, trailPpm } = request;
  return {
    kind,
    triggerTicks: price === "" ? 0 : parsePrice(instrument, price),
    trailTicks: trail === "" ? 0 : parsePrice(instrument, trail),
    trailPpm,
  };
}

/** It may take when it is placed, unless it is post-only; in an auction all pay its one rate. */
function waitingFeePpm({ instrument }: Turn, { builder, postOnly }: Intent): number {
  const { auction, makerFeePpm, takerFeePpm } = instrument.terms;
  if (isBatch(instrument)) return (auction?.feePpm ?? 0) + (builder?.feePpm ?? 0);
  const maker = makerFeePpm < 0 ? 0 : makerFeePpm;
  return (postOnly || maker > takerFeePpm ? maker : takerFeePpm) + (builder?.feePpm ?? 0);
}

/** Every slice that is to come, of `share` lots, has at least a lot and, unless reduce-only, the least notional. */
export function requireSlices(
  turn: Turn,
  intent: Intent,
  mark: Mark,
  { slices, share, ticks }: Readonly<Record<"slices" | "share" | "ticks", number>>,
): void {
  const { instrument } = turn;
  if (intent.lots < slices) {
    throw refuse("invalidTwap", `expected at least a lot per slice, got ${intent.lots} lots`);
  }
  const notional = sizeNotional(instrument, mark, ticks, share);
  if (!intent.reduceOnly && notional < instrument.terms.notionalMin) {
    throw refuse("notionalTooSmall", "each slice must be worth the market's least notional");
  }
}
