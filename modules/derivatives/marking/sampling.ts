/** The book's part in the mark: read once a block, so that a mark stands through the block and no order moves the one it is judged at. */
import type { WriteContext } from "../../kit/context.ts";
import { trades } from "../auction/opening.ts";
import { depthOf } from "../book/depth.ts";
import { impactPrice } from "../funding.ts";
import type { Instrument } from "../instruments.ts";
import { indexMarkOf } from "../marks.ts";
import type { Side } from "../ports.ts";
import { nowMs, type Venue } from "../venue.ts";
import { nextBasis } from "./median.ts";

/** At the begin of a block, on its index and the book the last one left. Without a fresh index, or while it does not trade, the record stands. */
export function sampleMark(ctx: WriteContext, venue: Venue, instrument: Instrument): void {
  const { id, terms } = instrument;
  const { state } = venue;
  if (terms.mark === undefined) return;
  const { impactNotional } = terms.mark;
  const index = indexMarkOf(ctx, venue, instrument);
  if (index?.fresh !== true || !trades(instrument)) return;
  const book = venue.books.of(ctx, id);
  const bid = BigInt(book.bestTicks("buy"));
  const ask = BigInt(book.bestTicks("sell"));
  // A book that collects for an auction may be crossed, and says nothing then.
  const crossed = bid !== 0n && ask !== 0n && bid >= ask;
  const impact = (side: Side) =>
    crossed ? null : impactPrice(depthOf(book, side), impactNotional, instrument.quantaPerTickLot);
  const reading = {
    bid: crossed ? 0n : bid,
    ask,
    last: state.counters.get(ctx, id)?.lastTradeTicks ?? 0n,
    impactBid: impact("buy"),
    impactAsk: impact("sell"),
  };
  const known = state.markBasis.get(ctx, id);
  const now = { terms: terms.mark, nowMs: BigInt(nowMs(ctx)) };
  state.markBasis.set(ctx, id, nextBasis(known, index.ticks, reading, now));
}
