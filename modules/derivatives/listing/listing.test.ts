import type {
  InstrumentParams,
  Market,
  OpenListing,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { atomically } from "../../kit/atomically.ts";
import {
  BTC,
  createWorld,
  DENOM,
  futureMarket,
  HOUR_MS,
  maturity,
  optionMarket,
  START_MS,
  VOL,
  type World,
} from "../../testing/world.ts";
import { defaultTerms, linearPerpetual, optionTerms } from "../defaults.ts";
import { defaultInstrumentParams } from "../instruments/params.ts";
import { BOND_VAULT } from "./bonds.ts";

const BOND = 5_000n;
/** A whole minute. */
const SOON_MS = START_MS + 40_000;
const RULE: OpenListing = {
  bondDenom: DENOM,
  bondAmount: `${BOND}`,
  noticeMs: BigInt(HOUR_MS),
  standingMs: BigInt(10 * HOUR_MS),
  reportingPowerMinPpm: 800_000n,
  confidenceMaxPpm: 1_000n,
  bondsMax: 2,
  timeToExpiryMaxMs: BigInt(90 * 24 * HOUR_MS),
  linearTerms: { ...defaultTerms(), openInterestMaxLots: 10_000n },
  optionTerms: optionTerms(),
};

function open(change: Partial<InstrumentParams> = {}): World {
  const instruments = { ...defaultInstrumentParams(), openListing: RULE, ...change };
  const world = createWorld({ params: { instruments } });
  world.setPrice(BTC, "60000");
  world.setPrice(VOL, "0.6");
  world.bank.mint(world.ctx, world.owner(1), { denom: DENOM, amount: 20_000n });
  return world;
}

const perpetual = (): Market =>
  linearPerpetual({
    symbol: "SOMETHING-ELSE",
    baseAsset: "FAKE",
    quoteAsset: "X",
    feedId: BTC,
    tickSize: "0.5",
    lotSize: "0.001",
  });

const list = (world: World, market: Market): Market =>
  atomically(world.ctx, (ctx) => world.keeper.listMarket(ctx, world.address(1), market));
const coins = (world: World, owner = world.owner(1)): bigint =>
  world.bank.balance(world.ctx, owner, DENOM);

describe("a market listed by anyone", () => {
  it("is named after its feed, gets the authority's terms, and opens after the notice", () => {
    const world = open();
    const market = list(world, perpetual());
    expect(market).toMatchObject({
      symbol: "BTC-USD-PERP",
      baseAsset: "BTC",
      quoteAsset: "USD",
      terms: RULE.linearTerms,
    });
    expect([coins(world), coins(world, BOND_VAULT)]).toEqual([15_000n, BOND]);
    const id = world.funded(2, 10_000n);
    expect(() => world.place("BTC-USD-PERP", id, "buy 0.1 @ 60000")).toThrow("is proposed");
    for (let i = 0; i < 61; i++) world.block(60);
    expect(world.keeper.terms(world.ctx, 1)?.status).toBe("active");
    world.setPrice(BTC, "60000");
    world.place("BTC-USD-PERP", id, "buy 0.1 @ 60000");
    expect(world.violation()).toBeNull();
  });

  it("has the funding that markets have by default, whatever its proposer asks for", () => {
    const world = open();
    // A lot would paint a premium, and an hour of it take a position's collateral several times.
    const wanted = {
      interestRate8hPpm: 10_000n,
      impactNotional: 1n,
      rateClampPpm: 1_000_000_000n,
      premiumClampPpm: 1_000_000_000n,
    };
    const market = list(world, { ...perpetual(), linearPerpetual: wanted });
    expect(market.linearPerpetual).toEqual(perpetual().linearPerpetual);
  });

  it("gives the bond back after its time in good standing", () => {
    const world = open();
    list(world, perpetual());
    for (let i = 0; i < 11; i++) world.block(3600);
    expect(coins(world)).toBe(20_000n);
    expect(world.eventsOf("bond_returned")).toMatchObject([{ reason: "standing", amount: "5000" }]);
    expect(world.violation()).toBeNull();
  });

  it("gives it back when the market has settled, if that is sooner", () => {
    const world = open();
    world.list(optionMarket("FIRST", maturity(SOON_MS + 48 * HOUR_MS), { strike: "50000" }));
    list(world, optionMarket("X", maturity(SOON_MS + 2 * HOUR_MS), { strike: "60000" }));
    for (let i = 0; i < 123; i++) world.block(60, () => world.setPrice(BTC, "60000"));
    expect(world.eventsOf("bond_returned")).toMatchObject([{ reason: "settled" }]);
    expect(coins(world)).toBe(20_000n);
    expect(world.violation()).toBeNull();
  });

  it("has the volatility that the authority's options on its index have", () => {
    const world = open();
    const option = optionMarket("X", maturity(SOON_MS + 48 * HOUR_MS), { strike: "60000" });
    expect(() => list(world, option)).toThrow("no option on feed 1 that the authority listed");
    world.list(optionMarket("FIRST", maturity(SOON_MS + 48 * HOUR_MS), { strike: "50000" }));
    // At the price of a coin as its volatility an option is worth six times as much.
    const wrong = { ...option.europeanOption!, volatilityFeedId: BTC };
    expect(() => list(world, { ...option, europeanOption: wrong })).toThrow("from feed 1");
    expect(list(world, option).europeanOption?.volatilityFeedId).toBe(VOL);
  });

  it("takes no name that a series gives, now or when its expiry comes near", () => {
    const world = open();
    const expiries = {
      intervalMs: BigInt(HOUR_MS),
      offsetMs: BigInt(SOON_MS % HOUR_MS),
      count: 2,
      windowMs: 600_000n,
      closeOnlyMs: 0n,
    };
    const shared = { id: 0, paused: false, baseAsset: "BTC", quoteAsset: "USD", feedId: BTC };
    const steps = { tickSize: "0.5", lotSize: "0.01", expiries };
    const { europeanOption } = optionMarket("X", maturity(SOON_MS), { strike: "50000" });
    world.keeper.createSeries(world.ctx, {
      ...shared,
      ...steps,
      name: "FUTURES",
      strikes: undefined,
      terms: defaultTerms(),
      datedFuture: { maturity: undefined },
    });
    world.keeper.createSeries(world.ctx, {
      ...shared,
      ...steps,
      name: "OPTIONS",
      strikes: { spacing: "1000", eachSide: 2, strikesMax: 9 },
      terms: optionTerms(),
      europeanOption: {
        maturity: undefined,
        right: 0,
        strike: "",
        volatilityFeedId: europeanOption?.volatilityFeedId ?? 0,
        volatilitySurfaceId: 0,
      },
    });
    const refused = expect.objectContaining({ codespace: "derivatives", code: 23 });
    for (const hours of [3, 24 * 60]) {
      const at = maturity(SOON_MS + hours * HOUR_MS);
      expect(() => list(world, futureMarket("X", at))).toThrow(refused);
      expect(() => list(world, optionMarket("X", at, { strike: "90000" }))).toThrow(refused);
      expect(() => list(world, optionMarket("X", at, { strike: "90000", right: "put" }))).toThrow(
        refused,
      );
    }
    expect(world.venue.state.symbols.size(world.ctx)).toBe(0);
    // Another minute or strike is another name.
    list(world, futureMarket("X", maturity(SOON_MS + 3 * HOUR_MS + 60_000)));
    list(world, optionMarket("X", maturity(SOON_MS + 3 * HOUR_MS), { strike: "90500" }));
  });

  it("loses it when the authority says so: a proposed market is refused by that, an open one stays", () => {
    const world = open();
    list(world, perpetual());
    const before = coins(world, world.owner(9));
    world.keeper.forfeitBond(world.ctx, "BTC-USD-PERP", world.address(9));
    expect(coins(world, world.owner(9)) - before).toBe(BOND);
    expect(world.venue.state.markets.size(world.ctx)).toBe(0);
    expect(world.violation()).toBeNull();
    expect(list(world, perpetual()).id).toBe(2);
    for (let i = 0; i < 61; i++) world.block(60);
    world.keeper.forfeitBond(world.ctx, "BTC-USD-PERP", world.address(9));
    expect(world.keeper.terms(world.ctx, 2)?.status).toBe("active");
    expect(() => world.keeper.forfeitBond(world.ctx, "BTC-USD-PERP", world.address(9))).toThrow(
      "has no bond",
    );
  });

  it("is open to new positions for half of its life at least", () => {
    const world = open();
    const expiryMs = SOON_MS + 25 * HOUR_MS;
    const life = expiryMs - (START_MS + HOUR_MS);
    const dated = (closeOnlyMs: number): Market =>
      futureMarket("X", { ...maturity(expiryMs), closeOnlyMs: BigInt(closeOnlyMs) });
    for (const most of [expiryMs, life, life / 2 + 1])
      expect(() => list(world, dated(most))).toThrow("expected it close-only for at most half");
    expect(coins(world)).toBe(20_000n);
    list(world, dated(life / 2));
    for (let i = 0; i < 61; i++) world.block(60);
    expect(world.keeper.terms(world.ctx, 1)?.status).toBe("active");
  });

  it("needs a feed of good quality, a bond and a place", () => {
    const world = open();
    const index = world.venue.oracle.price(world.ctx, BTC)!;
    const quality: [string, object][] = [
      ["stale", { fresh: false }],
      ["ppm of power", { reportingPowerPpm: 700_000n }],
      ["confidence within", { confidence: index.mantissa / 500n }],
    ];
    for (const [message, change] of quality) {
      Object.assign(world.venue.oracle.price(world.ctx, BTC)!, change);
      expect(() => list(world, perpetual()), message).toThrow(message);
      world.setPrice(BTC, "60000");
    }
    expect(() => list(world, { ...perpetual(), feedId: VOL })).toThrow("does not name a pair");
    expect(() => list(world, { ...perpetual(), lotSize: "1" })).toThrow("worth at most");
    const fine = { ...perpetual(), tickSize: "0.00001", lotSize: "0.1" };
    expect(() => list(world, fine)).toThrow("a price of 1 to 2,147,483,647 ticks");
    // At two such ticks a perpetual would lose half of its mark when the index moves by a thousandth, ten times what margin is held for.
    const coarse = { tickSize: "40000", lotSize: "0.001" };
    const later = maturity(SOON_MS + 24 * HOUR_MS);
    for (const market of [perpetual(), futureMarket("X", later)]) {
      expect(() => list(world, { ...market, ...coarse })).toThrow("one part in 1000");
      expect(() => list(world, { ...market, tickSize: "60.5" })).toThrow("one part in 1000");
    }
    world.list(optionMarket("FIRST", later, { strike: "50000" }));
    const option = optionMarket("X", later, { strike: "60000" });
    expect(() => list(world, { ...option, tickSize: "61" })).toThrow("one part in 1000");
    const soon = futureMarket("X", maturity(SOON_MS + HOUR_MS + 60_000));
    expect(() => list(world, soon)).toThrow("expected a settlement window after");
    const between = futureMarket("X", maturity(SOON_MS + 24 * HOUR_MS + 30_000));
    expect(() => list(world, between)).toThrow("a whole minute");
    const far = futureMarket("X", maturity(SOON_MS + 100 * 24 * HOUR_MS));
    expect(() => list(world, far)).toThrow("expiry up to");
    list(world, perpetual());
    expect(() => list(world, perpetual())).toThrow("already listed");
    list(world, futureMarket("X", maturity(SOON_MS + 24 * HOUR_MS)));
    expect(() => list(world, futureMarket("X", maturity(SOON_MS + 48 * HOUR_MS)))).toThrow(
      "at most 2 bonds",
    );
    const poor = open();
    poor.bank.send(poor.ctx, poor.owner(1), poor.owner(2), [{ denom: DENOM, amount: 19_000n }]);
    expect(() => list(poor, perpetual())).toThrow("spendable balance");
    expect(poor.venue.state.markets.size(poor.ctx)).toBe(0);
    expect(() => list(createWorld(), perpetual())).toThrow("only the authority");
  });
});
