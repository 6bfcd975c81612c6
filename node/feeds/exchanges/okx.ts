/** OKX v5: `market/ticker` and the channel `tickers`. It closes a connection that is quiet for 30 s and answers "ping" with "pong". */
import {
  bookTop,
  type Json,
  list,
  matching,
  object,
  readJson,
  refusalText,
  ticker,
  unixMs,
} from "./parse.ts";
import type { BookTop, Venue } from "./types.ts";

function top(entry: unknown): BookTop {
  const { instId, bidPx, askPx, ts } = object(entry, "a ticker");
  return bookTop(ticker(instId), { bid: bidPx, ask: askPx, timeMs: unixMs(ts) });
}

const tops = (answer: Json): BookTop[] => list(answer["data"], "data").map(top);

export const okx: Venue = {
  name: "okx",
  rest: {
    url: "https://www.okx.com",
    requests: (tickers) =>
      tickers.map((name) => ({
        path: `/api/v5/market/ticker?instId=${encodeURIComponent(name)}`,
        tickers: [name],
      })),
    read(text, tickers) {
      const answer = readJson(text);
      if (answer["code"] !== "0") throw new Error(`refused: ${refusalText(answer["msg"])}`);
      return matching(tops(answer), tickers);
    },
  },
  socket: {
    url: "wss://ws.okx.com:8443/ws/v5/public",
    subscribe: (tickers) => [
      JSON.stringify({
        op: "subscribe",
        args: tickers.map((instId) => ({ channel: "tickers", instId })),
      }),
    ],
    ping: "ping",
    read(text) {
      if (text === "pong") return [];
      const answer = readJson(text);
      if (answer["event"] === "error") throw new Error(`refused: ${refusalText(answer["msg"])}`);
      if (answer["event"] !== undefined) return [];
      return tops(answer);
    },
  },
};
