/** Runs one market's step so that a fault in it ends there: it is undone, and the market is quarantined. */

import { contained as containedWork } from "../kit/contained.ts";
import type { WriteContext } from "../kit/context.ts";
import type { MarketId, MarketsPort } from "./ports.ts";

/** True: done. */
export function contained(
  ctx: WriteContext,
  markets: MarketsPort,
  market: MarketId,
  step: (ctx: WriteContext) => void,
): boolean {
  const fault = containedWork(ctx, step);
  if (fault !== null) markets.quarantine(ctx, market, fault);
  return fault === null;
}
