/** From configuration to parts: the clock and the source of prices. */
import type { GenesisDoc } from "@keel/consensus/wire/genesis";
import { parseTimestamp, timestampToMs } from "@keel/proto/bytes/timestamp";
import type { NodeClock } from "../clock.ts";
import { createClock } from "../clock.ts";
import { readBars } from "../feeds/csv.ts";
import { createExchangeFeed, type VenueConfig } from "../feeds/exchanges/feed.ts";
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
  { exchanges, oracle }: AppConfig,
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
    case "exchanges":
      return createExchangeFeed({
        venues: checkedVenues(exchanges),
        rules: {
          ageMaxMs: exchanges["max-age"],
          deviationMaxPpm: BigInt(exchanges["max-deviation-ppm"]),
          venuesMin: exchanges["min-venues"],
          weightMinPpm: BigInt(exchanges["min-weight-ppm"]),
        },
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

/** What no key alone can say: each venue once, addresses of its transport, a way to every currency, and enough venues for a price. */
export function checkedVenues(exchanges: AppConfig["exchanges"]): readonly VenueConfig[] {
  const { venues } = exchanges;
  const bad = (reason: string): never => {
    throw new ConfigError(`app.toml: exchanges.venues: ${reason}`);
  };
  const bySymbol = new Map<string, (string | null)[]>();
  const names = new Set<string>();
  for (const { name, transport, url, markets } of venues) {
    if (names.has(name)) bad(`${name} stands twice`);
    names.add(name);
    const scheme = transport === "rest" ? /^https?:\/\/[^/]/ : /^wss?:\/\/[^/]/;
    if (url !== "" && !scheme.test(url)) {
      bad(`${name}: expected an address of ${transport}, got "${url}"`);
    }
    if (markets.length === 0) bad(`${name} has no markets`);
    for (const { symbol, via } of markets) {
      bySymbol.set(symbol, [...(bySymbol.get(symbol) ?? []), via]);
    }
  }
  if (venues.length === 0) bad("expected at least one");
  for (const [symbol, vias] of bySymbol) {
    if (vias.length < exchanges["min-venues"]) {
      bad(`${symbol} has ${vias.length} venues, and needs ${exchanges["min-venues"]}`);
    }
    for (const via of vias) {
      if (via !== null && bySymbol.get(via)?.every((one) => one === null) !== true) {
        bad(`${symbol} goes via ${via}, which has no direct price`);
      }
    }
  }
  return venues;
}
