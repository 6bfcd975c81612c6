/** What makers and keepers keep in the books: sizes follow the depth gauge, prices the true price as far as the market's band lets them. */
import type { Instrument } from "@keel/modules/derivatives/instruments";
import type { Mark } from "@keel/modules/derivatives/marking/mark";
import { CALM_DEPTH, halfSpread } from "../agents/depth.ts";
import { KEEPER_DISTANCE } from "../agents/impact.ts";
import type { Order } from "./orders.ts";

/** Distances from mark of the levels; each maker has every third of them. */
const LEVELS = [0, 0.002, 0.005, 0.009, 0.014, 0.02, 0.027, 0.035, 0.045] as const;
const MAKERS_PER_LEVEL = 2;
/** Of an order's price from mark, inside the market's own band of 5 %. */
const BAND = 0.048;
const OPTION_WIDTH = 0.04;
const OPTION_SIZE = 100_000;

export interface QuotedMarket {
  readonly instrument: Instrument;
  readonly mark: Mark;
  readonly underlying: number;
  readonly option: boolean;
  /** True price as a multiple of the mark; 1 unless validators are behind. */
  readonly truth: number;
}

/** What a book holds: the size of the market, 1 with 2,000 accounts, and the share of calm depth that is left. */
export interface Fullness {
  readonly size: number;
  readonly depth: number;
}

/** Quotes of maker number `maker` in one market. */
export function makerQuotes(market: QuotedMarket, maker: number, full: Fullness): Order[] {
  const { depth, size } = full;
  const ticks = Number(market.mark.ticks);
  if (ticks === 0) return [];
  if (market.option) return optionQuotes(market, ticks, full);
  const calm = (CALM_DEPTH[market.underlying] ?? 0) * depth * size;
  const spread = halfSpread(depth);
  const orders: Order[] = [];
  for (let level = maker % 3; level < LEVELS.length; level += 3) {
    const distance = LEVELS[level] ?? 0;
    const width = ((LEVELS[level + 1] ?? 0.055) - distance) * 100;
    const notional = (calm * width) / MAKERS_PER_LEVEL;
    for (const side of ["buy", "sell"] as const) {
      const sign = side === "buy" ? -1 : 1;
      const away = market.truth * (1 + sign * Math.max(distance, spread)) - 1;
      if (Math.abs(away) > BAND) continue;
      push(orders, market, side, ticks * (1 + away), notional);
    }
  }
  return orders;
}

/** Keepers wait far below and above, for what falls through: each with this notional a side. */
export function keeperQuotes(market: QuotedMarket, notional: number): Order[] {
  const ticks = Number(market.mark.ticks);
  if (ticks === 0 || market.option) return [];
  const orders: Order[] = [];
  push(orders, market, "buy", ticks * (1 - KEEPER_DISTANCE), notional);
  push(orders, market, "sell", ticks * (1 + KEEPER_DISTANCE), notional);
  return orders;
}

function optionQuotes(market: QuotedMarket, ticks: number, { depth, size }: Fullness): Order[] {
  const orders: Order[] = [];
  const width = Math.min(0.5, OPTION_WIDTH / Math.sqrt(depth));
  push(orders, market, "buy", ticks * (1 - width), OPTION_SIZE * depth * size);
  push(orders, market, "sell", ticks * (1 + width), OPTION_SIZE * depth * size);
  return orders;
}

/** Whole ticks away from mark, whole lots of the underlying's value; nothing below ten units. */
function push(
  orders: Order[],
  { instrument, mark }: QuotedMarket,
  side: "buy" | "sell",
  price: number,
  notional: number,
): void {
  const lots = Math.floor((notional * 1e6) / Number(mark.notionalPerLot));
  const ticks = side === "buy" ? Math.floor(price) : Math.ceil(price);
  if (ticks < 1 || lots < 1 || notional < 10) return;
  // An auction takes no post-only orders, and names those it takes.
  if (instrument.status === "active") orders.push({ instrument, side, ticks, lots, kind: "quote" });
  else orders.push({ instrument, side, ticks, lots, kind: "rests", clientId: `${orders.length}` });
}
