/** Where a fault in a market's own work ends. */

import { contained } from "../kit/contained.ts";
import type { WriteContext } from "../kit/context.ts";
import { quarantineMarket } from "./listing/markets.ts";
import type { MarketId } from "./ports.ts";
import type { Venue } from "./venue.ts";

/** A market's own work in a block: an exception undoes it and quarantines that market; the others go on. True: the work stands. */
export function containMarket(
  ctx: WriteContext,
  venue: Venue,
  market: MarketId,
  work: (ctx: WriteContext) => void,
): boolean {
  const fault = contained(ctx, work);
  if (fault !== null) quarantineMarket(ctx, venue, market, fault);
  return fault === null;
}
