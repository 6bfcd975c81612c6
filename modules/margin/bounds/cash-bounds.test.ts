import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import type { Account } from "../account-codec.ts";
import { COIN, FEED, give, health, WBTC, wbtc } from "../collateral-assets/testing/assets.ts";
import { marketViews } from "../health/market-view.ts";
import { modelledMarkets } from "../health/modelled-markets.ts";
import { BTC, btcTerms, createWorld, type World } from "../testing/world.ts";
import { cashBoundsOf } from "./branch-watch.ts";
import type { CashBounds } from "./cash-bounds.ts";

const UNIT = 1_000_000n;
const MARK = 50_000n;

let world: World;
let id: AccountId;

/** A coin counts 47,500, of which 9,500 may be owed; 1,000 lots lose 1,000 for a thousand of the mark. */
beforeEach(() => {
  world = createWorld({ liquidationNotionalMin: "0" });
  const { ctx, fund, margin, markets } = world;
  markets.list(ctx, btcTerms());
  markets.setMark(ctx, BTC, MARK);
  coinAt(50_000n);
  margin.keeper.assets.set(ctx, WBTC, wbtc());
  id = give(world, 1, COIN);
  const other = world.funded(2, 100_000n * UNIT);
  fund.give(ctx, 30_000n * UNIT);
  margin.keeper.clear(ctx, {
    ...{ market: BTC, priceTicks: MARK, lots: 1_000n, taker: "buy", kind: "order" },
    buyer: { account: id, feeQuanta: 0n, orderId: null },
    seller: { account: other, feeQuanta: 0n, orderId: null },
  });
  for (let i = 0; i < 3; i++) block();
});

function coinAt(mantissa: bigint): void {
  world.prices.set(FEED, { mantissa, exponent: 0, confidence: 0n, fresh: true });
}

function block(ticks: bigint = MARK): CashBounds {
  world.markets.setMark(world.ctx, BTC, ticks);
  world.margin.keeper.endBlock(world.ctx);
  expect(world.violated()).toBeNull();
  world.ctx.nextBlock();
  return cashBoundsOf(world.ctx) as CashBounds;
}

describe("an account whose cash may be below zero", () => {
  it("is not asked what it owes while mark and asset move less than their shares of what it may", () => {
    expect(block().lastLooks).toBe(0);
    for (let i = 0; i < 20; i++) expect(block(i % 2 === 0 ? 46_000n : 54_000n).lastLooks).toBe(0);
    coinAt(40_000n);
    expect(block().lastLooks).toBe(0);
    expect(health(world, id).cash).toBe(0n);
  });

  it("is converted in the block in which it owes more", () => {
    expect(block(41_000n).lastLooks).toBe(1);
    expect(health(world, id).cash).toBe(-9_000n * UNIT);
    block(40_000n);
    expect(health(world, id).cash).toBeGreaterThanOrEqual(0n);
  });

  it("is converted when the asset allows less", () => {
    block(41_000n);
    block(41_000n);
    coinAt(45_000n);
    block(41_000n);
    expect(health(world, id).cash).toBeGreaterThanOrEqual(0n);
  });

  it("is named by the invariant when it owes more out of sight", () => {
    const { ctx, margin, markets } = world;
    const known = margin.keeper.account(ctx, id) as Account;
    const bounds = cashBoundsOf(ctx) as CashBounds;
    const modelled = modelledMarkets(margin.state, markets, {
      price: (_, feedId) => world.prices.get(feedId),
    });
    bounds.watch([id]);
    bounds.look(
      () => ({ ...known, collateral: 100_000n * UNIT }),
      marketViews(ctx, modelled),
      true,
      () => undefined,
    );
    markets.setMark(ctx, BTC, 40_000n);
    expect(world.violated()).toContain("bounds-vouch");
    bounds.touch(id);
    expect(world.violated()).toBeNull();
  });
});
