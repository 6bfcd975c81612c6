/**
 * What the five exchanges answer, in the formats they document (fields and their types as published; prices, sizes and times are made up, so that one
 * set of quotes can be told from another). Nothing here was recorded from a live connection. Where the formats are described:
 *
 * - Binance: developers.binance.com/docs/binance-spot-api-docs, "Symbol order book ticker" (REST) and "Individual Symbol Book Ticker Streams"
 * - OKX: www.okx.com/docs-v5/en, "GET / Ticker" and "WS / Tickers channel"
 * - Coinbase Exchange: docs.cdp.coinbase.com/api-reference/exchange-api, "Get product ticker"; WebSocket channel "ticker"
 * - Kraken: docs.kraken.com/exchange/api-reference, "Get Ticker Information" and "spot-websocket-v2/ticker"
 * - Bybit: bybit-exchange.github.io/docs/v5, "Get Tickers" (spot) and "Orderbook" (orderbook.1)
 */

/** Of one venue: how it names bitcoin, and what it sends for a bid and an ask at a time (Unix milliseconds). */
export interface Answers {
  readonly rest: { readonly ticker: string; readonly path: string; readonly answer: AnswerOf };
  readonly socket: {
    readonly ticker: string;
    readonly subscription: string;
    /** Sent before the first price: acknowledgements and the like. */
    readonly preludes: readonly string[];
    readonly quote: AnswerOf;
  };
  /** As REST and as a message: the exchange says no. */
  readonly refusal: { readonly rest: string; readonly socket: string };
  /** It says when a quote is from, on these transports. */
  readonly timed: { readonly rest: boolean; readonly socket: boolean };
}

type AnswerOf = (quote: {
  readonly bid: string;
  readonly ask: string;
  readonly timeMs: number;
}) => string;

const iso = (ms: number): string => new Date(ms).toISOString().replace("Z", "123Z");

export const ANSWERS: Readonly<Record<string, Answers>> = {
  binance: {
    rest: {
      ticker: "BTCUSDT",
      path: "/api/v3/ticker/bookTicker?symbols=%5B%22BTCUSDT%22%5D",
      answer: ({ bid, ask }) =>
        `[{"symbol":"BTCUSDT","bidPrice":"${bid}","bidQty":"5.12640000","askPrice":"${ask}","askQty":"1.38400000"}]`,
    },
    socket: {
      ticker: "BTCUSDT",
      subscription: '{"method":"SUBSCRIBE","params":["btcusdt@bookTicker"],"id":1}',
      preludes: ['{"result":null,"id":1}'],
      quote: ({ bid, ask }) =>
        `{"u":400900217,"s":"BTCUSDT","b":"${bid}","B":"31.21000000","a":"${ask}","A":"40.66000000"}`,
    },
    refusal: {
      rest: '{"code":-1121,"msg":"Invalid symbol."}',
      socket: '{"error":{"code":2,"msg":"Invalid request: unknown stream"},"id":1}',
    },
    timed: { rest: false, socket: false },
  },
  okx: {
    rest: {
      ticker: "BTC-USDT",
      path: "/api/v5/market/ticker?instId=BTC-USDT",
      answer: ({ bid, ask, timeMs }) =>
        `{"code":"0","msg":"","data":[{"instType":"SPOT","instId":"BTC-USDT","last":"${bid}","lastSz":"0.1","askPx":"${ask}","askSz":"11","bidPx":"${bid}","bidSz":"5","open24h":"9000","high24h":"10000","low24h":"8888.88","volCcy24h":"2222","vol24h":"2222","sodUtc0":"0.1","sodUtc8":"0.1","ts":"${timeMs}"}]}`,
    },
    socket: {
      ticker: "BTC-USDT",
      subscription: '{"op":"subscribe","args":[{"channel":"tickers","instId":"BTC-USDT"}]}',
      preludes: [
        '{"event":"subscribe","arg":{"channel":"tickers","instId":"BTC-USDT"},"connId":"a4d3ae55"}',
        "pong",
      ],
      quote: ({ bid, ask, timeMs }) =>
        `{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instType":"SPOT","instId":"BTC-USDT","last":"${bid}","lastSz":"0.1","askPx":"${ask}","askSz":"11","bidPx":"${bid}","bidSz":"5","open24h":"9000","high24h":"10000","low24h":"8888.88","volCcy24h":"2222","vol24h":"2222","sodUtc0":"2222","sodUtc8":"2222","ts":"${timeMs}"}]}`,
    },
    refusal: {
      rest: '{"code":"51001","msg":"Instrument ID does not exist","data":[]}',
      socket: '{"event":"error","code":"60012","msg":"Invalid request","connId":"a4d3ae55"}',
    },
    timed: { rest: true, socket: true },
  },
  coinbase: {
    rest: {
      ticker: "BTC-USD",
      path: "/products/BTC-USD/ticker",
      answer: ({ bid, ask, timeMs }) =>
        `{"ask":"${ask}","bid":"${bid}","volume":"53602.03940154","trade_id":86326522,"price":"${bid}","size":"0.00698254","time":"${iso(timeMs)}"}`,
    },
    socket: {
      ticker: "BTC-USD",
      subscription: '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["ticker"]}',
      preludes: [
        '{"type":"subscriptions","channels":[{"name":"ticker","product_ids":["BTC-USD"],"account_ids":null}]}',
      ],
      quote: ({ bid, ask, timeMs }) =>
        `{"type":"ticker","sequence":37475248783,"product_id":"BTC-USD","price":"${bid}","open_24h":"1310.79","volume_24h":"245532.79","low_24h":"1280.52","high_24h":"1313.8","volume_30d":"9788783.60","best_bid":"${bid}","best_bid_size":"0.46688654","best_ask":"${ask}","best_ask_size":"1.56637040","side":"buy","time":"${iso(timeMs)}","trade_id":370843401,"last_size":"11.4396987"}`,
    },
    refusal: {
      rest: '{"message":"NotFound"}',
      socket:
        '{"type":"error","message":"Failed to subscribe","reason":"BTC-ZZZ is not a valid product"}',
    },
    timed: { rest: false, socket: true },
  },
  kraken: {
    rest: {
      ticker: "XBTUSD",
      path: "/0/public/Ticker?pair=XBTUSD",
      answer: ({ bid, ask }) =>
        `{"error":[],"result":{"XXBTZUSD":{"a":["${ask}","1","1.000"],"b":["${bid}","1","1.000"],"c":["${bid}","0.00067643"],"v":["4083.67","4412.73"],"p":["30706.77","30689.13"],"t":[34619,38907],"l":["29868.3","29868.3"],"h":["31631.0","31631.0"],"o":"30502.8"}}}`,
    },
    socket: {
      ticker: "BTC/USD",
      subscription:
        '{"method":"subscribe","params":{"channel":"ticker","symbol":["BTC/USD"],"event_trigger":"bbo"}}',
      preludes: [
        '{"channel":"status","data":[{"api_version":"v2","connection_id":13834774380200032777,"system":"online","version":"2.0.0"}],"type":"update"}',
        '{"method":"subscribe","result":{"channel":"ticker","event_trigger":"bbo","snapshot":true,"symbol":"BTC/USD"},"success":true,"time_in":"2023-09-25T09:04:31.742599Z","time_out":"2023-09-25T09:04:31.742648Z"}',
        '{"channel":"heartbeat"}',
        '{"method":"pong","time_in":"2023-09-24T14:10:23.799685Z","time_out":"2023-09-24T14:10:23.799703Z"}',
      ],
      quote: ({ bid, ask, timeMs }) =>
        `{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":${Number(bid)},"bid_qty":740.0,"ask":${Number(ask)},"ask_qty":1361.44813783,"last":${Number(bid)},"volume":997038.98383185,"vwap":0.10148,"low":0.09979,"high":0.10285,"change":-0.00017,"change_pct":-0.17,"timestamp":"${iso(timeMs)}"}]}`,
    },
    refusal: {
      rest: '{"error":["EQuery:Unknown asset pair"]}',
      socket:
        '{"error":"Currency pair not supported BTC/ZZZ","method":"subscribe","success":false,"symbol":"BTC/ZZZ","time_in":"2023-09-25T09:04:31.742599Z","time_out":"2023-09-25T09:04:31.742648Z"}',
    },
    timed: { rest: false, socket: true },
  },
  bybit: {
    rest: {
      ticker: "BTCUSDT",
      path: "/v5/market/tickers?category=spot&symbol=BTCUSDT",
      answer: ({ bid, ask, timeMs }) =>
        `{"retCode":0,"retMsg":"OK","result":{"category":"spot","list":[{"symbol":"BTCUSDT","bid1Price":"${bid}","bid1Size":"2","ask1Price":"${ask}","ask1Size":"1.862172","lastPrice":"${bid}","prevPrice24h":"20393.48","price24hPcnt":"0.0068","highPrice24h":"21128.12","lowPrice24h":"20318.89","turnover24h":"243765620.65899866","volume24h":"11801.27771","usdIndexPrice":"20784.12009279"}]},"retExtInfo":{},"time":${timeMs}}`,
    },
    socket: {
      ticker: "BTCUSDT",
      subscription: '{"op":"subscribe","args":["orderbook.1.BTCUSDT"]}',
      preludes: [
        '{"success":true,"ret_msg":"","conn_id":"2324d924-aa4d-45b0-a858-7b8be29ab52b","req_id":"","op":"subscribe"}',
        '{"success":true,"ret_msg":"pong","conn_id":"0970e817-426e-429a-a679-ff7f55e0b16a","op":"ping"}',
        '{"topic":"orderbook.1.BTCUSDT","ts":1672304484978,"type":"delta","data":{"s":"BTCUSDT","b":[],"a":[["16611.00","0.029"]],"u":18521288,"seq":7961638724},"cts":1672304484976}',
      ],
      quote: ({ bid, ask, timeMs }) =>
        `{"topic":"orderbook.1.BTCUSDT","ts":${timeMs},"type":"snapshot","data":{"s":"BTCUSDT","b":[["${bid}","0.006"]],"a":[["${ask}","0.029"]],"u":18521288,"seq":7961638724},"cts":${timeMs}}`,
    },
    refusal: {
      rest: '{"retCode":10001,"retMsg":"Not supported symbols","result":{},"retExtInfo":{},"time":1672304484978}',
      socket:
        '{"success":false,"ret_msg":"error:handler not found,topic:orderbook.1.ZZZ","conn_id":"0970e817","op":"subscribe"}',
    },
    timed: { rest: true, socket: true },
  },
};
