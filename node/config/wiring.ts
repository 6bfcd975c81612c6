/** From configuration to parts: the clock and the source of prices. */
import type { GenesisDoc } from "@keel/consensus/wire/genesis";
import { parseTimestamp, timestampToMs } from "@keel/proto/bytes/timestamp";
import type { NodeClock } from "../clock.ts";
import { createClock } from "../clock.ts";
import { readBars } from "../feeds/csv.ts";
import { createGenerator } from "../feeds/generator.ts";
import { createHttpFeed } from "../feeds/http.ts";
import { createReplay } from "../feeds/replay.ts";
import type { ChainPriceSource } from "../feeds/source.ts";
import { createPriceSource } from "../feeds/source.ts";
import { createSurfaceSource } from "../feeds/surface-source.ts";
import type { PriceFeed } from "../feeds/types.ts";
import type { Logger } from "../logging/logger.ts";
import { ConfigError } from "./files.ts";
import type { AppConfig } from "./schema.ts";

export function clockOf(config: AppConfig): NodeClock {
  const { scale, "anchor-chain": chain, "anchor-wall": wall } = config.clock;
  if (chain === "" && wall === "" && scale === 1) return createClock();
  return createClock({
    chainMs: readTime("clock.anchor-chain", chain),
    wallMs: readTime("clock.anchor-wall", wall),
    scale,
  });
}

function readTime(key: string, text: string): number {
  try {
    return timestampToMs(parseTimestamp(text));
  } catch {
    throw new ConfigError(`app.toml: ${key}: expected an RFC 3339 time, got "${text}"`);
  }
}

/** null: this validator does not vote on prices. Throws one sentence on a bad file. */
export function priceSourceOf(
  config: AppConfig,
  genesis: GenesisDoc,
  clock: NodeClock,
  log: Logger,
): ChainPriceSource | null {
  const feed = feedOf(config, genesis, clock, log);
  if (feed === null) return null;
  const surfaces = config.oracle.surfaces === "model" ? createSurfaceSource(clock.nowMs) : null;
  return createPriceSource(feed, surfaces);
}

function feedOf(
  { oracle }: AppConfig,
  genesis: GenesisDoc,
  clock: NodeClock,
  log: Logger,
): PriceFeed | null {
  const { symbol } = oracle;
  switch (oracle.source) {
    case "none":
      return null;
    case "csv":
      if (oracle.file === "")
        throw new ConfigError("app.toml: oracle.file: expected a path, got nothing");
      return createReplay(symbol, readBars(oracle.file), clock.nowMs);
    case "http":
      if (!/^https?:\/\//.test(oracle.url))
        throw new ConfigError(`app.toml: oracle.url: expected http(s)://…, got "${oracle.url}"`);
      return createHttpFeed({
        url: oracle.url,
        symbols: symbol.split(","),
        pollIntervalMs: oracle["poll-interval"],
        log: (message, fields) => log.warn(message, fields),
      });
    case "generator":
      return createGenerator(
        {
          symbol,
          seed: oracle.seed,
          startPrice: oracle["start-price"],
          startMs:
            oracle.start === ""
              ? timestampToMs(genesis.genesisTime)
              : readTime("oracle.start", oracle.start),
        },
        clock.nowMs,
      );
  }
}
