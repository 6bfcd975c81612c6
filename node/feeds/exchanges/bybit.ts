/** Bybit v5 spot: `market/tickers` and the topic `orderbook.1`, whose level one is always whole. */
import { bookTop, list, matching, object, readJson, refusalText, ticker, unixMs } from "./parse.ts";
import type { Venue } from "./types.ts";

export const bybit: Venue = {
  name: "bybit",
  rest: {
    url: "https://api.bybit.com",
    requests: (tickers) =>
      tickers.map((name) => ({
        path: `/v5/market/tickers?category=spot&symbol=${encodeURIComponent(name)}`,
        tickers: [name],
      })),
    read(text, tickers) {
      const answer = readJson(text);
      if (answer["retCode"] !== 0) throw new Error(`refused: ${refusalText(answer["retMsg"])}`);
      const timeMs = unixMs(answer["time"]);
      const entries = list(object(answer["result"], "result")["list"], "list");
      return matching(
        entries.map((entry) => {
          const { symbol, bid1Price, ask1Price } = object(entry, "a ticker");
          return bookTop(ticker(symbol), { bid: bid1Price, ask: ask1Price, timeMs });
        }),
        tickers,
      );
    },
  },
  socket: {
    url: "wss://stream.bybit.com/v5/public/spot",
    subscribe: (tickers) => [
      JSON.stringify({ op: "subscribe", args: tickers.map((name) => `orderbook.1.${name}`) }),
    ],
    ping: JSON.stringify({ op: "ping" }),
    read(text) {
      const answer = readJson(text);
      if (answer["success"] === false)
        throw new Error(`refused: ${refusalText(answer["ret_msg"])}`);
      if (answer["topic"] === undefined) return [];
      const { s, b, a } = object(answer["data"], "data");
      const [bids, asks] = [list(b, "b"), list(a, "a")];
      if (bids.length === 0 || asks.length === 0) return [];
      const [bid, ask] = [list(bids[0], "a level")[0], list(asks[0], "a level")[0]];
      return [bookTop(ticker(s), { bid, ask, timeMs: unixMs(answer["ts"]) })];
    },
  },
};
