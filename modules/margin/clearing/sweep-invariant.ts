/** What always holds of a settlement under way. */
import { bytesToKey } from "../../kit/collections/codecs.ts";
import type { ReadContext } from "../../kit/context.ts";
import type { MarketsPort } from "../ports.ts";
import type { MarginState } from "../state.ts";

/** No account that the sweep has passed holds lots in a market of it, unless the market was stopped. */
export function sweepFault(
  ctx: ReadContext,
  state: MarginState,
  markets: MarketsPort,
): string | null {
  const sweep = state.sweep.get(ctx);
  const count = state.sweepMarkets.size(ctx);
  if (sweep === undefined) return count === 0 ? null : `${count} markets in no sweep`;
  if (count === 0) return "a sweep without markets";
  // Those who have gained wait for the second pass.
  if (sweep.haircutPpm > 0 && !sweep.second) return null;
  const passed = sweep.closing ? undefined : `${bytesToKey(sweep.after)}\0`;
  if (!sweep.closing && sweep.after.length === 0) return null;
  let fault: string | null = null;
  state.active.eachBetween(ctx, "", passed, (id) => {
    for (const { lots, market } of state.accounts.get(ctx, id)?.positions ?? []) {
      const swept = lots !== 0n && state.sweepMarkets.has(ctx, market);
      if (swept && markets.terms(ctx, market)?.status === "settling") {
        fault = `an account that was passed holds ${lots} lots of market ${market}`;
      }
    }
    return fault !== null;
  });
  return fault;
}
