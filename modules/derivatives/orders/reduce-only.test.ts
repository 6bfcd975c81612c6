import { describe, expect, it } from "vitest";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

/** Account 2 holds a long of `size`, bought from account 1. */
function longOf(size: string): TestVenue {
  const venue = createTestVenue();
  venue.place(venue.account(1), `sell ${size} @ 60000`);
  venue.place(venue.account(2), `buy ${size} @ 60000`);
  venue.ctx.events.length = 0;
  return venue;
}

const lotsOf = (venue: TestVenue, n: number): bigint =>
  venue.clearing.positionLots(venue.ctx, venue.account(n), 1);

describe("reduce-only orders", () => {
  it("never open or flip a position", () => {
    const venue = longOf("1");
    const long = venue.account(2);
    expect(() => venue.place(long, "buy 1 @ 60000 reduce")).toThrow(
      expect.objectContaining({ code: 14 }),
    );
    expect(() => venue.place(venue.account(3), "sell 1 @ 60000 ioc reduce")).toThrow(
      expect.objectContaining({ code: 14 }),
    );
    venue.place(venue.account(3), "buy 5 @ 60000");
    expect(venue.place(long, "sell 3 @ 60000 ioc reduce")).toMatchObject({
      status: 3,
      filledSize: "1",
      reason: "reduce_only",
    });
    expect(lotsOf(venue, 2)).toBe(0n);
    expect(venue.book()).toBe("60000:4 | ");
    expect(venue.violation()).toBeNull();
  });

  it("reserve no margin and may be smaller than the least notional", () => {
    const venue = longOf("1");
    venue.place(venue.account(2), "sell 0.001 @ 60010 reduce");
    const reserved = venue.clearing.account(venue.ctx, venue.account(2));
    expect(reserved?.positions[0]).toMatchObject({ openSellLots: 0n });
    expect(reserved?.feeReserve).toBe(0n);
  });

  it("shrink and leave with the position while they rest, the oldest keep their size", () => {
    const venue = longOf("3");
    const long = venue.account(2);
    venue.place(long, "sell 1 @ 60500 reduce id=old");
    venue.place(long, "sell 1.5 @ 60100 reduce id=new");
    // A third one only gets what is left of the position.
    expect(venue.place(long, "sell 2 @ 60200 reduce id=last")).toMatchObject({
      remainingSize: "0.5",
    });
    expect(venue.book()).toBe(" | 60100:1.5 60200:0.5 60500:1");
    // An ordinary sale takes the position down to 1.2: the newest orders give way.
    venue.place(venue.account(3), "buy 1.8 @ 60000");
    venue.place(long, "sell 1.8 @ 60000");
    expect(venue.book()).toBe(" | 60100:0.2 60500:1");
    // Filled as makers they close exactly the rest.
    venue.place(venue.account(3), "buy 5 @ 60500 ioc");
    expect(lotsOf(venue, 2)).toBe(0n);
    expect(venue.book()).toBe(" | ");
    expect(venue.violation()).toBeNull();
    expect(venue.eventTypes()).toContain("order_reduced");
  });

  it("leave when the position turned around behind the book's back", () => {
    const venue = longOf("1");
    const long = venue.account(2);
    venue.place(long, "sell 1 @ 60100 reduce");
    // A deleveraging closes the position without an order.
    venue.clearing.clear(venue.ctx, {
      market: 1,
      priceTicks: 120_000n,
      lots: 1000n,
      buyer: { account: venue.account(1), feeQuanta: 0n, orderId: null },
      seller: { account: long, feeQuanta: 0n, orderId: null },
      taker: "buy",
      kind: "deleverage",
    });
    expect(venue.place(venue.account(3), "buy 1 @ 60100 ioc")).toMatchObject({ fills: 0 });
    expect(venue.book()).toBe(" | ");
    expect(lotsOf(venue, 2)).toBe(0n);
    expect(venue.violation()).toBeNull();
  });
});

describe("what a market takes in each status", () => {
  const closeOnly = { status: 2 as const, terms: undefined };

  it("close-only: reduce-only takers, and makers only as far as they close", () => {
    const venue = longOf("2");
    venue.place(venue.account(3), "buy 1 @ 59900");
    venue.place(venue.account(1), "buy 1 @ 59800");
    venue.keeper.updateMarket(venue.ctx, SYMBOL, closeOnly);
    expect(() => venue.place(venue.account(2), "sell 1 @ 59000 ioc")).toThrow(
      expect.objectContaining({ code: 6 }),
    );
    // The bid of account 3 would open, so it leaves; account 1 is short and closes.
    expect(venue.place(venue.account(2), "sell 2 @ 59000 ioc reduce")).toMatchObject({
      filledSize: "1",
      averagePrice: "59800",
    });
    expect([lotsOf(venue, 1), lotsOf(venue, 2), lotsOf(venue, 3)]).toEqual([-1000n, 1000n, 0n]);
    expect(venue.book()).toBe(" | ");
    expect(venue.violation()).toBeNull();
  });

  it("halted, quarantined or with a stale price: cancels only, reduce-only included", () => {
    const venue = longOf("1");
    venue.place(venue.account(3), "buy 1 @ 59900 id=a");
    venue.place(venue.account(3), "buy 1 @ 59800 id=b");
    venue.place(venue.account(3), "buy 1 @ 59700");
    const refusedWith = (code: number): void =>
      expect(() => venue.place(venue.account(2), "sell 1 @ 59000 ioc reduce")).toThrow(
        expect.objectContaining({ code }),
      );
    const liquidate = () =>
      venue.keeper.liquidateAtBook(venue.ctx, {
        market: 1,
        account: venue.account(2),
        side: "sell",
        lots: 10n,
        limitTicks: 1n,
      });
    const cancel = (clientId: string) =>
      venue.keeper.cancel(venue.ctx, venue.account(3), { market: SYMBOL, orderId: 0n, clientId });

    venue.setPrice(60_000, false);
    refusedWith(7);
    expect(liquidate()).toBe(0n);
    expect(cancel("a")).toEqual({ orderId: 3n, cancelledSize: "1", round: 0n });
    venue.setPrice(60_000);

    venue.keeper.updateMarket(venue.ctx, SYMBOL, { status: 3, terms: undefined });
    refusedWith(5);
    expect(liquidate()).toBe(0n);
    cancel("b");

    venue.keeper.quarantine(venue.ctx, 1, "test");
    venue.keeper.quarantine(venue.ctx, 1, "again");
    expect(venue.eventTypes().filter((type) => type === "market_quarantined")).toHaveLength(1);
    refusedWith(5);
    expect(liquidate()).toBe(0n);
    expect(venue.keeper.cancelAll(venue.ctx, venue.account(3), "")).toBe(1);
    expect(() =>
      venue.keeper.updateMarket(venue.ctx, SYMBOL, { status: 4, terms: undefined }),
    ).toThrow();
    venue.keeper.updateMarket(venue.ctx, SYMBOL, { status: 1, terms: undefined });
    expect(venue.place(venue.account(3), "buy 1 @ 59900").status).toBe(1);
  });
});

describe("liquidation at the book", () => {
  it("takes no taker fee, pays no rebate, stays inside its limit", () => {
    const market = testMarket();
    const venue = createTestVenue({ ...market, terms: { ...market.terms!, makerFeePpm: -100 } });
    venue.place(venue.account(1), "sell 2 @ 60000");
    venue.place(venue.account(2), "buy 2 @ 60000");
    const maker = venue.account(3);
    venue.place(maker, "buy 1 @ 59000");
    venue.place(maker, "buy 1 @ 58000");
    const before = venue.clearing.feesPaid(venue.account(2));
    const filled = venue.keeper.liquidateAtBook(venue.ctx, {
      market: 1,
      account: venue.account(2),
      side: "sell",
      lots: 2000n,
      limitTicks: 117_000n,
    });
    expect(filled).toBe(1000n);
    expect(venue.clearing.feesPaid(venue.account(2))).toBe(before);
    expect(venue.clearing.feesPaid(maker)).toBe(0n);
    expect(venue.clearing.trades.at(-1)).toMatchObject({ kind: "liquidation", taker: "sell" });
    const event = venue.ctx.events.filter(({ type }) => type === "trade").at(-1);
    const attributes = Object.fromEntries(event!.attributes.map(({ key, value }) => [key, value]));
    expect(attributes).toMatchObject({ liquidation: "true", taker_order_id: "", taker_fee: "0" });
    expect(venue.violation()).toBeNull();
  });
});
