/** Orders of the protocol's own accounts: in ticks and lots and without a message, otherwise as anyone's. */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import { LOTS_MAX, TICKS_MAX } from "../limits.ts";
import type { MarketId, Side } from "../ports.ts";
import { closeTurn, instrumentById, openTurn, type Turn, type Venue } from "../venue.ts";
import { requireContinuous, requireTradable } from "./admission.ts";
import { cancelSlot } from "./cancelling.ts";
import { placeIntent } from "./placing.ts";

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

/** Limit, good til its time; only where matching is continuous. Throws ModuleError to refuse; the caller reverts what was done until then. */
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
  requireContinuous(turn);
  const { account, clientId, goodTilMs, postOnly, reduceOnly, side } = order;
  placeIntent(
    turn,
    {
      id: 0,
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
      goodTilHeight: 0,
      selfTrade: "cancelMaker",
      slippagePpm: 0,
      displayLots: 0,
      ocoId: 0,
      bracket: undefined,
      builder: undefined,
      triggered: false,
    },
    mark,
  );
  closeTurn(turn);
}

/** Nothing when it is gone already. */
export function cancelForProtocol(
  ctx: WriteContext,
  venue: Venue,
  order: { readonly account: AccountId; readonly market: MarketId; readonly id: number },
): void {
  const turn = turnIn(ctx, venue, order.market);
  const slot = turn.book.find(order.id);
  if (slot === 0 || turn.book.accountOf(slot) !== order.account) return;
  cancelSlot(turn, slot, "quote");
  closeTurn(turn);
}

/** The account's resting orders, oldest first. */
export function openProtocolOrders(
  ctx: ReadContext,
  venue: Venue,
  account: AccountId,
  market: MarketId,
): readonly OpenProtocolOrder[] {
  const book = venue.books.of(ctx, market);
  return book.ordersOf(account).map((slot) => book.read(slot));
}
