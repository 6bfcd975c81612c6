import { describe, expect, it } from "vitest";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { createTestVenue, type TestVenue, testMarket } from "../testing.ts";

/** Matched by auction; tick 0.5, lot 0.001, mark 60,000. */
function capped(openInterestMaxLots: bigint): TestVenue {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n };
  return createTestVenue(
    testMarket({ terms: { ...defaultTerms(), openInterestMaxLots, auction } }),
  );
}

type Event = ReturnType<typeof endBlock>[number];

function endBlock({ ctx, keeper, violation }: TestVenue) {
  ctx.events.length = 0;
  keeper.endBlock(ctx);
  expect(violation()).toBeNull();
  const events = ctx.events.map(({ type, attributes }) => {
    const value = (key: string) => attributes.find((one) => one.key === key)?.value ?? "";
    return { type, value };
  });
  ctx.nextBlock(1);
  keeper.beginBlock(ctx);
  return events;
}

const fills = (events: readonly Event[]): string[] =>
  events
    .filter(({ type }) => type === "auction_fill")
    .map(({ value }) => `${value("client_id")}:${value("size")}@${value("price")}`);

describe("a batch market at its cap on open interest", () => {
  it("keeps open interest under its cap by cutting the volume, and below that only reduces", () => {
    const venue = capped(3000n);
    const [a, b, c, d] = [1, 2, 3, 4].map((n) => venue.account(n)) as [never, never, never, never];
    venue.place(a, "buy 4 @ 60000 id=a");
    venue.place(b, "sell 2 @ 60000 id=b");
    venue.place(c, "sell 2 @ 60000 id=c");
    expect(fills(endBlock(venue))).toEqual(["a:3@60000", "b:1.5@60000", "c:1.5@60000"]);
    expect(venue.clearing.openInterestLots(venue.ctx, 1)).toBe(3000n);
    // Of what would open and still crosses, the younger leaves.
    expect(venue.book()).toBe("60000:1 | ");
    expect(fills(endBlock(venue))).toEqual([]);
    for (const one of [a, b, c]) venue.keeper.cancelAll(venue.ctx, one, "");
    venue.place(d, "buy 1 @ 60000 id=new");
    venue.place(venue.account(5), "sell 1 @ 60000 id=other");
    venue.place(a, "sell 0.5 @ 60000 id=less");
    venue.place(b, "buy 0.5 @ 60000 id=back");
    // "less" closes, and whoever buys takes it over, to open or to close; "other" would open against nobody who closes more.
    expect(fills(endBlock(venue))).toEqual([
      "less:0.5@60000",
      "back:0.167@60000",
      "new:0.333@60000",
    ]);
    expect(venue.clearing.openInterestLots(venue.ctx, 1)).toBe(2833n);
    expect(fills(endBlock(venue))).toEqual([
      "back:0.056@60000",
      "new:0.111@60000",
      "other:0.167@60000",
    ]);
    expect(venue.clearing.openInterestLots(venue.ctx, 1)).toBe(2944n);
  });

  it("at the cap hands a position over to whoever opens, and looks at nothing twice that cannot trade", () => {
    const venue = capped(1000n);
    const openInterest = (): bigint => venue.clearing.openInterestLots(venue.ctx, 1);
    venue.place(venue.account(1), "buy 1 @ 60000 id=a");
    venue.place(venue.account(2), "sell 1 @ 60000 id=b");
    endBlock(venue);
    for (let n = 3; n < 43; n++) {
      venue.place(venue.account(n), `${n % 2 === 0 ? "buy" : "sell"} 1 @ 60000 id=o${n}`);
    }
    const left = endBlock(venue).filter(({ type }) => type === "order_cancelled");
    expect(left).toHaveLength(20);
    for (const { value } of left) expect(value("reason")).toBe("open_interest_cap");
    expect(venue.book()).not.toContain("60000:1 | 60000:1");
    venue.keeper.cancelAll(venue.ctx, venue.account(1), "");
    for (let n = 3; n < 43; n++) venue.keeper.cancelAll(venue.ctx, venue.account(n), "");
    venue.place(venue.account(1), "sell 1 @ 60000 id=way-out");
    venue.place(venue.account(3), "buy 1 @ 60000 id=takes-over");
    venue.place(venue.account(4), "sell 1 @ 60000 id=opens");
    expect(fills(endBlock(venue))).toEqual(["way-out:1@60000", "takes-over:1@60000"]);
    expect(openInterest()).toBe(1000n);
    venue.place(venue.account(2), "buy 1 @ 60000 id=buys-back");
    expect(fills(endBlock(venue))).toEqual(["opens:1@60000", "buys-back:1@60000"]);
    expect(openInterest()).toBe(1000n);
    expect(venue.book()).toBe(" | ");
  });

  it("gives a TWAP back what of its slice had to leave", () => {
    const venue = capped(1000n);
    venue.place(venue.account(1), "buy 1 @ 60000 id=a");
    venue.place(venue.account(2), "sell 1 @ 60000 id=b");
    endBlock(venue);
    venue.place(venue.account(3), "sell 1 @ 60000 id=rests");
    venue.place(venue.account(4), "buy 2 @ 60100 id=twap twap=2/1000");
    const [slice] = endBlock(venue).filter(({ type }) => type === "twap_slice");
    expect(slice?.value("reason")).toBe("open_interest_cap");
    expect(slice?.value("remaining")).toBe("2");
    expect(venue.book()).toBe(" | 60000:1");
  });
});
