/**
 * Plays price bars against chain time. Each bar is four steps of a quarter of its length: open, the nearer extreme, the other
 * extreme, close. A rising bar visits its low first, a falling one its high: the shorter path through the four prices.
 * Before the first bar the first open holds, after the last bar the last close.
 */
import type { Bar, Bars } from "./csv.ts";
import type { NowMs, PriceFeed } from "./types.ts";

export function createReplay(symbol: string, bars: Bars, now: NowMs): PriceFeed {
  return {
    latest() {
      const priceE8 = priceAt(bars, now());
      return [{ symbol, priceE8, confidenceE8: priceE8 / 5000n }];
    },
    stop() {},
  };
}

/** In units of 1e-8. */
export function priceAt({ bars, intervalMs }: Bars, timeMs: number): bigint {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bars[middle] as Bar).openTimeMs <= timeMs) low = middle + 1;
    else high = middle;
  }
  const bar = bars[low - 1];
  if (bar === undefined) return (bars[0] as Bar).open;
  const path =
    bar.close >= bar.open
      ? [bar.open, bar.low, bar.high, bar.close]
      : [bar.open, bar.high, bar.low, bar.close];
  const quarter = Math.min(3, Math.floor(((timeMs - bar.openTimeMs) * 4) / intervalMs));
  return path[quarter] as bigint;
}
