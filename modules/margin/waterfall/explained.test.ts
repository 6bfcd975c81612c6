import { describe, expect, test } from "vitest";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { COIN, FEED, give, WBTC, wbtc } from "../collateral-assets/testing/assets.ts";
import { listen } from "../testing/reasons.ts";
import { BTC } from "../testing/world.ts";

/** One lot is worth a unit (1e6 quanta) at 1,000 ticks. */
const UNIT = 1_000_000n;

/** 100 long lots with ten units behind them, against shorts of 60 and 40; then the price is somewhere else. */
function ruin(world: InsuredWorld, ticks: bigint, blocks: number): void {
  const long = world.funded(1, 10n * UNIT);
  world.trade(long, world.funded(2, 1_000n * UNIT), 60n, 1_000n);
  world.trade(long, world.funded(3, 3n * UNIT), 40n, 1_000n);
  world.markets.setMark(world.ctx, BTC, ticks);
  for (let i = 0; i < blocks; i++) {
    world.margin.keeper.endBlock(world.ctx);
    expect(world.violated()).toBeNull();
    world.ctx.nextBlock();
  }
}

describe("what the waterfall does says from what, by which rule, with which result", () => {
  test("a loss that is deleveraged", () => {
    const world = createInsuredWorld();
    world.endow(UNIT, "major");
    const { input, result } = listen(world.ctx);
    ruin(world, 850n, 1);
    expect([input("loss", "missing"), input("loss", "part of class major")]).toEqual([
      "5000000",
      "5000000",
    ]);
    expect([result("loss", "treasury:major"), result("loss", "deleveraging")]).toEqual([
      "1000000",
      "4000000",
    ]);
    expect([input("deleverage_round", "needed"), result("deleverage_round", "price")]).toEqual([
      "100",
      "890",
    ]);
    expect([input("deleverage", "mark"), result("deleverage", "closed")]).toEqual(["850", "60"]);
  });

  test("a market that a loss ends", () => {
    const world = createInsuredWorld({ marketSettlement: { afterBlocks: 2, atOncePpm: 0n } });
    const { input, result } = listen(world.ctx);
    ruin(world, 500n, 5);
    expect(input("market_suspended", "missing")).toBe("40000000");
    expect([input("market_ended", "age"), result("market_ended", "value")]).toEqual([
      "2",
      "500000",
    ]);
    expect(result("market_loss", "by gains")).toBe("40000000");
    expect([input("market_loss_share", "gain"), result("market_loss_share", "paid")]).toEqual([
      "20000000",
      "16000000",
    ]);
    expect([result("loss", "queue"), result("loss", "settlement")]).toEqual([
      "-40000000",
      "40000000",
    ]);
  });

  test("a market that goes on", () => {
    const world = createInsuredWorld({ marketSettlement: { afterBlocks: 50, atOncePpm: 0n } });
    const { input, result } = listen(world.ctx);
    ruin(world, 500n, 2);
    expect(result("market_suspended", "trading")).toBe("stopped");
    world.markets.setMark(world.ctx, BTC, 1_000n);
    world.margin.keeper.endBlock(world.ctx);
    expect([input("market_resumed", "missing"), input("market_resumed", "floor")]).toEqual([
      "0",
      "1000000",
    ]);
    expect([result("market_resumed", "reason"), result("market_resumed", "trading")]).toEqual([
      "covered",
      "resumed",
    ]);
  });

  test("a gain that is cut", () => {
    const world = createInsuredWorld();
    world.set({ gainsHaircutPpm: 500_000 });
    const { input, result } = listen(world.ctx);
    world.trade(world.funded(2, 1_000n * UNIT), world.funded(1, 10n * UNIT), 100n, 1_000n);
    world.markets.expire(world.ctx, BTC, 1_150_000n);
    for (let i = 0; i < 3; i++) world.margin.keeper.endBlock(world.ctx);
    expect([
      input("gains_haircut", "gain"),
      input("gains_haircut", "missing in the market"),
      result("gains_haircut", "kept"),
    ]).toEqual(["15000000", "5000000", "5000000"]);
  });

  test("collateral that is converted", () => {
    const world = createInsuredWorld();
    world.prices.set(FEED, { mantissa: 1_000n, exponent: 0, confidence: 0n, fresh: true });
    world.margin.keeper.assets.set(world.ctx, WBTC, wbtc());
    world.endow(1_000n * UNIT);
    const { input, result } = listen(world.ctx);
    world.funded(1, 0n);
    give(world, 1, COIN / 100n);
    ruin(world, 870n, 1);
    // Three below zero in cash, where a fifth of 9.5 may be owed: the fund buys the fewest units that count three.
    expect([
      input("collateral_converted", "debt"),
      input("collateral_converted", "may be owed"),
      input("collateral_converted", "counted share"),
    ]).toEqual(["3000000", "1900000", "950000"]);
    expect(result("collateral_converted", "paid")).toBe("3000005");
  });
});
