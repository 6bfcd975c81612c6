import { describe, expect, it } from "vitest";
import { testMarket } from "../derivatives/testing.ts";
import type { WriteContext } from "../kit/context.ts";
import { createGuardWorld, type GuardWorld, PERP } from "../testing/guard-world.ts";
import { BTC, UNIT } from "../testing/world.ts";

function gated(auction = false): GuardWorld {
  const world = createGuardWorld({ auction });
  const params = {
    ...world.guard.keeper.params(world.ctx),
    outage: { gapMs: 300_000n, blocks: 3, withdrawalBlocks: 50 },
  };
  world.send("UpdateGuardParams", { authority: world.authority, params });
  world.priced("60000");
  return world;
}

describe("the gate after an outage (fault 36)", () => {
  it("takes cancels only until a price is fresh and three blocks have passed; withdrawals wait fifty", () => {
    const world = gated();
    const [a, b] = [world.funded(1, 50_000n), world.funded(2, 50_000n)];
    const rests = world.place(PERP, a, "sell 1 @ 60000 id=old");
    expect(rests.status).toBe(1);
    world.priced("60000", 299);
    expect(world.status()).toBe("active");
    // Five minutes later the price of before is all there is.
    world.block(300, () => world.setPrice(BTC, "60000", false));
    expect(world.eventsOf("guard_outage")).toMatchObject([{ gap_ms: "300000", blocks: "3" }]);
    const buy = () => world.place(PERP, b, "buy 1 @ 60000 ioc");
    expect(world.outcome(buy)).toBe("derivatives 5");
    for (let block = 0; block < 10; block++) {
      world.block(1, () => world.setPrice(BTC, "50000", false));
    }
    expect(world.status()).toBe("halted");
    // The price is fresh: the present block and two more.
    world.priced("50000");
    expect(world.outcome(buy)).toBe("derivatives 5");
    world.keeper.cancel(world.ctx, a, { market: PERP, orderId: 0n, clientId: "old" });
    world.priced("50000");
    expect(world.status()).toBe("halted");
    world.priced("50000");
    expect(world.status()).toBe("active");
    const withdraw = () => world.margin.keeper.withdraw(world.ctx, a, UNIT);
    expect(withdraw).toThrow(/for 47 blocks: no block for 300000 ms/);
    for (let block = 0; block < 46; block++) world.priced("50000");
    expect(world.outcome(withdraw)).toBe("guard 8");
    world.priced("50000");
    expect(world.outcome(withdraw)).toBe("accepted");
  });

  it("liquidates nobody at the first price after it, and does when it is over", () => {
    const world = gated();
    const [a, b] = [world.funded(1, 3_300n), world.funded(2, 500_000n)];
    world.trade(PERP, b, a, "1", "60000");
    world.place(PERP, b, "buy 2 @ 57500");
    world.priced("57500", 300);
    for (let block = 0; block < 2; block++) {
      world.priced("57500");
      expect(world.eventsOf("liquidation")).toEqual([]);
    }
    world.priced("57500");
    world.priced("57500");
    expect(world.eventsOf("liquidation").length).toBeGreaterThan(0);
  });

  it("opens a market that has auctions with one", () => {
    const world = gated(true);
    world.priced("60000", 300);
    for (let block = 0; block < 3; block++) world.priced("60000");
    expect(world.eventsOf("auction_opening")).toMatchObject([{ reason: "halt" }]);
    expect(world.status()).toBe("halted");
    for (let block = 0; block < 4; block++) world.priced("60000");
    expect(world.status()).toBe("active");
  });

  it("holds nobody's money for a price that nothing is waiting for", () => {
    const world = gated();
    const id = world.funded(1, 1_000n);
    world.keeper.quarantine(world.ctx, 1, "a test");
    const stale = () => world.setPrice(BTC, "60000", false);
    world.block(300, stale);
    const withdraw = () => world.margin.keeper.withdraw(world.ctx, id, UNIT);
    expect(world.outcome(withdraw)).toBe("guard 8");
    for (let block = 0; block < 50; block++) world.block(1, stale);
    expect(world.outcome(withdraw)).toBe("accepted");
  });

  it.each(["mark", "openAfterHalt"] as const)(
    "stops a market whose %s fails, and goes on with the others",
    (work) => {
      const world = gated();
      world.list(testMarket({ symbol: "B-PERP" }));
      const own = world.keeper[work] as (ctx: WriteContext, market: number) => undefined;
      Object.assign(world.keeper, {
        [work](ctx: WriteContext, market: number) {
          if (market === 1) throw new Error("a bug in one market");
          return own(ctx, market);
        },
      });
      world.priced("60000", 300);
      for (let block = 0; block < 4; block++) world.priced("60000");
      expect(world.status()).toBe("quarantined");
      expect(world.keeper.terms(world.ctx, 2)?.status).toBe("active");
    },
  );

  it("begins again after a second gap, and watches nothing without the rule", () => {
    const world = gated();
    world.priced("60000", 300);
    world.priced("60000");
    world.priced("60000", 300);
    for (let block = 0; block < 2; block++) world.priced("60000");
    expect(world.status()).toBe("halted");
    world.priced("60000");
    expect(world.status()).toBe("active");
    const params = { ...world.guard.keeper.params(world.ctx), outage: undefined };
    world.send("UpdateGuardParams", { authority: world.authority, params });
    world.priced("60000", 9_999);
    expect(world.status()).toBe("active");
    expect(world.guard.state.lastBlock.get(world.ctx)).toBeUndefined();
  });
});
