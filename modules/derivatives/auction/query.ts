/** What an auction of the book and the collected orders would give at the queried state: for those who decide before it is held. */
import type { OrderView } from "@keel/proto/gen/keel/derivatives/v1/query";
import {
  QueryAuctionRequest,
  QueryAuctionResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import type { CollectedOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext } from "../../kit/context.ts";
import {
  type Clearing,
  clearingPrice,
  type Level,
  levelsOf,
} from "../../kit/math/uniform-price.ts";
import type { QueryRoute } from "../../kit/module.ts";
import { onQuery } from "../../kit/module.ts";
import { formatPrice, formatSize, type Instrument } from "../instruments.ts";
import { BOOK_QUERY_ORDERS_MAX } from "../limits.ts";
import { bandLimit, markOf } from "../marks.ts";
import { sideOf } from "../orders/requests.ts";
import type { Side } from "../ports.ts";
import { requireInstrument, type Venue } from "../venue.ts";
import { collectedOf, isToWait, shownLots } from "./collected.ts";
import { openingMs } from "./opening.ts";

/** Resting and collected orders of a side, best price first. */
function levels(ctx: ReadContext, venue: Venue, { id }: Instrument, side: Side): Level[] {
  const orders: Level[] = [];
  const book = venue.books.of(ctx, id);
  book.each(side, (slot) => {
    const { ticks, lots } = book.read(slot);
    orders.push({ ticks, lots });
    return orders.length === BOOK_QUERY_ORDERS_MAX;
  });
  for (const order of collectedOf(ctx, venue, id)) {
    if (sideOf(order.side) !== side || isToWait(order)) continue;
    orders.push({ ticks: Number(order.priceTicks), lots: shownLots(order) });
  }
  const direction = side === "buy" ? -1 : 1;
  return levelsOf(orders.sort((a, b) => direction * (a.ticks - b.ticks)));
}

/** Before own orders are netted and margin is checked, so an auction may yet differ. null without a fresh price. */
function indicative(ctx: ReadContext, venue: Venue, instrument: Instrument): Clearing | null {
  const mark = markOf(ctx, venue, instrument);
  if (mark?.fresh !== true) return null;
  return clearingPrice(
    levels(ctx, venue, instrument, "buy"),
    levels(ctx, venue, instrument, "sell"),
    Number(mark.ticks),
    { low: bandLimit(instrument, mark, "sell"), high: bandLimit(instrument, mark, "buy") },
  );
}

export function auctionQuery(venue: Venue): QueryRoute {
  return onQuery({
    path: "/keel.derivatives.v1.Query/Auction",
    request: QueryAuctionRequest,
    response: QueryAuctionResponse,
    derives: true,
    handle(ctx, { market }) {
      const instrument = requireInstrument(ctx, venue, market);
      const found = indicative(ctx, venue, instrument);
      const size = (lots: number): string => formatSize(instrument, lots);
      return {
        market,
        matching: instrument.terms.auction?.matching ?? MatchingMode.MATCHING_MODE_CONTINUOUS,
        openingMs: BigInt(openingMs(ctx, venue, instrument)),
        collectedOrders: collectedOf(ctx, venue, instrument.id).length,
        indicativePrice: found === null ? "" : formatPrice(instrument, found.ticks),
        indicativeVolume: found === null ? "0" : size(found.volume),
        indicativeImbalance: found === null ? "0" : size(found.demand - found.supply),
      };
    },
  });
}

/** An order that is accepted and not in the book yet: without an id, unless it has waited and fired, and without the height at which it will have been placed. */
export function collectedView(
  { addresses }: Venue,
  instrument: Instrument,
  order: CollectedOrder,
): OrderView {
  const hidden = Number(order.lots) - shownLots(order);
  return {
    market: instrument.symbol,
    orderId: order.waiting?.id ?? 0n,
    owner: addresses.format(order.owner),
    subaccount: order.subaccount,
    side: order.side,
    price: formatPrice(instrument, order.priceTicks),
    size: formatSize(instrument, order.sizeLots),
    remainingSize: formatSize(instrument, order.lots),
    postOnly: false,
    reduceOnly: order.reduceOnly,
    clientId: order.clientId,
    goodTilMs: order.goodTilMs,
    placedHeight: 0n,
    goodTilHeight: 0n,
    hiddenSize: hidden === 0 ? "" : formatSize(instrument, hidden),
    ocoId: order.waiting?.ocoId ?? 0n,
  };
}
