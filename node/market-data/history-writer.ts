/**
 * Writes candles, trades, fills and funding rates. A block is one batch with its height in it, unsynced: a crash loses whole blocks from
 * the end, which are read again, and none counts twice. Old records go with the blocks that follow.
 */
import type { Instrument } from "@keel/modules/derivatives/instruments";
import type { MarketId } from "@keel/modules/derivatives/ports";
import { prefixes } from "../store/level/keys.ts";
import type { Database, Write } from "../store/types.ts";
import {
  type Candle,
  lengthMs,
  periodStartMs,
  RESOLUTIONS,
  type Resolution,
  withTrade,
} from "./candles.ts";
import { GoneMarkets, type GoneRetention } from "./gone-markets.ts";
import {
  accountPrintKey,
  candleKey,
  decodeCandle,
  decodeHeight,
  decodePrint,
  encodeCandle,
  encodeFunding,
  encodeHeight,
  encodeMarketId,
  encodePrint,
  endOf,
  type FundingPoint,
  fundingKey,
  type HistoryHeight,
  heightRecordKey,
  marketPrintKey,
  placeIn,
  printKey,
  printsFrom,
  symbolKey,
} from "./history-records.ts";
import { CANDLES_REMEMBERED_MAX, PRUNED_PER_BLOCK } from "./limits.ts";
import { isOfTheBook, type PlacedPrint, stepsIn } from "./prints.ts";

export interface Retention extends GoneRetention {
  /** How long trades and fills are kept. */
  readonly printsMs: number;
  /** Candles of a market and resolution, and funding rates of a market: how many are kept. */
  readonly periods: number;
}

export interface HistoryBlock {
  readonly height: number;
  readonly timeMs: number;
  /** By number, ascending. */
  readonly prints: readonly PlacedPrint[];
  readonly funding: readonly {
    readonly market: MarketId;
    readonly point: FundingPoint;
  }[];
}

export interface ChangedCandle {
  readonly market: MarketId;
  readonly resolution: Resolution;
  readonly candle: Candle;
}

export async function openHistoryWriter(
  database: Database,
  retention: Retention,
): Promise<HistoryWriter> {
  const at = decodeHeight(await database.get(heightRecordKey));
  const { goneMs, goneMarkets, printsMs } = retention;
  // Fills are found by the name of their market as long as there are any.
  const kept = { goneMs: Math.max(goneMs, printsMs), goneMarkets };
  return new HistoryWriter(database, retention, at, await GoneMarkets.open(database, kept));
}

export class HistoryWriter {
  readonly #database: Database;
  readonly #retention: Retention;
  #at: HistoryHeight;
  /** The newest candle of each market and resolution, as far as one remembers. */
  readonly #candles = new Map<string, Candle>();
  readonly #symbols = new Map<MarketId, string>();
  readonly #gone: GoneMarkets;
  /** No print is older; read when it may be due. */
  #oldestMs = 0;

  constructor(database: Database, retention: Retention, at: HistoryHeight, gone: GoneMarkets) {
    this.#database = database;
    this.#retention = retention;
    this.#at = at;
    this.#gone = gone;
  }

  get at(): HistoryHeight {
    return this.#at;
  }

  /** Adds the next block; heights taken already are skipped. A height left out moves `since`. Answers the candles that changed. */
  async write(
    block: HistoryBlock,
    marketOf: (id: MarketId) => Instrument | undefined,
  ): Promise<ChangedCandle[]> {
    const { height, prints, funding, timeMs } = block;
    if (height <= this.#at.height) return [];
    const since = height === this.#at.height + 1 ? this.#at.since : height;
    const batch: Write[] = [];
    // First, so that what this block writes stands where a name has gone over to another market.
    await this.#gone.step(batch, timeMs, (id) => marketOf(id) !== undefined);
    const candles = await this.#fold(block, marketOf);
    for (const { market, resolution, candle } of candles.values()) {
      const key = candleKey(market, resolution, candle.startMs);
      batch.push({ key, value: encodeCandle(candle) });
      await this.#pruneCandles(batch, market, resolution, candle.startMs);
    }
    for (const print of prints) this.#addPrint(batch, print);
    for (const { market, point } of funding) {
      batch.push({ key: fundingKey(market, point.timeMs), value: encodeFunding(point) });
      this.#gone.note(market, null);
      await this.#pruneFunding(batch, market, point.timeMs);
    }
    await this.#prunePrints(batch, timeMs, prints.length * 2 + PRUNED_PER_BLOCK);
    const next = { height, since: since === 0 ? height : since };
    batch.push({ key: heightRecordKey, value: encodeHeight(next) });
    await this.#database.write(batch, "buffered");
    this.#at = next;
    for (const { market, resolution, candle } of candles.values())
      this.#remember(market, resolution, candle);
    return [...candles.values()];
  }

  async #fold(
    { prints, timeMs }: HistoryBlock,
    marketOf: (id: MarketId) => Instrument | undefined,
  ): Promise<Map<string, ChangedCandle>> {
    const changed = new Map<string, ChangedCandle>();
    for (const print of prints) {
      const instrument = marketOf(print.market);
      if (!isOfTheBook(print) || instrument === undefined) continue;
      const ticks = stepsIn(print.price, instrument.tick);
      const lots = stepsIn(print.size, instrument.lot);
      const trade = {
        ticks: Number(ticks),
        lots,
        quanta: ticks * lots * instrument.quantaPerTickLot,
      };
      for (const resolution of RESOLUTIONS) {
        const name = candleName(print.market, resolution);
        const startMs = periodStartMs(resolution, timeMs);
        const before =
          changed.get(name)?.candle ?? (await this.#candle(print.market, resolution, startMs));
        const candle = withTrade(before, startMs, trade);
        changed.set(name, { market: print.market, resolution, candle });
      }
    }
    return changed;
  }

  async #candle(
    market: MarketId,
    resolution: Resolution,
    startMs: number,
  ): Promise<Candle | undefined> {
    const known = this.#candles.get(candleName(market, resolution));
    // Block time never goes back, so a remembered candle is the newest there is.
    if (known !== undefined) return known.startMs === startMs ? known : undefined;
    const record = await this.#database.get(candleKey(market, resolution, startMs));
    return record === null ? undefined : decodeCandle(record);
  }

  #remember(market: MarketId, resolution: Resolution, candle: Candle): void {
    if (this.#candles.size >= CANDLES_REMEMBERED_MAX) this.#candles.clear();
    this.#candles.set(candleName(market, resolution), candle);
  }

  #addPrint(batch: Write[], print: PlacedPrint): void {
    const { height, market, number, parties, symbol } = print;
    batch.push({ key: printKey(height, number), value: encodePrint(print) });
    if (print.isTrade) batch.push({ key: marketPrintKey(market, height, number), value: nothing });
    for (const [index, { account }] of parties.entries()) {
      // Nobody trades with oneself, so the parties of a print are different accounts.
      batch.push({ key: accountPrintKey(account, height, number), value: Uint8Array.of(index) });
    }
    if (this.#symbols.get(market) === symbol) return;
    batch.push({ key: symbolKey(symbol), value: encodeMarketId(market) });
    this.#gone.note(market, symbol);
    if (this.#symbols.size >= CANDLES_REMEMBERED_MAX) this.#symbols.clear();
    this.#symbols.set(market, symbol);
  }

  /** When a candle is the first of its period, the ones beyond the number kept leave. */
  async #pruneCandles(
    batch: Write[],
    market: MarketId,
    resolution: Resolution,
    startMs: number,
  ): Promise<void> {
    if (this.#candles.get(candleName(market, resolution))?.startMs === startMs) return;
    const oldestMs = startMs - (this.#retention.periods - 1) * lengthMs(resolution);
    if (oldestMs <= 0) return;
    const from = candleKey(market, resolution, 0);
    const to = candleKey(market, resolution, oldestMs);
    for await (const [key] of this.#database.range({ from, to, limit: PRUNED_PER_BLOCK }))
      batch.push({ key, value: null });
  }

  async #pruneFunding(batch: Write[], market: MarketId, timeMs: number): Promise<void> {
    const oldestMs = timeMs - this.#retention.periods * lengthMs("1h");
    if (oldestMs <= 0) return;
    const range = { from: fundingKey(market, 0), to: fundingKey(market, oldestMs) };
    for await (const [key] of this.#database.range({ ...range, limit: PRUNED_PER_BLOCK }))
      batch.push({ key, value: null });
  }

  async #prunePrints(batch: Write[], nowMs: number, most: number): Promise<void> {
    const cutoffMs = nowMs - this.#retention.printsMs;
    if (this.#oldestMs > cutoffMs) return;
    this.#oldestMs = nowMs;
    const range = { from: printsFrom(0), to: endOf(prefixes.print), limit: most };
    for await (const [key, record] of this.#database.range(range)) {
      const { height, number } = placeIn(key);
      const print = decodePrint(height, number, record);
      this.#oldestMs = print.timeMs;
      if (print.timeMs > cutoffMs) return;
      batch.push({ key, value: null });
      if (print.isTrade)
        batch.push({ key: marketPrintKey(print.market, height, number), value: null });
      for (const { account } of print.parties)
        batch.push({ key: accountPrintKey(account, height, number), value: null });
    }
  }
}

const nothing: Uint8Array = new Uint8Array();

function candleName(market: MarketId, resolution: Resolution): string {
  return `${market} ${resolution}`;
}
