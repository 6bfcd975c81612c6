/** Prices from several exchanges: the newest quote of each venue, combined when a price is asked for. */
import type { PriceFeed, Quote, SourceState, SourceStatus } from "../types.ts";
import { binance } from "./binance.ts";
import { bybit } from "./bybit.ts";
import { coinbase } from "./coinbase.ts";
import { type Combined, type CombineRules, combine, type VenueQuote } from "./combine.ts";
import type { Connection, ConnectionSink } from "./connection.ts";
import { kraken } from "./kraken.ts";
import { okx } from "./okx.ts";
import { openRest } from "./rest.ts";
import { openSocket } from "./socket.ts";
import type { BookTop, Venue } from "./types.ts";

const VENUES: readonly Venue[] = [binance, okx, coinbase, kraken, bybit];
export const VENUE_NAMES = ["binance", "okx", "coinbase", "kraken", "bybit"] as const;

/** One instrument of a venue as a source of a symbol's price. */
export interface VenueMarket {
  readonly symbol: string;
  readonly ticker: string;
  /** Symbol of the price of what it is quoted in: "USDT-USD" for a USDT market. Null: as it is. */
  readonly via: string | null;
}

export interface VenueConfig {
  readonly name: (typeof VENUE_NAMES)[number];
  readonly transport: "rest" | "websocket";
  readonly weight: number;
  /** Instead of the venue's own address; empty: its own. */
  readonly url: string;
  readonly markets: readonly VenueMarket[];
}

export interface ExchangeFeedOptions {
  readonly venues: readonly VenueConfig[];
  readonly rules: CombineRules;
  readonly pollIntervalMs: number;
  readonly log: (message: string, details: Record<string, unknown>) => void;
  /** Real time: what exchanges say of time is compared with it. */
  readonly wallMs?: () => number;
  /** Shorter waits, for tests. */
  readonly times?: {
    readonly timeoutMs: number;
    readonly quietMs: number;
    readonly retry: { readonly firstMs: number; readonly mostMs: number };
  };
}

interface Heard {
  readonly top: BookTop;
  readonly atMs: number;
}

const E8 = 100_000_000n;
/** The log says the same of a venue at most once in this time. */
const SAY_AGAIN_MS = 60_000;

export function createExchangeFeed(options: ExchangeFeedOptions): PriceFeed {
  const wallMs = options.wallMs ?? Date.now;
  const heard = new Map<string, Heard>();
  const faults = new Map<string, number>();
  const said = new Map<string, number>();
  const connections = options.venues.map((venue) => open(venue));

  function open(config: VenueConfig): Connection {
    const venue = VENUES.find(({ name }) => name === config.name);
    if (venue === undefined) throw new Error(`no venue ${config.name}`);
    const tickers = [...new Set(config.markets.map(({ ticker }) => ticker))];
    const known = new Set(tickers);
    const sink: ConnectionSink = {
      quote(top) {
        if (known.has(top.ticker))
          heard.set(`${config.name} ${top.ticker}`, { top, atMs: performance.now() });
      },
      fault(kind, reason) {
        const key = `${config.name} ${kind}`;
        faults.set(key, (faults.get(key) ?? 0) + 1);
        const last = said.get(key);
        const now = performance.now();
        if (last !== undefined && now - last < SAY_AGAIN_MS) return;
        said.set(key, now);
        options.log("price source failed", { venue: config.name, kind, reason });
      },
    };
    const times = options.times ?? {};
    const own = config.transport === "rest" ? venue.rest.url : venue.socket.url;
    const common = { venue, url: config.url === "" ? own : config.url, tickers, sink, ...times };
    return config.transport === "rest"
      ? openRest({ ...common, intervalMs: options.pollIntervalMs })
      : openSocket(common);
  }

  /** By local receipt, or by the exchange's clock where that says it is older. */
  function ageOf({ atMs, top }: Heard): number {
    const received = performance.now() - atMs;
    return top.timeMs === null ? received : Math.max(received, wallMs() - top.timeMs);
  }

  function quotesOf(
    symbol: string,
    rates: ReadonlyMap<string, Quote>,
  ): { readonly quotes: VenueQuote[]; readonly weight: bigint; readonly silent: string[] } {
    const quotes: VenueQuote[] = [];
    const silent: string[] = [];
    let weight = 0n;
    for (const { name, markets, weight: own } of options.venues) {
      const market = markets.find((one) => one.symbol === symbol);
      if (market === undefined) continue;
      weight += BigInt(own);
      const found = heard.get(`${name} ${market.ticker}`);
      const rate = market.via === null ? E8 : rates.get(market.via)?.priceE8;
      if (found === undefined || rate === undefined) {
        silent.push(name);
        continue;
      }
      const { bidE8, askE8 } = found.top;
      quotes.push({
        venue: name,
        weight: BigInt(own),
        priceE8: ((bidE8 + askE8) * rate) / (2n * E8),
        halfSpreadE8: ((askE8 - bidE8) * rate) / (2n * E8),
        ageMs: ageOf(found),
      });
    }
    return { quotes, weight, silent };
  }

  const symbols = [
    ...new Set(options.venues.flatMap(({ markets }) => markets.map((one) => one.symbol))),
  ];
  const isDirect = (symbol: string): boolean =>
    options.venues.every(({ markets }) =>
      markets.every((one) => one.symbol !== symbol || one.via === null),
    );
  // What others are quoted in comes first.
  const ordered = [...symbols.filter(isDirect), ...symbols.filter((one) => !isDirect(one))];

  interface Combination extends Combined {
    readonly symbol: string;
    readonly quotes: readonly VenueQuote[];
    readonly silent: readonly string[];
  }

  function combineAll(): readonly Combination[] {
    const rates = new Map<string, Quote>();
    return ordered.map((symbol) => {
      const { quotes, weight, silent } = quotesOf(symbol, rates);
      const combined = combine(quotes, weight, options.rules);
      if (combined.price !== null) rates.set(symbol, { symbol, ...combined.price });
      return { ...combined, symbol, quotes, silent };
    });
  }

  return {
    latest: () =>
      combineAll().flatMap(({ symbol, price }) =>
        price === null || price.priceE8 === 0n ? [] : [{ symbol, ...price }],
      ),
    status(): SourceStatus {
      const sources: SourceState[] = [];
      for (const { symbol, quotes, silent, late, outliers } of combineAll()) {
        for (const { venue, ageMs } of quotes) {
          const isLate = late.includes(venue);
          const state = isLate ? "late" : outliers.includes(venue) ? "outlier" : "used";
          sources.push({ venue, symbol, state, ageMs });
        }
        for (const venue of silent) sources.push({ venue, symbol, state: "silent", ageMs: null });
      }
      const counted = [...faults].map(([key, count]) => {
        const [venue, kind] = key.split(" ") as [string, string];
        return { venue, kind, count };
      });
      return { sources, faults: counted };
    },
    stop() {
      for (const connection of connections) connection.stop();
    },
  };
}
