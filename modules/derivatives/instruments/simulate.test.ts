import { describe, expect, it } from "vitest";
import { ModuleError } from "../../kit/errors.ts";
import { BTC, createWorld, DENOM, HOUR_MS, VOL, type World } from "../../testing/world.ts";
import { defaultTerms, optionTerms } from "../defaults.ts";
import { simulatedFeeParams } from "../fees/simulate.ts";
import { createRandom, type Random } from "../random.ts";
import { operations, simulateMessage } from "../simulate.ts";
import { testMarket } from "../testing.ts";
import { defaultInstrumentParams } from "./params.ts";
import { simulateListing } from "./simulate.ts";

const TRADERS = 16;
const MINUTE = 60_000;

/** Prices of the seed: a walk, stale now and then. */
function walk(world: World, random: Random): () => void {
  let price = 60_000;
  let volatility = 60;
  return () => {
    price = Math.max(30_000, price + random.below(401) - 200);
    volatility = Math.min(150, Math.max(20, volatility + random.below(3) - 1));
    world.setPrice(BTC, `${price}`, random.below(40) !== 0);
    world.setPrice(VOL, `${volatility / 100}`, random.below(60) !== 0);
  };
}

function begin(seed: number): { world: World; random: Random; prices: () => void } {
  const random = createRandom(seed);
  const instruments = {
    ...defaultInstrumentParams(),
    listingsPerBlockMax: 8,
    transitionsPerBlockMax: 5,
    cancelsPerBlockMax: 7,
    retentionMs: BigInt(30 * MINUTE),
    openListing: {
      bondDenom: DENOM,
      bondAmount: "100",
      noticeMs: BigInt(5 * MINUTE),
      standingMs: BigInt(HOUR_MS),
      reportingPowerMinPpm: 800_000n,
      confidenceMaxPpm: 1_000n,
      bondsMax: 6,
      timeToExpiryMaxMs: BigInt(10 * HOUR_MS),
      linearTerms: defaultTerms(),
      optionTerms: optionTerms(),
    },
  };
  const world = createWorld({
    params: { instruments },
    margin: {
      settlementPositionsPerBlockMax: 9,
      settlementAccountsPerBlockMax: 20,
      feeSplit: { stakersPpm: 500_000, insurancePpm: 500_000, treasuryPpm: 0, treasury: "" },
    },
    fundUnits: 1_000n,
  });
  // Midnight, when volume of the day begins to count for tiers, comes in the middle of the run.
  world.ctx.nextBlock(3_600);
  world.venue.state.fees.params.set(world.ctx, simulatedFeeParams());
  const prices = walk(world, random);
  prices();
  world.list(testMarket());
  for (let n = 1; n <= TRADERS; n++) {
    world.funded(n, 50_000n);
    world.bank.mint(world.ctx, world.owner(n), { denom: DENOM, amount: 10_000n });
  }
  const rules = {
    intervalMs: BigInt(20 * MINUTE),
    offsetMs: 0n,
    count: 2,
    windowMs: BigInt(5 * MINUTE),
    closeOnlyMs: BigInt(2 * MINUTE),
  };
  const base = {
    id: 0,
    paused: false,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: BTC,
    tickSize: "0.5",
    lotSize: "0.01",
  };
  const strikes = { spacing: "1000", eachSide: 1, strikesMax: 6 };
  const option = {
    maturity: undefined,
    right: 0,
    strike: "",
    volatilityFeedId: VOL,
    volatilitySurfaceId: 0,
  } as const;
  const series = { ...base, expiries: rules, strikes, terms: optionTerms() };
  const { ctx, keeper } = world;
  keeper.createSeries(ctx, { ...series, name: "E", europeanOption: option });
  const digital = { ...option, payout: "100" };
  keeper.createSeries(ctx, { ...series, name: "D", digitalOption: digital });
  keeper.createSeries(ctx, { ...series, name: "A", asianOption: option });
  const future = { ...series, strikes: undefined, terms: defaultTerms() };
  keeper.createSeries(ctx, { ...future, name: "F", datedFuture: { maturity: undefined } });
  return { world, random, prices };
}

/** One block's messages, over the wire and back. */
function trade(world: World, random: Random, done: Map<string, number>): void {
  const accounts = Array.from({ length: TRADERS }, (_, n) => ({
    owner: world.address(n + 1),
    subaccount: 0,
  }));
  const { ctx, keeper, module } = world;
  for (let i = 0; i < 20; i++) {
    const listing = random.below(60) === 0;
    const next = listing
      ? simulateListing(ctx, random, accounts[random.below(TRADERS)]!, {
          index: BTC,
          volatility: VOL,
        })
      : simulateMessage(ctx, keeper, random, accounts);
    if (next === null) continue;
    const route = module.messages.find(({ typeUrl }) => typeUrl === next.message.typeUrl)!;
    const message = route.decode(route.encode(next.message.value));
    const savepoint = ctx.state.savepoint();
    try {
      route.validate(message);
      route.handle({ ...ctx, signers: [] }, message);
      done.set(next.operation, (done.get(next.operation) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      ctx.state.revert(savepoint);
    }
  }
}

function run(
  world: World,
  random: Random,
  prices: () => void,
  blocks: number,
): Map<string, number> {
  const done = new Map<string, number>();
  for (let block = 0; block < blocks; block++) {
    trade(world, random, done);
    world.block(20, prices);
    if (block % 10 === 0) expect(world.violation(), `block ${block}`).toBeNull();
  }
  return done;
}

describe("simulated traders in all kinds of contract", { timeout: 180_000 }, () => {
  it("list, trade, expire and settle with every invariant whole, and nothing is stopped", () => {
    const { world, random, prices } = begin(12);
    const done = run(world, random, prices, 250);
    expect(world.violation()).toBeNull();
    const count = (type: string): number => world.eventsOf(type).length;
    expect(world.eventsOf("market_quarantined")).toEqual([]);
    expect(world.eventsOf("series_updated")).toEqual([]);
    expect(count("market_settled")).toBeGreaterThan(40);
    expect(count("market_removed")).toBeGreaterThan(40);
    expect(count("position_settled")).toBeGreaterThan(100);
    expect(count("bond_returned")).toBeGreaterThan(0);
    expect(count("settlement_price")).toBeGreaterThan(4);
    const settled = new Set(
      world
        .eventsOf("position_settled")
        .map(({ market }) => market!.replace(/^.*-/, "").replace(/^\d+$/, "future")),
    );
    for (const kind of ["C", "P", "DC", "DP", "AC", "AP", "future"])
      expect(settled).toContain(kind);
    const never = operations.map(({ name }) => name).filter((name) => !done.has(name));
    // Wrong on purpose; or, among dozens of markets, seldom about one where there is something to cancel or to combine.
    const wrong = ["off tick", "slippage on a limit", "waiting without a trigger price"];
    const seldom = ["cancel", "amend", "combination"];
    expect(never.filter((name) => ![...wrong, ...seldom].includes(name))).toEqual([]);
    expect(done.get("listing")).toBeGreaterThan(0);
    for (const type of ["fee_shared", "fees_split", "referrer_set"])
      expect(count(type), type).toBeGreaterThan(0);
    let rolled = 0;
    world.venue.state.fees.traders.each(world.ctx, (_owner, { window }) => {
      if (window >= 5_000_000_000n) rolled += 1;
    });
    expect(rolled, "owners in a tier above the first").toBeGreaterThan(0);
    // Bounded state: what is over is gone.
    expect(world.venue.state.markets.size(world.ctx)).toBeLessThan(150);
  });

  it("go on after an export as if nothing had been", () => {
    const first = begin(5);
    run(first.world, first.random, first.prices, 62);
    const from = { genesis: first.world.exported(), header: first.world.ctx.header };
    const copy = createWorld({ from });
    for (const feed of [BTC, VOL]) {
      const price = first.world.venue.oracle.price(first.world.ctx, feed)!;
      copy.setPrice(feed, "1");
      Object.assign(copy.venue.oracle.price(copy.ctx, feed)!, price);
    }
    expect(copy.stored()).toEqual(first.world.stored());
    for (const world of [first.world, copy]) {
      world.ctx.events.length = 0;
      const random = createRandom(99);
      run(world, random, walk(world, random), 60);
    }
    expect(copy.ctx.events).toEqual(first.world.ctx.events);
    expect(copy.stored()).toEqual(first.world.stored());
  });
});
