/** A liquidation is an immediate-or-cancel order of the protocol: no fee, no order id, no self-trade with the account's owner. */
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { minimum } from "../../kit/math/mul-div.ts";
import { isOpening } from "../auction/opening.ts";
import { LOTS_MAX, TICKS_MAX } from "../limits.ts";
import { markOf } from "../marks.ts";
import type { MarketId, Side } from "../ports.ts";
import { closeTurn, instrumentById, openTurn, type Venue } from "../venue.ts";
import { execute } from "./execution.ts";

export interface LiquidationOrder {
  readonly market: MarketId;
  readonly account: AccountId;
  readonly side: Side;
  readonly lots: bigint;
  /** Worst price. */
  readonly limitTicks: bigint;
}

/** Returns the filled lots; 0 when the market does not match now. */
export function liquidateAtBook(ctx: WriteContext, venue: Venue, order: LiquidationOrder): bigint {
  const instrument = instrumentById(ctx, venue, order.market);
  if (instrument === undefined || order.lots <= 0n) return 0n;
  if (instrument.status !== "active" && instrument.status !== "closeOnly") return 0n;
  if (isOpening(ctx, venue, instrument)) return 0n;
  const mark = markOf(ctx, venue, instrument);
  if ((mark?.stage?.liquidates ?? mark?.fresh) !== true) return 0n;
  const ticks = minimum(order.limitTicks, BigInt(TICKS_MAX));
  const turn = openTurn(ctx, venue, instrument);
  const execution = execute(turn, {
    account: order.account,
    side: order.side,
    limitTicks: ticks < 1n ? 1 : Number(ticks),
    lots: Number(minimum(order.lots, BigInt(LOTS_MAX))),
    orderId: null,
    selfTrade: "cancelMaker",
    reservePpm: null,
    builder: undefined,
    trader: undefined,
  });
  closeTurn(turn);
  return BigInt(execution.filledLots);
}
