/** Which markets have something in a collection keyed by market first: found by leaps, so that a market without any costs nothing. */
import { u32Key } from "../kit/collections/codecs.ts";
import type { ReadContext } from "../kit/context.ts";
import type { MarketId } from "./ports.ts";
import type { DerivativesState } from "./state.ts";

/** Ascending. Charges no gas: it is used where blocks and invariants do their work. */
export function marketsWith(ctx: ReadContext, collection: { readonly id: number }): MarketId[] {
  const found: MarketId[] = [];
  let from = "";
  for (;;) {
    let market = -1;
    ctx.state.range(collection.id, from, undefined, (key) => {
      market = u32Key.decode(key, 0)[0];
      return true;
    });
    if (market < 0) return found;
    found.push(market);
    if (market === 0xffffffff) return found;
    from = u32Key.encode(market + 1);
  }
}

/** With orders of any kind: resting, waiting, collected for an auction. */
export function marketsWithOrders(
  ctx: ReadContext,
  { orders, waiting, collected }: Pick<DerivativesState, "orders" | "waiting" | "collected">,
): MarketId[] {
  const found = [orders, waiting, collected].flatMap((each) => marketsWith(ctx, each));
  return [...new Set(found)].sort((a, b) => a - b);
}
