import { describe, expect, it } from "vitest";
import {
  IDLE_ENDED_PER_BLOCK_MAX,
  IDLE_PARTS,
  TRIGGER_REFUSALS_PER_BLOCK_MAX,
  TRIGGERS_PER_BLOCK_MAX,
} from "../limits.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";
import { endIdle } from "./reducing.ts";

const refusal = (code: number) => expect.objectContaining({ codespace: "derivatives", code });
const STOP = "sell 0.001 market stop=59000 reduce";

function roomy(): TestVenue {
  const market = testMarket();
  const terms = { ...market.terms!, openOrdersMax: 1000 };
  return createTestVenue({ ...market, terms });
}

/** Reduce-only stops of one sub-account, whose entry is gone again. */
function idleStops(venue: TestVenue, n: number, count: number, stop = STOP, sub = 0): void {
  const { ctx, keeper } = venue;
  const account = venue.account(n, sub);
  venue.place(account, "buy 1 @ 50000 id=entry");
  for (let i = 0; i < count; i++) venue.place(account, stop);
  keeper.cancel(ctx, account, { market: SYMBOL, orderId: 0n, clientId: "entry" });
}

const waiting = (venue: TestVenue, n: number, sub = 0): number =>
  venue.venue.waiting.of(venue.ctx, 1).openOrders(venue.account(n, sub));
const position = (venue: TestVenue, n: number): bigint =>
  venue.clearing.positionLots(venue.ctx, venue.account(n), 1);

describe("a reduce-only order that waits", () => {
  it.each([
    ["a position", ["buy 1 @ 60000"]],
    ["an entry that rests", ["buy 1 @ 59000"]],
    ["an entry that waits", ["buy 1 market stop=61000"]],
    ["an entry with a bracket", ["buy 1 @ 59000 tp=61000 sl=58000"]],
  ])("is taken where there is %s to reduce", (_what, orders) => {
    const venue = createTestVenue();
    for (const text of ["sell 1 @ 60000", "buy 1 @ 59500"]) venue.place(venue.account(9), text);
    for (const text of orders) venue.place(venue.account(1), text);
    for (const text of [
      STOP,
      "sell 1 market trail=100 reduce",
      "sell 1 @ 62000 profit=62000 reduce",
    ])
      expect(venue.place(venue.account(1), text).status).toBe(4);
    expect(venue.place(venue.account(1), "sell 1 market twap=2/1000 reduce").status).toBe(4);
    expect(() => venue.place(venue.account(1), "buy 1 market stop=61000 reduce")).toThrow(
      refusal(14),
    );
  });

  it("is refused where there is nothing, or too little for an entry to turn round", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "buy 1 @ 59500");
    expect(() => venue.place(venue.account(1), STOP)).toThrow(refusal(14));
    venue.place(venue.account(1), "sell 1 @ 59500");
    venue.place(venue.account(1), "buy 1 @ 59000");
    expect(() => venue.place(venue.account(1), STOP)).toThrow(refusal(14));
  });

  it("has three beside it for the least order, and four more for each that could be placed besides", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "sell 1 @ 60000");
    venue.place(venue.account(1), "buy 0.001 @ 60000");
    for (let i = 0; i < 4; i++) venue.place(venue.account(1), STOP);
    expect(() => venue.place(venue.account(1), STOP)).toThrow(refusal(47));
    venue.place(venue.account(1), "buy 0.001 @ 60000");
    for (let i = 0; i < 4; i++) venue.place(venue.account(1), STOP);
    expect(() => venue.place(venue.account(1), STOP)).toThrow(refusal(47));
    // Worth less than the market's least order: its lots are not counted one by one.
    const dear = createTestVenue(
      testMarket({ terms: { ...testMarket().terms!, notionalMin: 100_000_000n } }),
    );
    dear.place(dear.account(1), "buy 0.004 @ 59000");
    for (let i = 0; i < 8; i++) dear.place(dear.account(1), STOP);
    expect(() => dear.place(dear.account(1), STOP)).toThrow(refusal(47));
  });

  it("keeps nobody's stop waiting when it has nothing to reduce any more", () => {
    const venue = roomy();
    venue.place(venue.account(9), "sell 1 @ 60000");
    venue.place(venue.account(9), "buy 5 @ 58000");
    venue.place(venue.account(1), "buy 1 @ 60000");
    for (let n = 2; n <= 6; n++) idleStops(venue, n, 700);
    venue.place(venue.account(1), "sell 1 market stop=58900 reduce");
    venue.block(58_800);
    expect(position(venue, 1)).toBe(0n);
    let left = 3500 - TRIGGER_REFUSALS_PER_BLOCK_MAX;
    const idle = (): number => [2, 3, 4, 5, 6].reduce((sum, n) => sum + waiting(venue, n), 0);
    expect(idle()).toBe(left);
    // What the block had no room to refuse has not got a turn either: it waits, and the mark may leave it.
    venue.block(60_000);
    expect(idle()).toBe(left);
    while (left > 0) {
      venue.block(58_800);
      left = left > TRIGGER_REFUSALS_PER_BLOCK_MAX ? left - TRIGGER_REFUSALS_PER_BLOCK_MAX : 0;
      expect(idle()).toBe(left);
    }
  });

  it("counts as refused, like one that is refused for itself: both leave the places to others", () => {
    const venue = roomy();
    venue.place(venue.account(9), "buy 5 @ 58000");
    const refused = TRIGGERS_PER_BLOCK_MAX + 100;
    for (let i = 0; i < refused; i++)
      venue.place(venue.account(2), "sell 0.01 @ 57000 post stop=59000");
    venue.place(venue.account(1), "sell 1 market stop=58900");
    venue.block(58_800);
    expect(position(venue, 1)).toBe(-1000n);
    expect(waiting(venue, 2)).toBe(0);
  });

  it("leaves a crowded market when it has nothing to reduce", () => {
    const venue = roomy();
    const { ctx } = venue;
    const instrument = venue.keeper.terms(ctx, 1);
    if (instrument === undefined) throw new Error("no market");
    /** Until every sub-account had its turn. Most that one block took. */
    const end = (crowded: number): number => {
      let most = 0;
      for (let part = 0; part < IDLE_PARTS; part++) {
        const before = venue.venue.waiting.of(ctx, 1).size;
        ctx.nextBlock(1);
        endIdle(ctx, venue.venue, instrument, crowded);
        most = Math.max(most, before - venue.venue.waiting.of(ctx, 1).size);
      }
      return most;
    };
    venue.place(venue.account(5), "buy 1 @ 50000");
    for (let i = 0; i < 10; i++) venue.place(venue.account(5), STOP);
    // Their turns come in one block: what the names of sub-accounts sum to differs by sixteen.
    const subs = [0, 16, 32];
    for (const sub of subs) idleStops(venue, 2, 800, STOP, sub);
    // Shrunk to the least order, this one keeps four.
    venue.place(venue.account(6), "buy 1 @ 50000 id=entry");
    for (let i = 0; i < 10; i++) venue.place(venue.account(6), STOP);
    const cancelled = { market: SYMBOL, orderId: 0n, clientId: "entry" };
    venue.keeper.cancel(ctx, venue.account(6), cancelled);
    venue.place(venue.account(6), "buy 0.001 @ 50000");

    const left = (): number[] => [
      ...subs.map((sub) => waiting(venue, 2, sub)),
      waiting(venue, 5),
      waiting(venue, 6),
    ];
    expect(end(2420)).toBe(0);
    expect(left()).toEqual([800, 800, 800, 10, 10]);
    expect(end(1000)).toBe(IDLE_ENDED_PER_BLOCK_MAX);
    expect(left().slice(0, 3)).toEqual([0, 0, 400]);
    end(0);
    expect(left()).toEqual([0, 0, 0, 10, 4]);
    expect(venue.violation()).toBeNull();
  });

  it("is left where it is while the market has room", () => {
    const venue = createTestVenue();
    idleStops(venue, 2, 10);
    venue.block(60_000);
    expect(waiting(venue, 2)).toBe(10);
  });
});
