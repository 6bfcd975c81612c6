import { expect, it } from "vitest";
import { COIN, FEED, give, WBTC, wbtc } from "../collateral-assets/testing/assets.ts";
import { custodyWorld, UNIT } from "../custody/testing.ts";
import { BTC, btcTerms, createWorld, ETH } from "../testing/world.ts";

it("the survey counts an account's assets as its equity", () => {
  const world = createWorld();
  world.markets.list(world.ctx, btcTerms());
  world.markets.setMark(world.ctx, BTC, 50_000n);
  world.prices.set(FEED, { mantissa: 50_000n, exponent: 0, confidence: 0n, fresh: true });
  const { keeper } = world.margin;
  keeper.assets.set(world.ctx, WBTC, wbtc());
  const [a, b] = [give(world, 1, COIN), world.funded(2, 10_000n * UNIT)];
  const party = (account: typeof a) => ({ account, feeQuanta: 0n, orderId: null });
  const of = { market: BTC, priceTicks: 50_000n, lots: 10n, taker: "buy", kind: "order" } as const;
  expect(keeper.clear(world.ctx, { ...of, buyer: party(a), seller: party(b) })).toEqual({
    ok: true,
  });
  const seen = keeper.survey(world.ctx, { after: null, count: 64, nearPpm: 100_000n });
  expect(seen.map(({ near }) => near)).toEqual([false, false]);
});

it("the survey goes on past a market whose mark fails, which clearing has to stop", () => {
  const world = custodyWorld();
  const [a, b] = [world.fund(1, 0, 60n * UNIT), world.fund(2, 0, 10_000n * UNIT)];
  world.clear(world.trade(a, b, 10n));
  world.clear(world.trade(b, a, 1n, { market: ETH }));
  world.ctx.nextBlock();
  world.markets.failMark(BTC);
  const walk = { after: null, count: 64, nearPpm: 100_000n };
  const seen = world.margin.keeper.survey(world.ctx, walk);
  expect(seen.map(({ id, near }) => ({ id, near }))).toEqual([
    { id: a, near: false },
    { id: b, near: false },
  ]);
  expect(seen[0]?.positions).toHaveLength(2);
});
