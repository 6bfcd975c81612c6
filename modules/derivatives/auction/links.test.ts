import { MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { atomically } from "../../kit/atomically.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";
import { parseOco } from "../waiting/pairs.ts";

const refusal = (code: number) => expect.objectContaining({ codespace: "derivatives", code });
const HALTED = 3;
const ACTIVE = 1;

function market(matching: MatchingMode): TestVenue {
  const auction = { ...defaultAuctionTerms(), matching, openingMs: 1500n };
  return createTestVenue(testMarket({ terms: { ...defaultTerms(), auction } }));
}

function reopen(venue: TestVenue): void {
  for (const status of [HALTED, ACTIVE] as const) {
    venue.keeper.updateMarket(venue.ctx, SYMBOL, { status, terms: undefined });
  }
}

function amend(venue: TestVenue, n: number, clientId: string, change: object) {
  const amendment = {
    market: SYMBOL,
    orderId: 0n,
    clientId,
    price: "",
    size: "",
    triggerPrice: "",
    selfTradePrevention: 0 as const,
    ...change,
  };
  return atomically(venue.ctx, (ctx) => venue.keeper.amend(ctx, venue.account(n), amendment));
}

describe("an opening auction", () => {
  it("fills icebergs part by part, begins brackets, and opens when no next part crosses", () => {
    const venue = market(MatchingMode.MATCHING_MODE_CONTINUOUS);
    venue.place(venue.account(1), "sell 3 @ 60100 show=1 id=ice");
    venue.place(venue.account(2), "buy 2 @ 59900 id=b tp=61000 sl=59000");
    reopen(venue);
    venue.place(venue.account(3), "buy 2 @ 60200 id=c");
    venue.place(venue.account(4), "sell 1 @ 59800 id=d");
    const { ctx } = venue;
    for (let i = 0; i < 6; i++) venue.block(60_000);
    expect(venue.keeper.terms(ctx, 1)?.status).toBe("active");
    const lots = [1, 2, 3, 4].map((n) => venue.clearing.positionLots(ctx, venue.account(n), 1));
    expect(lots.reduce((sum, one) => sum + one, 0n)).toBe(0n);
    expect(lots[2]).toBe(2000n);
    // Whatever was bought under the bracket is protected to the lot.
    let protectedLots = 0n;
    venue.venue.state.waiting.each(ctx, (_key, order) => {
      expect(order.reduceOnly).toBe(true);
      protectedLots += order.remainingLots;
    });
    expect(protectedLots).toBe(2n * (lots[1] ?? 0n));
    expect(venue.violation()).toBeNull();
  });

  it("nets an owner's icebergs lot for lot, hidden parts included", () => {
    const rest = (sale: string, ...buys: string[]): string => {
      const venue = market(MatchingMode.MATCHING_MODE_CONTINUOUS);
      venue.place(venue.account(1), sale);
      reopen(venue);
      buys.forEach((buy, n) => void venue.place(venue.account(1, 1), `${buy} id=b${n}`));
      for (let i = 0; i < 4; i++) venue.block(60_000);
      const orders: string[] = [];
      venue.venue.state.orders.each(venue.ctx, (_key, { side, remainingLots, hiddenLots }) => {
        orders.push(`${side === 1 ? "buy" : "sell"} ${remainingLots}+${hiddenLots}`);
      });
      return orders.join(", ");
    };
    expect(rest("sell 3 @ 60100 show=1", "buy 1 @ 60200")).toBe("sell 1000+1000");
    expect(rest("sell 3 @ 60100 show=1", "buy 1.5 @ 60200", "buy 1 @ 60150")).toBe("sell 500+0");
    expect(rest("sell 3 @ 60100 show=1", "buy 4 @ 60200")).toBe("buy 1000+0");
    expect(rest("sell 3 @ 60100 show=1", "buy 3 @ 60200")).toBe("");
  });

  it("ends both orders of a pair of which it finds one expired", () => {
    const venue = market(MatchingMode.MATCHING_MODE_CONTINUOUS);
    const { ctx } = venue;
    const { params } = venue.venue.state;
    params.set(ctx, { ...params.require(ctx), expiriesPerBlockMax: 1 });
    venue.place(venue.account(9), "buy 1 @ 59000 til=1700000001400");
    for (const [n, second] of [
      [1, "buy 1 market stop=61000"],
      [2, "buy 1 @ 59800"],
    ] as const) {
      const legs = ["buy 1 @ 59900 til=1700000001500", second].map(venue.order);
      const parsed = parseOco({ sender: "", owner: "", subaccount: 0, legs });
      venue.keeper.placeOco(ctx, venue.account(n), parsed);
    }
    reopen(venue);
    venue.place(venue.account(3), "sell 4 @ 59700 id=s");
    venue.block(60_000);
    venue.block(60_000);
    expect(venue.book()).toBe(" | 59700:4");
    expect(venue.venue.waiting.of(ctx, 1).size).toBe(0);
    expect([1, 2].map((n) => venue.clearing.positionLots(ctx, venue.account(n), 1))).toEqual([
      0n,
      0n,
    ]);
  });

  it("lets orders wait, and fires none before the market is open", () => {
    const venue = market(MatchingMode.MATCHING_MODE_CONTINUOUS);
    venue.place(venue.account(9), "buy 5 @ 59000 id=bid");
    reopen(venue);
    venue.place(venue.account(1), "sell 1 market stop=60500 id=stop");
    expect(() => venue.place(venue.account(2), "sell 1 @ 60500 id=stop block=9")).toThrow(
      refusal(51),
    );
    expect(() => venue.place(venue.account(1), "sell 1 @ 60500 id=stop")).toThrow(refusal(16));
    venue.block(60_000);
    expect(venue.venue.waiting.of(venue.ctx, 1).size).toBe(1);
    for (let i = 0; i < 3; i++) venue.block(60_000);
    expect(venue.clearing.positionLots(venue.ctx, venue.account(1), 1)).toBe(-1000n);
  });

  it("takes no amendment that moves an order, no pair and no combination; a smaller size is taken", () => {
    const venue = market(MatchingMode.MATCHING_MODE_CONTINUOUS);
    venue.place(venue.account(1), "buy 2 @ 59000 id=a");
    reopen(venue);
    expect(() => amend(venue, 1, "a", { price: "59500" })).toThrow(refusal(52));
    expect(amend(venue, 1, "a", { size: "1" }).keptPriority).toBe(true);
    const legs = ["sell 1 @ 61000", "sell 1 market stop=59000"].map(venue.order);
    const parsed = parseOco({ sender: "", owner: "", subaccount: 0, legs });
    expect(() => venue.keeper.placeOco(venue.ctx, venue.account(1), parsed)).toThrow(refusal(52));
    expect(venue.violation()).toBeNull();
  });
});

describe("a market that only holds auctions", () => {
  it("takes no order with a last block", () => {
    const venue = market(MatchingMode.MATCHING_MODE_BATCH_AUCTION);
    for (const text of [`sell 1 @ 60000 id=a block=${venue.ctx.header.height + 5}`]) {
      expect(() => venue.place(venue.account(1), text)).toThrow(refusal(51));
    }
    expect(venue.place(venue.account(1), "sell 1 market id=a slip=100").status).toBe(8);
    venue.block(60_000);
  });
});
