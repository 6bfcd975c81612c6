import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import type { Account } from "../account-codec.ts";
import { marketViews } from "../health/market-view.ts";
import { modelledMarkets } from "../health/modelled-markets.ts";
import { BTC, btcTerms, createWorld, ETH, type World } from "../testing/world.ts";
import { shortOfMargin, shortSince } from "./branch-bounds.ts";
import { boundsOf } from "./branch-watch.ts";
import { HealthBounds } from "./health-bounds.ts";

const UNIT = 1_000_000n;
const MARK = 50_000n;
const FLAT = [{ aboveQuanta: 0n, initialPpm: 100_000n, maintenancePpm: 50_000n }];

let world: World;
let long: AccountId;
let short: AccountId;

/** 10 lots at 50,000 ticks of 1000 quanta each: 500 units of notional on either side, equity of 60 and 5000. */
beforeEach(() => {
  world = createWorld();
  const { ctx, markets } = world;
  for (const terms of [
    btcTerms({ tiers: FLAT }),
    btcTerms({ tiers: FLAT, id: ETH, symbol: "ETH" }),
  ]) {
    markets.list(ctx, terms);
    markets.setMark(ctx, terms.id, MARK);
  }
  long = world.funded(1, 60n * UNIT);
  short = world.funded(2, 5_000n * UNIT);
  trade(BTC, 10n);
  quietBlock();
  quietBlock();
});

function trade(market: number, lots: bigint): void {
  const { ctx, markets } = world;
  const order = { market, ticks: MARK, lots };
  markets.rest(ctx, { ...order, account: short, side: "sell", feeReserve: 0n });
  markets.take(ctx, { ...order, account: long, side: "buy", feePpm: 0n });
}

function quietBlock(): HealthBounds {
  world.margin.keeper.endBlock(world.ctx);
  world.ctx.nextBlock();
  return boundsOf(world.ctx) as HealthBounds;
}

function markAt(ticks: bigint): HealthBounds {
  world.markets.setMark(world.ctx, BTC, ticks);
  return quietBlock();
}

describe("an account with a bound", () => {
  it("is not looked at while the price stays inside it, however often it comes back", () => {
    expect(quietBlock().lastLooks).toBe(0);
    for (let i = 0; i < 50; i++) {
      // 35 units to lose, of which the requirement gives 5 % back: the long may fall 7.37 %.
      expect(markAt(i % 2 === 0 ? 46_400n : 53_000n).lastLooks).toBe(0);
    }
  });

  it("is looked at when the price has passed it, and for funding as for the price", () => {
    expect(markAt(46_300n).lastLooks).toBe(1);
    markAt(MARK);
    expect(quietBlock().lastLooks).toBe(0);
    world.markets.addFunding(world.ctx, BTC, 3_400_000n);
    expect(quietBlock().lastLooks).toBe(0);
    world.markets.addFunding(world.ctx, BTC, 200_000n);
    expect(quietBlock().lastLooks).toBe(1);
  });

  it("is found by the look after one that broke off", () => {
    const { ctx, margin, markets } = world;
    markets.setMark(ctx, BTC, 44_000n);
    const views = marketViews(ctx, modelledMarkets(margin.state, markets, NO_PRICES));
    let reads = 0;
    const broken = Object.assign((market: number) => {
      if (++reads > 2) throw new Error("read of a market");
      return views(market);
    }, views);
    expect(() => shortOfMargin(ctx, margin.state, broken, true)).toThrow("read of a market");
    expect(boundsOf(ctx)).toBeUndefined();
    expect(shortOfMargin(ctx, margin.state, views, true).map(({ id }) => id)).toEqual([long]);
  });

  it("is looked at when a rate rises beyond it, and not before", () => {
    const rates = (maintenancePpm: bigint) => ({
      tiers: [{ aboveQuanta: 0n, initialPpm: 200_000n, maintenancePpm }],
    });
    // `list` forgets the mark.
    world.markets.list(world.ctx, btcTerms(rates(110_000n)));
    expect(markAt(MARK).lastLooks).toBe(0);
    world.markets.list(world.ctx, btcTerms(rates(121_000n)));
    expect(markAt(MARK).lastLooks).toBe(1);
    expect(world.ctx.events.some(({ type }) => type === "liquidation")).toBe(false);
  });

  it("is judged in every block while it trades, and given a bound when it stops", () => {
    trade(BTC, 1n);
    expect(quietBlock().lastLooks).toBe(2);
    trade(BTC, 1n);
    expect(quietBlock().lastLooks).toBe(2);
    expect(quietBlock().lastLooks).toBe(2);
    expect(quietBlock().lastLooks).toBe(0);
  });

  it("stays in sight while it is under water", () => {
    const bounds = markAt(44_000n);
    expect(bounds.sees(long)).toBe(true);
    expect(quietBlock().lastLooks).toBeGreaterThan(0);
  });

  it("is looked at again after a block that was dropped", () => {
    const { ctx } = world;
    const savepoint = ctx.state.savepoint();
    trade(BTC, 1n);
    quietBlock();
    expect(quietBlock().sees(long)).toBe(false);
    ctx.state.revert(savepoint);
    expect(boundsOf(ctx)?.sees(long)).toBe(true);
    expect(quietBlock().lastLooks).toBe(2);
    expect(world.violated()).toBeNull();
  });

  it("reads no market that nobody holds any more: a fault in one must not be met by some nodes only", () => {
    const { ctx, markets, margin } = world;
    markets.rest(ctx, {
      ...{ market: BTC, account: short, side: "buy" },
      ...{ ticks: MARK, lots: 10n, feeReserve: 0n },
    });
    markets.take(ctx, { market: BTC, account: long, side: "sell", ticks: MARK, lots: 10n });
    // Both trade on elsewhere, so they have no new bounds yet.
    trade(ETH, 1n);
    expect(margin.keeper.ledger(ctx, BTC)?.positions).toBe(0n);
    markets.failMark(BTC);
    // A node that has just started has no bounds.
    margin.keeper.endBlock({ ...ctx, state: ctx.state.fork() });
    expect(markets.quarantined).toEqual([]);
    quietBlock();
    expect(markets.quarantined).toEqual([]);
  });

  it("leaves room for requirements that are rounded up in each of its markets", () => {
    const views = new Map(
      [1, 2, 3].map((id) => [id, { ...tiny(10n), terms: btcTerms({ id, tiers: tenth }) }] as const),
    );
    // 3 lots short at 10, requirement 1 each: 4 are over. At 11 each costs 1 and needs 2.
    const account: Account = {
      collateral: 7n,
      feeReserve: 0n,
      portfolio: false,
      isolated: false,
      assets: [],
      elsewhere: [],
      positions: [1, 2, 3].map((market) => ({
        ...{ market, lots: -1n, quote: 10n, fundingIndex: 0n },
        ...{ openBuyLots: 0n, openSellLots: 0n },
      })),
    };
    const bounds = new HealthBounds();
    bounds.watch([long]);
    const look = () =>
      bounds.look(
        () => account,
        (market) => views.get(market),
        true,
        () => undefined,
      );
    expect(look()).toEqual([]);
    for (const [market, view] of views) views.set(market, { ...view, ...tiny(11n) });
    expect(look().map(({ equity, maintenance }) => [equity, maintenance])).toEqual([[4n, 6n]]);
  });

  it("is not looked at twice in a block in which nothing has moved and nobody has written it", () => {
    const { ctx, markets, margin } = world;
    markets.setMark(ctx, BTC, 46_000n);
    const views = marketViews(ctx, modelledMarkets(margin.state, markets, NO_PRICES));
    expect(shortOfMargin(ctx, margin.state, views, true).map(({ id }) => id)).toEqual([long]);
    expect(shortSince(ctx, margin.state, views)).toEqual([]);
    boundsOf(ctx)?.touch(long);
    expect(shortSince(ctx, margin.state, views).map(({ id }) => id)).toEqual([long]);
    expect(boundsOf(ctx)?.sees(long)).toBe(true);
    expect(quietBlock().lastLooks).toBe(1);
  });
});

const NO_PRICES = { price: () => undefined };

const tenth = [{ aboveQuanta: 0n, initialPpm: 100_000n, maintenancePpm: 100_000n }];

function tiny(value: bigint) {
  return {
    ...{ markTicks: value, fresh: true, fundingIndex: 0n },
    ...{ quantaPerLot: value, notionalPerLot: value, losses: null },
  };
}

describe("the invariant of bounds", () => {
  it("names an account short of margin that a bound vouches for", () => {
    const { ctx, markets, margin } = world;
    const rich = { ...(margin.keeper.account(ctx, long) as Account), collateral: 5_000n * UNIT };
    const bounds = boundsOf(ctx) as HealthBounds;
    // A bound made of a record that is not the account's.
    bounds.watch([long]);
    bounds.look(
      () => rich,
      marketViews(ctx, modelledMarkets(margin.state, markets, NO_PRICES)),
      true,
      () => undefined,
    );
    markets.setMark(ctx, BTC, 46_000n);
    expect(world.violated()).toContain("bounds-vouch");
    bounds.touch(long);
    expect(world.violated()).toBeNull();
  });
});
