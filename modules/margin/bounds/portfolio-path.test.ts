import { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { WAD } from "../../kit/math/fixed-point.ts";
import { absolute, divFloor } from "../../kit/math/mul-div.ts";
import { type Account, NO_ASSETS, NO_ELSEWHERE } from "../account-codec.ts";
import { maintenanceHealth } from "../health/health.ts";
import { type MarketView, type MarketViews, marketViews } from "../health/market-view.ts";
import { modelledMarkets } from "../health/modelled-markets.ts";
import { type OwnersWorld, ownersWorld } from "../owners/testing.ts";
import {
  type RiskArray,
  riskArray,
  type UnderlyingRisk,
  underlyingRisk,
} from "../portfolio/risk-array.ts";
import { option, perpetual } from "../portfolio/testing/instruments.ts";
import { models } from "../portfolio/testing/models.ts";
import { BTC, btcTerms } from "../testing/world.ts";
import { boundsOf } from "./branch-watch.ts";
import { HealthBounds } from "./health-bounds.ts";
import { Dice } from "./testing/dice.ts";

const UNIT = 1_000_000n;
const MARK = 50_000n;
const FUTURE = 3;
const OK = { ok: true };

/** 10 % of every price, of which 80 % to keep a position; `volume` in quanta a day. */
function model(volume: string, maintenanceFactorPpm = 800_000n): PortfolioModel {
  return PortfolioModel.fromPartial({
    ...models.s35,
    name: "ten-percent",
    collateral: [],
    maintenanceFactorPpm,
    underlyings: [
      {
        underlying: "",
        rangeMinimumPpm: 100_000n,
        rangeMaximumPpm: 100_000n,
        dailyVolume: volume,
        volatilityFloorPpm: 500_000n,
      },
    ],
    addOns: {
      concentration: { volumeSharePpm: 100_000n, horizonMs: 86_400_000n, impactPpm: 1_000_000n },
    },
  });
}

const DEEP = "1000000000000000";

let world: OwnersWorld;
let maker: AccountId;
let book: AccountId;
let sibling: AccountId;

/** The book is long 10 lots, 500 units, with 100: 40 are required and 60 over. */
beforeEach(() => {
  world = ownersWorld();
  world.markets.list(world.ctx, btcTerms({ id: FUTURE, symbol: "BTC-DEC" }));
  world.markets.setMark(world.ctx, FUTURE, MARK);
  world.margin.keeper.setModel(world.ctx, model(DEEP));
  maker = world.funds(9, 0, 1_000_000n);
  [book, sibling] = [world.funds(1, 0, 100n), world.funds(1, 1, 10_000n)];
  expect(world.trade(book, maker, 10n)).toEqual(OK);
  world.margin.keeper.setMode(world.ctx, book, "portfolio");
  quietBlock();
  quietBlock();
});

function quietBlock(): HealthBounds {
  world.margin.keeper.endBlock(world.ctx);
  world.ctx.nextBlock();
  return boundsOf(world.ctx) as HealthBounds;
}

function markAt(ticks: bigint, market = BTC): HealthBounds {
  world.markets.setMark(world.ctx, market, ticks);
  return quietBlock();
}

describe("a portfolio with a bound", () => {
  it("is not judged while its market moves less than its slack, nor for a while when it swings", () => {
    expect(quietBlock().lastLooks).toBe(0);
    expect(markAt(45_000n).lastLooks).toBe(0);
    expect(markAt(MARK).lastLooks).toBe(0);
    for (let i = 0; i < 50; i++) expect(markAt(i % 2 === 0 ? 49_500n : MARK).lastLooks).toBe(0);
  });

  it("is judged when the market has moved by its slack, and gets another bound", () => {
    const bounds = markAt(44_000n);
    expect(bounds.lastLooks).toBe(1);
    expect(bounds.sees(book)).toBe(false);
    expect(world.ctx.events.some(({ type }) => type === "liquidation")).toBe(false);
    expect(quietBlock().lastLooks).toBe(0);
    expect(world.violated()).toBeNull();
  });

  it("is liquidated as soon as it is under water", () => {
    markAt(44_000n);
    world.markets.setMark(world.ctx, BTC, 43_000n);
    world.margin.keeper.endBlock(world.ctx);
    expect(boundsOf(world.ctx)?.sees(book)).toBe(true);
    expect(world.violated()).toBeNull();
  });

  it("is judged when another model comes into force, whatever it asks", () => {
    world.margin.keeper.setModel(world.ctx, model(DEEP, 810_000n));
    expect(quietBlock().lastLooks).toBe(1);
    expect(quietBlock().lastLooks).toBe(0);
  });

  it("is judged when its owner holds more of the underlying elsewhere, in a market it is not in", () => {
    expect(quietBlock().sees(book)).toBe(false);
    expect(world.trade(sibling, maker, 10n, { market: FUTURE })).toEqual(OK);
    expect(boundsOf(world.ctx)?.sees(book)).toBe(true);
    for (let i = 0; i < 3; i++) quietBlock();
    // What is held back for concentration has room for a quarter more of that market's delta.
    expect(markAt(60_000n, FUTURE).sees(book)).toBe(false);
    world.markets.setMark(world.ctx, FUTURE, 63_000n);
    world.margin.keeper.endBlock(world.ctx);
    expect(boundsOf(world.ctx)?.lastLooks).toBeGreaterThan(0);
    expect(world.violated()).toBeNull();
  });

  it("is none where the owner's size takes longer to close than what is charged for nothing", () => {
    // 10 lots are more than 30 % of what is traded in a day.
    world.margin.keeper.setModel(world.ctx, model("1600000000"));
    for (let i = 0; i < 3; i++) expect(quietBlock().sees(book)).toBe(true);
  });

  it("and in sight is named by the invariant when its bound is of another record", () => {
    const { ctx, margin, markets } = world;
    const rich = { ...(margin.keeper.account(ctx, book) as Account), collateral: 5_000n * UNIT };
    const bounds = boundsOf(ctx) as HealthBounds;
    const views = marketViews(
      ctx,
      modelledMarkets(margin.state, markets, { price: () => undefined }),
    );
    bounds.watch([book]);
    bounds.look(
      () => rich,
      views,
      true,
      () => undefined,
    );
    markets.setMark(ctx, BTC, 42_000n);
    expect(world.violated()).toContain("bounds-vouch");
    bounds.touch(book);
    expect(world.violated()).toBeNull();
  });
});

const SHARE = 60_000n;
const STEP = 30n;
const BOOK = [
  { contract: "perpetual", strike: 0n, lots: -2n },
  { contract: "call", strike: 60_000n, lots: -10n },
  { contract: "put", strike: 60_000n, lots: 7n },
  { contract: "call", strike: 66_000n, lots: 8n },
  { contract: "put", strike: 54_000n, lots: -9n },
] as const;

interface At {
  readonly arrays: readonly (RiskArray | null)[];
  readonly values: readonly bigint[];
}

/** Contracts on the underlying at a price; a lot is a thousandth of it. */
function at(price: bigint): At {
  const state = { name: "BTC-USD", price: price * WAD, volatility: 0n, oracleWidthPpm: 0n };
  const risk = underlyingRisk(models.s35, state) as UnderlyingRisk;
  const instruments = BOOK.map(({ contract, strike }) => {
    if (contract === "perpetual") return perpetual(price);
    const terms = { right: contract, forward: price, strike, days: 20n, volatilityPpm: 600_000n };
    return { ...option(terms), expiry: "one" };
  });
  return {
    arrays: instruments.map((one) => riskArray(risk, one)),
    values: instruments.map((one) => divFloor(one.price(0n, one.volatility), 10n ** 15n)),
  };
}

describe("a hedged book on an index that walks by steps of 0.05 %", () => {
  it("with 1 % of its notional over is judged in one of a hundred blocks at most, and whenever it is short", () => {
    const dice = new Dice(7);
    const known = new Map<bigint, At>();
    let price = SHARE;
    let now = at(price);
    const read = (market: number): MarketView => ({
      terms: btcTerms({ id: market, tiers: [] }),
      ...{ markTicks: 1n, fresh: true, fundingIndex: 0n, losses: null },
      quantaPerLot: now.values[market - 1] ?? 0n,
      notionalPerLot: price * 1_000n,
    });
    const views: MarketViews = Object.assign(read, {
      riskArray: (market: number) => now.arrays[market - 1] ?? null,
    });
    const flat: Account = {
      ...{ collateral: 0n, feeReserve: 0n, portfolio: true, isolated: false },
      ...{ assets: NO_ASSETS, elsewhere: NO_ELSEWHERE },
      positions: BOOK.map(({ lots }, i) => ({
        ...{ market: i + 1, lots, quote: -lots * (now.values[i] ?? 0n), fundingIndex: 0n },
        ...{ openBuyLots: 0n, openSellLots: 0n },
      })),
    };
    const gross = BOOK.reduce((sum, { lots }) => sum + absolute(lots) * SHARE * 1_000n, 0n);
    const needed = maintenanceHealth(flat, views)?.maintenance ?? 0n;
    const account = { ...flat, collateral: needed + divFloor(gross, 100n) };
    const bounds = new HealthBounds();
    bounds.watch([book]);
    let looks = 0;
    for (let block = 0; block < 2_000; block++) {
      if (dice.oneIn(6)) price += dice.oneIn(2) ? STEP : -STEP;
      now = known.get(price) ?? at(price);
      known.set(price, now);
      const found = bounds.look(
        () => account,
        views,
        true,
        () => undefined,
      );
      looks += bounds.lastLooks;
      const health = maintenanceHealth(account, views);
      expect(found.length === 1, `block ${block}`).toBe(
        health !== null && health.equity < health.maintenance,
      );
    }
    expect(looks).toBeGreaterThan(1);
    expect(looks).toBeLessThanOrEqual(20);
  });
});
