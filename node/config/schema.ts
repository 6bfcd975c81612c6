/** The two configuration files: every key, its type and its default. Names follow CometBFT's and the SDK's where the meaning is theirs. */
import { z } from "zod";
import { VENUE_NAMES, type VenueConfig } from "../feeds/exchanges/feed.ts";
import type { ListenAddress, MinGasPrice } from "./values.ts";
import { durationMs, gasPrices, listenAddress, peerList, venueMarkets } from "./values.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
export const LOG_FORMATS = ["plain", "json"] as const;

export interface CometConfig {
  readonly moniker: string;
  readonly log_level: (typeof LOG_LEVELS)[number];
  readonly log_format: (typeof LOG_FORMATS)[number];
  /** "": standard output. */
  readonly log_file: string;
  readonly log_file_bytes: number;
  readonly log_files_kept: number;
  readonly rpc: {
    readonly laddr: ListenAddress;
    readonly cors_allowed_origins: readonly string[];
    readonly max_body_bytes: number;
    readonly max_open_connections: number;
    readonly max_subscription_clients: number;
    readonly max_subscriptions_per_client: number;
    readonly timeout_broadcast_tx_commit: number;
  };
  readonly p2p: {
    readonly laddr: ListenAddress;
    readonly persistent_peers: readonly string[];
    readonly max_num_inbound_peers: number;
  };
  readonly mempool: {
    readonly size: number;
    readonly max_txs_bytes: number;
    readonly max_tx_bytes: number;
    readonly cache_size: number;
  };
  readonly consensus: {
    readonly timeout_propose: number;
    readonly timeout_propose_delta: number;
    readonly timeout_prevote: number;
    readonly timeout_prevote_delta: number;
    readonly timeout_precommit: number;
    readonly timeout_precommit_delta: number;
    readonly timeout_commit: number;
    readonly min_block_interval: number;
    readonly create_empty_blocks: boolean;
    readonly empty_block_interval: number;
    readonly double_sign_check_height: number;
  };
  readonly tx_index: { readonly indexer: "kv" | "null" };
  readonly market_data: {
    readonly enabled: boolean;
    /** Milliseconds. */
    readonly history: number;
    readonly candles: number;
    /** Milliseconds. */
    readonly gone_history: number;
    readonly gone_markets: number;
    readonly max_stream_clients: number;
  };
  readonly instrumentation: {
    readonly prometheus: boolean;
    readonly prometheus_listen_addr: ListenAddress;
  };
}

export interface AppConfig {
  readonly "minimum-gas-prices": readonly MinGasPrice[];
  readonly "snapshot-interval": number;
  readonly "query-heights": number;
  readonly "explain-entries": number;
  readonly crypto: { readonly backend: "native" | "js"; readonly workers: number };
  readonly oracle: {
    readonly source: "none" | "generator" | "csv" | "http" | "exchanges";
    readonly symbol: string;
    readonly seed: number;
    readonly "start-price": number;
    readonly start: string;
    readonly file: string;
    readonly url: string;
    readonly "poll-interval": number;
    readonly surfaces: "none" | "model";
  };
  readonly exchanges: {
    readonly venues: readonly VenueConfig[];
    /** Milliseconds. */
    readonly "max-age": number;
    readonly "max-deviation-ppm": number;
    readonly "min-venues": number;
    readonly "min-weight-ppm": number;
  };
  readonly clock: {
    readonly scale: number;
    readonly "anchor-chain": string;
    readonly "anchor-wall": string;
  };
}

/** Fills a section with the defaults of its keys when the file leaves it out. */
function section<T extends z.ZodRawShape>(shape: T): z.ZodPrefault<z.ZodObject<T, z.core.$strict>> {
  return z.strictObject(shape).prefault({} as never);
}

const count = (fallback: number): z.ZodDefault<z.ZodInt> => z.int().min(0).default(fallback);
const duration = (fallback: string): z.ZodPrefault<typeof durationMs> =>
  durationMs.prefault(fallback);

const ppm = (fallback: number): z.ZodDefault<z.ZodInt> =>
  z.int().min(1).max(1_000_000).default(fallback);

const VENUES_MAX = 20;

const venue: z.ZodType<VenueConfig, unknown> = z.strictObject({
  name: z.enum(VENUE_NAMES),
  transport: z.enum(["websocket", "rest"]).default("websocket"),
  weight: z.int().min(1).max(1_000).default(1),
  url: z.string().default(""),
  markets: venueMarkets,
});

export const cometSchema: z.ZodType<CometConfig, unknown> = z.strictObject({
  moniker: z.string().max(70).default("keel"),
  log_level: z.enum(LOG_LEVELS).default("info"),
  log_format: z.enum(LOG_FORMATS).default("plain"),
  log_file: z.string().default(""),
  log_file_bytes: z.int().min(65_536).default(67_108_864),
  log_files_kept: z.int().min(0).max(1_000).default(9),
  rpc: section({
    laddr: listenAddress.prefault("tcp://127.0.0.1:26657"),
    cors_allowed_origins: z.array(z.string()).default([]),
    max_body_bytes: count(1_500_000),
    max_open_connections: count(900),
    max_subscription_clients: count(100),
    max_subscriptions_per_client: count(5),
    timeout_broadcast_tx_commit: duration("10s"),
  }),
  p2p: section({
    laddr: listenAddress.prefault("tcp://0.0.0.0:26656"),
    persistent_peers: peerList.prefault(""),
    max_num_inbound_peers: count(40),
  }),
  mempool: section({
    size: count(50_000),
    max_txs_bytes: count(64 * 1024 * 1024),
    max_tx_bytes: count(1024 * 1024),
    cache_size: count(200_000),
  }),
  consensus: section({
    timeout_propose: duration("1s"),
    timeout_propose_delta: duration("500ms"),
    timeout_prevote: duration("500ms"),
    timeout_prevote_delta: duration("500ms"),
    timeout_precommit: duration("500ms"),
    timeout_precommit_delta: duration("500ms"),
    timeout_commit: duration("0s"),
    min_block_interval: duration("200ms"),
    create_empty_blocks: z.boolean().default(true),
    empty_block_interval: duration("1s"),
    double_sign_check_height: count(0),
  }),
  tx_index: section({ indexer: z.enum(["kv", "null"]).default("kv") }),
  market_data: section({
    enabled: z.boolean().default(true),
    history: duration("720h"),
    candles: z.int().min(1).default(10_000),
    gone_history: duration("720h"),
    gone_markets: count(10_000),
    max_stream_clients: count(200),
  }),
  instrumentation: section({
    prometheus: z.boolean().default(false),
    prometheus_listen_addr: listenAddress.prefault("tcp://127.0.0.1:26660"),
  }),
});

export const appSchema: z.ZodType<AppConfig, unknown> = z.strictObject({
  "minimum-gas-prices": gasPrices.prefault(""),
  "snapshot-interval": z.int().min(1).default(1000),
  "query-heights": count(100),
  "explain-entries": count(100_000),
  crypto: section({ backend: z.enum(["native", "js"]).default("native"), workers: count(1) }),
  oracle: section({
    source: z.enum(["none", "generator", "csv", "http", "exchanges"]).default("none"),
    symbol: z.string().default("BTC-USD"),
    seed: count(1),
    "start-price": z.number().positive().default(60_000),
    start: z.string().default(""),
    file: z.string().default(""),
    url: z.string().default(""),
    "poll-interval": duration("1s"),
    surfaces: z.enum(["none", "model"]).default("none"),
  }),
  exchanges: section({
    venues: z.array(venue).max(VENUES_MAX).default([]),
    "max-age": duration("5s"),
    "max-deviation-ppm": ppm(30_000),
    "min-venues": z.int().min(1).max(VENUES_MAX).default(3),
    "min-weight-ppm": ppm(500_000),
  }),
  clock: section({
    scale: z.number().positive().max(100_000).default(1),
    "anchor-chain": z.string().default(""),
    "anchor-wall": z.string().default(""),
  }),
});
