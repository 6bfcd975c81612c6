import { expect, test } from "vitest";
import { BTC, btcTerms, createWorld } from "../testing/world.ts";
import { COIN, FEED, give, health, WBTC, wbtc } from "./testing/assets.ts";

const UNIT = 1_000_000n;
const OTHER_FEED = 8;

test("an asset whose feed has failed is given another one, whoever owes more than it may meanwhile", () => {
  const world = createWorld({ liquidationNotionalMin: "0" });
  const { ctx, fund, margin, markets, prices } = world;
  const priced = (feed: number, fresh = true) =>
    prices.set(feed, { mantissa: 50_000n, exponent: 0, confidence: 0n, fresh });
  const endBlock = (): void => {
    margin.keeper.endBlock(ctx);
    expect(world.violated()).toBeNull();
  };
  markets.list(ctx, btcTerms());
  markets.setMark(ctx, BTC, 50_000n);
  priced(FEED);
  margin.keeper.assets.set(ctx, WBTC, wbtc());
  const id = give(world, 1, COIN);
  fund.give(ctx, 30_000n * UNIT);
  const rich = world.funded(2, 100_000n * UNIT);
  margin.keeper.clear(ctx, {
    ...{ market: BTC, priceTicks: 50_000n, lots: 1_000n, taker: "buy", kind: "order" },
    buyer: { account: id, feeQuanta: 0n, orderId: null },
    seller: { account: rich, feeQuanta: 0n, orderId: null },
  });
  priced(FEED, false);
  markets.setMark(ctx, BTC, 40_000n);
  endBlock();
  expect(health(world, id)).toMatchObject({ cash: -10_000n * UNIT, debtMax: 0n });
  priced(OTHER_FEED);
  margin.keeper.assets.set(ctx, WBTC, wbtc({ feedId: OTHER_FEED }));
  // Sold at once, as with the old feed it would have been.
  endBlock();
  expect(health(world, id).cash >= 0n).toBe(true);
});
