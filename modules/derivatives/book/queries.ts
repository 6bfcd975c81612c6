/** The book by levels and by orders. Read from the stored orders, which lie in execution order: no derived structure is needed. */
import { BOOK_CHECKSUM_LEVELS, bookChecksum } from "@keel/proto/bytes/book-checksum";
import {
  type BookLevel,
  type BookOrder,
  QueryBookOrdersRequest,
  QueryBookOrdersResponse,
  QueryOrderBookRequest,
  QueryOrderBookResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import type { ReadContext } from "../../kit/context.ts";
import type { QueryRoute } from "../../kit/module.ts";
import { onQuery } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import { formatPrice, formatSize, type Instrument } from "../instruments.ts";
import {
  BOOK_DEPTH_DEFAULT,
  BOOK_DEPTH_MAX,
  BOOK_ORDERS_DEFAULT,
  BOOK_ORDERS_MAX,
  BOOK_QUERY_ORDERS_MAX,
} from "../limits.ts";
import type { Side } from "../ports.ts";
import { orderSidePrefix } from "../state.ts";
import { requireInstrument, type Venue } from "../venue.ts";

const PATH = "/keel.derivatives.v1.Query";

/** Best first, at most `depth`. */
export function bookLevels(
  ctx: ReadContext,
  { state }: Venue,
  instrument: Instrument,
  side: Side,
  depth: number,
): BookLevel[] {
  const out: { ticks: number; lots: bigint; orders: number }[] = [];
  let read = 0;
  state.orders.eachWithPrefix(ctx, orderSidePrefix(instrument.id, side), (key, order) => {
    const last = out[out.length - 1];
    read += 1;
    if (read > BOOK_QUERY_ORDERS_MAX) return true;
    if (last !== undefined && last.ticks === key.ticks) {
      last.lots += order.remainingLots;
      last.orders += 1;
      return false;
    }
    if (out.length === depth) return true;
    out.push({ ticks: key.ticks, lots: order.remainingLots, orders: 1 });
    return false;
  });
  return out.map(({ ticks, lots, orders }) => ({
    price: formatPrice(instrument, ticks),
    size: formatSize(instrument, lots),
    orders,
  }));
}

/** First to be executed first, at most `limit`. */
function bookOrders(
  ctx: ReadContext,
  { addresses, state }: Venue,
  instrument: Instrument,
  side: Side,
  limit: number,
): BookOrder[] {
  const out: BookOrder[] = [];
  state.orders.eachWithPrefix(ctx, orderSidePrefix(instrument.id, side), (key, order) => {
    out.push({
      orderId: order.id,
      price: formatPrice(instrument, key.ticks),
      size: formatSize(instrument, order.remainingLots),
      owner: addresses.format(order.owner),
      subaccount: order.subaccount,
    });
    return out.length === limit;
  });
  return out;
}

/** What names the state of a book: its sequence, and the checksum of its best levels. */
function bookState(
  ctx: ReadContext,
  { state }: Venue,
  instrument: Instrument,
  best: readonly [bids: readonly BookLevel[], asks: readonly BookLevel[]],
): Pick<QueryOrderBookResponse, "market" | "sequence" | "height" | "checksum"> {
  return {
    market: instrument.symbol,
    sequence: state.counters.get(ctx, instrument.id)?.sequence ?? 0n,
    height: BigInt(ctx.header.height),
    checksum: bookChecksum(...best),
  };
}

/** `asked`, or the usual number for 0. */
function countOf(asked: number, usual: number, most: number, what: string): number {
  if (asked > most) throw refuse("invalidRequest", `expected a ${what} of at most ${most}`);
  return asked === 0 ? usual : asked;
}

export function bookQueries(venue: Venue): readonly QueryRoute[] {
  return [
    onQuery({
      path: `${PATH}/OrderBook`,
      request: QueryOrderBookRequest,
      response: QueryOrderBookResponse,
      handle(ctx, { market, depth }) {
        const instrument = requireInstrument(ctx, venue, market);
        const wanted = countOf(depth, BOOK_DEPTH_DEFAULT, BOOK_DEPTH_MAX, "depth");
        const read = wanted < BOOK_CHECKSUM_LEVELS ? BOOK_CHECKSUM_LEVELS : wanted;
        const bids = bookLevels(ctx, venue, instrument, "buy", read);
        const asks = bookLevels(ctx, venue, instrument, "sell", read);
        return {
          ...bookState(ctx, venue, instrument, [bids, asks]),
          bids: bids.slice(0, wanted),
          asks: asks.slice(0, wanted),
        };
      },
    }),
    onQuery({
      path: `${PATH}/BookOrders`,
      request: QueryBookOrdersRequest,
      response: QueryBookOrdersResponse,
      handle(ctx, { market, limit }) {
        const instrument = requireInstrument(ctx, venue, market);
        const wanted = countOf(limit, BOOK_ORDERS_DEFAULT, BOOK_ORDERS_MAX, "limit");
        const best = (side: Side): BookLevel[] =>
          bookLevels(ctx, venue, instrument, side, BOOK_CHECKSUM_LEVELS);
        return {
          ...bookState(ctx, venue, instrument, [best("buy"), best("sell")]),
          bids: bookOrders(ctx, venue, instrument, "buy", wanted),
          asks: bookOrders(ctx, venue, instrument, "sell", wanted),
        };
      },
    }),
  ];
}
