/** What a book would execute up to a price: the measure by which liquidations are throttled. */
import type { ReadContext } from "../../kit/context.ts";
import { isOpening } from "../auction/opening.ts";
import { DEPTH_ORDERS_MAX } from "../limits.ts";
import type { MarketId, Side } from "../ports.ts";
import { instrumentById, type Venue } from "../venue.ts";

/** Lots resting on `side` at `limitTicks` or better, of the first orders in line alone; 0 while the market collects for an opening. */
export function depthLots(
  ctx: ReadContext,
  venue: Venue,
  { market, side, limitTicks }: { market: MarketId; side: Side; limitTicks: bigint },
): bigint {
  const instrument = instrumentById(ctx, venue, market);
  if (instrument === undefined || isOpening(ctx, venue, instrument)) return 0n;
  const book = venue.books.of(ctx, market);
  const limit = Number(limitTicks);
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
