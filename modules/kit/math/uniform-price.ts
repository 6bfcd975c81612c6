/**
 * Clearing of a batch auction, pure: the one price at which most lots trade, and who gets how many of them. Prices are whole ticks and sizes
 * whole lots, both of 31 bits, so sums over a book stay safe integers.
 */
import { divTrunc } from "./mul-div.ts";

type Side = "buy" | "sell";

/** All willing lots at one price. */
export interface Level {
  readonly ticks: number;
  readonly lots: number;
}

/** One order as the auction sees it. */
export interface Interest extends Level {
  readonly id: number;
}

/** Whole ticks in which the price may lie. */
export interface PriceRange {
  readonly low: number;
  readonly high: number;
}

export interface Clearing {
  readonly ticks: number;
  /** Lots that trade. */
  readonly volume: number;
  /** Lots willing to buy, and to sell, at the price. */
  readonly demand: number;
  readonly supply: number;
}

/** Orders best-first by price, joined by level. */
export function levelsOf(orders: Iterable<Level>): Level[] {
  const levels: { ticks: number; lots: number }[] = [];
  for (const { ticks, lots } of orders) {
    const last = levels[levels.length - 1];
    if (last !== undefined && last.ticks === ticks) last.lots += lots;
    else levels.push({ ticks, lots });
  }
  return levels;
}

/**
 * The price inside `range` with the largest volume min(demand, supply); among those the least |demand − supply|; among those the nearest to
 * `reference`. Demand never rises with the price and supply never falls, so each of the first two conditions leaves an unbroken run of ticks,
 * and the nearest tick of a run is one tick: no further rule is needed. null: nothing trades at any price. Linear in the number of levels.
 */
export function clearingPrice(
  bids: readonly Level[],
  asks: readonly Level[],
  reference: number,
  range: PriceRange,
): Clearing | null {
  let demand = bids.reduce((sum, { lots }) => sum + lots, 0);
  let supply = 0;
  // Bids descend: the first to drop out as the price rises is the last.
  let bid = bids.length - 1;
  let ask = 0;
  let volume = 0;
  let imbalance = 0;
  let low = 0;
  let high = 0;
  for (let from = range.low; from <= range.high; ) {
    for (let level = bids[bid]; level !== undefined && level.ticks < from; level = bids[bid]) {
      demand -= level.lots;
      bid -= 1;
    }
    for (let level = asks[ask]; level !== undefined && level.ticks <= from; level = asks[ask]) {
      supply += level.lots;
      ask += 1;
    }
    // Up to here neither side changes.
    let to = range.high;
    const nextBid = bids[bid];
    const nextAsk = asks[ask];
    if (nextBid !== undefined && nextBid.ticks < to) to = nextBid.ticks;
    if (nextAsk !== undefined && nextAsk.ticks - 1 < to) to = nextAsk.ticks - 1;
    const trades = demand < supply ? demand : supply;
    const rest = demand + supply - 2 * trades;
    if (trades > volume || (trades === volume && trades > 0 && rest < imbalance)) {
      volume = trades;
      imbalance = rest;
      low = from;
      high = to;
    } else if (trades > 0 && trades === volume && rest === imbalance) {
      high = to;
    }
    from = to + 1;
  }
  if (volume === 0) return null;
  const ticks = reference < low ? low : reference > high ? high : reference;
  return { ticks, volume, demand: lotsUpTo(bids, ticks, -1), supply: lotsUpTo(asks, ticks, 1) };
}

/** Lots of the levels that accept `ticks`: at or above it for bids (−1), at or below for asks (1). */
function lotsUpTo(levels: readonly Level[], ticks: number, direction: 1 | -1): number {
  let sum = 0;
  for (const level of levels) {
    if ((level.ticks - ticks) * direction > 0) break;
    sum += level.lots;
  }
  return sum;
}

/** True when an order of `side` limited to `limit` accepts `ticks`. */
export function accepts(side: Side, limit: number, ticks: number): boolean {
  return side === "buy" ? limit >= ticks : limit <= ticks;
}

/**
 * Lots that each order gets of `volume`: better prices first and in full; at the price level where the volume ends in proportion to size, in
 * whole lots by largest remainder, equal remainders to the larger order, then to the lower id. `orders` best-first; the answer is in their
 * order and sums to `volume` (or to all lots, when they are fewer).
 */
export function allocate(orders: readonly Interest[], volume: number): number[] {
  const filled: number[] = [];
  let left = volume;
  for (let first = 0; first < orders.length; ) {
    const { ticks } = orders[first] as Interest;
    let lots = 0;
    let end = first;
    for (; end < orders.length && (orders[end] as Interest).ticks === ticks; end++) {
      lots += (orders[end] as Interest).lots;
    }
    const level = orders.slice(first, end);
    filled.push(...(lots <= left ? level.map((order) => order.lots) : proRata(level, lots, left)));
    left -= lots < left ? lots : left;
    first = end;
  }
  return filled;
}

function proRata(level: readonly Interest[], total: number, volume: number): number[] {
  if (volume === 0) return level.map(() => 0);
  const shares = level.map((order, at) => {
    // Beyond 53 bits.
    const product = BigInt(order.lots) * BigInt(volume);
    const lots = divTrunc(product, BigInt(total));
    return { at, order, lots: Number(lots), remainder: Number(product - lots * BigInt(total)) };
  });
  let left = volume - shares.reduce((sum, { lots }) => sum + lots, 0);
  const byRemainder = [...shares].sort(
    (a, b) => b.remainder - a.remainder || b.order.lots - a.order.lots || a.order.id - b.order.id,
  );
  const filled = shares.map(({ lots }) => lots);
  for (const { at } of byRemainder) {
    if (left === 0) break;
    filled[at] = (filled[at] as number) + 1;
    left -= 1;
  }
  return filled;
}
