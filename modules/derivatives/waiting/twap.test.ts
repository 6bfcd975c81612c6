import { describe, expect, it } from "vitest";
import { BTC, createWorld } from "../../testing/world.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

const position = (venue: TestVenue, n: number): number =>
  Number(venue.clearing.positionLots(venue.ctx, venue.account(n), 1));

function slices(venue: TestVenue): string[] {
  const found = venue.ctx.events.filter(({ type }) => type === "twap_slice");
  venue.ctx.events.length = 0;
  return found.map(({ attributes }) => {
    const value = (name: string) => attributes.find(({ key }) => key === name)?.value ?? "";
    return `${value("slice")}: ${value("filled")}/${value("size")} ${value("reason")}`.trim();
  });
}

describe("a TWAP", () => {
  it("executes even slices at fixed times and then is filled", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "sell 9 @ 60000");
    venue.place(venue.account(1), "buy 1 market twap=4/2000 id=t");
    const filled: number[] = [];
    for (let second = 0; second < 8; second++) {
      venue.block(60_000);
      filled.push(position(venue, 1));
    }
    // The first block is a second after the order: one slice at once, then every two seconds.
    expect(filled).toEqual([250, 500, 500, 750, 750, 1000, 1000, 1000]);
    expect(venue.ctx.events.map(({ type }) => type)).toContain("order_filled");
    expect(venue.venue.waiting.of(venue.ctx, 1).size).toBe(0);
  });

  it("makes up for missed slices, at most threefold, and ends after the last one", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "buy 1 @ 60000 twap=10/1000");
    venue.keeper.endBlock(venue.ctx);
    expect(slices(venue)).toEqual(["1: 0/0.1 immediate"]);
    for (let i = 0; i < 6; i++) venue.block(60_000, false);
    expect(slices(venue)).toEqual([]);
    venue.setPrice(60_000);
    venue.place(venue.account(9), "sell 9 @ 60001");
    venue.block(60_000);
    // Three slices are left for what ten should have done.
    expect(slices(venue)).toEqual(["8: 0/0.3 immediate"]);
    venue.place(venue.account(9), "sell 9 @ 60000");
    venue.block(60_000);
    venue.block(60_000);
    expect(venue.ctx.events.at(-1)?.type).toBe("order_cancelled");
    expect(slices(venue)).toEqual(["9: 0.3/0.3", "10: 0.3/0.3"]);
    expect(position(venue, 1)).toBe(600);
    expect(venue.clearing.account(venue.ctx, venue.account(1))?.feeReserve).toBe(0n);
  });

  it("ends cancelled, not filled, when an own order takes all that is left of it away", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "buy 1 @ 60000 decrement twap=2/1000 id=t");
    venue.keeper.endBlock(venue.ctx);
    venue.place(venue.account(1), "sell 3 @ 60000");
    venue.block(60_000);
    const types = venue.ctx.events.map(({ type }) => type);
    expect(types).not.toContain("order_filled");
    expect(types.at(-1)).toBe("order_cancelled");
    expect(slices(venue)).toEqual(["1: 0/0.5 immediate", "2: 0/1 self_trade"]);
    expect(venue.book()).toBe(" | 60000:2");
    expect(venue.violation()).toBeNull();
  });

  it("keeps every slice inside its slippage bound", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "sell 9 @ 60061");
    venue.place(venue.account(1), "buy 1 market slip=1000 twap=2/1000");
    venue.keeper.endBlock(venue.ctx);
    venue.block(60_000);
    expect(slices(venue).length).toBe(2);
    expect(position(venue, 1)).toBe(0);
    venue.place(venue.account(1), "buy 1 market slip=1000 twap=2/1000");
    venue.setPrice(60_002);
    venue.keeper.endBlock(venue.ctx);
    venue.block(60_002);
    expect(position(venue, 1)).toBe(1000);
  });

  it("ends with the position it reduces, by its good-til time, or when it is cancelled", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "sell 1 @ 60000");
    venue.place(venue.account(1), "buy 1 @ 60000");
    venue.place(venue.account(9), "buy 9 @ 60000");
    venue.place(venue.account(1), "sell 3 market reduce twap=3/1000");
    venue.block(60_000);
    expect(position(venue, 1)).toBe(0);
    venue.block(60_000);
    expect(venue.venue.waiting.of(venue.ctx, 1).size).toBe(0);
    venue.place(venue.account(1), "sell 3 market twap=30/1000 til=1700000004500");
    venue.place(venue.account(2), "sell 3 market twap=30/1000");
    venue.keeper.endBlock(venue.ctx);
    for (let i = 0; i < 3; i++) venue.block(60_000);
    expect(position(venue, 1)).toBe(-300);
    expect(venue.venue.waiting.of(venue.ctx, 1).size).toBe(1);
    expect(venue.keeper.cancelAll(venue.ctx, venue.account(2), "")).toBe(1);
    expect(venue.violation()).toBeNull();
  });

  it("pays when it is placed for what its slices use when they fill nothing", () => {
    const slices = 20;
    /** Gas of its placement, and of the ends of as many blocks. */
    const gasOf = (flags: string | null): { readonly paid: bigint; readonly used: bigint } => {
      const world = createWorld();
      const { ctx } = world;
      world.setPrice(BTC, "60000");
      world.list(testMarket());
      const [long, short] = [world.funded(1, 10_000n), world.funded(2, 10_000n)];
      world.trade(SYMBOL, short, long, "0.1", "60000");
      const start = ctx.gas.used;
      if (flags !== null)
        world.place(SYMBOL, long, `sell 0.1 @ 62000 id=twenty-bytes-of-name ${flags}`);
      const paid = ctx.gas.used - start;
      let used = 0n;
      for (let i = 0; i < slices; i++) {
        const before = ctx.gas.used;
        world.keeper.endBlock(ctx);
        used += ctx.gas.used - before;
        world.block(1, () => world.setPrice(BTC, "60000"));
      }
      return { paid, used };
    };
    const without = gasOf(null);
    for (const reduces of ["reduce", ""]) {
      const { paid, used } = gasOf(`${reduces} twap=${slices}/1000`);
      expect(paid).toBeGreaterThan(used - without.used);
      expect(paid).toBeLessThan(2n * (used - without.used));
    }
  });
});
