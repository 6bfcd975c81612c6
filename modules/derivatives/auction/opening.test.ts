import type { AuctionTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus, MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { ModuleError } from "../../kit/errors.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

const { MARKET_STATUS_ACTIVE, MARKET_STATUS_HALTED } = MarketStatus;
const { MATCHING_MODE_CONTINUOUS } = MatchingMode;

function terms(change: Partial<AuctionTerms> = {}) {
  const matching = MATCHING_MODE_CONTINUOUS;
  const auction = { ...defaultAuctionTerms(), matching, openingMs: 3000n, ...change };
  return { ...defaultTerms(), auction };
}

/** Continuous; collects three seconds after a halt or ten seconds without a price or block. */
function openingVenue(change: Partial<AuctionTerms> = {}): TestVenue {
  const venue = createTestVenue(testMarket({ terms: terms(change) }));
  venue.keeper.beginBlock(venue.ctx);
  return venue;
}

function nextBlock(venue: TestVenue, seconds = 1): string[] {
  const { ctx } = venue;
  venue.keeper.endBlock(ctx);
  expect(venue.violation()).toBeNull();
  ctx.nextBlock(seconds);
  venue.keeper.beginBlock(ctx);
  return venue.eventTypes();
}

function setStatus(venue: TestVenue, status: MarketStatus): void {
  venue.keeper.updateMarket(venue.ctx, SYMBOL, { status, terms: undefined });
}

function place(venue: TestVenue, n: number, text: string): string {
  try {
    return `${venue.place(venue.account(n), text).status}`;
  } catch (error) {
    if (error instanceof ModuleError) return `${error.codespace} ${error.code}`;
    throw error;
  }
}

const OPEN = "1";
const FILLED = "2";
const COLLECTED = "8";

describe("an opening auction", () => {
  it("collects for the stated time after a halt, opens at one price, and matches continuously from then on", () => {
    const venue = openingVenue();
    expect(place(venue, 1, "sell 1 @ 60000")).toBe(OPEN);
    setStatus(venue, MARKET_STATUS_HALTED);
    nextBlock(venue);
    expect(place(venue, 2, "buy 1 @ 60000 id=b")).toBe("derivatives 5");
    setStatus(venue, MARKET_STATUS_ACTIVE);
    expect(venue.eventTypes()).toContain("auction_opening");
    expect(place(venue, 2, "buy 1 @ 60100 id=b")).toBe(COLLECTED);
    expect(place(venue, 2, "buy 1 @ 60100 ioc id=i")).toBe("derivatives 52");
    expect(place(venue, 2, "buy 1 market id=i")).toBe("derivatives 52");
    nextBlock(venue);
    // In the book, with an id, crossing, and not traded.
    expect(venue.book()).toBe("60100:1 | 60000:1");
    expect(venue.clearing.auctions).toEqual([]);
    expect(place(venue, 3, "sell 1 @ 59900 id=s")).toBe(COLLECTED);
    expect(place(venue, 4, "buy 1 @ 59950 id=c")).toBe(COLLECTED);
    nextBlock(venue);
    venue.keeper.cancel(venue.ctx, venue.account(4), {
      market: SYMBOL,
      orderId: 0n,
      clientId: "c",
    });
    nextBlock(venue);
    const { clearing } = venue;
    expect(nextBlock(venue)).toContain("auction_cleared");
    expect(clearing.auctions.map(({ priceTicks }) => priceTicks)).toEqual([119_999n]);
    expect(venue.book()).toBe(" | 60000:1");
    expect(place(venue, 2, "buy 1 @ 60000")).toBe(FILLED);
    expect(clearing.trades).toHaveLength(1);
    nextBlock(venue);
  });

  it("follows an interruption of prices, and one of blocks", () => {
    for (const interrupt of ["prices", "blocks"]) {
      const venue = openingVenue();
      nextBlock(venue);
      expect(place(venue, 1, "buy 0.1 @ 60000")).toBe(OPEN);
      if (interrupt === "prices") {
        venue.setPrice(60_000, false);
        for (let i = 0; i < 9; i++) nextBlock(venue);
        venue.setPrice(61_000);
        nextBlock(venue);
      } else nextBlock(venue, 10);
      expect(place(venue, 2, "sell 0.1 @ 60000 id=s")).toBe(COLLECTED);
      for (let i = 0; i < 3; i++) nextBlock(venue);
      expect(venue.clearing.auctions).toHaveLength(0);
      nextBlock(venue);
      expect(venue.clearing.auctions).toHaveLength(1);
      expect(place(venue, 2, "sell 0.1 @ 60000")).toBe(OPEN);
    }
    const short = openingVenue();
    nextBlock(short, 9);
    expect(place(short, 1, "buy 0.1 @ 60000")).toBe(OPEN);
    const never = openingVenue({ interruptionMs: 0n });
    nextBlock(never, 1000);
    expect(place(never, 1, "buy 0.1 @ 60000")).toBe(OPEN);
    const none = openingVenue({ openingMs: 0n });
    nextBlock(none, 1000);
    expect(place(none, 1, "buy 0.1 @ 60000")).toBe(OPEN);
  });

  it("waits for a fresh price", () => {
    const venue = openingVenue();
    setStatus(venue, MARKET_STATUS_HALTED);
    setStatus(venue, MARKET_STATUS_ACTIVE);
    place(venue, 1, "buy 1 @ 60000 id=b");
    place(venue, 2, "sell 1 @ 60000 id=s");
    nextBlock(venue);
    venue.setPrice(60_000, false);
    for (let i = 0; i < 5; i++) nextBlock(venue);
    expect(venue.book()).toBe("60000:1 | 60000:1");
    venue.setPrice(60_000);
    nextBlock(venue);
    expect(venue.book()).toBe(" | ");
  });

  it("liquidates nothing into the collecting book", () => {
    const venue = openingVenue();
    place(venue, 1, "buy 1 @ 60000");
    expect(venue.keeper.terms(venue.ctx, 1)?.status).toBe("active");
    setStatus(venue, MARKET_STATUS_HALTED);
    setStatus(venue, MARKET_STATUS_ACTIVE);
    expect(venue.keeper.terms(venue.ctx, 1)?.status).toBe("halted");
    const order = {
      market: 1,
      account: venue.account(2),
      side: "sell",
      lots: 1n,
      limitTicks: 1n,
    } as const;
    expect(venue.keeper.liquidateAtBook(venue.ctx, order)).toBe(0n);
    for (let i = 0; i < 4; i++) nextBlock(venue);
    expect(venue.keeper.terms(venue.ctx, 1)?.status).toBe("active");
    expect(venue.keeper.liquidateAtBook(venue.ctx, order)).toBe(1n);
  });

  it("leaves nothing that crosses: beyond the band, or held back by the cap on open interest, orders leave", () => {
    const venue = openingVenue();
    setStatus(venue, MARKET_STATUS_HALTED);
    setStatus(venue, MARKET_STATUS_ACTIVE);
    place(venue, 1, "buy 1 @ 62900 id=b");
    place(venue, 2, "sell 1 @ 62800 id=s");
    nextBlock(venue);
    // The band now ends at 61,950.
    venue.setPrice(59_000);
    for (let i = 0; i < 3; i++) nextBlock(venue);
    expect(venue.book()).toBe(" | 62800:1");
    expect(place(venue, 3, "buy 1 @ 60000")).toBe(OPEN);

    const capped = createTestVenue(
      testMarket({ terms: { ...terms(), openInterestMaxLots: 1000n } }),
    );
    setStatus(capped, MARKET_STATUS_HALTED);
    setStatus(capped, MARKET_STATUS_ACTIVE);
    place(capped, 1, "buy 3 @ 60000 id=b");
    place(capped, 2, "sell 2 @ 60000 id=s");
    for (let i = 0; i < 4; i++) nextBlock(capped);
    expect(capped.clearing.openInterestLots(capped.ctx, 1)).toBe(1000n);
    expect(capped.book()).toBe("60000:2 | ");
    expect(place(capped, 3, "buy 1 @ 59000")).toBe(OPEN);
  });

  it("ends in its block however many parts two owners have to trade in it, and whatever they send in each", () => {
    const venue = openingVenue();
    for (let n = 0; n < 4; n++) place(venue, 1, "sell 0.1 @ 60000 show=0.001");
    setStatus(venue, MARKET_STATUS_HALTED);
    nextBlock(venue);
    setStatus(venue, MARKET_STATUS_ACTIVE);
    // An auction takes the four parts that show; with one a block the market would stay shut for as long as there are some.
    for (let i = 0; i < 3; i++) nextBlock(venue);
    expect(place(venue, 2, "buy 0.15 @ 60000 id=a")).toBe(COLLECTED);
    const types = nextBlock(venue);
    expect(types.filter((type) => type === "auction_cleared").length).toBeGreaterThan(30);
    expect(place(venue, 2, "buy 0.002 @ 60000")).toBe(FILLED);
    expect(venue.violation()).toBeNull();
  });

  it("takes several blocks when more crosses than one auction holds", () => {
    const venue = openingVenue({ ordersMax: 1 });
    setStatus(venue, MARKET_STATUS_HALTED);
    setStatus(venue, MARKET_STATUS_ACTIVE);
    for (const n of [1, 2, 3]) {
      place(venue, n, "buy 1 @ 60000 id=b");
      place(venue, n + 3, "sell 1 @ 60000 id=s");
    }
    for (let i = 0; i < 4; i++) nextBlock(venue);
    expect(venue.book()).toBe("60000:1 60000:1 | 60000:1 60000:1");
    expect(place(venue, 7, "buy 1 @ 59000 id=x")).toBe(COLLECTED);
    nextBlock(venue);
    nextBlock(venue);
    expect(venue.book()).toBe("59000:1 | ");
    expect(place(venue, 7, "buy 1 @ 59000")).toBe(OPEN);
  });

  it("is how batch matching ends: what was collected is cleared before continuous matching begins", () => {
    const venue = createTestVenue(
      testMarket({ terms: { ...defaultTerms(), auction: defaultAuctionTerms() } }),
    );
    expect(place(venue, 1, "buy 1 @ 60000 id=b")).toBe(COLLECTED);
    venue.keeper.updateMarket(venue.ctx, SYMBOL, { status: 0, terms: terms({ openingMs: 0n }) });
    expect(place(venue, 2, "sell 1 @ 60000 id=s")).toBe(COLLECTED);
    nextBlock(venue);
    expect(venue.clearing.auctions).toHaveLength(1);
    expect(place(venue, 2, "sell 1 @ 60000")).toBe(OPEN);
    const without = { status: 0, terms: defaultTerms() } as const;
    expect(() => venue.keeper.updateMarket(venue.ctx, SYMBOL, without)).toThrow(
      "auction terms stay",
    );
  });

  it("refuses terms outside their bounds", () => {
    const wrong: Partial<AuctionTerms>[] = [
      { matching: 7 as never },
      { feePpm: 50_001 },
      { ordersMax: 0 },
      { ordersMax: 10_001 },
      { openingMs: 86_400_001n },
    ];
    for (const change of wrong) {
      expect(() => createTestVenue(testMarket({ terms: terms(change) }))).toThrow("expected");
    }
  });
});
