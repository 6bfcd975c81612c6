import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { homePaths, readConfig, writeConfigFiles } from "./files.ts";
import { appSchema, cometSchema } from "./schema.ts";
import { appToml, configToml } from "./template.ts";
import { checkedVenues } from "./wiring.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "keel-config-"));
});
afterEach(() => rmSync(home, { recursive: true }));

describe("configuration", () => {
  it("writes every key, with the defaults the reader has", () => {
    expect(cometSchema.parse(parse(configToml({})))).toEqual(cometSchema.parse({}));
    expect(appSchema.parse(parse(appToml({})))).toEqual(appSchema.parse({}));
    const written = (toml: string, parsed: object): void => {
      for (const [key, value] of Object.entries(parsed)) {
        expect(toml, key).toContain(key);
        if (typeof value === "object" && !Array.isArray(value))
          for (const inner of Object.keys(value)) expect(toml).toContain(`${inner} = `);
      }
    };
    written(configToml({}), cometSchema.parse({}));
    written(appToml({}), appSchema.parse({}));
  });

  it("reads back what it was told to write, and leaves existing files alone", () => {
    writeConfigFiles(home, {
      moniker: 'a "b"',
      "p2p.laddr": "tcp://127.0.0.1:7",
      "oracle.source": "generator",
      "clock.scale": 40,
    });
    writeConfigFiles(home, { moniker: "other" });
    const { comet, app } = readConfig(home);
    expect([comet.moniker, comet.p2p.laddr.port, app.oracle.source, app.clock.scale]).toEqual([
      'a "b"',
      7,
      "generator",
      40,
    ]);
    expect(readFileSync(homePaths(home).configToml, "utf8")).toContain("moniker");
  });

  it.runIf(existsSync("/proc/self"))("ends in one sentence where a home cannot be made", () => {
    expect(() => writeConfigFiles("/proc/keel/home", {})).toThrow(
      "the directory /proc/keel/home/config cannot be made: that file system takes no new directories",
    );
  });

  it("says in one sentence which file and key is wrong", () => {
    expect(() => readConfig(home)).toThrow('config.toml is missing; run "keeld init" first');
    const cases: [string, string][] = [
      [
        '[consensus]\ntimeout_propose = "fast"\n',
        'config.toml: consensus.timeout_propose: expected a duration such as "300ms" or "1s", got "fast"',
      ],
      ['[rpc]\nladdr = "here"\n', 'config.toml: rpc.laddr: expected tcp://host:port, got "here"'],
      [
        '[p2p]\npersistent_peers = "x@y"\n',
        'config.toml: p2p.persistent_peers: expected <40 hex digits>@host:port, got "x@y"',
      ],
      ['monicker = "a"\n', 'Unrecognized key: "monicker"'],
      ["moniker = \n", "config.toml:1 is not TOML"],
    ];
    for (const [text, message] of cases) {
      writeConfigFiles(home, {});
      writeFileSync(homePaths(home).configToml, text);
      expect(() => readConfig(home), text).toThrow(message);
    }
    writeFileSync(homePaths(home).configToml, "");
    appendFileSync(homePaths(home).appToml, "\n[clock2]\n");
    expect(() => readConfig(home)).toThrow('app.toml: Unrecognized key: "clock2"');
  });

  it("listens as a Cosmos node does: peers from everywhere, RPC and metrics from this machine", () => {
    const { rpc, p2p, instrumentation } = cometSchema.parse({});
    expect([rpc.laddr, p2p.laddr]).toEqual([
      { host: "127.0.0.1", port: 26_657 },
      { host: "0.0.0.0", port: 26_656 },
    ]);
    expect(instrumentation.prometheus).toBe(false);
    expect(instrumentation.prometheus_listen_addr).toEqual({ host: "127.0.0.1", port: 26_660 });
  });

  it("keeps snapshots on: without them the change log would grow for ever", () => {
    expect(() => appSchema.parse({ "snapshot-interval": 0 })).toThrow("snapshot-interval");
  });

  it("has no key that nothing reads", () => {
    const unread = [...leaves(cometSchema.parse({})), ...leaves(appSchema.parse({}))].filter(
      (path) => !isRead(path),
    );
    expect(unread).toEqual([]);
    // The search itself: a name nobody uses is not found.
    expect(isRead(["p2p", "external_address"])).toBe(false);
  });

  it("lets no browser origin in unless it is told to, as CometBFT does", () => {
    expect(cometSchema.parse({}).rpc.cors_allowed_origins).toEqual([]);
    writeConfigFiles(home, { "rpc.cors_allowed_origins": ["https://a.example"] });
    expect(readConfig(home).comet.rpc.cors_allowed_origins).toEqual(["https://a.example"]);
  });

  it("reads exchanges as sources, and says what is wrong with them", () => {
    const parsed = (toml: string) => appSchema.parse(parse(`[exchanges]\n${toml}`)).exchanges;
    const text = `min-venues = 2
venues = [
  { name = "binance", weight = 3, markets = { "BTC-USD" = "BTCUSDT via USDT-USD" } },
  { name = "okx", weight = 2, markets = { "BTC-USD" = "BTC-USDT via USDT-USD" } },
  { name = "kraken", transport = "rest", markets = { "USDT-USD" = "USDTUSD", "BTC-USD" = "XBTUSD" } },
  { name = "coinbase", url = "wss://127.0.0.1:1", markets = { "USDT-USD" = "USDT-USD" } },
]`;
    const exchanges = parsed(text);
    expect(checkedVenues(exchanges)).toBe(exchanges.venues);
    expect(exchanges.venues.slice(1, 3)).toEqual([
      {
        name: "okx",
        transport: "websocket",
        weight: 2,
        url: "",
        markets: [{ symbol: "BTC-USD", ticker: "BTC-USDT", via: "USDT-USD" }],
      },
      {
        name: "kraken",
        transport: "rest",
        weight: 1,
        url: "",
        markets: [
          { symbol: "USDT-USD", ticker: "USDTUSD", via: null },
          { symbol: "BTC-USD", ticker: "XBTUSD", via: null },
        ],
      },
    ]);
    const wrong: [string, string, string][] = [
      ['"kraken"', '"okx"', "okx stands twice"],
      ['"kraken"', '"mtgox"', "Invalid option"],
      ["wss://127", "https://127", 'coinbase: expected an address of websocket, got "https://127'],
      ['{ "USDT-USD" = "USDT-USD" }', "{}", "coinbase has no markets"],
      ["min-venues = 2", "min-venues = 3", "USDT-USD has 2 venues, and needs 3"],
      ["BTCUSDT via USDT-USD", "BTCUSDC via USDC-USD", "goes via USDC-USD, which has no direct"],
      ["BTCUSDT via USDT-USD", "BTC USDT", "BTC USDT"],
      ["weight = 3", "weight = 0", "expected number to be >=1"],
      ["min-venues = 2", "max-deviation-ppm = 0", "expected number to be >=1"],
    ];
    for (const [from, to, message] of wrong) {
      const read = (): unknown => checkedVenues(parsed(text.replace(from, to)));
      expect(read, message).toThrow(message);
    }
    expect(() => checkedVenues(parsed(""))).toThrow("expected at least one");
  });

  it("reads gas prices exactly", () => {
    expect(
      appSchema.parse({ "minimum-gas-prices": "0.025ukeel, 1uusdc" })["minimum-gas-prices"],
    ).toEqual([
      { denom: "ukeel", attoPerGas: 25n * 10n ** 15n },
      { denom: "uusdc", attoPerGas: 10n ** 18n },
    ]);
  });
});

type KeyPath = readonly [key: string] | readonly [section: string, key: string];

/** Listen addresses and lists are values, not sections. */
function leaves(parsed: object): KeyPath[] {
  return Object.entries(parsed).flatMap(([name, value]): KeyPath[] =>
    typeof value === "object" && !Array.isArray(value)
      ? Object.keys(value).map((key) => [name, key] as const)
      : [[name]],
  );
}

const nodeFolder = new URL("..", import.meta.url).pathname;
/** What declares a key does not use it; `wiring.ts` does. */
const declaring = ["schema.ts", "template.ts", "values.ts", "files.ts"].map(
  (name) => `config/${name}`,
);
const sources: readonly string[] = readdirSync(nodeFolder, { recursive: true, encoding: "utf8" })
  .filter((path) => /^(?!dist\/).*\.ts$/.test(path) && !/node_modules|\.test\.ts$/.test(path))
  .filter((path) => !declaring.includes(path))
  .map((path) => readFileSync(join(nodeFolder, path), "utf8"));

/** Read as `section.key`, taken out of the section by destructuring, or either where the section was handed on whole as options. */
function isRead(path: KeyPath): boolean {
  const has = (pattern: string): boolean =>
    sources.some((text) => new RegExp(pattern, "u").test(text));
  const [section, key] = path.length === 1 ? ["(comet|app)", path[0]] : path;
  const readFrom = (owner: string): boolean =>
    has(String.raw`\b${owner}(\.${key}\b|\["${key}"\])`) ||
    has(String.raw`[{,]\s*("${key}"|${key})\s*[,:}][^{}]*\}?\s*=\s*([\w.]+\.)?${owner};`);
  return readFrom(section) || (has(String.raw`\.${section}\)`) && readFrom("options"));
}
