/** Layout of `market.db`: keys, and records with a checksum in front (`store/level/records.ts`). */
import type { MarketId } from "@keel/modules/derivatives/ports";
import { heightKey, type Prefix, placeKey, prefixes, singleKey } from "../store/level/keys.ts";
import { openRecord, sealRecord } from "../store/level/records.ts";
import { StoreCorrupt } from "../store/types.ts";
import type { Candle, Resolution } from "./candles.ts";
import { lengthMs } from "./candles.ts";
import type { Party, PlacedPrint, Print, PrintKind, Role } from "./prints.ts";

/** How far history has come. */
export interface HistoryHeight {
  /** Last block in it; 0: none. */
  readonly height: number;
  /** Since this block nothing is missing. */
  readonly since: number;
}

export const heightRecordKey: Uint8Array = singleKey(prefixes.marketHeight);

export function encodeHeight({ height, since }: HistoryHeight): Uint8Array {
  return sealRecord((writer) => {
    writer.varint(height);
    writer.varint(since);
  }, 32);
}

export function decodeHeight(record: Uint8Array | null): HistoryHeight {
  if (record === null) return { height: 0, since: 0 };
  const reader = openRecord("height of market data", record);
  return { height: reader.varint(), since: reader.varint() };
}

/** market, seconds of the resolution, start in milliseconds. */
export function candleKey(market: MarketId, resolution: Resolution, startMs: number): Uint8Array {
  const key = Buffer.alloc(17);
  key[0] = prefixes.candle;
  key.writeUInt32BE(market, 1);
  key.writeUInt32BE(lengthMs(resolution) / 1000, 5);
  key.writeBigUInt64BE(BigInt(startMs), 9);
  return key;
}

export function encodeCandle(candle: Candle): Uint8Array {
  return sealRecord((writer) => {
    writer.varint(candle.startMs);
    writer.varint(candle.openTicks);
    writer.varint(candle.highTicks);
    writer.varint(candle.lowTicks);
    writer.varint(candle.closeTicks);
    writer.varint(candle.trades);
    for (const sum of [candle.lots.toString(), candle.quanta.toString()]) {
      writer.varint(sum.length);
      writer.latin1(sum);
    }
  }, 128);
}

export function decodeCandle(record: Uint8Array): Candle {
  const reader = openRecord("candle", record);
  return {
    startMs: reader.varint(),
    openTicks: reader.varint(),
    highTicks: reader.varint(),
    lowTicks: reader.varint(),
    closeTicks: reader.varint(),
    trades: reader.varint(),
    lots: BigInt(reader.text()),
    quanta: BigInt(reader.text()),
  };
}

export function printKey(height: number, number: number): Uint8Array {
  return placeKey(prefixes.print, height, number);
}

/** market, height, number. */
export function marketPrintKey(market: MarketId, height: number, number: number): Uint8Array {
  const key = Buffer.alloc(17);
  key[0] = prefixes.printByMarket;
  key.writeUInt32BE(market, 1);
  writePlace(key, 5, height, number);
  return key;
}

/** account text, 0, height, number. */
export function accountPrintKey(account: string, height: number, number: number): Uint8Array {
  const key = Buffer.alloc(account.length + 14);
  key[0] = prefixes.printByAccount;
  key.write(account, 1, "latin1");
  writePlace(key, account.length + 2, height, number);
  return key;
}

/** Height and number at the end of an index key. */
export function placeIn(key: Uint8Array): { readonly height: number; readonly number: number } {
  const buffer = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const at = buffer.length - 12;
  return { height: Number(buffer.readBigUInt64BE(at)), number: buffer.readUInt32BE(at + 8) };
}

function writePlace(key: Buffer, at: number, height: number, number: number): void {
  key.writeBigUInt64BE(BigInt(height), at);
  key.writeUInt32BE(number, at + 8);
}

export function fundingKey(market: MarketId, timeMs: number): Uint8Array {
  const key = Buffer.alloc(13);
  key[0] = prefixes.fundingRate;
  key.writeUInt32BE(market, 1);
  key.writeBigUInt64BE(BigInt(timeMs), 5);
  return key;
}

export interface FundingPoint {
  readonly timeMs: number;
  readonly rate8hPpm: string;
  /** Quanta per lot since listing. */
  readonly index: string;
}

export function encodeFunding(point: FundingPoint): Uint8Array {
  return sealJson([point.timeMs, point.rate8hPpm, point.index]);
}

export function decodeFunding(record: Uint8Array): FundingPoint {
  const [timeMs, rate8hPpm, index] = openJson("funding rate", record) as [number, string, string];
  return { timeMs, rate8hPpm, index };
}

/** Keys of all candles, and of all funding rates, of a market. */
export function candlesOf(market: MarketId): KeyRange {
  return { from: ofMarket(prefixes.candle, market), to: after(prefixes.candle, market) };
}

export function fundingOf(market: MarketId): KeyRange {
  return { from: ofMarket(prefixes.fundingRate, market), to: after(prefixes.fundingRate, market) };
}

export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

function ofMarket(prefix: Prefix, market: MarketId): Uint8Array {
  const key = Buffer.alloc(5);
  key[0] = prefix;
  key.writeUInt32BE(market, 1);
  return key;
}

function after(prefix: Prefix, market: MarketId): Uint8Array {
  return market === 2 ** 32 - 1 ? endOf(prefix) : ofMarket(prefix, market + 1);
}

/** Of a key that has the market right behind its prefix. */
export function marketIn(key: Uint8Array): MarketId {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUInt32BE(1);
}

export function goneKey(market: MarketId): Uint8Array {
  return ofMarket(prefixes.goneMarket, market);
}

export function encodeTime(timeMs: number): Uint8Array {
  return sealRecord((writer) => writer.varint(timeMs), 16);
}

export function decodeTime(record: Uint8Array): number {
  return openRecord("time of a market's end", record).varint();
}

export function symbolIn(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset + 1, key.byteLength - 1).toString("latin1");
}

export function symbolKey(symbol: string): Uint8Array {
  const key = Buffer.alloc(1 + symbol.length);
  key[0] = prefixes.marketBySymbol;
  key.write(symbol, 1, "latin1");
  return key;
}

export function encodeMarketId(market: MarketId): Uint8Array {
  return sealRecord((writer) => writer.varint(market), 16);
}

export function decodeMarketId(record: Uint8Array): MarketId {
  return openRecord("market of a symbol", record).varint();
}

type PrintRecord = [
  timeMs: number,
  market: MarketId,
  symbol: string,
  kind: PrintKind,
  price: string,
  size: string,
  side: Print["side"],
  isTrade: 0 | 1,
  parties: [account: string, side: Party["side"], role: Role, orderId: string, fee: string][],
];

export function encodePrint(print: PlacedPrint): Uint8Array {
  const { timeMs, market, symbol, kind, price, size, side, isTrade, parties } = print;
  const record: PrintRecord = [
    timeMs,
    market,
    symbol,
    kind,
    price,
    size,
    side,
    isTrade ? 1 : 0,
    parties.map(({ account, side: of, role, orderId, fee }) => [account, of, role, orderId, fee]),
  ];
  return sealJson(record);
}

export function decodePrint(height: number, number: number, record: Uint8Array): PlacedPrint {
  const [timeMs, market, symbol, kind, price, size, side, isTrade, parties] = openJson(
    `print ${number} of height ${height}`,
    record,
  ) as PrintRecord;
  return {
    height,
    number,
    timeMs,
    market,
    symbol,
    kind,
    price,
    size,
    side,
    isTrade: isTrade === 1,
    parties: parties.map(([account, of, role, orderId, fee]) => ({
      account,
      side: of,
      role,
      orderId,
      fee,
    })),
  };
}

/** First key of the next prefix. */
export function endOf(prefix: Prefix): Uint8Array {
  return Uint8Array.of(prefix + 1);
}

/** First key at or above a height. */
export function printsFrom(height: number): Uint8Array {
  return heightKey(prefixes.print, height);
}

/** Of what the chain wrote itself: symbols, accounts and decimals are ASCII. */
function sealJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value);
  return sealRecord((writer) => writer.latin1(text), text.length + 16);
}

function openJson(name: string, record: Uint8Array): unknown {
  const text = Buffer.from(openRecord(name, record).rest()).toString("latin1");
  try {
    return JSON.parse(text);
  } catch {
    throw new StoreCorrupt(`${name}: not as it was written`);
  }
}
