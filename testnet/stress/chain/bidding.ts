/** What keepers bid in the liquidation auctions: standing bids on both sides of each perpetual, each keeper a step further from mark, wider when the book is thin. */

import type { Message } from "../../bench/tx-bytes.ts";
import { type Seen, UNIT } from "./books.ts";
import { bidLiquidation } from "./orders.ts";
import type { World } from "./world.ts";

/** From mark: of the first keeper in a calm book, and what each further one adds. */
const NEAREST = 0.002;
const STEP = 0.003;
/** Nobody bids further: liquidations end there. */
const FARTHEST = 0.07;
/** They stand this long; keepers come again before. */
const STANDS_MS = 120_000;

/** Of one keeper, with this notional a side and market. */
export function keeperBids(
  world: World,
  seen: Seen,
  keeper: { readonly number: number; readonly notional: number; readonly address: string },
  at: { readonly nowMs: number; readonly depth: number },
): Message[] {
  const away = Math.min(FARTHEST, (NEAREST + keeper.number * STEP) / Math.sqrt(at.depth));
  return [...world.listed].flatMap(([id, { option }]) => {
    const market = seen.markets.get(id);
    if (option || market === undefined || market.instrument.status !== "active") return [];
    const { instrument, mark } = market;
    const lots = Math.floor(keeper.notional * (UNIT / Number(mark.notionalPerLot)));
    if (lots === 0) return [];
    return (["buy", "sell"] as const).map((side) => {
      const price = Number(mark.ticks) * (side === "buy" ? 1 - away : 1 + away);
      return bidLiquidation(keeper.address, {
        ...{ market: instrument.symbol, side, lots },
        ticks: side === "buy" ? Math.floor(price) : Math.ceil(price),
        goodTilMs: at.nowMs + STANDS_MS,
      });
    });
  });
}
