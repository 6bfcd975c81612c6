import { describe, expect, it } from "vitest";
import { defaultTerms } from "../defaults.ts";
import { OPEN_ORDERS_PER_MARKET_MAX } from "../limits.ts";
import { createTestVenue, SYMBOL, testMarket } from "../testing.ts";

const nowMs = 1_700_000_000_000;

describe("limit orders", () => {
  it("rest when nothing is in reach, and trade at the maker's price by price, then time", () => {
    const venue = createTestVenue();
    const [a, b, c] = [venue.account(1), venue.account(2), venue.account(3)];
    expect(venue.place(a, "sell 1 @ 60100")).toMatchObject({
      orderId: 1n,
      status: 1,
      remainingSize: "1",
    });
    venue.place(b, "sell 2 @ 60100");
    venue.place(b, "sell 1 @ 60050");
    expect(venue.book()).toBe(" | 60050:1 60100:1 60100:2");
    const taken = venue.place(c, "buy 2.5 @ 60200");
    expect(taken).toEqual({
      orderId: 4n,
      status: 2,
      filledSize: "2.5",
      remainingSize: "0",
      takeProfitId: 0n,
      stopLossId: 0n,
      round: 0n,
      averagePrice: "60080",
      filledQuote: "150200",
      fills: 3,
      fee: "75.1",
      reason: "",
    });
    expect(venue.book()).toBe(" | 60100:1.5");
    expect(
      venue.clearing.trades.map((t) => [t.priceTicks, t.lots, t.buyer.orderId, t.seller.orderId]),
    ).toEqual([
      [120_100n, 1000n, 4n, 3n],
      [120_200n, 1000n, 4n, 1n],
      [120_200n, 500n, 4n, 2n],
    ]);
    expect(venue.violation()).toBeNull();
  });

  it("leave what is not filled in the book", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "sell 1 @ 60100");
    const taken = venue.place(venue.account(2), "buy 3 @ 60100 id=mine");
    expect(taken).toMatchObject({ status: 1, filledSize: "1", remainingSize: "2", reason: "" });
    expect(venue.book()).toBe("60100:2 | ");
    expect(venue.violation()).toBeNull();
    expect(venue.eventTypes()).toEqual(["order_placed", "order_filled", "trade", "order_placed"]);
  });

  it.each([
    ["buy 1 @ 60000.3", 8],
    ["buy 1 @ 0", 8],
    ["buy 1 @ 060000", 8],
    ["buy 1 @ 99999999999", 8],
    ["buy 1 @ -5", 8],
    ["buy 1.0001 @ 60000", 9],
    ["buy 0 @ 60000", 9],
    ["buy -1 @ 60000", 9],
    ["buy 99999999 @ 60000", 9],
    ["buy 0.001 @ 0.5", 10],
    ["buy 1000 @ 60000", 11],
    ["buy 1 @ 63000.5", 12],
    ["sell 1 @ 56999.5", 12],
    ["buy 1 @ 60000 reduce", 14],
    ["buy 1 @ 60000 til=5", 20],
    ["buy 1 @ 60000 ioc post", 2],
    ["buy 1 @ 60000 id=with-more-than-thirty-two-characters", 2],
    ["buy 1", 8],
  ])("refuse %s with code %i and change nothing", (text, code) => {
    const venue = createTestVenue();
    const account = venue.account(1);
    expect(() => venue.place(account, text)).toThrow(
      expect.objectContaining({ code, codespace: "derivatives" }),
    );
    expect(venue.ctx.state.size(venue.venue.state.orders.id)).toBe(0);
    expect(venue.venue.state.counters.get(venue.ctx, 1)).toBeUndefined();
    expect(venue.violation()).toBeNull();
  });

  it("are refused once the book is full, but for those that do not rest", () => {
    const venue = createTestVenue();
    const [maker, taker] = [venue.account(1), venue.account(2)];
    venue.place(maker, "sell 1 @ 60100");
    const { books } = venue.venue;
    const first = books.of(venue.ctx, 1);
    const terms = first.read(first.find(1));
    // Straight into the book that admission looks at: a quarter of a million orders cost more than what is asked here.
    for (let n = 1; n < OPEN_ORDERS_PER_MARKET_MAX; n++)
      first.insert({ ...terms, id: 1_000_000 + n, priority: 1_000_000 + n }, venue.ctx.state);
    expect(() => venue.place(taker, "buy 1 @ 60000")).toThrow(
      expect.objectContaining({ codespace: "derivatives", code: 19 }),
    );
    expect(venue.place(taker, "buy 1 @ 60100 ioc")).toMatchObject({ status: 2, filledSize: "1" });
    expect(venue.place(taker, "buy 1 @ 60000").status).toBe(1);
  });

  it("take the price at the edge of the band", () => {
    const venue = createTestVenue();
    expect(venue.place(venue.account(1), "buy 1 @ 63000").status).toBe(1);
    venue.keeper.cancelAll(venue.ctx, venue.account(1), "");
    expect(venue.place(venue.account(1), "sell 1 @ 57000").status).toBe(1);
  });

  it("are refused whole when they are beyond margin", () => {
    const venue = createTestVenue(testMarket(), 2000n);
    const maker = venue.account(1);
    venue.place(maker, "sell 1 @ 60100");
    const taker = venue.account(2);
    expect(() => venue.place(taker, "buy 2.5 @ 60100")).toThrow(
      expect.objectContaining({ codespace: "margin", code: 7 }),
    );
    expect(venue.book()).toBe(" | 60100:1");
    expect(venue.clearing.trades).toEqual([]);
    expect(venue.clearing.account(venue.ctx, taker)?.feeReserve).toBe(0n);
    expect(venue.violation()).toBeNull();
  });
});

describe("post-only and time in force", () => {
  it("refuses a post-only order that would cross and keeps one that does not", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "sell 1 @ 60100");
    const bidder = venue.account(2);
    expect(() => venue.place(bidder, "buy 1 @ 60100 post")).toThrow(
      expect.objectContaining({ code: 13 }),
    );
    expect(venue.place(bidder, "buy 1 @ 60099.5 post").status).toBe(1);
    expect(venue.book()).toBe("60099.5:1 | 60100:1");
  });

  it("cancels the rest of an immediate order", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "sell 1 @ 60100");
    const result = venue.place(venue.account(2), "buy 3 @ 60200 ioc");
    expect(result).toMatchObject({
      status: 3,
      filledSize: "1",
      remainingSize: "0",
      reason: "immediate",
    });
    expect(venue.book()).toBe(" | ");
    expect(venue.violation()).toBeNull();
  });

  it("fills or kills", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "sell 1 @ 60100");
    venue.place(venue.account(1), "sell 1 @ 60300");
    expect(() => venue.place(venue.account(2), "buy 2 @ 60200 fok")).toThrow(
      expect.objectContaining({ code: 15 }),
    );
    expect(venue.book()).toBe(" | 60100:1 60300:1");
    expect(venue.clearing.trades).toEqual([]);
    expect(venue.place(venue.account(2), "buy 2 @ 60300 fok")).toMatchObject({
      status: 2,
      fills: 2,
    });
    expect(venue.violation()).toBeNull();
  });

  it("keeps a market order inside the band and inside its worst price", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1), "sell 1 @ 62000");
    venue.place(venue.account(1), "sell 1 @ 63000");
    venue.place(venue.account(1), "sell 1 @ 64000");
    expect(venue.place(venue.account(2), "buy 3 market @ 62500")).toMatchObject({
      filledSize: "1",
      status: 3,
    });
    expect(venue.place(venue.account(2), "buy 3 market")).toMatchObject({
      filledSize: "1",
      reason: "immediate",
    });
    expect(venue.book()).toBe(" | 64000:1");
    expect(() => venue.place(venue.account(2), "buy 1 market post")).toThrow(
      expect.objectContaining({ code: 2 }),
    );
  });

  it("stops a taker that meets too many makers and does not let the rest lock the book", () => {
    const market = testMarket();
    const venue = createTestVenue({ ...market, terms: { ...market.terms!, fillsPerOrderMax: 2 } });
    for (let i = 0; i < 3; i++) venue.place(venue.account(1), "sell 1 @ 60100");
    const result = venue.place(venue.account(2), "buy 3 @ 60100");
    expect(result).toMatchObject({ status: 3, filledSize: "2", reason: "fills_bound" });
    expect(venue.book()).toBe(" | 60100:1");
    expect(venue.violation()).toBeNull();
  });

  it("expires orders at their time, a bounded number per block, and never trades an expired one", () => {
    const venue = createTestVenue();
    const { ctx } = venue;
    const params = venue.venue.state.params.require(ctx);
    venue.venue.state.params.set(ctx, { ...params, expiriesPerBlockMax: 2 });
    for (let i = 0; i < 3; i++) venue.place(venue.account(1), `sell 1 @ 60100 til=${nowMs + 1000}`);
    venue.place(venue.account(1), `sell 1 @ 60200 til=${nowMs + 60_000}`);
    venue.keeper.endBlock(ctx);
    expect(venue.book()).toBe(" | 60100:1 60100:1 60100:1 60200:1");
    ctx.nextBlock(2);
    venue.keeper.endBlock(ctx);
    expect(venue.book()).toBe(" | 60100:1 60200:1");
    expect(venue.place(venue.account(2), "buy 1 @ 60200")).toMatchObject({
      averagePrice: "60200",
      fills: 1,
    });
    expect(venue.book()).toBe(" | ");
    expect(venue.violation()).toBeNull();
  });
});

describe("self-trades, makers short of margin, open interest", () => {
  it("cancels the maker by default, across sub-accounts of one owner", () => {
    const venue = createTestVenue();
    venue.place(venue.account(1, 0), "sell 1 @ 60100");
    venue.place(venue.account(2), "sell 1 @ 60150");
    const result = venue.place(venue.account(1, 5), "buy 1 @ 60200");
    expect(result).toMatchObject({ status: 2, averagePrice: "60150" });
    expect(venue.book()).toBe(" | ");
    expect(venue.violation()).toBeNull();
  });

  it("cancels the taker, or both, when asked to", () => {
    const venue = createTestVenue();
    venue.place(venue.account(2), "sell 1 @ 60050");
    venue.place(venue.account(1), "sell 1 @ 60100");
    expect(venue.place(venue.account(1), "buy 3 @ 60200 taker")).toMatchObject({
      status: 3,
      filledSize: "1",
      reason: "self_trade",
    });
    expect(() => venue.place(venue.account(1), "buy 3 @ 60200 taker")).toThrow(
      expect.objectContaining({ code: 21 }),
    );
    expect(venue.book()).toBe(" | 60100:1");
    venue.place(venue.account(1), "sell 1 @ 60100");
    expect(venue.place(venue.account(1), "buy 3 @ 60200 both")).toMatchObject({
      status: 3,
      fills: 0,
    });
    expect(venue.book()).toBe(" | 60100:1");
    expect(venue.violation()).toBeNull();
  });

  it("cancels a maker that fails margin and goes on with the next", () => {
    const venue = createTestVenue();
    const weak = venue.account(1);
    venue.place(weak, "sell 1 @ 60100");
    venue.place(venue.account(2), "sell 1 @ 60200");
    // Loses its means while the order rests.
    const before = venue.clearing.clear.bind(venue.clearing);
    Object.assign(venue.clearing, {
      clear: ((ctx, trade) =>
        trade.seller.account === weak
          ? { ok: false, refused: "sell", code: 7, reason: "poor" }
          : before(ctx, trade)) as typeof before,
    });
    const result = venue.place(venue.account(3), "buy 1 @ 60200");
    expect(result).toMatchObject({ status: 2, averagePrice: "60200" });
    expect(venue.book()).toBe(" | ");
    expect(venue.violation()).toBeNull();
    const cancelled = venue.ctx.events.find((event) => event.type === "order_cancelled");
    expect(cancelled?.attributes.find(({ key }) => key === "reason")?.value).toBe("margin");
  });

  it("stops before open interest passes its cap, and lets it shrink", () => {
    const market = testMarket();
    const venue = createTestVenue({
      ...market,
      terms: { ...market.terms!, openInterestMaxLots: 1500n },
    });
    const [a, b, c] = [venue.account(1), venue.account(2), venue.account(3)];
    venue.place(a, "sell 1 @ 60000");
    venue.place(b, "buy 1 @ 60000");
    venue.place(a, "sell 1 @ 60000");
    expect(() => venue.place(c, "buy 1 @ 60000")).toThrow(expect.objectContaining({ code: 26 }));
    // b hands its long over to c: no growth.
    venue.keeper.cancelAll(venue.ctx, a, SYMBOL);
    venue.place(b, "sell 1 @ 60000");
    expect(venue.place(c, "buy 1 @ 60000").status).toBe(2);
    expect(venue.violation()).toBeNull();
  });

  it("shows no less of an iceberg than an order of its own would have to be worth", () => {
    const venue = createTestVenue(
      testMarket({ terms: { ...defaultTerms(), notionalMin: 120_000_000n } }),
    );
    const account = venue.account(1);
    const tooSmall = expect.objectContaining({ codespace: "derivatives", code: 10 });
    expect(() => venue.place(account, "buy 0.1 @ 60000 show=0.001")).toThrow(tooSmall);
    expect(() => venue.place(account, "buy 0.1 @ 60000 show=0.001 stop=61000")).toThrow(tooSmall);
    expect(venue.place(account, "buy 0.1 @ 60000 show=0.002")).toMatchObject({ status: 1 });
  });
});
