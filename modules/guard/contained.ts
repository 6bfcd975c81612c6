/** The guard's work on one market. */

import { contained as containedWork } from "../kit/contained.ts";
import type { WriteContext } from "../kit/context.ts";
import type { MarketId, VenuePort } from "./ports.ts";

/** A fault undoes the work and quarantines the market that could not be guarded. */
export function contained(
  ctx: WriteContext,
  venue: VenuePort,
  market: MarketId,
  work: (ctx: WriteContext) => void,
): void {
  const fault = containedWork(ctx, work);
  if (fault !== null) venue.quarantine(ctx, market, fault);
}
