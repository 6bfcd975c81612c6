/** The guard's work on one market: it happens as a whole, events included, or not at all. */
import { atomically } from "../kit/atomically.ts";
import type { WriteContext } from "../kit/context.ts";
import type { MarketId, VenuePort } from "./ports.ts";

/** A fault undoes the work and quarantines the market that could not be guarded; out of memory or stack goes on up. */
export function contained(
  ctx: WriteContext,
  venue: VenuePort,
  market: MarketId,
  work: (ctx: WriteContext) => void,
): void {
  try {
    atomically(ctx, work);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    venue.quarantine(ctx, market, error instanceof Error ? error.message : "unknown fault");
  }
}
