/**
 * Runs one market's step so that a fault in it ends there: state is reverted to where the step began, its events are dropped and the
 * market is quarantined. Errors of the machine itself (any RangeError: memory, stack, sizes) go on up.
 */
import { atomically } from "../kit/atomically.ts";
import type { WriteContext } from "../kit/context.ts";
import type { MarketId, MarketsPort } from "./ports.ts";

export function contained(
  ctx: WriteContext,
  markets: MarketsPort,
  market: MarketId,
  step: (ctx: WriteContext) => void,
): boolean {
  try {
    atomically(ctx, step);
    return true;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    markets.quarantine(ctx, market, error instanceof Error ? error.message : "unknown fault");
    return false;
  }
}
