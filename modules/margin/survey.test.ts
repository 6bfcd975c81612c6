import { expect, it } from "vitest";
import { custodyWorld, UNIT } from "./custody/testing.ts";
import { BTC, ETH } from "./testing/world.ts";

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
