/** Where a fault in a market's own work ends. */

import { atomically } from "../kit/atomically.ts";
import type { WriteContext } from "../kit/context.ts";
import { quarantineMarket } from "./listing/markets.ts";
import type { MarketId } from "./ports.ts";
import type { Venue } from "./venue.ts";

/** A market's own work in a block: an exception undoes it and quarantines that market; the others go on. */
export function containMarket(
  ctx: WriteContext,
  venue: Venue,
  market: MarketId,
  work: (ctx: WriteContext) => void,
): void {
  try {
    atomically(ctx, work);
  } catch (error) {
    // Out of memory or stack: the machine is broken, not the market.
    if (error instanceof RangeError) throw error;
    const reason = error instanceof Error ? error.message : "unknown fault";
    quarantineMarket(ctx, venue, market, reason);
  }
}
