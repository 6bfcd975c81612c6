/** What a book offers: to the impact price, up to a price (by which liquidations are throttled), around the mark (by which the guard measures caps). */
import type { ReadContext } from "../../kit/context.ts";
import { minimum } from "../../kit/math/mul-div.ts";
import { isOpening } from "../auction/opening.ts";
import type { Depth } from "../funding.ts";
import type { Instrument } from "../instruments.ts";
import { DEPTH_ORDERS_MAX } from "../limits.ts";
import type { Mark } from "../marking/mark.ts";
import { bandLimit } from "../marks.ts";
import type { MarketId, Side } from "../ports.ts";
import { instrumentById, type Venue } from "../venue.ts";
import type { Book } from "./book.ts";

export function depthOf(book: Book, side: Side): Depth {
  return (visit) =>
    book.each(side, (slot) => {
      const { ticks, lots } = book.read(slot);
      return visit(ticks, lots);
    });
}

/** Lots resting on `side` at `limit` or better, of the first orders in line alone. */
function restingLots(book: Book, side: Side, limit: number): bigint {
  let lots = 0;
  let orders = 0;
  book.each(side, (slot) => {
    const { ticks, lots: resting } = book.read(slot);
    if (side === "buy" ? ticks < limit : ticks > limit) return true;
    lots += resting;
    orders += 1;
    return orders === DEPTH_ORDERS_MAX;
  });
  return BigInt(lots);
}

/** 0 while the market collects for an opening. */
export function depthLots(
  ctx: ReadContext,
  venue: Venue,
  { market, side, limitTicks }: { market: MarketId; side: Side; limitTicks: bigint },
): bigint {
  const instrument = instrumentById(ctx, venue, market);
  if (instrument === undefined || isOpening(ctx, venue, instrument)) return 0n;
  return restingLots(venue.books.of(ctx, market), side, Number(limitTicks));
}

/** Lots that the thinner side of the book offers within `rangePpm` of the mark. */
export function thinnerDepthLots(
  instrument: Instrument,
  book: Book,
  mark: Mark,
  rangePpm: bigint,
): bigint {
  const bids = restingLots(book, "buy", bandLimit(instrument, mark, "sell", rangePpm));
  const asks = restingLots(book, "sell", bandLimit(instrument, mark, "buy", rangePpm));
  return minimum(bids, asks);
}
