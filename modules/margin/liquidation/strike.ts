/** One auction of liquidated positions, pure: clips with their reserves against bids, at the price nearest to mark at which most lots trade. */
import { divTrunc, minimum } from "../../kit/math/mul-div.ts";
import {
  accepts,
  allocate,
  clearingPrice,
  type Interest,
  levelsOf,
} from "../../kit/math/uniform-price.ts";
import type { Side } from "../ports.ts";
import { BID_MAX } from "./bids.ts";

/** One clip or one bid. */
export interface Quote {
  /** Worst price; lots positive. */
  readonly ticks: bigint;
  readonly lots: bigint;
}

export interface Strike {
  readonly ticks: bigint;
  readonly lots: bigint;
  /** In the order given. */
  readonly clips: readonly bigint[];
  readonly bids: readonly bigint[];
}

interface Ranked extends Interest {
  readonly at: number;
}

function ranked(quotes: readonly Quote[], side: Side): Ranked[] {
  return quotes
    .map(({ lots, ticks }, at) => ({
      at,
      id: at,
      ticks: Number(ticks),
      lots: Number(minimum(lots, BID_MAX)),
    }))
    .sort((a, b) => (side === "buy" ? b.ticks - a.ticks : a.ticks - b.ticks) || a.at - b.at);
}

function filled(quotes: readonly Ranked[], side: Side, ticks: number, volume: number): bigint[] {
  const lots: bigint[] = quotes.map(() => 0n);
  const willing = quotes.filter((quote) => accepts(side, quote.ticks, ticks));
  for (const [i, part] of allocate(willing, volume).entries()) {
    lots[(willing[i] as Ranked).at] = BigInt(part);
  }
  return lots;
}

/**
 * `side` is what the clips do. Better prices first and in full, those at the price where it ends in proportion to size, whole lots by largest
 * remainder. No clip trades at a better price than the mark: who bids more than that pays the mark. Null: nothing trades.
 */
export function strike(
  side: Side,
  clips: readonly Quote[],
  bids: readonly Quote[],
  markTicks: bigint,
): Strike | null {
  const other = side === "sell" ? "buy" : "sell";
  const offered = ranked(clips, side);
  const wanted = ranked(bids, other);
  const mark = Number(minimum(markTicks, BID_MAX));
  const range = side === "sell" ? { low: 1, high: mark } : { low: mark, high: Number(BID_MAX) };
  if (mark < 1) return null;
  const [buyers, sellers] = side === "sell" ? [wanted, offered] : [offered, wanted];
  const found = clearingPrice(levelsOf(buyers), levelsOf(sellers), mark, range);
  if (found === null) return null;
  return {
    ticks: BigInt(found.ticks),
    lots: BigInt(found.volume),
    clips: filled(offered, side, found.ticks, found.volume),
    bids: filled(wanted, other, found.ticks, found.volume),
  };
}

/** Who of the one list trades with whom of the other, each with all of its lots: both sum to the same. */
export function paired(
  clips: readonly bigint[],
  bids: readonly bigint[],
): readonly { readonly clip: number; readonly bid: number; readonly lots: bigint }[] {
  const pairs: { clip: number; bid: number; lots: bigint }[] = [];
  let bid = 0;
  let room = bids[0] ?? 0n;
  for (const [clip, all] of clips.entries()) {
    let left = all;
    while (left > 0n && bid < bids.length) {
      const lots = minimum(left, room);
      if (lots > 0n) pairs.push({ clip, bid, lots });
      left -= lots;
      room -= lots;
      if (room === 0n) {
        bid += 1;
        room = bids[bid] ?? 0n;
      }
    }
  }
  return pairs;
}

/** A clip's reward among its bidders by lots, rounded down; what is left over stays where it is. */
export function rewardOf(reward: bigint, lots: bigint, all: bigint): bigint {
  return divTrunc(reward * lots, all);
}
