/** The whole source against exchanges on loopback that replay their formats: well, badly, late and not at all. */
import { afterEach, describe, expect, it } from "vitest";
import type { PriceFeed, SourceStatus } from "../types.ts";
import { createExchangeFeed, type VenueConfig } from "./feed.ts";
import { ANSWERS, type Answers } from "./testing/answers.ts";
import { startVenueServer, type VenueServer } from "./testing/venue-server.ts";

const rules = { ageMaxMs: 5_000, deviationMaxPpm: 30_000n, venuesMin: 3, weightMinPpm: 500_000n };
const times = { timeoutMs: 300, quietMs: 400, retry: { firstMs: 10, mostMs: 40 } };
const NAMES = ["binance", "okx", "coinbase", "kraken", "bybit"] as const;
type Name = (typeof NAMES)[number];

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const answersOf = (name: Name): Answers => ANSWERS[name] as Answers;

interface Played {
  readonly feed: PriceFeed;
  readonly servers: Readonly<Record<Name, VenueServer>>;
  readonly logged: { venue: unknown; kind: unknown; reason: unknown }[];
  /** Bids in whole units, an ask 2 above; by REST in the next answer, by socket at once. */
  quote(name: Name, bid: number, timeMs?: number): void;
  status(): SourceStatus;
  stateOf(name: Name): string | undefined;
  faults(name: Name, kind: string): number;
}

async function play(
  transport: "rest" | "websocket",
  change: { rules?: Partial<typeof rules>; via?: string } = {},
): Promise<Played> {
  const servers = {} as Record<Name, VenueServer>;
  for (const name of NAMES) {
    servers[name] = await startVenueServer();
    closers.push(() => servers[name].close());
  }
  const logged: Played["logged"] = [];
  const quote: Played["quote"] = (name, bid, timeMs = Date.now()) => {
    const { rest, socket } = answersOf(name);
    const text = { bid: `${bid}`, ask: `${bid + 2}`, timeMs };
    servers[name].rest = { status: 200, body: rest.answer(text), delayMs: 0 };
    servers[name].greeting = [...socket.preludes, socket.quote(text)];
    servers[name].send(socket.quote(text));
  };
  for (const name of NAMES) quote(name, 60_000);
  const venues: VenueConfig[] = NAMES.map((name) => {
    const { rest, socket } = answersOf(name);
    return {
      name,
      transport,
      weight: 1,
      url: transport === "rest" ? servers[name].restUrl : servers[name].socketUrl,
      markets: [
        {
          symbol: "BTC-USD",
          ticker: transport === "rest" ? rest.ticker : socket.ticker,
          via: change.via ?? null,
        },
      ],
    };
  });
  const feed = createExchangeFeed({
    venues,
    rules: { ...rules, ...change.rules },
    pollIntervalMs: 20,
    times,
    log: (_message, { venue, kind, reason }) => logged.push({ venue, kind, reason }),
  });
  closers.push(() => feed.stop());
  const status = (): SourceStatus => feed.status?.() ?? { sources: [], faults: [] };
  return {
    feed,
    servers,
    logged,
    quote,
    status,
    stateOf: (name) => status().sources.find(({ venue }) => venue === name)?.state,
    faults: (name, kind) =>
      status().faults.find((one) => one.venue === name && one.kind === kind)?.count ?? 0,
  };
}

async function until(done: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (done()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain: ${what}`);
}

const midOf = ({ feed }: Played): bigint | undefined => feed.latest()[0]?.priceE8;
const E8 = 100_000_000n;

describe.each(["rest", "websocket"] as const)("five exchanges over %s", (transport) => {
  it("give one price: the median of their mids, with half a spread of doubt", async () => {
    const played = await play(transport);
    await until(() => played.status().sources.every(({ state }) => state === "used"), "all used");
    expect(played.feed.latest()).toEqual([
      { symbol: "BTC-USD", priceE8: 60_001n * E8, confidenceE8: E8 },
    ]);
    for (const [name, bid] of NAMES.map((one, i) => [one, 60_010 + i] as const))
      played.quote(name, bid);
    await until(() => midOf(played) === 60_013n * E8, "the new median");
    // A machine that is busy may let an answer come late; that is said and counted, and the next one is taken.
    const { faults } = played.status();
    expect(faults.filter(({ kind }) => kind !== "timeout")).toEqual([]);
    if (faults.length === 0) expect(played.logged).toEqual([]);
  });

  it("leave out an outlier, and count it as one", async () => {
    const played = await play(transport);
    await until(() => midOf(played) === 60_001n * E8, "a price");
    played.quote("kraken", 39_000);
    await until(() => played.stateOf("kraken") === "outlier", "an outlier");
    expect(midOf(played)).toBe(60_001n * E8);
  });

  it("survive hostile bytes from one of them", async () => {
    const played = await play(transport);
    await until(() => midOf(played) === 60_001n * E8, "a price");
    const { okx } = played.servers;
    for (const bytes of [
      "<html>",
      '{"code":"0","data":[{"instId":"BTC-USDT","bidPx":"-1","askPx":"1","ts":"1"}]}',
      "[".repeat(50_000),
      Uint8Array.of(0xff, 0xfe, 0, 1),
    ]) {
      const before = played.faults("okx", "content");
      okx.rest = { status: 200, body: bytes, delayMs: 0 };
      okx.send(bytes);
      await until(
        () => played.faults("okx", "content") > before,
        `a fault for ${String(bytes).slice(0, 9)}`,
      );
    }
    expect(midOf(played)).toBe(60_001n * E8);
    // The same fault again and again is said once.
    expect(
      played.logged.filter(({ venue, kind }) => venue === "okx" && kind === "content"),
    ).toHaveLength(1);
  });

  it("refuse what is larger than any ticker", async () => {
    const played = await play(transport);
    await until(() => midOf(played) === 60_001n * E8, "a price");
    const large = `{"x":"${"y".repeat(70_000)}"}`;
    played.servers.bybit.rest = { status: 200, body: large, delayMs: 0 };
    played.servers.bybit.send(large);
    await until(() => played.faults("bybit", "size") > 0, "a fault of size");
    expect(midOf(played)).toBe(60_001n * E8);
  });

  it("have no price when three of five are dead, and one again when they are back", async () => {
    const played = await play(transport, { rules: { ageMaxMs: 300 } });
    await until(() => midOf(played) === 60_001n * E8, "a price");
    const dead = ["binance", "okx", "coinbase"] as const;
    for (const name of dead) {
      played.servers[name].rest = { status: 503, body: "down", delayMs: 0 };
      played.servers[name].greeting = [];
      played.servers[name].drop();
    }
    const beat = setInterval(() => {
      for (const name of ["kraken", "bybit"] as const) played.quote(name, 60_000);
    }, 50);
    closers.push(() => clearInterval(beat));
    await until(() => dead.every((name) => played.stateOf(name) === "late"), "three late");
    expect(played.feed.latest()).toEqual([]);
    const kind = transport === "rest" ? "status" : "closed";
    for (const name of dead) expect(played.faults(name, kind)).toBeGreaterThan(0);
    clearInterval(beat);
    for (const name of NAMES) played.quote(name, 60_500);
    // Sockets have come back by themselves, each with its subscription.
    await until(() => midOf(played) === 60_501n * E8, "a price again");
    if (transport === "websocket") {
      const { subscription } = answersOf("okx").socket;
      expect(
        played.servers.okx.received.filter((text) => text === subscription).length,
      ).toBeGreaterThan(1);
    }
  });
});

describe("a source that stays connected", () => {
  it("and repeats an old quote is late by the exchange's own clock", async () => {
    const played = await play("websocket");
    await until(() => midOf(played) === 60_001n * E8, "a price");
    const beat = setInterval(() => played.quote("okx", 61_000, Date.now() - 6_000), 20);
    closers.push(() => clearInterval(beat));
    await until(() => played.stateOf("okx") === "late", "late");
    expect(midOf(played)).toBe(60_001n * E8);
  });

  it("and says nothing is asked, and left when it does not answer", async () => {
    const played = await play("websocket");
    await until(() => midOf(played) === 60_001n * E8, "a price");
    played.servers.okx.greeting = [];
    await until(() => played.faults("okx", "timeout") > 0, "a timeout");
    expect(played.servers.okx.received).toContain("ping");
  });

  it("and answers, but has forgotten what it was asked for, is left too", async () => {
    const played = await play("websocket");
    await until(() => midOf(played) === 60_001n * E8, "a price");
    const { preludes, subscription } = answersOf("kraken").socket;
    const { kraken } = played.servers;
    kraken.greeting = preludes;
    await until(() => kraken.received.filter((text) => text === subscription).length > 1, "again");
    expect(played.faults("kraken", "timeout")).toBeGreaterThan(0);
  });

  it("and speaks another language is left after twenty messages", async () => {
    const played = await play("websocket");
    await until(() => midOf(played) === 60_001n * E8, "a price");
    const { subscription } = answersOf("bybit").socket;
    const subscribed = (): number =>
      played.servers.bybit.received.filter((text) => text === subscription).length;
    const before = subscribed();
    for (let i = 0; i < 20; i++) played.servers.bybit.send("no");
    await until(() => subscribed() > before, "a new connection");
  });
});

it("a REST source that does not answer in time is a timeout, and an address that is not there a fault of connection", async () => {
  const played = await play("rest");
  await until(() => midOf(played) === 60_001n * E8, "a price");
  played.servers.coinbase.rest = { status: 200, body: "{}", delayMs: 2_000 };
  await until(() => played.faults("coinbase", "timeout") > 0, "a timeout");
  await played.servers.kraken.close();
  await until(() => played.faults("kraken", "connect") > 0, "a fault of connection");
  played.servers.bybit.rest = { status: 418, body: "teapot", delayMs: 0 };
  await until(() => played.faults("bybit", "status") > 0, "a status");
});

it("a price quoted in another currency is converted, and silent without that one's price", async () => {
  const server = await startVenueServer();
  closers.push(() => server.close());
  const { rest } = answersOf("coinbase");
  const quote = (bid: string, ask: string): void => {
    server.rest = { status: 200, body: rest.answer({ bid, ask, timeMs: Date.now() }), delayMs: 0 };
  };
  quote("0.5", "0.5");
  const played = await play("rest", { via: "USDT-USD" });
  await until(() => played.stateOf("okx") === "silent", "silence");
  expect(played.feed.latest()).toEqual([]);
  const market = (symbol: string, via: string | null) => ({ symbol, ticker: "BTC-USD", via });
  const feed = createExchangeFeed({
    venues: [
      {
        name: "coinbase",
        transport: "rest",
        weight: 1,
        url: server.restUrl,
        markets: [market("BTC-USD", "USDT-USD"), market("USDT-USD", null)],
      },
    ],
    rules: { ...rules, venuesMin: 1 },
    pollIntervalMs: 20,
    times,
    log: () => undefined,
  });
  closers.push(() => feed.stop());
  await until(() => feed.latest().length === 2, "both prices");
  // 0.5 in the currency, which is worth 0.5.
  expect(feed.latest()).toEqual([
    { symbol: "USDT-USD", priceE8: 50_000_000n, confidenceE8: 0n },
    { symbol: "BTC-USD", priceE8: 25_000_000n, confidenceE8: 0n },
  ]);
});
