import type { Series } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { BTC, createWorld, HOUR_MS, START_MS, VOL, type World } from "../../testing/world.ts";
import { optionTerms } from "../defaults.ts";
import { defaultInstrumentParams } from "../instruments/params.ts";
import { expiryText } from "../instruments/symbols.ts";
import { expiriesAhead, strikesAround, strikesMissing } from "./series-rules.ts";

const DAY_MS = 24 * HOUR_MS;

/** Daily at 08:00 UTC, two of them; strikes a thousand apart, two on each side. */
function daily(change: Partial<Series> = {}): Series {
  return {
    id: 0,
    name: "BTC-DAILY",
    paused: false,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: BTC,
    tickSize: "0.5",
    lotSize: "0.01",
    terms: optionTerms(),
    expiries: {
      intervalMs: BigInt(DAY_MS),
      offsetMs: BigInt(8 * HOUR_MS),
      count: 2,
      windowMs: 1_800_000n,
      closeOnlyMs: 0n,
    },
    strikes: { spacing: "1000", eachSide: 2, strikesMax: 9 },
    europeanOption: {
      maturity: undefined,
      right: 0,
      strike: "",
      volatilityFeedId: VOL,
      volatilitySurfaceId: 0,
    },
    ...change,
  };
}

function started(series: Series = daily(), perBlock = 1000): World {
  const instruments = { ...defaultInstrumentParams(), listingsPerBlockMax: perBlock };
  const world = createWorld({ params: { instruments } });
  world.setPrice(BTC, "60123");
  world.setPrice(VOL, "0.6");
  world.keeper.createSeries(world.ctx, series);
  return world;
}

const symbols = (world: World): string[] => {
  const found: string[] = [];
  world.venue.state.symbols.each(world.ctx, (symbol) => void found.push(symbol));
  return found;
};

const strikesOf = (world: World): string[] => [
  ...new Set(symbols(world).map((symbol) => symbol.split("-")[2] ?? "")),
];

describe("the rules of a series", () => {
  const rule = { intervalMs: 100n, offsetMs: 30n, count: 2, windowMs: 10n, closeOnlyMs: 0n };

  it("name the next expiries whose window lies ahead", () => {
    expect(expiriesAhead(rule, 100n)).toEqual([130n, 230n]);
    expect(expiriesAhead(rule, 119n)).toEqual([130n, 230n]);
    expect(expiriesAhead(rule, 120n)).toEqual([230n, 330n]);
    expect(expiriesAhead(rule, 0n)).toEqual([30n, 130n]);
  });

  it("name no expiry that could only be closed from the start", () => {
    const closing = { ...rule, closeOnlyMs: 20n };
    expect(expiriesAhead(closing, 109n)).toEqual([130n, 230n]);
    expect(expiriesAhead(closing, 110n)).toEqual([230n, 330n]);
  });

  it("name the strikes around spot, above zero", () => {
    const strikes = { spacing: "10", eachSide: 2, strikesMax: 9 };
    expect(strikesAround(strikes, 10n, 104n)).toEqual({ low: 8n, high: 12n });
    expect(strikesAround(strikes, 10n, 4n)).toEqual({ low: 1n, high: 3n });
  });

  it("leave no hole between strikes and keep the bound", () => {
    expect(strikesMissing(null, { low: 8n, high: 12n }, 9)).toEqual([8n, 9n, 10n, 11n, 12n]);
    expect(strikesMissing({ low: 8n, high: 12n }, { low: 8n, high: 12n }, 9)).toEqual([]);
    expect(strikesMissing({ low: 8n, high: 12n }, { low: 14n, high: 18n }, 9)).toEqual([
      13n,
      14n,
      15n,
      16n,
    ]);
    expect(strikesMissing({ low: 8n, high: 12n }, { low: 6n, high: 10n }, 9)).toEqual([7n, 6n]);
    expect(strikesMissing({ low: 8n, high: 16n }, { low: 6n, high: 10n }, 9)).toEqual([]);
  });
});

describe("a series", () => {
  it("lists calls and puts of the strikes around spot at the next expiries", () => {
    const world = started();
    world.block();
    const expiry = (n: number): string =>
      expiryText(Math.floor(START_MS / DAY_MS) * DAY_MS + (8 + 24 * n) * HOUR_MS);
    const names = [1, 2].flatMap((n) =>
      [58, 59, 60, 61, 62].flatMap((k) => [
        `BTC-${expiry(n)}-${k}000-C`,
        `BTC-${expiry(n)}-${k}000-P`,
      ]),
    );
    expect(symbols(world)).toEqual(names);
    expect(world.venue.state.settlements.size(world.ctx)).toBe(2);
    expect(world.violation()).toBeNull();
    // Nothing is missing: nothing happens.
    const before = world.stored();
    world.block();
    expect(world.stored()).toEqual(before);
  });

  it("follows spot, finds its strikes when it comes back, and stops at its bound", () => {
    const world = started();
    world.block();
    world.block(1, () => world.setPrice(BTC, "61999"));
    expect(strikesOf(world)).toEqual([
      "58000",
      "59000",
      "60000",
      "61000",
      "62000",
      "63000",
      "64000",
    ]);
    world.block(1, () => world.setPrice(BTC, "60000"));
    expect(strikesOf(world)).toHaveLength(7);
    world.block(1, () => world.setPrice(BTC, "90000"));
    expect(strikesOf(world)).toHaveLength(9);
    world.block();
    expect(strikesOf(world)).toHaveLength(9);
  });

  it("lists no more per block than the bound, and no more markets than there may be", () => {
    const world = started(daily(), 6);
    const counts = [1, 2, 3, 4].map(() => {
      world.block();
      return symbols(world).length;
    });
    expect(counts).toEqual([6, 12, 18, 20]);
    const instruments = { ...defaultInstrumentParams(), marketsMax: 5 };
    const small = createWorld({ params: { instruments } });
    small.setPrice(BTC, "60000");
    small.setPrice(VOL, "0.6");
    small.keeper.createSeries(small.ctx, daily());
    for (let i = 0; i < 3; i++) small.block();
    expect(symbols(small)).toHaveLength(4);
    expect(small.eventsOf("series_updated")).toEqual([]);
  });

  it("rolls: expired markets settle and go, the state does not grow", () => {
    const world = started();
    const sizes: number[] = [];
    for (let hour = 0; hour < 24 * 6; hour++) {
      world.block(3600);
      if (hour % 24 === 23) sizes.push(world.venue.state.markets.size(world.ctx));
    }
    expect(new Set(sizes.slice(2)).size).toBe(1);
    const { state } = world.venue;
    expect(state.series.get(world.ctx, 1)?.listed).toHaveLength(2);
    expect(world.violation()).toBeNull();
    expect(state.counters.size(world.ctx)).toBe(0);
    // Hourly blocks leave a minute of fresh prices in each window: those wait for more, and get it after the expiry.
    expect(world.eventsOf("market_removed").length).toBeGreaterThan(20);
    const ids = world.eventsOf("market_created").map(({ id }) => Number(id));
    expect(ids).toEqual(ids.map((_, i) => i + 1));
  });

  it("pauses when a listing of it fails, and goes on when the authority says so", () => {
    const world = started();
    // Ticks and lots fit, but a lot is worth less than one unit at this price.
    world.block(1, () => world.setPrice(BTC, "60"));
    expect(world.eventsOf("series_updated")).toMatchObject([
      { series: "BTC-DAILY", paused: "true" },
    ]);
    expect(symbols(world)).toEqual([]);
    world.block(1, () => world.setPrice(BTC, "60000"));
    expect(symbols(world)).toEqual([]);
    world.keeper.updateSeries(world.ctx, daily());
    world.block();
    expect(symbols(world)).toHaveLength(20);
  });

  it("lists futures without strikes", () => {
    const { strikes: _s, europeanOption: _e, ...rest } = daily({ name: "BTC-F", lotSize: "0.001" });
    const { terms } = rest;
    const future = {
      ...rest,
      strikes: undefined,
      terms: {
        ...terms!,
        optionRisk: undefined,
        tiers: [{ aboveQuanta: "0", initialPpm: 50_000n, maintenancePpm: 30_000n }],
      },
      datedFuture: { maturity: undefined },
    };
    const world = started(future);
    world.block();
    expect(symbols(world)).toHaveLength(2);
  });

  it("refuses rules that name nothing", () => {
    const wrong: [Partial<Series>, string][] = [
      [{ name: "btc" }, "expected a name"],
      [{ strikes: undefined }, "options have strikes"],
      [{ strikes: { spacing: "0", eachSide: 1, strikesMax: 9 } }, "positive decimal spacing"],
      [{ strikes: { spacing: "1", eachSide: 5, strikesMax: 9 } }, "expected room for 5"],
      [{ expiries: { ...daily().expiries!, intervalMs: 1000n } }, "whole minutes"],
      [{ expiries: { ...daily().expiries!, count: 0 } }, "1 to 16 expiries"],
      [{ terms: undefined }, "expected terms"],
    ];
    for (const [change, message] of wrong) {
      const world = createWorld();
      expect(() => world.keeper.createSeries(world.ctx, daily(change)), message).toThrow(message);
    }
    const world = started();
    expect(() => world.keeper.createSeries(world.ctx, daily())).toThrow("exists");
    const other = daily({ strikes: { spacing: "500", eachSide: 2, strikesMax: 9 } });
    expect(() => world.keeper.updateSeries(world.ctx, other)).toThrow("spacing of a series stays");
  });
});
