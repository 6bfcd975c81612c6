/** Reads what the writer wrote: pages of trades, fills, candles and funding rates. Any thread that has the database open may. */
import type { MarketId } from "@keel/modules/derivatives/ports";
import type { Database } from "../store/types.ts";
import type { Candle, Resolution } from "./candles.ts";
import {
  accountPrintKey,
  candleKey,
  decodeCandle,
  decodeFunding,
  decodeHeight,
  decodeMarketId,
  decodePrint,
  type FundingPoint,
  fundingKey,
  type HistoryHeight,
  heightRecordKey,
  marketPrintKey,
  placeIn,
  printKey,
  symbolKey,
} from "./history-records.ts";
import { FILLS_SCANNED_MAX } from "./limits.ts";
import type { Party, PlacedPrint } from "./prints.ts";

/** A place in the order of prints. */
export interface PrintPlace {
  readonly height: number;
  readonly number: number;
}

/** One party's part of a print. */
export interface Fill {
  readonly print: PlacedPrint;
  readonly party: Party;
}

export interface Page<T> {
  /** Newest first. */
  readonly items: readonly T[];
  /** The next page is before this place; null: there is none. */
  readonly next: PrintPlace | null;
}

/** Behind every place there is. */
export const NEWEST: PrintPlace = { height: Number.MAX_SAFE_INTEGER, number: 0 };

export class HistoryReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async at(): Promise<HistoryHeight> {
    return decodeHeight(await this.#database.get(heightRecordKey));
  }

  /** The newest market of this symbol that has a print, or null. */
  async marketOf(symbol: string): Promise<MarketId | null> {
    const record = await this.#database.get(symbolKey(symbol));
    return record === null ? null : decodeMarketId(record);
  }

  /** Those that start in [fromMs, toMs), at most `limit`, oldest first: the newest of them when there are more. */
  async candles(
    market: MarketId,
    resolution: Resolution,
    { fromMs, toMs, limit }: { fromMs: number; toMs: number; limit: number },
  ): Promise<Candle[]> {
    const range = {
      from: candleKey(market, resolution, fromMs),
      to: candleKey(market, resolution, toMs),
    };
    const candles: Candle[] = [];
    for await (const [, record] of this.#database.range({ ...range, reverse: true, limit }))
      candles.push(decodeCandle(record));
    return candles.reverse();
  }

  async trades(market: MarketId, before: PrintPlace, limit: number): Promise<Page<PlacedPrint>> {
    const range = {
      from: marketPrintKey(market, 0, 0),
      to: marketPrintKey(market, before.height, before.number),
    };
    const items: PlacedPrint[] = [];
    for await (const [key] of this.#database.range({ ...range, reverse: true, limit })) {
      const print = await this.#print(placeIn(key));
      if (print !== null) items.push(print);
    }
    return { items, next: items.length < limit ? null : placeOf(items[items.length - 1]) };
  }

  /** Of every market, or of the one named. A page that had to look at very many may be short and yet have a next. */
  async fills(
    account: string,
    market: MarketId | null,
    before: PrintPlace,
    limit: number,
  ): Promise<Page<Fill>> {
    const range = {
      from: accountPrintKey(account, 0, 0),
      to: accountPrintKey(account, before.height, before.number),
    };
    const items: Fill[] = [];
    let looked = 0;
    for await (const [key, value] of this.#database.range({ ...range, reverse: true })) {
      const place = placeIn(key);
      const print = await this.#print(place);
      const party = print?.parties[value[0] ?? 0];
      if (print !== null && party !== undefined && (market === null || print.market === market))
        items.push({ print, party });
      looked += 1;
      if (items.length === limit || looked === FILLS_SCANNED_MAX) return { items, next: place };
    }
    return { items, next: null };
  }

  /** Newest first, before a time. */
  async funding(market: MarketId, beforeMs: number, limit: number): Promise<FundingPoint[]> {
    const range = { from: fundingKey(market, 0), to: fundingKey(market, beforeMs) };
    const points: FundingPoint[] = [];
    for await (const [, record] of this.#database.range({ ...range, reverse: true, limit }))
      points.push(decodeFunding(record));
    return points;
  }

  /** Null: pruned between the index and here. */
  async #print({ height, number }: PrintPlace): Promise<PlacedPrint | null> {
    const record = await this.#database.get(printKey(height, number));
    return record === null ? null : decodePrint(height, number, record);
  }
}

function placeOf(print: PlacedPrint | undefined): PrintPlace | null {
  return print === undefined ? null : { height: print.height, number: print.number };
}
