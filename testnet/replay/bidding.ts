/**
 * What a keeper of the replay bids in liquidation auctions, and how it gets rid of what it has bought: away from mark by what it wants to be paid for, farther when the
 * market runs, less the more it holds, nothing beyond its capital.
 */

export interface KeeperTerms {
  /** Whole settlement units: of one bid, and of what is held at most. */
  readonly clip: number;
  readonly inventoryMax: number;
  readonly tick: number;
  readonly lot: number;
}

export interface KeeperBid {
  readonly side: "buy" | "sell";
  readonly worstTicks: bigint;
  readonly lots: bigint;
}

export interface Unwinding {
  readonly side: "buy" | "sell";
  readonly price: number;
  readonly size: number;
}

/** Share of price that a keeper wants in a calm market, and the most: beyond it nobody sells. */
const AWAY = 0.001;
const AWAY_MAX = 0.03;
/** Of the market's stress (the move of the last minutes) that it wants to be paid for. */
const STRESS_SHARE = 0.25;
/** What it sells again stands this far from mark, and is this much of what it holds. */
const UNWIND_AWAY = 0.0005;
const UNWIND_SHARE = 0.25;
/** The market takes no bid below 500 units, and no order below 10. */
const BID_MIN = 600;
const ORDER_MIN = 20;

/** `inventory`: signed, whole settlement units. */
export function keeperBids(
  mark: number,
  inventory: number,
  stress: number,
  { clip, inventoryMax, lot, tick }: KeeperTerms,
): KeeperBid[] {
  const away = Math.min(AWAY_MAX, AWAY + STRESS_SHARE * stress);
  const bids: KeeperBid[] = [];
  for (const side of ["buy", "sell"] as const) {
    const sign = side === "buy" ? 1 : -1;
    const notional = Math.min(clip, inventoryMax - sign * inventory);
    if (notional < BID_MIN) continue;
    const ticks = (mark * (1 - sign * away)) / tick;
    bids.push({
      side,
      worstTicks: BigInt(side === "buy" ? Math.floor(ticks) : Math.ceil(ticks)),
      lots: BigInt(Math.floor(notional / mark / lot)),
    });
  }
  return bids;
}

/** Null: it holds nothing worth an order. */
export function unwinding(
  mark: number,
  size: number,
  { lot, tick }: KeeperTerms,
): Unwinding | null {
  const part = Math.max(Math.abs(size) * UNWIND_SHARE, Math.min(Math.abs(size), BID_MIN / mark));
  const lots = Math.floor(part / lot);
  if (lots * lot * mark < ORDER_MIN) return null;
  const side = size > 0 ? "sell" : "buy";
  const ticks = Math.round((mark * (1 + (size > 0 ? UNWIND_AWAY : -UNWIND_AWAY))) / tick);
  return { side, price: ticks * tick, size: lots * lot };
}
