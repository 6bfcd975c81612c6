/** Orders of the protocol's own accounts: in ticks and lots and without a message, otherwise as anyone's. */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { collectedIn, releaseCollected } from "../auction/collected.ts";
import { isBatch } from "../auction/opening.ts";
import { collectIntent } from "../auction/orders.ts";
import { refuse } from "../errors.ts";
import { LOTS_MAX, TICKS_MAX } from "../limits.ts";
import type { MarketId, Side } from "../ports.ts";
import { closeTurn, instrumentById, openTurn, type Turn, type Venue } from "../venue.ts";
import { requireContinuous, requireTradable } from "./admission.ts";
import { cancelSlot } from "./cancelling.ts";
import { type Intent, PLAIN_INTENT } from "./intents.ts";
import { placeIntent } from "./placing.ts";
import { sideOf } from "./requests.ts";

export interface ProtocolOrder {
  readonly account: AccountId;
  readonly market: MarketId;
  readonly side: Side;
  readonly ticks: bigint;
  readonly lots: bigint;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  readonly clientId: string;
  /** Unix milliseconds. */
  readonly goodTilMs: number;
}

export interface OpenProtocolOrder {
  /** 0 while it is collected for an auction. */
  readonly id: number;
  readonly clientId: string;
  readonly side: Side;
  readonly ticks: number;
  readonly lots: number;
  readonly reduceOnly: boolean;
  readonly goodTilMs: number;
}

function turnIn(ctx: WriteContext, venue: Venue, market: MarketId): Turn {
  const instrument = instrumentById(ctx, venue, market);
  if (instrument === undefined) throw refuse("unknownMarket", `no market ${market}`);
  return openTurn(ctx, venue, instrument);
}

/**
 * Limit, good til its time. Where all matching is by auction it is collected for the one of this block, and nothing is post-only; in an opening it has no
 * place. Throws ModuleError to refuse; the caller reverts what was done until then.
 */
export function placeForProtocol(ctx: WriteContext, venue: Venue, order: ProtocolOrder): void {
  const { lots, ticks } = order;
  if (ticks < 1n || ticks > BigInt(TICKS_MAX)) {
    throw refuse("invalidPrice", `expected 1 to ${TICKS_MAX} ticks, got ${ticks}`);
  }
  if (lots < 1n || lots > BigInt(LOTS_MAX)) {
    throw refuse("invalidSize", `expected 1 to ${LOTS_MAX} lots, got ${lots}`);
  }
  const turn = turnIn(ctx, venue, order.market);
  const mark = requireTradable(turn, order.reduceOnly);
  const intent = intentFor(order);
  if (isBatch(turn.instrument)) {
    // Nobody chooses when the protocol orders.
    collectIntent(turn, { ...intent, postOnly: false }, mark, 0);
    return;
  }
  requireContinuous(turn);
  placeIntent(turn, intent, mark);
  closeTurn(turn);
}

function intentFor(order: ProtocolOrder): Intent {
  const { account, clientId, goodTilMs, lots, postOnly, reduceOnly, side, ticks } = order;
  return {
    ...PLAIN_INTENT,
    account,
    side,
    type: "limit",
    priceTicks: Number(ticks),
    sizeLots: Number(lots),
    lots: Number(lots),
    force: "gtc",
    postOnly,
    reduceOnly,
    clientId,
    goodTilMs,
    selfTrade: "cancelMaker",
  };
}

/** By client id, resting or collected. Nothing when it is gone already. */
export function cancelForProtocol(
  ctx: WriteContext,
  venue: Venue,
  order: { readonly account: AccountId; readonly market: MarketId; readonly clientId: string },
): void {
  const { account, clientId } = order;
  const turn = turnIn(ctx, venue, order.market);
  const { instrument } = turn;
  const slot = turn.book.findByClientId(account, clientId);
  if (slot !== 0) {
    cancelSlot(turn, slot, "quote");
    closeTurn(turn);
    return;
  }
  const collected = collectedIn(ctx, venue, instrument, account).find(
    (one) => one.clientId === clientId,
  );
  if (collected !== undefined) releaseCollected(ctx, venue, instrument, collected, "quote");
}

/** The account's open orders: those that rest, oldest first, then collected ones. */
export function openProtocolOrders(
  ctx: ReadContext,
  venue: Venue,
  account: AccountId,
  market: MarketId,
): readonly OpenProtocolOrder[] {
  const book = venue.books.of(ctx, market);
  const resting = book.ordersOf(account).map((slot) => book.read(slot));
  const instrument = instrumentById(ctx, venue, market);
  if (instrument === undefined) return resting;
  const collected = collectedIn(ctx, venue, instrument, account).map((order) => ({
    id: 0,
    clientId: order.clientId,
    side: sideOf(order.side) ?? "buy",
    ticks: Number(order.priceTicks),
    lots: Number(order.lots),
    reduceOnly: order.reduceOnly,
    goodTilMs: Number(order.goodTilMs),
  }));
  return collected.length === 0 ? resting : [...resting, ...collected];
}
