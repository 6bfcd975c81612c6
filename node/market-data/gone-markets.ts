/**
 * What is kept of markets that the chain no longer has: candles, funding rates and the name they are found by. Series of options come and go
 * without end, so their history must go too: after a time, and the oldest first when there are too many. Each block looks at some markets and
 * deletes a bounded number of records, in its own batch.
 */
import type { MarketId } from "@keel/modules/derivatives/ports";
import { prefixes } from "../store/level/keys.ts";
import type { Database, Write } from "../store/types.ts";
import {
  candlesOf,
  decodeMarketId,
  decodeTime,
  encodeTime,
  endOf,
  fundingOf,
  goneKey,
  marketIn,
  symbolIn,
  symbolKey,
} from "./history-records.ts";
import { GONE_PRUNED_PER_BLOCK, MARKETS_WATCHED_PER_BLOCK } from "./limits.ts";

export interface GoneRetention {
  /** How long after a market was found gone. */
  readonly goneMs: number;
  /** Markets at most, the oldest go first. */
  readonly goneMarkets: number;
}

export class GoneMarkets {
  readonly #database: Database;
  readonly #retention: GoneRetention;
  /** All markets that have records, and the symbol of each that has a print. */
  readonly #known = new Map<MarketId, string | null>();
  /** Since when, oldest first. */
  readonly #gone = new Map<MarketId, number>();
  #watched: Iterator<MarketId> = [].values();

  private constructor(database: Database, retention: GoneRetention) {
    this.#database = database;
    this.#retention = retention;
  }

  static async open(database: Database, retention: GoneRetention): Promise<GoneMarkets> {
    const opened = new GoneMarkets(database, retention);
    await opened.#load();
    return opened;
  }

  /** A record of this market is written; `symbol` when it names the market too. */
  note(market: MarketId, symbol: string | null): void {
    if (symbol !== null || !this.#known.has(market)) this.#known.set(market, symbol);
  }

  /** Adds to a block's batch what this block finds and deletes. */
  async step(
    batch: Write[],
    nowMs: number,
    isListed: (market: MarketId) => boolean,
  ): Promise<void> {
    for (let looks = 0; looks < MARKETS_WATCHED_PER_BLOCK; looks++) {
      const next = this.#watched.next();
      if (next.done === true) {
        this.#watched = [...this.#known.keys()].values();
        break;
      }
      this.#look(batch, next.value, nowMs, isListed(next.value));
    }
    const [oldest] = this.#gone;
    if (oldest !== undefined && this.#isDue(oldest[1], nowMs)) await this.#forget(batch, oldest[0]);
  }

  #look(batch: Write[], market: MarketId, nowMs: number, isListed: boolean): void {
    if (isListed === !this.#gone.has(market) || !this.#known.has(market)) return;
    if (isListed) {
      // Listed after all: the tables were not complete when it was looked for.
      this.#gone.delete(market);
      batch.push({ key: goneKey(market), value: null });
    } else {
      this.#gone.set(market, nowMs);
      batch.push({ key: goneKey(market), value: encodeTime(nowMs) });
    }
  }

  #isDue(sinceMs: number, nowMs: number): boolean {
    const { goneMs, goneMarkets } = this.#retention;
    return this.#gone.size > goneMarkets || nowMs - sinceMs > goneMs;
  }

  /** A part of its records, and with the last of them the rest. */
  async #forget(batch: Write[], market: MarketId): Promise<void> {
    let left = GONE_PRUNED_PER_BLOCK;
    for (const range of [candlesOf(market), fundingOf(market)]) {
      for await (const [key] of this.#database.range({ ...range, limit: left })) {
        batch.push({ key, value: null });
        left -= 1;
      }
      if (left === 0) return;
    }
    const symbol = this.#known.get(market) ?? null;
    const named = symbol === null ? null : await this.#database.get(symbolKey(symbol));
    // Another market may have the name by now.
    if (symbol !== null && named !== null && decodeMarketId(named) === market)
      batch.push({ key: symbolKey(symbol), value: null });
    batch.push({ key: goneKey(market), value: null });
    this.#gone.delete(market);
    this.#known.delete(market);
  }

  async #load(): Promise<void> {
    for await (const [key, record] of this.#database.range(allOf(prefixes.marketBySymbol)))
      this.note(decodeMarketId(record), symbolIn(key));
    for (const prefix of [prefixes.candle, prefixes.fundingRate] as const)
      await this.#loadMarketsOf(prefix);
    const gone: (readonly [MarketId, number])[] = [];
    for await (const [key, record] of this.#database.range(allOf(prefixes.goneMarket)))
      gone.push([marketIn(key), decodeTime(record)]);
    for (const [market, sinceMs] of gone.sort(([, a], [, b]) => a - b)) {
      this.#gone.set(market, sinceMs);
      this.note(market, null);
    }
  }

  /** From one market's first record to the next market's: a seek each, however many records they have. */
  async #loadMarketsOf(prefix: typeof prefixes.candle | typeof prefixes.fundingRate) {
    const rangeOf = prefix === prefixes.candle ? candlesOf : fundingOf;
    let from: Uint8Array = Uint8Array.of(prefix);
    for (let isMore = true; isMore; ) {
      isMore = false;
      for await (const [key] of this.#database.range({ from, to: endOf(prefix), limit: 1 })) {
        const market = marketIn(key);
        this.note(market, null);
        from = rangeOf(market).to;
        isMore = true;
      }
    }
  }
}

function allOf(prefix: Parameters<typeof endOf>[0]): {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
} {
  return { from: Uint8Array.of(prefix), to: endOf(prefix) };
}
