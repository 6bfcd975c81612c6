import { describe, expect, it } from "vitest";
import { black76Price } from "../../kit/math/black-76.ts";
import { WAD } from "../../kit/math/fixed-point.ts";
import {
  BTC,
  createWorld,
  maturity,
  optionMarket,
  START_MS,
  SURFACE,
  type SurfaceMedians,
  type TestOption,
  type World,
} from "../../testing/world.ts";
import type { Mark } from "../marking/mark.ts";
import { volatilityOf } from "./volatility.ts";

const DAY_MS = 86_400_000;
const WEEK = maturity(START_MS + 7 * DAY_MS);
const QUANTA = 1_000_000n;
/** One lot is a hundredth of a unit. */
const LOTS_PER_UNIT = 100n;

/** 60 % at the money, calls below, at every expiry. */
function medians(nowMs: number, change: Partial<SurfaceMedians> = {}): SurfaceMedians {
  return {
    rhoPpm: -300_000,
    etaPpm: 1_000_000,
    gammaPpm: 400_000,
    expiries: [1, 7, 30].map((days) => {
      const expiryMs = BigInt(START_MS + days * DAY_MS);
      const theta = (36n * WAD * (expiryMs - BigInt(nowMs))) / (36_500n * BigInt(DAY_MS));
      return { expiryMs, theta, basisPpm: 0 };
    }),
    ...change,
  };
}

function open(options: readonly TestOption[] = [{ strike: "60000" }]): World {
  const world = createWorld();
  world.setPrice(BTC, "60000");
  world.setSurface(medians(world.nowMs()));
  options.forEach((option, i) => {
    world.list(optionMarket(`O${i}`, WEEK, { surface: SURFACE, ...option }));
  });
  return world;
}

function mark(world: World, id = 1): Mark {
  const found = world.keeper.mark(world.ctx, id);
  if (found === undefined) throw new Error("expected a mark");
  return found;
}

/** A block later, with an index and the surface of then; its turn anchors it. */
function next(
  world: World,
  index: string,
  seconds = 1,
  change: Partial<SurfaceMedians> = {},
): void {
  world.block(seconds, () => {
    world.setPrice(BTC, index);
    world.setSurface(medians(world.nowMs(), change));
  });
}

/** Until every turn has come. */
function turns(world: World, index = "60000", change: Partial<SurfaceMedians> = {}): void {
  for (let i = 0; i < 8; i++) next(world, index, 1, change);
}

/** From scratch: an option of the same terms that no turn has come for. */
function exact(index: string, option: TestOption, atMs: number): Mark {
  const world = createWorld();
  world.ctx.nextBlock((atMs - world.nowMs()) / 1000);
  world.setPrice(BTC, index);
  world.setSurface(medians(world.nowMs()), { repricingBlocks: 64 });
  world.list(optionMarket("O", WEEK, { surface: SURFACE, ...option }));
  if (world.ctx.header.height % 64 === 1) throw new Error("expected another turn");
  return mark(world);
}

describe("an option on a surface", () => {
  it("is Black-76 at its own strike's volatility and its expiry's forward", () => {
    const world = createWorld();
    world.setPrice(BTC, "60000");
    const basis = medians(world.nowMs()).expiries.map((one) => ({ ...one, basisPpm: 2_000 }));
    world.setSurface(medians(world.nowMs(), { expiries: basis }));
    for (const strike of ["45000", "60000", "75000"]) {
      const id = world.list(optionMarket(`C${strike}`, WEEK, { surface: SURFACE, strike }));
      const terms = world.keeper.terms(world.ctx, id);
      if (terms === undefined) throw new Error("expected a market");
      const quoted = volatilityOf(world.ctx, world.venue, terms, 60_000n * WAD);
      const volatility = quoted?.volatility ?? 0n;
      const value = black76Price({
        kind: "call",
        forward: 60_120n * WAD,
        strike: BigInt(strike) * WAD,
        rate: 0n,
        volatility,
        seconds: BigInt((7 * DAY_MS - (2 * 1_800_000) / 3) / 1000),
      });
      // Ticks are halves.
      const ticks = Number(value / (WAD / 1000n)) / 500;
      expect(Math.abs(Number(mark(world, id).ticks) - ticks)).toBeLessThanOrEqual(0.51);
      expect(mark(world, id).fresh).toBe(true);
    }
  });

  it("follows the index between its turns, far within half a percent of an option at the money", () => {
    const options: TestOption[] = [];
    for (const strike of ["48000", "57000", "60000", "63000", "75000"])
      for (const right of ["call", "put"] as const) options.push({ strike, right });
    options.push({ strike: "60000", payout: "1000" }, { strike: "60000", kind: "asian" });
    for (const index of ["58900", "59700", "60000", "60400", "61100"]) {
      const world = open(options);
      turns(world);
      next(world, index);
      options.forEach((option, i) => {
        const wanted = exact(index, option, world.nowMs());
        const found = mark(world, i + 1);
        const whole =
          option.payout === undefined ? 2_000n * QUANTA : 1_000n * LOTS_PER_UNIT * QUANTA;
        const off = (a: bigint, b: bigint): number =>
          Math.abs(Number(((a - b) * LOTS_PER_UNIT * 10_000n) / whole)) / 100;
        const name = `${option.strike} ${option.right ?? option.kind ?? "digital"} at ${index}`;
        expect(found.fresh, name).toBe(true);
        const far = Math.abs(Number(index) - 60_000) > 500;
        expect(off(found.quantaPerLot, wanted.quantaPerLot), name).toBeLessThan(far ? 0.5 : 0.06);
        for (const rate of ["initial", "maintenance"] as const) {
          const [ours, theirs] = [
            found.losses?.short[rate] ?? 0n,
            wanted.losses?.short[rate] ?? 0n,
          ];
          expect(off(ours, theirs), `${name} ${rate}`).toBeLessThan(far ? 1 : 0.1);
        }
        expect(found.losses?.long.initial).toBe(found.quantaPerLot);
      });
    }
  });

  it("is not fresh after a move beyond a quarter of a deviation, until its turn comes", () => {
    const world = open();
    turns(world);
    // A week at 60 %: a deviation of 8.3 %.
    expect(mark(world).fresh).toBe(true);
    next(world, "61100");
    expect(mark(world).fresh).toBe(true);
    next(world, "62000");
    const seen: boolean[] = [];
    for (let i = 0; i < 8; i++) {
      seen.push(mark(world).fresh);
      next(world, "62000");
    }
    expect(seen.indexOf(true)).toBeGreaterThan(0);
    expect(seen.slice(seen.indexOf(true)).every(Boolean)).toBe(true);
    expect(mark(world).quantaPerLot).toBe(
      exact("62000", { strike: "60000" }, world.nowMs()).quantaPerLot,
    );
  });

  it("is priced once a turn", () => {
    const world = open([{ strike: "60000" }, { strike: "66000" }]);
    turns(world);
    const values = (): bigint[] => [mark(world, 1).quantaPerLot, mark(world, 2).quantaPerLot];
    const before = values();
    const dear = (): SurfaceMedians["expiries"] =>
      medians(world.nowMs() + 1000).expiries.map((one) => ({
        ...one,
        theta: (one.theta * 104n) / 100n,
      }));
    const changes: number[] = [];
    for (let i = 0; i < 8; i++) {
      const turn = (world.ctx.header.height + 1) % 8;
      next(world, "60000", 1, { expiries: dear() });
      const after = values();
      after.forEach((value, k) => {
        if (value !== before[k]) changes.push(turn);
        before[k] = value;
      });
    }
    // Market 1 in turn 1, market 2 in turn 2.
    expect(changes.sort()).toEqual([1, 2]);
  });

  it("needs more for new short risk while the surface is held, and is not fresh when it is stale", () => {
    const world = open();
    turns(world);
    const fresh = mark(world);
    const wait = (seconds: number): Mark => {
      world.block(seconds, () => world.setPrice(BTC, "60000"));
      return mark(world);
    };
    // Turns keep coming from the parameters that are held: without them the anchor would be late.
    world.setSurface(medians(world.nowMs()), { repricingAgeMaxMs: 3_600_000n });
    const held = wait(30);
    expect(held.fresh).toBe(true);
    expect(held.losses?.short.initial).toBeGreaterThan(fresh.losses?.short.initial ?? 0n);
    expect(held.losses?.short.maintenance).toBe(fresh.losses?.short.maintenance);
    expect(wait(60).fresh).toBe(false);
  });

  it("is not fresh when its turn has not come for too long", () => {
    const world = open();
    turns(world);
    world.setSurface(medians(world.nowMs()), { maxAgeMs: 3_600_000n });
    world.block(29, () => world.setPrice(BTC, "60000"));
    expect(mark(world).fresh).toBe(true);
    world.block(10, () => world.setPrice(BTC, "60000"));
    expect(mark(world).fresh).toBe(false);
  });

  it("has the mark that a node without memory makes", () => {
    const indexes = [
      "60100",
      "60300",
      "59900",
      "61500",
      "61400",
      "61450",
      "59000",
      "58800",
      "58900",
      "58500",
    ];
    const remembered = open([{ strike: "60000" }, { strike: "62000", right: "put" }]);
    const cold = open([{ strike: "60000" }, { strike: "62000", right: "put" }]);
    const seen: Mark[] = [];
    for (const index of [...indexes, ...indexes]) {
      next(remembered, index);
      seen.push(mark(remembered, 1), mark(remembered, 2));
      next(cold, index);
    }
    expect([mark(cold, 1), mark(cold, 2)]).toEqual(seen.slice(-2));
    expect(cold.stored()).toEqual(remembered.stored());
  });

  it("melts into its payoff without turns near the end", () => {
    const world = open();
    turns(world);
    const left = (7 * DAY_MS - (world.nowMs() - START_MS)) / 1000;
    next(world, "60500", left - 3_000);
    expect(mark(world).fresh).toBe(true);
    for (const seconds of [1_500, 900, 500, 90]) next(world, "60500", seconds);
    // Ten seconds left: 500 for a unit, 5 for a lot; all but a third of a percent of the mean is known.
    expect(Math.abs(Number(mark(world).quantaPerLot) - 5_000_000)).toBeLessThan(100_000);
  });

  it("trades, is liquidated and settles with every invariant held", () => {
    const world = open();
    turns(world);
    const [seller, buyer] = [world.funded(1, 5_000n), world.funded(2, 5_000n)];
    world.trade("O0", seller, buyer, "0.5", "2000");
    for (const index of ["60500", "61500", "62500", "64000"]) {
      next(world, index);
      expect(world.violation()).toBeNull();
    }
    expect(world.margin.keeper.health(world.ctx, seller)?.equity).toBeGreaterThan(0n);
  });

  it("is listed only on a surface of its own index, and by one volatility", () => {
    const world = open([]);
    const terms = { strike: "60000", surface: SURFACE };
    expect(() => world.list(optionMarket("A", WEEK, { ...terms, surface: 9 }))).toThrow(
      /surface 9 is not one of feed 1/,
    );
    const market = optionMarket("A", WEEK, terms);
    expect(() => world.list({ ...market, feedId: 2 })).toThrow(/not one of feed 2/);
    const european = market.europeanOption;
    if (european === undefined) throw new Error("expected an option");
    for (const change of [
      { volatilityFeedId: 2, volatilitySurfaceId: 1 },
      { volatilityFeedId: 0, volatilitySurfaceId: 0 },
    ]) {
      const both = { ...market, europeanOption: { ...european, ...change } };
      expect(() => world.list(both)).toThrow(/either a volatility feed or a volatility surface/);
    }
  });
});
