/** Candles: what a period's trades come to. Prices in ticks, volume in lots and quanta, so every figure is exact. */
import {
  formatMoney,
  formatPrice,
  formatSize,
  type Instrument,
} from "@keel/modules/derivatives/instruments";

export const RESOLUTIONS = ["1m", "5m", "15m", "1h", "4h", "1d"] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

const MINUTE_MS = 60_000;
const LENGTH_MS: Readonly<Record<Resolution, number>> = {
  "1m": MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "1h": 60 * MINUTE_MS,
  "4h": 240 * MINUTE_MS,
  "1d": 1_440 * MINUTE_MS,
};

export function isResolution(text: string): text is Resolution {
  return (RESOLUTIONS as readonly string[]).includes(text);
}

export function lengthMs(resolution: Resolution): number {
  return LENGTH_MS[resolution];
}

/** Start of the period that holds this time: periods are counted from the Unix epoch. */
export function periodStartMs(resolution: Resolution, timeMs: number): number {
  const length = LENGTH_MS[resolution];
  return Math.floor(timeMs / length) * length;
}

export interface Candle {
  readonly startMs: number;
  readonly openTicks: number;
  readonly highTicks: number;
  readonly lowTicks: number;
  readonly closeTicks: number;
  readonly lots: bigint;
  /** Σ price × size in quanta. */
  readonly quanta: bigint;
  readonly trades: number;
}

export interface CandleTrade {
  readonly ticks: number;
  readonly lots: bigint;
  readonly quanta: bigint;
}

/** The candle with one more trade, in the order of trades; undefined: its first. */
export function withTrade(
  candle: Candle | undefined,
  startMs: number,
  { ticks, lots, quanta }: CandleTrade,
): Candle {
  if (candle === undefined) {
    const prices = { openTicks: ticks, highTicks: ticks, lowTicks: ticks, closeTicks: ticks };
    return { startMs, ...prices, lots, quanta, trades: 1 };
  }
  return {
    ...candle,
    highTicks: Math.max(candle.highTicks, ticks),
    lowTicks: Math.min(candle.lowTicks, ticks),
    closeTicks: ticks,
    lots: candle.lots + lots,
    quanta: candle.quanta + quanta,
    trades: candle.trades + 1,
  };
}

/** As it leaves the node. */
export interface CandleView {
  readonly start_ms: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly quote_volume: string;
  readonly trades: number;
}

export function candleView(instrument: Instrument, candle: Candle): CandleView {
  return {
    start_ms: candle.startMs,
    open: formatPrice(instrument, candle.openTicks),
    high: formatPrice(instrument, candle.highTicks),
    low: formatPrice(instrument, candle.lowTicks),
    close: formatPrice(instrument, candle.closeTicks),
    volume: formatSize(instrument, candle.lots),
    quote_volume: formatMoney(candle.quanta),
    trades: candle.trades,
  };
}
