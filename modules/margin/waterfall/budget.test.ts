import { describe, expect, test } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import {
  COVERED_PER_BLOCK_MAX,
  DELEVERAGE_COUNTERPARTIES_MAX,
  DELEVERAGE_ROUNDS_MAX,
  DELEVERAGES_PER_BLOCK_MAX,
} from "../limits.ts";
import { btcTerms, createWorld, DENOM, type World } from "../testing/world.ts";

const UNIT = 1_000_000n;
const MARKETS = 25;

/** Bankrupts, each with a lot in each of 25 markets and six units of equity behind it, against one who is rich. */
function cascade(bankrupts: number, params: Parameters<typeof createWorld>[0] = {}) {
  const world = createWorld({ liquidationNotionalMin: "0", marketsPerAccountMax: 64, ...params });
  const { ctx, margin, markets } = world;
  const rich = world.funded(1, 100_000n * UNIT);
  const ids: AccountId[] = [];
  for (let market = 1; market <= MARKETS; market++) {
    markets.list(ctx, btcTerms({ id: market, symbol: `M${market}-PERP`, feedId: market }));
    markets.setMark(ctx, market, 50_000n);
  }
  const party = (account: AccountId) => ({ account, feeQuanta: 0n, orderId: null });
  for (let i = 0; i < bankrupts; i++) {
    const id = world.funded(10 + i, 6n * UNIT * BigInt(MARKETS));
    ids.push(id);
    for (let market = 1; market <= MARKETS; market++) {
      margin.keeper.clear(ctx, {
        market,
        priceTicks: 50_000n,
        lots: 1n,
        buyer: party(id),
        seller: party(rich),
        taker: "buy",
        kind: "deleverage",
      });
    }
  }
  for (let market = 1; market <= MARKETS; market++) markets.setMark(ctx, market, 43_000n);
  return { world, ids, rich };
}

/** How many markets of accounts a block has deleveraged. */
function block(world: World): number {
  const { ctx, margin } = world;
  const before = ctx.events.length;
  margin.keeper.endBlock(ctx);
  expect(world.violated()).toBeNull();
  ctx.nextBlock();
  return ctx.events.slice(before).filter(({ type }) => type === "deleverage_round").length;
}

/** As many as one deleveraging asks. */
const CROWD = DELEVERAGE_COUNTERPARTIES_MAX * DELEVERAGE_ROUNDS_MAX;

/** At 1,000 ticks, where a lot is a unit. */
function oneMarket(params: Parameters<typeof createWorld>[0] = {}) {
  const world = createWorld(params);
  const { ctx, margin, markets } = world;
  markets.list(ctx, btcTerms());
  markets.setMark(ctx, 1, 1_000n);
  const party = (account: AccountId) => ({ account, feeQuanta: 0n, orderId: null });
  const sell = (to: AccountId, from: AccountId, lots: bigint, market = 1): void => {
    const trade = { market, priceTicks: 1_000n, lots, buyer: party(to), seller: party(from) };
    margin.keeper.clear(ctx, { ...trade, taker: "buy", kind: "deleverage" });
  };
  return { world, sell };
}

describe("what a block may deleverage", () => {
  test("is bounded by how many accounts it closes, too", () => {
    const { world, sell } = oneMarket();
    const { ctx, margin, markets, funded } = world;
    for (let i = 0; i < 4; i++) {
      const long = funded(1 + i, 280n * UNIT);
      for (let k = 0; k < CROWD; k++) sell(long, funded(10 + i * CROWD + k, UNIT / 5n), 1n);
    }
    margin.keeper.endBlock(ctx);
    markets.setMark(ctx, 1, 900n);
    ctx.nextBlock();
    ctx.events.length = 0;
    margin.keeper.endBlock(ctx);
    // Twenty rounds: eight for each of two, and four for the third.
    const closed = DELEVERAGES_PER_BLOCK_MAX * DELEVERAGE_COUNTERPARTIES_MAX;
    expect(ctx.events.filter(({ type }) => type === "deleverage").length).toBe(closed);
  });

  test("spares nobody who stands behind a crowd of small accounts", () => {
    const { world, sell } = oneMarket();
    const { ctx, margin, markets, funded, equity, violated } = world;
    const long = funded(1, 1_000n * UNIT);
    const rich = funded(2, 1_000_000n * UNIT);
    for (let i = 0; i < CROWD; i++) sell(long, funded(10 + i, UNIT / 5n), 1n);
    sell(long, rich, 10_000n);
    // 400 are missing of 14,000 lots: 29 ticks of each.
    markets.setMark(ctx, 1, 900n);
    for (const left of [10_000n, 0n]) {
      margin.keeper.endBlock(ctx);
      expect(violated()).toBeNull();
      expect(margin.keeper.positionLots(ctx, long, 1)).toBe(left);
      ctx.nextBlock();
    }
    expect(margin.keeper.pendingShortfall(ctx, DENOM)).toBe(0n);
    expect(equity(rich)).toBe(1_000_710n * UNIT);
  });

  test("ends no market of a loss that a crowd and who stands behind it can bear, in as many blocks as it takes", () => {
    const marketSettlement = { afterBlocks: 1, atOncePpm: 1n };
    const { world, sell } = oneMarket({ marketSettlement });
    const { ctx, margin, markets, funded, equity, violated } = world;
    const crowd = 2 * CROWD + 1;
    const long = funded(1, 1_000n * UNIT);
    const rich = funded(2, 1_000_000n * UNIT);
    for (let i = 0; i < crowd; i++) sell(long, funded(10 + i, UNIT / 5n), 1n);
    sell(long, rich, 3_999n);
    // 200 are missing of 12,000 lots: 17 ticks of each, and of the last 4,000 what is left by then, 16.
    markets.setMark(ctx, 1, 900n);
    // The first block finds it, and each of the next ones asks a crowd.
    for (const left of [12_000n, 8_000n, 4_000n, 0n]) {
      margin.keeper.endBlock(ctx);
      expect(violated()).toBeNull();
      expect(margin.keeper.positionLots(ctx, long, 1)).toBe(left);
      ctx.nextBlock(10);
    }
    expect(margin.keeper.pendingShortfall(ctx, DENOM)).toBe(0n);
    expect(equity(rich)).toBe(1_000_000n * UNIT + 3_999n * 84_000n);
    expect(ctx.events.filter(({ type }) => type === "market_suspended")).toEqual([]);
  });

  test("closes nothing of an account whose loss the other side cannot bear, be it a crowd", () => {
    const marketSettlement = { afterBlocks: 1_000, atOncePpm: 0n };
    const { world, sell } = oneMarket({ marketSettlement });
    const { ctx, margin, markets, funded, violated } = world;
    const long = funded(1, 600n * UNIT);
    const rich = funded(2, 1_000n * UNIT);
    for (let i = 0; i < CROWD + 2; i++) sell(long, funded(10 + i, UNIT / 5n), 1n);
    sell(long, rich, 4_000n);
    // 200 are missing of 8,002 lots, 25 ticks of each; who holds half of them has ten left, with what he loses in another market.
    markets.setMark(ctx, 1, 900n);
    markets.list(ctx, btcTerms({ id: 2, symbol: "ETH-PERP", feedId: 2 }));
    markets.setMark(ctx, 2, 1_000n);
    sell(rich, funded(3, 1_000n * UNIT), 2_780n, 2);
    markets.setMark(ctx, 2, 500n);
    for (let i = 0; i < 3; i++) {
      margin.keeper.endBlock(ctx);
      expect(violated()).toBeNull();
      expect(margin.keeper.positionLots(ctx, long, 1)).toBe(8_002n);
      ctx.nextBlock();
    }
  });

  test("is bounded market by market, and goes on where it has ended", () => {
    const { world, ids, rich } = cascade(2);
    world.fund.give(world.ctx, 1_000n * UNIT);
    const rounds = [block(world), block(world), block(world)];
    expect(rounds).toEqual([DELEVERAGES_PER_BLOCK_MAX, DELEVERAGES_PER_BLOCK_MAX, 10]);
    // A unit for each lot, paid in the first block; the other side has its seven of each, as if all had been closed at once.
    expect(world.fund.balance(world.ctx, DENOM)).toBe(950n * UNIT);
    expect(world.equity(rich)).toBe(100_350n * UNIT);
    for (const id of ids) {
      expect(world.equity(id)).toBe(0n);
      expect(world.margin.keeper.account(world.ctx, id)?.positions).toEqual([]);
    }
    expect(world.margin.state.waterfall.advances.size(world.ctx)).toBe(0);
  });

  test("without a fund leaves what is missing in the queue until the rest is closed, no more than once", () => {
    const { world, ids, rich } = cascade(1);
    expect(block(world)).toBe(DELEVERAGES_PER_BLOCK_MAX);
    const open = world.margin.keeper.pendingShortfall(world.ctx, DENOM);
    expect(open > 0n && open < 25n * UNIT).toBe(true);
    expect(block(world)).toBe(5);
    expect(world.margin.keeper.pendingShortfall(world.ctx, DENOM)).toBe(0n);
    expect(world.equity(rich)).toBe(100_150n * UNIT);
    expect(ids.map(world.equity)).toEqual([0n]);
  });

  test("is one account that must be borne whole and holds more markets, and nobody beside it", () => {
    const marketSettlement = { afterBlocks: 1_000, atOncePpm: 0n };
    const { world, ids } = cascade(2, { marketSettlement });
    expect(block(world)).toBe(0);
    const rounds = [block(world), block(world)];
    expect(rounds).toEqual([MARKETS, MARKETS]);
    expect(ids.map(world.equity)).toEqual([0n, 0n]);
    expect(world.margin.keeper.pendingShortfall(world.ctx, DENOM)).toBe(0n);
  });
});

describe("what a block pays for accounts of which nothing can be closed", () => {
  test("is not what it liquidates: a crowd of them keeps no withdrawals shut beside a rich fund", () => {
    const { world, sell } = oneMarket({ liquidationsPerBlockMax: 50 });
    const { ctx, fund, funded, margin, markets, violated } = world;
    const crowd = COVERED_PER_BLOCK_MAX + 200;
    const other = funded(1, 10_000n * UNIT);
    for (let i = 0; i < crowd; i++) sell(funded(10 + i, UNIT / 5n), other, 1n);
    fund.give(ctx, 1_000n * UNIT);
    markets.setStatus(ctx, 1, "halted");
    // Each misses a tenth of a unit.
    markets.setMark(ctx, 1, 700n);
    for (const left of [200n, 0n]) {
      margin.keeper.endBlock(ctx);
      expect(violated()).toBeNull();
      expect(margin.keeper.pendingShortfall(ctx, DENOM)).toBe((left * UNIT) / 10n);
      ctx.nextBlock();
    }
    // By a price that goes on falling, too, all have their turn.
    for (let i = 1; i <= 3; i++) {
      markets.setMark(ctx, 1, 700n - BigInt(i));
      margin.keeper.endBlock(ctx);
      ctx.nextBlock();
    }
    margin.keeper.endBlock(ctx);
    expect(margin.keeper.pendingShortfall(ctx, DENOM)).toBe(0n);
    expect(violated()).toBeNull();
  });
});
