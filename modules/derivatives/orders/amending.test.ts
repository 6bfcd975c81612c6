import { describe, expect, it } from "vitest";
import { atomically } from "../../kit/atomically.ts";
import { defaultTerms } from "../defaults.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";
import type { Amendment } from "./amending.ts";

const refusal = (code: number) => expect.objectContaining({ codespace: "derivatives", code });

function amend(venue: TestVenue, n: number, clientId: string, change: Partial<Amendment>) {
  const unchanged = { price: "", size: "", triggerPrice: "", selfTradePrevention: 0 as const };
  const amendment = { market: SYMBOL, orderId: 0n, clientId, ...unchanged, ...change };
  return atomically(venue.ctx, (ctx) => venue.keeper.amend(ctx, venue.account(n), amendment));
}

const position = (venue: TestVenue, n: number): bigint =>
  venue.clearing.positionLots(venue.ctx, venue.account(n), 1);

describe("an amendment", () => {
  it("that only shrinks keeps the place; any other goes to the end of its level, and the id stays", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "buy 3 @ 59000 id=a");
    venue.place(venue.account(2), "buy 5 @ 59000 id=b");
    expect(amend(venue, 1, "a", { size: "1" })).toMatchObject({
      keptPriority: true,
      order: { orderId: 1n, status: 1, remainingSize: "1" },
    });
    expect(venue.book()).toBe("59000:1 59000:5 | ");
    expect(amend(venue, 1, "a", { size: "2" }).keptPriority).toBe(false);
    expect(venue.book()).toBe("59000:5 59000:2 | ");
    expect(amend(venue, 2, "b", { price: "59100" })).toMatchObject({
      keptPriority: false,
      order: { orderId: 2n },
    });
    expect(venue.book()).toBe("59100:5 59000:2 | ");
    expect(venue.violation()).toBeNull();
    expect(venue.keeper.cancelAll(venue.ctx, venue.account(1), "")).toBe(1);
    expect(venue.clearing.account(venue.ctx, venue.account(1))?.feeReserve).toBe(0n);
  });

  it("counts what was filled: the new size is the total", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "buy 3 @ 60000 id=a");
    venue.place(venue.account(2), "sell 1 @ 60000");
    expect(amend(venue, 1, "a", { size: "4" }).order?.remainingSize).toBe("3");
    expect(() => amend(venue, 1, "a", { size: "1" })).toThrow(refusal(9));
    expect(venue.book()).toBe("60000:3 | ");
  });

  it("cannot give an iceberg more parts than a new one may have, resting or waiting", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "sell 0.1 @ 60000 show=0.001 id=rests");
    venue.place(venue.account(1), "sell 0.1 @ 60000 show=0.001 stop=59000 id=waits");
    for (const id of ["rests", "waits"]) {
      expect(() => amend(venue, 1, id, { size: "0.101" })).toThrow(refusal(43));
      expect(amend(venue, 1, id, { size: "0.09" }).order?.remainingSize).toBe("0.09");
    }
    expect(venue.violation()).toBeNull();
  });

  it("may execute at its new price, and says what it did", () => {
    const venue = createTestVenue();
    venue.place(venue.account(2), "sell 1 @ 60500");
    venue.place(venue.account(1), "buy 3 @ 60000 id=a");
    expect(amend(venue, 1, "a", { price: "60500" }).order).toMatchObject({
      orderId: 2n,
      status: 1,
      filledSize: "1",
      remainingSize: "2",
    });
    expect(venue.book()).toBe("60500:2 | ");
    expect(venue.violation()).toBeNull();
  });

  it("that is refused changes nothing", () => {
    const venue = createTestVenue(testMarket(), 3000n);
    venue.place(venue.account(2), "sell 1 @ 60500");
    venue.place(venue.account(1), "buy 2 @ 60000 id=a post");
    const refusals: [Partial<Amendment>, unknown][] = [
      [{ price: "60500" }, refusal(13)],
      [{ price: "60000.2" }, refusal(8)],
      [{ price: "90000" }, refusal(12)],
      [{ size: "9" }, expect.objectContaining({ codespace: "margin" })],
      [{ price: "60000" }, refusal(41)],
      [{ triggerPrice: "60000" }, refusal(41)],
      [{}, refusal(41)],
    ];
    venue.ctx.events.length = 0;
    for (const [change, error] of refusals)
      expect(() => amend(venue, 1, "a", change)).toThrow(error);
    expect(() => amend(venue, 2, "a", { size: "1" })).toThrow(refusal(17));
    expect(venue.book()).toBe("60000:2 | 60500:1");
    expect(venue.ctx.events).toEqual([]);
    expect(venue.violation()).toBeNull();
  });

  it("moves a trigger, and the reserve with it", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "buy 9 @ 57500");
    venue.place(venue.account(1), "sell 1 market stop=59000 id=s");
    expect(amend(venue, 1, "s", { triggerPrice: "58000", size: "2" })).toMatchObject({
      keptPriority: false,
      order: { status: 4, remainingSize: "2" },
    });
    venue.block(58_500);
    expect(position(venue, 1)).toBe(0n);
    venue.block(58_000);
    expect(position(venue, 1)).toBe(-2000n);
    venue.place(venue.account(1), "sell 1 market trail=500 id=t");
    expect(() => amend(venue, 1, "t", { triggerPrice: "58000" })).toThrow(refusal(41));
    expect(amend(venue, 1, "t", { size: "0.5" }).order?.remainingSize).toBe("0.5");
    expect(venue.violation()).toBeNull();
  });

  it("leaves a TWAP slices of at least a lot and the least notional, as a new one has", () => {
    const terms = { ...defaultTerms(), notionalMin: 100_000_000n };
    const venue = createTestVenue(testMarket({ terms }));
    expect(() => venue.place(venue.account(1), "buy 0.01 market twap=10/1000")).toThrow(
      refusal(10),
    );
    venue.place(venue.account(1), "buy 1 market twap=10/1000 id=t");
    expect(() => amend(venue, 1, "t", { size: "0.01" })).toThrow(refusal(10));
    expect(() => amend(venue, 1, "t", { size: "0.009" })).toThrow(refusal(42));
    // Two lots of 60 units each are worth more than 100.
    expect(amend(venue, 1, "t", { size: "0.02" }).order?.remainingSize).toBe("0.02");
    expect(venue.violation()).toBeNull();
  });

  it("looks at the slices that are left", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "sell 9 @ 60000");
    venue.place(venue.account(1), "buy 0.1 market twap=10/1000 id=t");
    venue.keeper.endBlock(venue.ctx);
    for (let i = 0; i < 4; i++) venue.block(60_000);
    expect(position(venue, 1)).toBe(50n);
    // Five slices of the ten are to come.
    expect(() => amend(venue, 1, "t", { size: "0.054" })).toThrow(refusal(42));
    expect(amend(venue, 1, "t", { size: "0.055" }).order?.remainingSize).toBe("0.005");
    for (let i = 0; i < 5; i++) venue.block(60_000);
    expect(position(venue, 1)).toBe(55n);
    expect(venue.venue.waiting.of(venue.ctx, 1).size).toBe(0);
  });
});

describe("an iceberg", () => {
  it("shows a part, refills it behind the others, and reserves all of it", () => {
    const venue = createTestVenue();
    const placed = venue.place(venue.account(1), "sell 5 @ 60000 show=2 id=i");
    expect(placed).toMatchObject({ status: 1, remainingSize: "5" });
    venue.place(venue.account(2), "sell 1 @ 60000");
    expect(venue.book()).toBe(" | 60000:2 60000:1");
    expect(venue.violation()).toBeNull();
    venue.place(venue.account(9), "buy 2 @ 60000");
    expect(venue.book()).toBe(" | 60000:1 60000:2");
    expect(venue.violation()).toBeNull();
    const swept = venue.place(venue.account(9), "buy 3.5 @ 60000");
    expect(swept).toMatchObject({ status: 2, fills: 3 });
    expect(venue.book()).toBe(" | 60000:0.5");
    expect(venue.place(venue.account(9), "buy 1 @ 60000 ioc").filledSize).toBe("0.5");
    expect(position(venue, 1)).toBe(-5000n);
    expect(venue.clearing.account(venue.ctx, venue.account(1))?.feeReserve).toBe(0n);
    expect(venue.violation()).toBeNull();
  });

  it("does not let a taker go through its price while something is hidden", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "sell 5 @ 60000 show=1");
    venue.place(venue.account(2), "sell 5 @ 60100");
    const taken = venue.place(venue.account(9), "buy 6 @ 60100");
    expect(taken.averagePrice).toBe("60016.66667");
    expect(venue.book()).toBe(" | 60100:4");
  });

  it("shrinks from what is hidden, with its position, by amendment and against own orders", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "sell 4 @ 60000");
    venue.place(venue.account(1), "buy 4 @ 60000");
    venue.place(venue.account(1), "sell 4 @ 61000 show=1 reduce id=i");
    expect(amend(venue, 1, "i", { size: "3" }).keptPriority).toBe(true);
    venue.place(venue.account(9), "buy 2 @ 60000");
    venue.place(venue.account(1), "sell 2 @ 60000");
    expect(venue.book()).toBe(" | 61000:1");
    expect(venue.violation()).toBeNull();
    // Two left of the position, so two of the order: one shows, one is hidden.
    venue.place(venue.account(1, 1), "buy 1 @ 61000 ioc decrement");
    expect(venue.book()).toBe(" | 61000:1");
    venue.place(venue.account(1, 1), "buy 1 @ 61000 ioc decrement");
    expect(venue.book()).toBe(" | ");
    expect(venue.violation()).toBeNull();
  });
});

describe("own orders that decrement", () => {
  it("lose the smaller of the two without a trade, and matching goes on", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "sell 1 @ 60000");
    venue.place(venue.account(2), "sell 1 @ 60100");
    const taken = venue.place(venue.account(1), "buy 3 @ 60200 decrement");
    expect(taken).toMatchObject({ status: 1, filledSize: "1", remainingSize: "1", fills: 1 });
    expect(venue.book()).toBe("60200:1 | ");
    venue.place(venue.account(1, 1), "sell 0.4 @ 60200 decrement");
    expect(venue.book()).toBe("60200:0.6 | ");
    expect(venue.violation()).toBeNull();
    const all = venue.place(venue.account(1, 1), "sell 0.6 @ 60200 decrement");
    expect(all).toMatchObject({ status: 3, reason: "self_trade", fills: 0 });
    expect(venue.clearing.trades.length).toBe(1);
    expect(venue.violation()).toBeNull();
    venue.place(venue.account(1), "sell 1 @ 60000");
    expect(() => venue.place(venue.account(1), "buy 1 @ 60000 fok decrement")).toThrow(refusal(15));
    expect(venue.book()).toBe(" | 60000:1");
  });
});

describe("a slippage bound", () => {
  it("stops a market order at its distance from mark, inside the band", () => {
    const venue = createTestVenue();
    for (const price of [60_030, 60_060, 60_090]) {
      venue.place(venue.account(9), `sell 1 @ ${price}`);
    }
    expect(venue.place(venue.account(1), "buy 3 market slip=1000")).toMatchObject({
      filledSize: "2",
      reason: "immediate",
    });
    expect(venue.place(venue.account(1), "buy 3 market slip=900000").filledSize).toBe("1");
    venue.place(venue.account(9), "sell 1 @ 63001");
    expect(venue.place(venue.account(1), "buy 3 market slip=900000").filledSize).toBe("0");
  });
});

describe("a last block", () => {
  it("is the last one in which an order trades", () => {
    const venue = createTestVenue();
    const { height } = venue.ctx.header;
    venue.place(venue.account(1), `sell 1 @ 60000 block=${height + 1}`);
    venue.place(venue.account(2), `sell 1 @ 60000 block=${height}`);
    venue.keeper.endBlock(venue.ctx);
    expect(venue.book()).toBe(" | 60000:1");
    venue.ctx.nextBlock(1);
    venue.setPrice(60_000);
    expect(venue.place(venue.account(9), "buy 0.5 @ 60000").filledSize).toBe("0.5");
    venue.ctx.nextBlock(1);
    // Not expired yet, as if the block before had had too many: it does not trade.
    expect(venue.place(venue.account(9), "buy 0.5 @ 60000 ioc").filledSize).toBe("0");
    expect(venue.book()).toBe(" | ");
    expect(venue.violation()).toBeNull();
    expect(() => venue.place(venue.account(1), `sell 1 @ 60000 block=${height}`)).toThrow(
      refusal(20),
    );
  });
});
