import { describe, expect, it } from "vitest";
import { chain, EXPIRY, expire } from "../../testing/option-chain.ts";
import {
  BTC,
  createWorld,
  futureMarket,
  HOUR_MS,
  maturity,
  UNIT,
  VOL,
} from "../../testing/world.ts";

describe("the expiry of a chain of options", { timeout: 120_000 }, () => {
  it("settles 50,000 positions within bounded work per block, to the unit, in the order of accounts", () => {
    const { world, accounts, options } = chain(2_500, 20);
    const { margin, ctx } = world;
    const price = 59_876_543_210n;
    // What each should end with, from the published rule alone: cash, premiums and intrinsic values of 0.01 a lot.
    const expected = accounts.map((id) => {
      const account = margin.keeper.account(ctx, id)!;
      return account.positions.reduce((sum, { market, lots, quote }) => {
        const { strike, right } = options[market - 1]!;
        const above = price - strike * UNIT;
        const pays = right === "call" ? above : -above;
        // Whole quanta per lot, half to even.
        const doubled = pays > 0n ? pays * 2n : 0n;
        const floor = doubled / 200n;
        const rest = doubled - floor * 200n;
        const up = rest > 100n || (rest === 100n && floor % 2n === 1n);
        return sum + quote + lots * (up ? floor + 1n : floor);
      }, account.collateral);
    });
    expect(
      accounts.reduce((n, id) => n + margin.keeper.account(ctx, id)!.positions.length, 0),
    ).toBe(50_000);
    expire(world, "59876.54321");
    ctx.events.length = 0;
    const perBlock: number[] = [];
    const order: string[] = [];
    while (perBlock.length < 100 && margin.state.active.size(ctx) > 0) {
      ctx.events.length = 0;
      world.block();
      const paid = world.eventsOf("position_settled");
      perBlock.push(paid.length);
      for (const { account } of paid) if (order[order.length - 1] !== account) order.push(account!);
    }
    expect(perBlock).toEqual(Array(20).fill(2_500));
    expect(accounts.map((id) => world.collateral(id))).toEqual(expected);
    // Numbers of the owners ascend, and so do their addresses' bytes.
    expect(order).toEqual(accounts.map((_, n) => `${world.address(n + 1)}/0`));
    expect(world.eventsOf("market_settled").map(({ market }) => market)).toHaveLength(20);
    expect(world.violation()).toBeNull();
  });

  it("goes on after an export in the middle as if nothing had been", () => {
    const bounds = { settlementPositionsPerBlockMax: 30 };
    const { world } = chain(40, 8, { margin: bounds });
    world.list(futureMarket("F-LATER", maturity(EXPIRY + HOUR_MS)));
    expire(world, "60100");
    for (let i = 0; i < 4; i++) world.block();
    expect(world.margin.state.sweep.get(world.ctx)).toBeDefined();
    const from = { genesis: world.exported(), header: world.ctx.header };
    const copy = createWorld({ margin: bounds, from });
    copy.setPrice(BTC, "60100");
    copy.setPrice(VOL, "0.6");
    expect(copy.stored()).toEqual(world.stored());
    for (const each of [world, copy]) {
      each.ctx.events.length = 0;
      for (let i = 0; i < 12; i++) each.block();
      expect(each.violation()).toBeNull();
    }
    expect(copy.stored()).toEqual(world.stored());
    expect(copy.ctx.events).toEqual(world.ctx.events);
    expect(world.eventsOf("market_settled")).toHaveLength(8);
  });

  it("changes nobody's money by the order: any bounds give the same balances", () => {
    const balances = [1, 7, 1000].map((most) => {
      const { world, accounts } = chain(12, 6, {
        margin: { settlementPositionsPerBlockMax: most },
      });
      expire(world, "61000");
      for (let i = 0; i < 80; i++) {
        expect(world.violation()).toBeNull();
        world.block();
      }
      expect(world.margin.state.active.size(world.ctx)).toBe(0);
      return accounts.map((id) => world.collateral(id));
    });
    expect(balances[1]).toEqual(balances[0]);
    expect(balances[2]).toEqual(balances[0]);
  });
});
