/** Kraken spot: `public/Ticker` (pairs such as XBTUSD) and the v2 channel `ticker` (pairs such as BTC/USD), which writes prices as numbers. */
import {
  bookTop,
  list,
  matching,
  object,
  readJson,
  refusalText,
  rfc3339Ms,
  ticker,
} from "./parse.ts";
import type { Venue } from "./types.ts";

export const kraken: Venue = {
  name: "kraken",
  rest: {
    url: "https://api.kraken.com",
    requests: (tickers) =>
      tickers.map((name) => ({
        path: `/0/public/Ticker?pair=${encodeURIComponent(name)}`,
        tickers: [name],
      })),
    read(text, tickers) {
      const answer = readJson(text);
      const faults = list(answer["error"], "error");
      if (faults.length > 0) throw new Error(`refused: ${refusalText(faults[0])}`);
      // The result bears the pair's long name (XXBTZUSD for XBTUSD): what counts is that it is the only one.
      const pairs = Object.values(object(answer["result"], "result"));
      if (pairs.length !== 1) throw new Error(`expected one pair, got ${pairs.length}`);
      const { a, b } = object(pairs[0], "a pair");
      const [ask, bid] = [list(a, "a")[0], list(b, "b")[0]];
      return matching([bookTop(tickers[0] ?? "", { bid, ask, timeMs: null })], tickers);
    },
  },
  socket: {
    url: "wss://ws.kraken.com/v2",
    subscribe: (tickers) => [
      JSON.stringify({
        method: "subscribe",
        params: { channel: "ticker", symbol: tickers, event_trigger: "bbo" },
      }),
    ],
    ping: JSON.stringify({ method: "ping" }),
    read(text) {
      const answer = readJson(text);
      if (answer["success"] === false) throw new Error(`refused: ${refusalText(answer["error"])}`);
      if (answer["channel"] !== "ticker") return [];
      return list(answer["data"], "data").map((entry) => {
        const { symbol, bid, ask, timestamp } = object(entry, "a ticker");
        const timeMs = timestamp === undefined ? null : rfc3339Ms(timestamp);
        return bookTop(ticker(symbol), { bid, ask, timeMs });
      });
    },
  },
};
