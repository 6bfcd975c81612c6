/** Binance spot: `ticker/bookTicker` and the stream of the same name. It says no time. */
import { bookTop, list, matching, object, readJson, refusalText, ticker } from "./parse.ts";
import type { Venue } from "./types.ts";

export const binance: Venue = {
  name: "binance",
  rest: {
    url: "https://api.binance.com",
    requests: (tickers) => [
      {
        path: `/api/v3/ticker/bookTicker?symbols=${encodeURIComponent(JSON.stringify(tickers))}`,
        tickers,
      },
    ],
    read(text, tickers) {
      // A list at the top, or an object with code and msg.
      const answer = readJson(`{"tops":${text}}`);
      const { tops } = answer;
      if (!Array.isArray(tops)) {
        throw new Error(`refused: ${refusalText(object(tops, "the answer")["msg"])}`);
      }
      return matching(
        list(tops, "the answer").map((entry) => {
          const { symbol, bidPrice, askPrice } = object(entry, "a ticker");
          return bookTop(ticker(symbol), { bid: bidPrice, ask: askPrice, timeMs: null });
        }),
        tickers,
      );
    },
  },
  socket: {
    url: "wss://stream.binance.com:9443/ws",
    subscribe: (tickers) => [
      JSON.stringify({
        method: "SUBSCRIBE",
        params: tickers.map((name) => `${name.toLowerCase()}@bookTicker`),
        id: 1,
      }),
    ],
    ping: null,
    read(text) {
      const { result, error, s, b, a } = readJson(text);
      if (error !== undefined) throw new Error(`refused: ${refusalText(error)}`);
      if (result !== undefined) return [];
      return [bookTop(ticker(s), { bid: b, ask: a, timeMs: null })];
    },
  },
};
