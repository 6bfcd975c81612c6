/** What trades that do not come from the book need of a market: it is open, and it has a fresh price. */
import type { ReadContext } from "../kit/context.ts";
import { isOpening } from "./auction/opening.ts";
import { refuse } from "./errors.ts";
import type { Instrument } from "./instruments.ts";
import type { Mark } from "./marking/mark.ts";
import { markOf } from "./marks.ts";
import type { Venue } from "./venue.ts";

export function requireOpenMarket(ctx: ReadContext, venue: Venue, instrument: Instrument): Mark {
  const { status, symbol } = instrument;
  if (status === "settling" || status === "settled") {
    throw refuse("marketExpired", `market ${symbol} has expired`);
  }
  if (status !== "active" && status !== "closeOnly") {
    throw refuse("marketNotActive", `market ${symbol} is ${status}`);
  }
  // An opening belongs to the halt before it. What was signed before that waits too, until makers could say new prices.
  if (isOpening(ctx, venue, instrument)) {
    throw refuse("opening", `${symbol} collects for its opening`);
  }
  const mark = markOf(ctx, venue, instrument);
  if (mark === undefined || !mark.fresh) {
    throw refuse("stalePrice", `the price of ${symbol} is stale`);
  }
  return mark;
}
