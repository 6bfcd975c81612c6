/** Which markets have something in a collection keyed by market first: found by leaps, so that a market without any costs nothing. */
import { u32Key } from "../kit/collections/codecs.ts";
import type { ReadContext } from "../kit/context.ts";
import type { MarketId } from "./ports.ts";

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
