/** How much a book offers near the mark: what the guard measures caps by. */
import type { Book } from "./book/book.ts";
import type { Instrument } from "./instruments.ts";
import { bandLimit, type Mark } from "./marks.ts";
import type { Side } from "./ports.ts";

/** Orders of a side that a look visits: a bound on the work; what lies behind so many orders is not counted. */
const ORDERS_MAX = 512;

/** Lots that the thinner side of the book offers within `rangePpm` of the mark. */
export function thinnerDepthLots(
  instrument: Instrument,
  book: Book,
  mark: Mark,
  rangePpm: bigint,
): bigint {
  const within = (side: Side): bigint => {
    const limit = bandLimit(instrument, mark, side === "sell" ? "buy" : "sell", rangePpm);
    let sum = 0n;
    let orders = 0;
    book.each(side, (slot) => {
      const { ticks, lots } = book.read(slot);
      if (side === "sell" ? ticks > limit : ticks < limit) return true;
      sum += BigInt(lots);
      orders += 1;
      return orders >= ORDERS_MAX;
    });
    return sum;
  };
  const [bids, asks] = [within("buy"), within("sell")];
  return bids < asks ? bids : asks;
}
