/**
 * What a market's lot gains when the price of its underlying moves and all else stays. A perpetual's value is its mark, so it moves with it exactly; dated
 * contracts are priced anew, on the inputs that margin models see, which go in steps.
 */
import type { ReadContext } from "../../kit/context.ts";
import { divFloor, divHalfEven, PPM } from "../../kit/math/mul-div.ts";
import type { MarketView, ModelledMarkets } from "../health/market-view.ts";

/** Millionths of a quantum per lot, so that nothing of a perpetual's move is rounded before it is multiplied by lots. */
export function moveOfLot(
  ctx: ReadContext,
  markets: ModelledMarkets,
  view: MarketView,
  movePpm: bigint,
): bigint {
  // Its value is fixed.
  if (view.terms.status === "settling" || view.terms.status === "settled") return 0n;
  const risk = markets.risk(ctx, view.terms.id);
  if (risk === undefined || risk.instrument.kind === "perpetual")
    return view.quantaPerLot * movePpm;
  const { price, volatility, units, scale } = risk.instrument;
  const gained = price(movePpm, volatility) - price(0n, volatility);
  return divHalfEven(gained * units * PPM, scale);
}

/** Quanta, rounded down. */
export function moveOfLots(lots: bigint, perLot: bigint): bigint {
  return divFloor(lots * perLot, PPM);
}
