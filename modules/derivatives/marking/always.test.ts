/** Marks of what cannot be traded: whoever holds lots is judged by one, whatever has become of the price. */
import { describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import {
  BTC,
  createWorld,
  futureMarket,
  HOUR_MS,
  maturity,
  optionMarket,
  START_MS,
  SURFACE,
  type SurfaceMedians,
  UNIT,
  VOL,
  type World,
} from "../../testing/world.ts";
import { TICKS_MAX } from "../limits.ts";
import type { Mark } from "../marking/mark.ts";
import { SYMBOL, testMarket } from "../testing.ts";
import { defaultMarkTerms } from "./terms.ts";

const COIN = 3;
const DOG = "DOG-PERP";
const DAY_MS = 24 * HOUR_MS;
const EXPIRY = START_MS + 30 * DAY_MS;

function mark(world: World, id = 1): Mark {
  const found = world.keeper.mark(world.ctx, id);
  if (found === undefined) throw new Error("expected a mark");
  return found;
}

function dog(change: Parameters<typeof testMarket>[0] = {}) {
  return testMarket({
    ...{ symbol: DOG, baseAsset: "DOG", feedId: COIN, tickSize: "0.5", lotSize: "1" },
    ...change,
  });
}

/** One lot is a unit of the coin, a tick of it half a unit of money. */
function coin(price: string, change: Parameters<typeof testMarket>[0] = {}): World {
  const world = createWorld();
  world.setPrice(COIN, price);
  world.list(dog(change));
  return world;
}

function clear(world: World, market: number, lots: bigint, buyer: AccountId, seller: AccountId) {
  const cleared = world.margin.keeper.clear(world.ctx, {
    market,
    priceTicks: mark(world, market).ticks,
    lots,
    buyer: { account: buyer, feeQuanta: 0n, orderId: null },
    seller: { account: seller, feeQuanta: 0n, orderId: null },
    taker: "buy",
    kind: "external",
  });
  expect(cleared).toEqual({ ok: true });
}

describe("the mark of a perpetual", () => {
  it("below half a tick is one tick that nothing trades at, and a lot is worth nothing", () => {
    const world = coin("2");
    const id = world.funded(1, 1_000n);
    world.setPrice(COIN, "0.24");
    expect(mark(world)).toEqual({
      ...{ ticks: 1n, fresh: false, quantaPerLot: 0n, notionalPerLot: 1n, losses: null },
    });
    expect(() => world.place(DOG, id, "buy 1 @ 0.5")).toThrow("stale");
    world.setPrice(COIN, "0.3");
    expect(mark(world)).toMatchObject({ ticks: 1n, fresh: true, quantaPerLot: 500_000n });
  });

  it("beyond the largest tick has that tick, and the value of the price", () => {
    const world = coin("2");
    const ticks = BigInt(TICKS_MAX) + 4n;
    world.setPrice(COIN, `${ticks / 2n}`);
    const value = (ticks - (ticks % 2n)) * 500_000n;
    expect(mark(world)).toMatchObject({ ticks: BigInt(TICKS_MAX), fresh: false });
    expect(mark(world)).toMatchObject({ quantaPerLot: value, notionalPerLot: value });
  });

  it("has no stage of the guard there, which would let positions shrink or be closed", () => {
    const world = coin("2");
    const stage = { reduces: true, withdraws: true, liquidates: true };
    world.setPrice(COIN, "2", true, { stage });
    expect(mark(world).stage).toEqual(stage);
    world.setPrice(COIN, "0.1", true, { stage });
    expect(mark(world).stage).toBeUndefined();
  });

  it("is its index there, whatever its book said before", () => {
    const { terms } = testMarket();
    if (terms === undefined) throw new Error("expected terms");
    const world = coin("2", { terms: { ...terms, mark: defaultMarkTerms() } });
    for (let i = 0; i < 3; i++) world.block();
    expect(world.venue.state.markBasis.get(world.ctx, 1)).toBeDefined();
    world.setPrice(COIN, "0.1");
    expect(mark(world)).toMatchObject({ ticks: 1n, fresh: false, quantaPerLot: 0n });
  });

  it("shields nobody: who holds a worthless coin beside is liquidated as anyone, and nothing is missing", () => {
    const world = createWorld({ fundUnits: 1_000n });
    const { ctx, margin } = world;
    const set = (px: number, dogs = "0.2") => {
      world.setPrice(BTC, `${px}`);
      world.setPrice(COIN, dogs);
    };
    set(60_000, "2");
    const perp = world.list(testMarket());
    const other = world.list(dog());
    const maker = world.funded(9, 1_000_000n);
    const [a, c, d] = [world.funded(1, 10_000n), world.funded(2, 10_000n), world.funded(3, 100n)];
    clear(world, other, 1n, a, d);
    clear(world, perp, 1_500n, a, c);
    world.block(1, () => set(60_000, "2"));
    let liquidated = 0;
    for (let px = 59_700; px > 50_000; px -= 300) {
      world.keeper.cancelAll(ctx, maker, SYMBOL);
      world.block(1, () => set(px));
      world.place(SYMBOL, maker, `buy 5 @ ${px} post`);
      ctx.events.length = 0;
      world.block(59, () => set(px));
      liquidated += world.eventsOf("liquidation").length;
    }
    expect(liquidated).toBeGreaterThan(0);
    expect(margin.keeper.positionLots(ctx, a, perp)).toBeLessThan(300n);
    const health = margin.keeper.health(ctx, a);
    expect(health).toMatchObject({ complete: true, fresh: false });
    expect(health?.equity).toBeGreaterThanOrEqual(0n);
    expect(margin.keeper.totals(ctx).pendingShortfall).toBe(0n);
    expect(world.violation()).toBeNull();
  });
});

describe("the mark of a dated contract", () => {
  const listed = (market: Parameters<World["list"]>[0]): World => {
    const world = createWorld();
    world.setPrice(BTC, "60000");
    world.setPrice(VOL, "0.6");
    world.list(market);
    return world;
  };

  it("of a future follows its index out of the ticks and back", () => {
    const world = listed(futureMarket("F", maturity(EXPIRY)));
    world.setPrice(BTC, "0.2");
    expect(mark(world)).toMatchObject({ ticks: 1n, fresh: false, quantaPerLot: 0n });
    world.setPrice(BTC, "0.6");
    expect(mark(world)).toMatchObject({ ticks: 1n, fresh: true });
  });

  it("of an option is made at the largest price that formulas take, and worth more than ticks can say", () => {
    const world = listed(optionMarket("C", maturity(EXPIRY), { strike: "60000" }));
    const [buyer, seller] = [world.funded(1, 100_000n), world.funded(2, 100_000n)];
    clear(world, 1, 1n, buyer, seller);
    // A million million and more.
    for (const exponent of [-6, 0, 6]) {
      world.setPrice(BTC, "1", true, { mantissa: 9n * 10n ** 18n, exponent });
      const found = mark(world);
      expect(found).toMatchObject({ ticks: BigInt(TICKS_MAX), fresh: false });
      expect(found.quantaPerLot).toBeGreaterThan(9n * 10n ** 15n);
      expect(found.losses?.long.maintenance).toBe(found.quantaPerLot);
    }
    world.block();
    expect(world.margin.keeper.totals(world.ctx).pendingShortfall).toBeGreaterThan(0n);
  });

  it("of an option whose underlying is worth less than a quantum a lot counts one", () => {
    const world = listed(optionMarket("P", maturity(EXPIRY), { strike: "60000", right: "put" }));
    world.setPrice(BTC, "0.00001");
    expect(mark(world)).toMatchObject({ ticks: 120_000n, fresh: false, notionalPerLot: 1n });
  });
});

describe("the mark of an option on a surface", () => {
  const medians = (expiries: readonly (readonly [number, number])[]): SurfaceMedians => ({
    ...{ rhoPpm: -200_000, etaPpm: 1_000_000, gammaPpm: 400_000 },
    expiries: expiries.map(([expiryMs, basisPpm]) => ({
      expiryMs: BigInt(expiryMs),
      theta: 30_000_000_000_000_000n,
      basisPpm,
    })),
  });
  const listed = (expiries: readonly (readonly [number, number])[], end = EXPIRY): World => {
    const world = createWorld({ fundUnits: 100_000n });
    world.setPrice(BTC, "60000");
    world.setSurface(medians(expiries));
    world.list(optionMarket("O", maturity(end), { strike: "60000", surface: SURFACE }));
    return world;
  };

  /** Every turn comes. */
  function next(
    world: World,
    blocks: number,
    expiries: readonly (readonly [number, number])[] = [],
    change: Parameters<World["setSurface"]>[1] = {},
  ): void {
    for (let i = 0; i < blocks; i++) {
      world.block(1, () => {
        world.setPrice(BTC, "60000");
        world.setSurface(medians(expiries), change);
      });
    }
  }

  it("stays, and is not fresh, when validators vote the shape and no expiry any more", () => {
    const world = listed([[EXPIRY, 0]]);
    const before = mark(world);
    const [buyer, seller] = [world.funded(1, 10_000n), world.funded(2, 1_000_000n)];
    clear(world, 1, 1n, buyer, seller);
    world.list(testMarket());
    clear(world, 2, 2_000n, buyer, seller);
    for (let i = 0; i < 60; i++) {
      world.block(60, () => {
        world.setPrice(BTC, "60000");
        world.setSurface(medians([]));
      });
    }
    expect(mark(world).fresh).toBe(false);
    // An hour of a month.
    expect(before.ticks - mark(world).ticks).toBeLessThan(10n);
    expect(before.ticks - mark(world).ticks).toBeGreaterThan(0n);
    for (let i = 0; i < 2; i++) world.block(1, () => world.setPrice(BTC, "40000"));
    expect(world.margin.keeper.health(world.ctx, buyer)?.complete).toBe(true);
    expect(world.violation()).toBeNull();
  });

  it("follows an index that leaves it far behind while the surface is stale", () => {
    const world = listed([[EXPIRY, 0]]);
    next(world, 8, [[EXPIRY, 0]]);
    const before = mark(world);
    for (let i = 0; i < 3; i++) world.block(60, () => world.setPrice(BTC, "30000"));
    // Its delta and gamma of then would have it worth more than it was.
    expect(before.ticks).toBeGreaterThan(8_000n);
    expect(mark(world)).toMatchObject({ fresh: false });
    expect(mark(world).ticks).toBeLessThan(100n);
  });

  it("keeps the volatility of the last voted expiry when that has come and nothing is ahead", () => {
    const world = listed([[START_MS + DAY_MS, 0]]);
    const before = mark(world);
    expect(before.fresh).toBe(true);
    world.block((4 * DAY_MS) / 1000, () => world.setPrice(BTC, "60000"));
    expect(mark(world).fresh).toBe(false);
    next(world, 8);
    const found = mark(world);
    expect(found.fresh).toBe(false);
    // As far ahead as it is now, the same volatility voted for that.
    const theta = 30_000_000_000_000_000n * 26n;
    const other = createWorld();
    other.setPrice(BTC, "60000");
    const expiries = [{ expiryMs: BigInt(START_MS + 26 * DAY_MS), theta, basisPpm: 0 }];
    other.setSurface({ ...medians([]), expiries });
    const end = maturity(START_MS + 26 * DAY_MS);
    other.list(optionMarket("O", end, { strike: "60000", surface: SURFACE }));
    expect(before.ticks).toBeGreaterThan(found.ticks);
    expect(Number(found.ticks) / Number(mark(other).ticks)).toBeCloseTo(1, 4);
  });

  it("has a forward of next to nothing where the voted one is below", () => {
    const end = START_MS + 1_080 * DAY_MS;
    const world = createWorld();
    world.setPrice(BTC, "60000");
    world.setSurface(medians([[end, 0]]), { basisMaxPpm: 1_000_000n });
    world.list(
      optionMarket("P", maturity(end), { strike: "60000", right: "put", surface: SURFACE }),
    );
    world.list(optionMarket("C", maturity(end), { strike: "60000", surface: SURFACE }));
    next(world, 8, [[end, -1_000_000]], { basisMaxPpm: 1_000_000n });
    expect(mark(world, 1)).toMatchObject({ ticks: 120_000n, fresh: false });
    expect(mark(world, 2)).toMatchObject({ ticks: 0n, fresh: false });
    // A model of portfolios says nothing of it: it is charged as everywhere.
    expect(world.keeper.risk(world.ctx, 1)).toBeUndefined();
  });

  it("is what it would pay while it waits for its settlement price", () => {
    const world = listed([[EXPIRY, 0]]);
    const [buyer, seller] = [world.funded(1, 10_000n), world.funded(2, 100_000n)];
    clear(world, 1, 1n, buyer, seller);
    // An outage over the whole window.
    world.block((EXPIRY - HOUR_MS - START_MS) / 1000, () => world.setPrice(BTC, "61000", false));
    for (let i = 0; i < 65; i++) world.block(60, () => world.setPrice(BTC, "61000", false));
    expect(world.keeper.terms(world.ctx, 1)?.status).toBe("settling");
    expect(world.keeper.settlementValue(world.ctx, 1)).toBeUndefined();
    expect(mark(world)).toMatchObject({ fresh: false, quantaPerLot: 10n * UNIT });
    expect(world.violation()).toBeNull();
  });

  it("is its payoff once its market was stopped because it cannot be computed, and everyone is judged by that", () => {
    const world = listed([[EXPIRY, 0]]);
    const { ctx, margin } = world;
    const [buyer, seller] = [world.funded(1, 10_000n), world.funded(2, 100_000n)];
    clear(world, 1, 1n, buyer, seller);
    world.setPrice(BTC, "63000");
    const fail = (): never => {
      throw new Error("a bug");
    };
    Object.assign(world.venue.oracle, { smile: fail, anchoredSmile: fail });
    world.block(60, () => world.setPrice(BTC, "63000"));
    expect(world.eventsOf("market_quarantined")).toMatchObject([{ reason: "a bug" }]);
    expect(mark(world)).toMatchObject({ fresh: false, quantaPerLot: 30n * UNIT });
    expect(mark(world).losses?.short.initial).toBeGreaterThan(0n);
    expect(margin.keeper.health(ctx, seller)?.complete).toBe(true);
    expect(margin.state.gate.get(ctx)).toBeUndefined();
    expect(world.violation()).toBeNull();
  });
});
