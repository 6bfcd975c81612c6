/** Coinbase Exchange: `products/…/ticker` and the channel `ticker`. */
import { bookTop, matching, readJson, refusalText, rfc3339Ms, ticker } from "./parse.ts";
import type { Venue } from "./types.ts";

export const coinbase: Venue = {
  name: "coinbase",
  rest: {
    url: "https://api.exchange.coinbase.com",
    requests: (tickers) =>
      tickers.map((name) => ({
        path: `/products/${encodeURIComponent(name)}/ticker`,
        tickers: [name],
      })),
    read(text, tickers) {
      const { message, bid, ask, time } = readJson(text);
      if (message !== undefined) throw new Error(`refused: ${refusalText(message)}`);
      // The answer does not name its product: it is the one asked for. Its time is the last trade's, so it says nothing of the quotes' age.
      if (time !== undefined) rfc3339Ms(time);
      return matching([bookTop(tickers[0] ?? "", { bid, ask, timeMs: null })], tickers);
    },
  },
  socket: {
    url: "wss://ws-feed.exchange.coinbase.com",
    subscribe: (tickers) => [
      JSON.stringify({ type: "subscribe", product_ids: tickers, channels: ["ticker"] }),
    ],
    ping: null,
    read(text) {
      const answer = readJson(text);
      if (answer["type"] === "error") {
        throw new Error(`refused: ${refusalText(answer["reason"] ?? answer["message"])}`);
      }
      if (answer["type"] !== "ticker") return [];
      const { product_id: name, best_bid: bid, best_ask: ask, time } = answer;
      return [bookTop(ticker(name), { bid, ask, timeMs: rfc3339Ms(time) })];
    },
  },
};
