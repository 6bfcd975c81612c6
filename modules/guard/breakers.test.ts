import type { PriceRange } from "@keel/proto/gen/keel/guard/v1/types";
import { describe, expect, it } from "vitest";
import { createGuardWorld, type GuardWorld, PERP } from "../testing/guard-world.ts";
import { UNIT } from "../testing/world.ts";

/** 5 % within a minute: what it does is given. */
function range(change: Partial<PriceRange>): PriceRange {
  return {
    horizonMs: 60_000n,
    limitPpm: 50_000n,
    deviationsPpm: 0n,
    auctionMs: 0n,
    initialRaisePpm: 0n,
    raiseMs: 0n,
    withdrawalDelayMs: 0n,
    ...change,
  };
}

function guarded(change: Partial<PriceRange>, auction = false): GuardWorld {
  const world = createGuardWorld({ auction, fundUnits: 1_000_000n });
  world.setRules({ ranges: [range(change)] });
  world.priced("60000");
  return world;
}

describe("a price range", () => {
  it("takes the market into a call auction, which nobody trades around, and which ends", () => {
    const world = guarded({ auctionMs: 10_000n }, true);
    const [a, b] = [world.funded(1, 50_000n), world.funded(2, 50_000n)];
    world.priced("62000");
    expect(world.status()).toBe("active");
    // 5 % from the lowest of the minute, not from the last price.
    world.priced("63001");
    expect(world.status()).toBe("halted");
    expect(world.eventsOf("guard_range")).toMatchObject([
      { market: PERP, move_ppm: "50016", limit_ppm: "50000", action: "auction" },
    ]);
    expect(world.place(PERP, a, "sell 1 @ 63000 id=a").status).toBe(8);
    expect(world.place(PERP, b, "buy 1 @ 63000 id=b").status).toBe(8);
    // A move inside the auction is what it was for: it is not begun again.
    for (let second = 0; second < 9; second++) world.priced("70000");
    expect(world.status()).toBe("halted");
    for (let second = 0; second < 3; second++) world.priced("63001");
    expect(world.status()).toBe("active");
    expect(world.eventsOf("guard_range")).toHaveLength(1);
    expect(world.margin.keeper.positionLots(world.ctx, b, 1)).toBe(1000n);
  });

  it("halts a market without auction terms for as long, with a cause and an end", () => {
    const world = guarded({ auctionMs: 10_000n });
    const a = world.funded(1, 50_000n);
    world.priced("56000");
    expect(world.status()).toBe("halted");
    expect(world.outcome(() => world.place(PERP, a, "buy 1 @ 56000"))).toBe("derivatives 5");
    for (let second = 0; second < 9; second++) world.priced("56000");
    expect(world.status()).toBe("halted");
    world.priced("56000");
    expect(world.status()).toBe("active");
    expect(world.place(PERP, a, "buy 1 @ 56000").status).toBe(1);
    expect(world.eventsOf("guard_ended")).toMatchObject([
      { market: PERP, source: "range_halt", reason: "expired" },
    ]);
  });

  it("raises initial margin for new risk for a while, and closes nobody by it", () => {
    const world = guarded({ initialRaisePpm: 300_000n, raiseMs: 5_000n });
    const [a, b, c] = [world.funded(1, 3_300n), world.funded(2, 50_000n), world.funded(3, 3_500n)];
    // 5 % of 60,000 is 3,000.
    world.trade(PERP, b, a, "1", "60000");
    world.priced("63100");
    expect(world.status()).toBe("active");
    const before = world.margin.keeper.health(world.ctx, a);
    expect(before?.initial).toBe((3_155n * UNIT * 13n) / 10n);
    expect(before?.maintenance).toBe(1_893n * UNIT);
    // 3,500 is more than 5 % and less than 6.5 %.
    expect(world.outcome(() => world.place(PERP, c, "buy 1 @ 63000"))).toBe("margin 7");
    for (let second = 0; second < 5; second++) world.priced("63100");
    expect(world.outcome(() => world.place(PERP, c, "buy 1 @ 63000"))).toBe("accepted");
    expect(world.eventsOf("liquidation")).toEqual([]);
  });

  it("holds back what leaves, from every account, until the time it says", () => {
    const world = guarded({ withdrawalDelayMs: 600_000n });
    const a = world.funded(1, 100n);
    const withdraw = () => world.margin.keeper.withdraw(world.ctx, a, UNIT);
    expect(world.outcome(withdraw)).toBe("accepted");
    world.priced("56000");
    expect(world.outcome(withdraw)).toBe("guard 8");
    expect(withdraw).toThrow(`until ${world.nowMs() + 600_000} ms`);
    world.priced("56000", 599);
    expect(world.outcome(withdraw)).toBe("guard 8");
    world.priced("56000");
    expect(world.outcome(withdraw)).toBe("accepted");
  });

  it("asks for more where dynamic margin measures more: deviations over the horizon", () => {
    const world = createGuardWorld();
    world.margin.volatility.set(world.ctx, 1, {
      feedId: 1,
      factorFeedId: 0,
      basePpm: 100_000n,
      multiplierMaxPpm: 4_000_000n,
      deviationsPpm: 3_000_000n,
      horizonMs: 86_400_000n,
      fastHalfLifeMs: 967_680_000n,
      slowHalfLifeMs: 5_958_796_800n,
      floorHalfLifeMs: 63_072_000_000n,
      bufferPpm: 0n,
      bufferHalfLifeMs: 2_592_000_000n,
      stressPpm: 0n,
      stressWeightPpm: 0n,
      rampPerDayPpm: 250_000n,
      seedVolatility: 10n ** 18n,
      forward: undefined,
    });
    // sqrt(600 s / 365 d) x 3.89 at an annual volatility of 1: 1.697 %.
    world.setRules({
      ranges: [
        range({
          horizonMs: 600_000n,
          limitPpm: 1_000n,
          deviationsPpm: 3_890_000n,
          withdrawalDelayMs: 1n,
        }),
      ],
    });
    world.priced("60000", 61);
    world.priced("60500");
    expect(world.eventsOf("guard_range")).toEqual([]);
    world.priced("61500");
    const [event] = world.eventsOf("guard_range");
    expect(Number(event?.["limit_ppm"])).toBeGreaterThan(16_500);
    expect(Number(event?.["limit_ppm"])).toBeLessThan(17_200);
  });

  it("does not look at a stale price, and refuses ranges that do nothing", () => {
    const world = guarded({ auctionMs: 10_000n });
    world.block(1, () => world.setPrice(1, "90000", false));
    expect(world.eventsOf("guard_range")).toEqual([]);
    world.priced("60000");
    expect(world.status()).toBe("active");
    expect(world.outcome(() => world.setRules({ ranges: [range({})] }))).toBe("guard 5");
    expect(world.outcome(() => world.setRules({ ranges: [range({ initialRaisePpm: 1n })] }))).toBe(
      "guard 5",
    );
    world.setRules(undefined);
    expect(world.guard.state.watches.size(world.ctx)).toBe(0);
    world.priced("90000");
    expect(world.status()).toBe("active");
  });
});
