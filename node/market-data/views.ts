/** JSON of what leaves the node: fields in snake_case, numbers with a fraction as decimal text. */

import {
  formatMoney,
  formatPrice,
  formatSize,
  type Instrument,
} from "@keel/modules/derivatives/instruments";
import type { Account } from "@keel/modules/margin/account-codec";
import { BOOK_CHECKSUM_LEVELS, bookChecksum } from "@keel/proto/bytes/book-checksum";
import type { Fill } from "./history-reader.ts";
import type { FundingPoint } from "./history-records.ts";
import type { Level, LevelBook } from "./level-book.ts";
import { SNAPSHOT_LEVELS_MAX } from "./limits.ts";
import { type PlacedPrint, printId } from "./prints.ts";

export type LevelView = readonly [price: string, size: string, orders: number];

export function levelViews(instrument: Instrument, levels: readonly Level[]): LevelView[] {
  return levels.map(({ ticks, lots, orders }) => [
    formatPrice(instrument, ticks),
    formatSize(instrument, lots),
    orders,
  ]);
}

export function checksumOf(instrument: Instrument, book: LevelBook): number {
  const best = (levels: readonly Level[]) =>
    levels.map(({ ticks, lots }) => ({
      price: formatPrice(instrument, ticks),
      size: formatSize(instrument, lots),
    }));
  return bookChecksum(
    best(book.bids.best(BOOK_CHECKSUM_LEVELS)),
    best(book.asks.best(BOOK_CHECKSUM_LEVELS)),
  );
}

export function bookSnapshot(instrument: Instrument, book: LevelBook): unknown {
  return {
    sequence: book.sequence,
    bids: levelViews(instrument, book.bids.best(SNAPSHOT_LEVELS_MAX)),
    asks: levelViews(instrument, book.asks.best(SNAPSHOT_LEVELS_MAX)),
    checksum: checksumOf(instrument, book),
    complete: book.bids.size <= SNAPSHOT_LEVELS_MAX && book.asks.size <= SNAPSHOT_LEVELS_MAX,
  };
}

export function tradeView(print: PlacedPrint): unknown {
  const { height, kind, price, side, size, timeMs } = print;
  return { id: printId(print), height, time_ms: timeMs, price, size, side, kind };
}

export function fillView({ print, party }: Fill): unknown {
  const { height, kind, price, size, symbol, timeMs } = print;
  const { fee, orderId, role, side } = party;
  return {
    id: printId(print),
    height,
    time_ms: timeMs,
    market: symbol,
    side,
    price,
    size,
    fee,
    role,
    kind,
    order_id: orderId,
  };
}

export function fundingView({ index, rate8hPpm, timeMs }: FundingPoint): unknown {
  return { time_ms: timeMs, rate_8h_ppm: rate8hPpm, index };
}

/** `quote` is the cash side: what was paid for the lots, funding settled in it included; with the lots' value it is what the position is worth. */
export function positionsView(
  account: Account,
  marketOf: (id: number) => Instrument | undefined,
): unknown {
  return {
    collateral: formatMoney(account.collateral),
    positions: account.positions.flatMap(({ lots, market, quote }) => {
      const instrument = marketOf(market);
      if (instrument === undefined || lots === 0n) return [];
      const { symbol } = instrument;
      return { market: symbol, size: formatSize(instrument, lots), quote: formatMoney(quote) };
    }),
  };
}
