/**
 * Runs one market's step so that a fault in it ends there: state is reverted to where the step began, its events are dropped and the
 * market is quarantined. Errors of the machine itself (any RangeError: memory, stack, sizes) go on up.
 */
import type { WriteContext } from "../kit/context.ts";
import type { MarketId, MarketsPort } from "./ports.ts";

export function contained(
  ctx: WriteContext,
  markets: MarketsPort,
  market: MarketId,
  step: (ctx: WriteContext) => void,
): boolean {
  const savepoint = ctx.state.savepoint();
  const events: [string, Readonly<Record<string, string>>][] = [];
  try {
    step({
      header: ctx.header,
      state: ctx.state,
      gas: ctx.gas,
      emit: (type, attributes) => events.push([type, attributes]),
    });
  } catch (error) {
    if (error instanceof RangeError) throw error;
    ctx.state.revert(savepoint);
    markets.quarantine(ctx, market, error instanceof Error ? error.message : "unknown fault");
    return false;
  }
  for (const [type, attributes] of events) ctx.emit(type, attributes);
  return true;
}
