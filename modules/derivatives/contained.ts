/** Work that either happens as a whole, events included, or not at all. */
import type { WriteContext } from "../kit/context.ts";
import { quarantineMarket } from "./markets.ts";
import type { MarketId } from "./ports.ts";
import type { Venue } from "./venue.ts";

/** Runs `work`; when it throws, its state and events are undone and the error goes on to the caller. */
export function atomically<T>(ctx: WriteContext, work: (ctx: WriteContext) => T): T {
  const savepoint = ctx.state.savepoint();
  const events: [string, Readonly<Record<string, string>>][] = [];
  let result: T;
  try {
    result = work({
      header: ctx.header,
      state: ctx.state,
      gas: ctx.gas,
      emit: (type, attributes) => events.push([type, attributes]),
    });
  } catch (error) {
    ctx.state.revert(savepoint);
    throw error;
  }
  for (const [type, attributes] of events) ctx.emit(type, attributes);
  return result;
}

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
