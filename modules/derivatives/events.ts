/** Events, as listed in keel/derivatives/v1/events.proto: snake_case types, plain text attributes. */
import type { WaitingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import { TriggerKind } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../kit/account-id.ts";
import type { WriteContext } from "../kit/context.ts";
import type { Why } from "../kit/explanation.ts";
import type { OrderTerms } from "./book/order-terms.ts";
import { formatMoney, formatPrice, formatSize, type Instrument } from "./instruments.ts";
import type { Side } from "./ports.ts";
import type { Turn, Venue } from "./venue.ts";
import { waitingHolder, waitingSide } from "./waiting/waiting-index.ts";

export function orderPlaced(turn: Turn, order: OrderTerms): void {
  turn.ctx.emit("order_placed", {
    market: turn.instrument.symbol,
    order_id: order.id.toString(),
    account: turn.venue.accounts.text(order.account),
    side: order.side,
    price: formatPrice(turn.instrument, order.ticks),
    size: formatSize(turn.instrument, order.lots),
    client_id: order.clientId,
  });
}

export interface TradeEvent {
  readonly ticks: number;
  readonly lots: number;
  readonly side: Side;
  readonly maker: AccountId;
  readonly makerOrderId: number;
  readonly makerFee: bigint;
  readonly taker: AccountId;
  readonly takerOrderId: number | null;
  readonly takerFee: bigint;
  readonly liquidation: boolean;
}

export function trade(turn: Turn, fill: TradeEvent): void {
  turn.ctx.emit("trade", {
    market: turn.instrument.symbol,
    price: formatPrice(turn.instrument, fill.ticks),
    size: formatSize(turn.instrument, fill.lots),
    side: fill.side,
    maker: turn.venue.accounts.text(fill.maker),
    maker_order_id: fill.makerOrderId.toString(),
    maker_fee: formatMoney(fill.makerFee),
    taker: turn.venue.accounts.text(fill.taker),
    taker_order_id: fill.takerOrderId?.toString() ?? "",
    taker_fee: formatMoney(fill.takerFee),
    liquidation: fill.liquidation ? "true" : "false",
  });
}

export function orderFilled(
  turn: Turn,
  order: Pick<OrderTerms, "id" | "account" | "clientId">,
): void {
  turn.ctx.emit("order_filled", {
    market: turn.instrument.symbol,
    order_id: order.id.toString(),
    account: turn.venue.accounts.text(order.account),
    client_id: order.clientId,
  });
}

export function orderCancelled(
  turn: Turn,
  order: Pick<OrderTerms, "id" | "account" | "clientId" | "lots">,
  reason: string,
): void {
  turn.ctx.emit("order_cancelled", {
    market: turn.instrument.symbol,
    order_id: order.id.toString(),
    account: turn.venue.accounts.text(order.account),
    client_id: order.clientId,
    size: formatSize(turn.instrument, order.lots),
    reason,
  });
}

export function orderReduced(
  turn: Turn,
  order: Pick<OrderTerms, "id" | "account">,
  remaining: number,
  reason: string,
): void {
  turn.ctx.emit("order_reduced", {
    market: turn.instrument.symbol,
    order_id: order.id.toString(),
    account: turn.venue.accounts.text(order.account),
    remaining: formatSize(turn.instrument, remaining),
    reason,
  });
}

export function orderRefilled(turn: Turn, order: OrderTerms, shown: number): void {
  turn.ctx.emit("order_refilled", {
    market: turn.instrument.symbol,
    order_id: order.id.toString(),
    account: turn.venue.accounts.text(order.account),
    size: formatSize(turn.instrument, shown),
  });
}

export function orderRefused(
  ctx: WriteContext,
  venue: Venue,
  refused: {
    readonly market: string;
    readonly account: AccountId;
    readonly clientId: string;
    readonly codespace: string;
    readonly code: number;
    readonly log: string;
  },
): void {
  ctx.emit("order_refused", {
    market: refused.market,
    account: venue.accounts.text(refused.account),
    client_id: refused.clientId,
    codespace: refused.codespace,
    code: refused.code.toString(),
    log: refused.log,
  });
}

export function orderAccepted(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  order: Pick<OrderTerms, "account" | "clientId" | "side" | "ticks" | "lots">,
  round: number,
): void {
  ctx.emit("order_accepted", {
    market: instrument.symbol,
    account: venue.accounts.text(order.account),
    client_id: order.clientId,
    side: order.side,
    price: formatPrice(instrument, order.ticks),
    size: formatSize(instrument, order.lots),
    ...(round === 0 ? {} : { round: round.toString() }),
  });
}

/** A cancel waits for its round. */
export function cancelAccepted(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  cancel: {
    readonly account: AccountId;
    readonly clientId: string;
    readonly orderId: bigint;
    readonly round: number;
  },
): void {
  ctx.emit("cancel_accepted", {
    market: instrument.symbol,
    account: venue.accounts.text(cancel.account),
    client_id: cancel.clientId,
    order_id: cancel.orderId.toString(),
    round: cancel.round.toString(),
  });
}

/** A collected order that was cancelled: id 0 before it had one. */
export function orderNotEntered(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  order: Pick<OrderTerms, "account" | "clientId" | "lots"> & { readonly orderId: bigint },
  reason: string,
): void {
  ctx.emit("order_cancelled", {
    market: instrument.symbol,
    order_id: order.orderId.toString(),
    account: venue.accounts.text(order.account),
    client_id: order.clientId,
    size: formatSize(instrument, order.lots),
    reason,
  });
}

export function auctionOpening(
  ctx: WriteContext,
  market: string,
  untilMs: number,
  reason: string,
): void {
  ctx.emit("auction_opening", { market, until_ms: untilMs.toString(), reason });
}

export function auctionCleared(
  turn: Turn,
  cleared: {
    readonly ticks: number;
    readonly volume: number;
    readonly imbalance: number;
    readonly orders: number;
  },
): void {
  turn.ctx.emit("auction_cleared", {
    market: turn.instrument.symbol,
    price: formatPrice(turn.instrument, cleared.ticks),
    volume: formatSize(turn.instrument, cleared.volume),
    imbalance: formatSize(turn.instrument, cleared.imbalance),
    orders: cleared.orders.toString(),
  });
}

export function auctionFill(
  turn: Turn,
  order: OrderTerms,
  fill: {
    readonly ticks: number;
    readonly lots: number;
    readonly feeQuanta: bigint;
    /** Lots left of the order, hidden ones too. */
    readonly left: number;
  },
): void {
  turn.ctx.emit("auction_fill", {
    market: turn.instrument.symbol,
    order_id: order.id.toString(),
    account: turn.venue.accounts.text(order.account),
    client_id: order.clientId,
    side: order.side,
    price: formatPrice(turn.instrument, fill.ticks),
    size: formatSize(turn.instrument, fill.lots),
    fee: formatMoney(fill.feeQuanta),
    remaining: formatSize(turn.instrument, fill.left),
  });
}

export function fundingRate(
  ctx: WriteContext,
  market: string,
  funding: { readonly rate8hPpm: bigint; readonly index: bigint },
  why: Why,
): void {
  const { index, rate8hPpm } = funding;
  ctx.emit(
    "funding_rate",
    { market, rate_8h_ppm: rate8hPpm.toString(), index: index.toString() },
    why,
  );
}

export function marketCreated(ctx: WriteContext, market: string, id: number): void {
  ctx.emit("market_created", { market, id: id.toString() });
}

export function marketUpdated(ctx: WriteContext, market: string, status: string): void {
  ctx.emit("market_updated", { market, status });
}

export function marketQuarantined(ctx: WriteContext, market: string, reason: string): void {
  ctx.emit("market_quarantined", { market, reason: reason.slice(0, 200) });
}

const KIND_NAMES: Readonly<Partial<Record<TriggerKind, string>>> = {
  [TriggerKind.TRIGGER_KIND_STOP]: "stop",
  [TriggerKind.TRIGGER_KIND_TAKE_PROFIT]: "take_profit",
  [TriggerKind.TRIGGER_KIND_TRAILING_STOP]: "trailing_stop",
  [TriggerKind.TRIGGER_KIND_TWAP]: "twap",
};

function named(turn: Turn, order: WaitingOrder): Record<"market" | "order_id" | "account", string> {
  return {
    market: turn.instrument.symbol,
    order_id: order.id.toString(),
    account: turn.venue.accounts.text(waitingHolder(order)),
  };
}

function priceOrEmpty(turn: Turn, ticks: bigint): string {
  return ticks === 0n ? "" : formatPrice(turn.instrument, ticks);
}

export function orderWaiting(turn: Turn, order: WaitingOrder): void {
  turn.ctx.emit("order_waiting", {
    ...named(turn, order),
    side: waitingSide(order),
    kind: KIND_NAMES[order.kind] ?? "",
    trigger_price: priceOrEmpty(turn, order.triggerTicks),
    price: priceOrEmpty(turn, order.priceTicks),
    size: formatSize(turn.instrument, order.remainingLots),
    client_id: order.clientId,
    parent_order_id: order.parentId === 0n ? "" : order.parentId.toString(),
  });
}

export function orderTriggered(turn: Turn, order: WaitingOrder, markTicks: bigint): void {
  turn.ctx.emit("order_triggered", {
    ...named(turn, order),
    client_id: order.clientId,
    mark_price: formatPrice(turn.instrument, markTicks),
  });
}

export function twapSlice(
  turn: Turn,
  order: WaitingOrder,
  slice: {
    readonly number: number;
    readonly lots: number;
    readonly filled: number;
    readonly remaining: bigint;
    readonly reason: string;
    /** Its own id in an auction. */
    readonly orderId?: number;
  },
): void {
  turn.ctx.emit("twap_slice", {
    ...named(turn, order),
    slice: slice.number.toString(),
    slice_order_id: slice.orderId?.toString() ?? "",
    size: formatSize(turn.instrument, slice.lots),
    filled: formatSize(turn.instrument, slice.filled),
    remaining: formatSize(turn.instrument, slice.remaining),
    reason: slice.reason,
  });
}

export function orderAmended(
  turn: Turn,
  order: {
    readonly id: number;
    readonly account: AccountId;
    readonly clientId: string;
    readonly priceTicks: bigint;
    readonly triggerTicks: bigint;
    readonly sizeLots: number;
    readonly openLots: number;
    readonly keptPriority: boolean;
  },
): void {
  turn.ctx.emit("order_amended", {
    market: turn.instrument.symbol,
    order_id: order.id.toString(),
    account: turn.venue.accounts.text(order.account),
    client_id: order.clientId,
    price: priceOrEmpty(turn, order.priceTicks),
    size: formatSize(turn.instrument, order.sizeLots),
    remaining: formatSize(turn.instrument, order.openLots),
    kept_priority: order.keptPriority ? "true" : "false",
    trigger_price: priceOrEmpty(turn, order.triggerTicks),
  });
}

export function comboFilled(
  ctx: WriteContext,
  venue: Venue,
  combo: {
    readonly account: AccountId;
    readonly clientId: string;
    readonly legs: number;
    readonly netQuanta: bigint;
  },
): void {
  ctx.emit("combo_filled", {
    account: venue.accounts.text(combo.account),
    client_id: combo.clientId,
    legs: combo.legs.toString(),
    net_quote: formatMoney(combo.netQuanta),
  });
}

/** `deadlineMs` 0: switched off. */
export function deadManSet(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  deadlineMs: number,
): void {
  ctx.emit("dead_man_set", {
    account: venue.accounts.text(account),
    deadline_ms: deadlineMs === 0 ? "" : deadlineMs.toString(),
  });
}

export function deadManFired(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  deadlineMs: bigint,
): void {
  ctx.emit("dead_man_fired", {
    account: venue.accounts.text(account),
    deadline_ms: deadlineMs.toString(),
  });
}
