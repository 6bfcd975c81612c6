/** What `keeld init` writes: every key with its default and what it does. */

/** Values to write instead of the defaults, by "section.key" ("key" at the top). Strings are quoted here. */
export type FileValues = Readonly<Record<string, string | number | boolean | readonly string[]>>;

type Line = readonly [
  key: string,
  fallback: string | number | boolean | readonly string[],
  comment: string,
];
type Section = readonly [name: string, lines: readonly Line[]];

const CONFIG: readonly Section[] = [
  [
    "",
    [
      ["moniker", "keel", "A name people see."],
      [
        "log_level",
        "info",
        "trace, debug, info, warn, error. info: a line for each block, peer and piece of news.",
      ],
      ["log_format", "plain", "plain or json"],
      [
        "log_file",
        "",
        "Empty: standard output, for whoever collects that. Else a file, in the home unless it begins with /.",
      ],
      ["log_file_bytes", 67_108_864, "It is then renamed to .1, that to .2 and so on..."],
      ["log_files_kept", 9, "...and so many older ones stay."],
    ],
  ],
  [
    "rpc",
    [
      ["laddr", "tcp://127.0.0.1:26657", "CometBFT RPC and WebSocket."],
      ["cors_allowed_origins", [], 'Browser origins that may call; ["*"]: any.'],
      [
        "max_body_bytes",
        1_500_000,
        "Largest request: the largest transaction in base64, and a little more.",
      ],
      ["max_open_connections", 900, "Sockets, WebSockets included."],
      ["max_subscription_clients", 100, "WebSockets with subscriptions."],
      ["max_subscriptions_per_client", 5, "Queries one WebSocket may follow."],
      ["timeout_broadcast_tx_commit", "10s", "How long broadcast_tx_commit waits for the block."],
    ],
  ],
  [
    "p2p",
    [
      ["laddr", "tcp://0.0.0.0:26656", "Where peers dial."],
      ["persistent_peers", "", "id@host:port, comma separated; redialled for ever."],
      ["max_num_inbound_peers", 40, "Beyond these, dials are refused."],
    ],
  ],
  [
    "mempool",
    [
      ["size", 50_000, "Transactions held."],
      ["max_txs_bytes", 64 * 1024 * 1024, "Bytes held."],
      ["max_tx_bytes", 1024 * 1024, "Largest transaction."],
      ["cache_size", 200_000, "Hashes remembered against resending."],
    ],
  ],
  [
    "consensus",
    [
      [
        "timeout_propose",
        "1s",
        "Wait for a proposal before prevoting nil; the deltas are added per round.",
      ],
      ["timeout_propose_delta", "500ms", ""],
      ["timeout_prevote", "500ms", "Wait for more prevotes after two thirds of any."],
      ["timeout_prevote_delta", "500ms", ""],
      ["timeout_precommit", "500ms", "Wait for more precommits after two thirds of any."],
      ["timeout_precommit_delta", "500ms", ""],
      ["timeout_commit", "0s", "Wait for late precommits after a commit; skipped once all are in."],
      ["min_block_interval", "200ms", "At most one block in this time; 0s turns pacing off."],
      ["create_empty_blocks", true, "false: the next block waits for a transaction."],
      ["empty_block_interval", "1s", "An empty block after this time without transactions."],
      [
        "double_sign_check_height",
        0,
        "Refuse to start when our signature is in one of the last so many blocks; 0 is off.",
      ],
    ],
  ],
  ["tx_index", [["indexer", "kv", "kv or null: tx, tx_search and block_search need kv."]]],
  [
    "market_data",
    [
      [
        "enabled",
        true,
        "Order book, trade and account streams, candles and fill history. A validator that serves nobody needs none.",
      ],
      ["history", "720h", "How long trades and fills are kept."],
      ["candles", 10_000, "Candles kept per market and resolution."],
      [
        "gone_history",
        "720h",
        "How long candles and funding rates of a market that is gone are kept; never shorter than history.",
      ],
      [
        "gone_markets",
        10_000,
        "Gone markets kept at most, the oldest leave first: listed series come and go without end.",
      ],
      ["max_stream_clients", 200, "WebSockets on /stream."],
    ],
  ],
  [
    "instrumentation",
    [
      ["prometheus", false, "Serve metrics."],
      ["prometheus_listen_addr", "tcp://127.0.0.1:26660", ""],
    ],
  ],
];

const APP: readonly Section[] = [
  [
    "",
    [
      [
        "minimum-gas-prices",
        "",
        'What this node asks before it admits a transaction, such as "0.025ukeel"; empty asks nothing.',
      ],
      ["snapshot-interval", 1000, "Heights between state snapshots, at least 1."],
      ["query-heights", 100, "Recent heights whose state stays open to queries."],
      [
        "explain-entries",
        100_000,
        "explain executes a block again in the thread that votes: refused where the state has more entries. 0: always.",
      ],
    ],
  ],
  [
    "crypto",
    [
      [
        "backend",
        "native",
        "native (falls back to js where the libraries are missing) or js. Both accept the same signatures.",
      ],
      ["workers", 1, "Threads that check signatures ahead of execution; 0 checks in place."],
    ],
  ],
  [
    "oracle",
    [
      [
        "source",
        "none",
        "Where this validator's prices come from: none, generator, csv, http, exchanges.",
      ],
      ["symbol", "BTC-USD", "The feed the source is for; http: several, separated by commas."],
      ["seed", 1, "generator: same seed and start, same prices."],
      ["start-price", 60_000, "generator: first price."],
      ["start", "", "generator: chain time of the first price (RFC 3339); empty: genesis time."],
      ["file", "", "csv: bars with open_time_ms or unix_timestamp, open, high, low, close."],
      ["url", "", 'http: answers {"<symbol>": "<decimal price>"}.'],
      ["poll-interval", "1s", "http, and exchanges over REST: time between requests."],
      [
        "surfaces",
        "none",
        "Votes on volatility surfaces: none, or model (made of the price's own path: for networks without quotes of options).",
      ],
    ],
  ],
  [
    "exchanges",
    [
      [
        "venues",
        [],
        'Of source exchanges: { name = "binance", weight = 3, markets = { "BTC-USD" = "BTCUSDT via USDT-USD" } }, and so on; see node/feeds/README.md.',
      ],
      ["max-age", "5s", "An older quote is left out."],
      ["max-deviation-ppm", 30_000, "So is one further than this from the median of all."],
      ["min-venues", 3, "With fewer venues left there is no price."],
      ["min-weight-ppm", 500_000, "Nor with less than this of the weight of a symbol's venues."],
    ],
  ],
  [
    "clock",
    [
      ["scale", 1, "Chain seconds per real second; above 1 only for replays of the past."],
      ["anchor-chain", "", "Chain time (RFC 3339) that belongs to anchor-wall; empty: real time."],
      ["anchor-wall", "", ""],
    ],
  ],
];

function render(title: string, sections: readonly Section[], values: FileValues): string {
  const out = [`# ${title}`, ""];
  for (const [name, lines] of sections) {
    if (name !== "") out.push(`[${name}]`);
    for (const [key, fallback, comment] of lines) {
      if (comment !== "") out.push(`# ${comment}`);
      out.push(`${key} = ${literal(values[name === "" ? key : `${name}.${key}`] ?? fallback)}`);
    }
    out.push("");
  }
  return out.join("\n");
}

function literal(value: string | number | boolean | readonly string[]): string {
  return JSON.stringify(value);
}

export function configToml(values: FileValues): string {
  return render("Network and consensus of this node. Durations: 300ms, 1s, 10m.", CONFIG, values);
}

export function appToml(values: FileValues): string {
  return render(
    "The application side of this node. Nothing here is a rule of the chain.",
    APP,
    values,
  );
}
