import { describe, expect, it, vi } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { defaultTerms } from "../defaults.ts";
import {
  TRIGGER_REFUSALS_PER_BLOCK_MAX,
  TRIGGERS_PER_BLOCK_MAX,
  TURNS_KEPT_PER_BLOCK_MAX,
} from "../limits.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

const refusal = (code: number) => expect.objectContaining({ codespace: "derivatives", code });

const FALLS = "sell 0.001 market stop=59000";

function depth(venue: TestVenue): void {
  venue.place(venue.account(9), "buy 500 @ 58500");
  venue.place(venue.account(9), "sell 500 @ 61500");
}

const position = (venue: TestVenue, n: number): bigint =>
  venue.clearing.positionLots(venue.ctx, venue.account(n), 1);

function triggered(venue: TestVenue): string[] {
  const found = venue.ctx.events.filter(({ type }) => type === "order_triggered");
  const ids = found.map(
    ({ attributes }) => attributes.find(({ key }) => key === "order_id")?.value ?? "",
  );
  venue.ctx.events.length = 0;
  return ids;
}

describe("stops and take-profits", () => {
  it.each([
    ["sell 1 market stop=59000", 59_001, 59_000],
    ["sell 1 market profit=61000", 60_999, 61_000],
    ["buy 1 market stop=61000", 60_999, 61_000],
    ["buy 1 market profit=59000", 59_001, 59_000],
  ])("%s waits at %d and fires at %d", (text, before, at) => {
    const venue = createTestVenue();
    depth(venue);
    const placed = venue.place(venue.account(1), `${text} id=mine`);
    expect(placed).toMatchObject({ orderId: 3n, status: 4, remainingSize: "1" });
    venue.block(before);
    expect(position(venue, 1)).toBe(0n);
    venue.block(at);
    expect(position(venue, 1)).toBe(text.startsWith("buy") ? 1000n : -1000n);
    expect(triggered(venue)).toEqual(["3"]);
  });

  it("go on in the next block when they have met as many orders as one may, with what belongs to them", () => {
    const venue = createTestVenue(
      testMarket({ terms: { ...defaultTerms(), fillsPerOrderMax: 10 } }),
    );
    const [stopped, other, evil, deep] = [1, 2, 3, 4].map((n) => venue.account(n)) as [
      AccountId,
      AccountId,
      AccountId,
      AccountId,
    ];
    venue.place(other, "sell 1 @ 60000");
    venue.place(stopped, "buy 1 @ 60000");
    const end = 1_700_000_900_000;
    venue.place(stopped, `sell 1 market reduce stop=59500 id=mine til=${end}`);
    venue.place(stopped, "sell 1 market stop=59500 id=short tp=50000 sl=65000");
    venue.place(deep, "buy 5 @ 59300");
    // Two icebergs of ten lots that show one each: twenty parts before the depth behind them.
    for (let n = 0; n < 2; n++) venue.place(evil, "buy 0.01 @ 59400 show=0.001");
    const left: bigint[] = [];
    for (let n = 0; n < 5; n++) {
      venue.block(59_450);
      left.push(position(venue, 1));
    }
    // Ten parts each in the first block; in the second the depth takes what is left of either, of the first as far as there is a position.
    expect(left).toEqual([980n, -990n, -990n, -990n, -990n]);
    const reasons = venue.ctx.events
      .filter(({ type }) => type === "order_cancelled")
      .map(({ attributes }) => attributes.find(({ key }) => key === "reason")?.value);
    expect(reasons).not.toContain("fills_bound");
    // The bracket of the second covers all that it sold.
    const covered: bigint[] = [];
    venue.venue.state.waiting.each(
      venue.ctx,
      (_key, order) => void covered.push(order.remainingLots),
    );
    expect(covered).toEqual([1000n, 1000n]);
    expect(venue.violation()).toBeNull();
  });

  it("become resting orders with their id and client id, at the end of their level", () => {
    const venue = createTestVenue();
    const stop = venue.place(venue.account(1), "sell 1 @ 59500 stop=59800 id=s");
    venue.place(venue.account(2), "sell 2 @ 59500");
    venue.block(59_400);
    expect(venue.book()).toBe(" | 59500:2 59500:1");
    const cancelled = venue.keeper.cancel(venue.ctx, venue.account(1), {
      market: SYMBOL,
      orderId: 0n,
      clientId: "s",
    });
    expect(cancelled.orderId).toBe(stop.orderId);
    expect(venue.violation()).toBeNull();
  });

  it("are found and cancelled by client id and by id, and by nobody else", () => {
    const venue = createTestVenue();
    const { ctx, keeper } = venue;
    const { orderId } = venue.place(venue.account(1), "sell 1 market stop=59000 id=s");
    expect(() => venue.place(venue.account(1), "buy 1 @ 59000 id=s")).toThrow(refusal(16));
    const byId = { market: SYMBOL, orderId, clientId: "" };
    expect(() => keeper.cancel(ctx, venue.account(2), byId)).toThrow(refusal(17));
    const byName = { market: SYMBOL, orderId: 0n, clientId: "s" };
    expect(keeper.cancel(ctx, venue.account(1), byName)).toMatchObject({
      orderId,
      cancelledSize: "1",
    });
    expect(() => keeper.cancel(ctx, venue.account(1), byName)).toThrow(refusal(17));
    expect(venue.clearing.account(ctx, venue.account(1))?.feeReserve).toBe(0n);
    expect(venue.violation()).toBeNull();
  });

  it("reserve their worst case, unless they are reduce-only", () => {
    const venue = createTestVenue(testMarket(), 3000n);
    venue.place(venue.account(1), "sell 2 market stop=59000");
    expect(() => venue.place(venue.account(1), "sell 2 @ 60500")).toThrow(
      expect.objectContaining({ codespace: "margin" }),
    );
    venue.place(venue.account(1), "buy 1 @ 59500");
    venue.place(venue.account(1), "sell 9 market stop=59000 reduce");
    expect(venue.violation()).toBeNull();
    expect(venue.keeper.cancelAll(venue.ctx, venue.account(1), "")).toBe(3);
    venue.place(venue.account(1), "sell 2 @ 60500");
    expect(venue.violation()).toBeNull();
  });

  it("that are refused when they fire leave, and say why", () => {
    const venue = createTestVenue();
    depth(venue);
    venue.place(venue.account(1), "buy 1 @ 58000");
    venue.place(venue.account(1), "sell 1 market stop=59000 reduce id=s");
    venue.place(venue.account(1), "sell 1 @ 58400 post stop=59000 id=p");
    venue.ctx.events.length = 0;
    venue.block(58_900);
    const refused = venue.ctx.events.filter(({ type }) => type === "order_refused");
    const codes = refused.map(({ attributes }) => attributes.find(({ key }) => key === "code"));
    expect(codes.map((code) => code?.value)).toEqual(["14", "13"]);
    const reasons = venue.ctx.events
      .filter(({ type }) => type === "order_cancelled")
      .map(({ attributes }) => attributes.find(({ key }) => key === "reason")?.value);
    expect(reasons).toEqual(["trigger_refused", "trigger_refused"]);
    expect(venue.venue.waiting.of(venue.ctx, 1).size).toBe(0);
  });

  it("go on waiting without a fresh price or in a halted market", () => {
    const venue = createTestVenue();
    depth(venue);
    venue.place(venue.account(1), "sell 1 market stop=59000");
    venue.block(58_900, false);
    expect(position(venue, 1)).toBe(0n);
    venue.setPrice(58_900);
    venue.keeper.updateMarket(venue.ctx, SYMBOL, { status: 3, terms: undefined });
    venue.block(58_900);
    expect(position(venue, 1)).toBe(0n);
    venue.keeper.updateMarket(venue.ctx, SYMBOL, { status: 1, terms: undefined });
    venue.block(58_900);
    expect(position(venue, 1)).toBe(-1000n);
  });

  it("fire falling triggers from above, rising ones from below, then trailing stops, then slices", () => {
    const venue = createTestVenue();
    depth(venue);
    const a = venue.account(1);
    venue.place(a, "sell 0.1 market twap=2/1000"); // 3
    venue.place(a, "sell 0.1 market trail=100"); // 4
    venue.place(a, "buy 0.1 market profit=59000"); // 5: falling
    venue.place(a, "sell 0.1 market stop=59100"); // 6: falling, above it
    venue.place(a, "sell 0.1 market profit=58000"); // 7: rising, reached already
    venue.place(a, "buy 0.1 market stop=57000"); // 8: rising, below it
    venue.place(a, "sell 0.1 market trail=50"); // 9: reached before the other
    venue.ctx.events.length = 0;
    venue.block(58_900);
    const order = venue.ctx.events
      .filter(({ type }) => type === "order_triggered" || type === "twap_slice")
      .map(({ attributes }) => attributes.find(({ key }) => key === "order_id")?.value);
    expect(order).toEqual(["6", "5", "8", "7", "9", "4", "3"]);
  });

  it("beyond a block's bound keep their turn, though the mark recovers", () => {
    const market = testMarket();
    const terms = { ...market.terms!, openOrdersMax: 1000, fillsPerOrderMax: 1000 };
    const venue = createTestVenue({ ...market, terms });
    depth(venue);
    const extra = 5;
    for (let i = 0; i < TRIGGERS_PER_BLOCK_MAX + extra; i++) {
      venue.place(venue.account(1), `sell 0.1 market stop=${59_000 - i}`);
    }
    venue.block(58_500);
    expect(triggered(venue).length).toBe(TRIGGERS_PER_BLOCK_MAX);
    expect(venue.venue.waiting.of(venue.ctx, 1).size).toBe(extra);
    // Its trigger lies above theirs, but it was not there when they fell due.
    const later = venue.place(venue.account(1), "sell 0.1 market stop=59500");
    venue.block(60_000);
    const fired = triggered(venue);
    expect(fired.length).toBe(extra);
    expect(fired).not.toContain(`${later.orderId}`);
    expect(venue.venue.waiting.of(venue.ctx, 1).size).toBe(1);
  });

  it("cost a block no more than it can place and give turns to, however many are due", () => {
    const venue = createTestVenue();
    const { ctx } = venue;
    for (let i = 0; i < 9000; i++) venue.place(venue.account(1, i % 100), FALLS);
    const reads = vi.spyOn(venue.venue.state.waiting, "get");
    const looks = vi.spyOn(venue.venue.waiting.of(ctx, 1), "reducesOf");
    const tried = TRIGGERS_PER_BLOCK_MAX + TRIGGER_REFUSALS_PER_BLOCK_MAX;
    venue.setPrice(58_000);
    for (let block = 0; block < 4; block++) {
      ctx.nextBlock(1);
      reads.mockClear();
      looks.mockClear();
      venue.keeper.endBlock(ctx);
      expect(reads.mock.calls.length).toBe(TRIGGERS_PER_BLOCK_MAX + TURNS_KEPT_PER_BLOCK_MAX);
      // Once when they are found, once when it is their turn.
      expect(looks.mock.calls.length).toBeLessThanOrEqual(2 * (tried + TURNS_KEPT_PER_BLOCK_MAX));
    }
  });

  it("are not placed before one with a turn, though those ahead of it are over", () => {
    const venue = createTestVenue();
    const { ctx } = venue;
    const til = ctx.header.timeNs / 1_000_000n + 1500n;
    const tried = TRIGGERS_PER_BLOCK_MAX + TRIGGER_REFUSALS_PER_BLOCK_MAX;
    for (let i = 0; i < TRIGGERS_PER_BLOCK_MAX + tried; i++)
      venue.place(venue.account(1, i % 100), `${FALLS} til=${til}`);
    const turned = venue.place(venue.account(2), FALLS);
    const fresh = venue.place(venue.account(2), "sell 0.001 market stop=58500");
    venue.block(58_800);
    triggered(venue);
    venue.block(58_400);
    expect(triggered(venue)).toEqual([]);
    venue.block(60_000);
    expect(triggered(venue)).toEqual([`${turned.orderId}`, `${fresh.orderId}`]);
  });

  it("end with their good-til time and their last block", () => {
    const venue = createTestVenue();
    depth(venue);
    const { height } = venue.ctx.header;
    venue.place(venue.account(1), `sell 1 market stop=59000 block=${height + 1}`);
    venue.place(venue.account(2), `sell 1 market stop=59000 til=1700000001500`);
    venue.block(59_500);
    expect(venue.venue.waiting.of(venue.ctx, 1).size).toBe(1);
    venue.block(58_900);
    expect([position(venue, 1), position(venue, 2)]).toEqual([0n, 0n]);
    expect(venue.venue.waiting.of(venue.ctx, 1).size).toBe(0);
  });

  it.each([
    ["sell 1 market stop=59000.2", 8],
    ["sell 1 @ 59000 stop=59000 slip=100", 49],
    ["sell 1 market slip=1000000", 49],
    ["sell 1 market trail=1 reduce block=1 fok show=1", 43],
    ["sell 1 market trail=1000000ppm", 40],
    ["sell 1 market stop=59000 block=1", 20],
    ["sell 1 @ 60000 show=1", 43],
    ["sell 1 @ 60000 show=0.001", 43],
    ["sell 1 market twap=1/1000", 42],
    ["sell 1 market twap=5/10", 42],
    ["sell 0.001 market twap=5/1000", 42],
    ["sell 1 @ 60000 post twap=5/1000", 42],
    ["sell 1 market stop=59000 twap=5/1000", 42],
    ["buy 1 @ 60000 tp=59000 sl=61000", 44],
    ["buy 1 @ 60000 tp=61000 reduce", 44],
    ["buy 1 @ 60000 tp=61000 id=x tpid=x", 44],
  ])("%s is refused with code %d", (text, code) => {
    const venue = createTestVenue();
    venue.ctx.nextBlock(1);
    venue.setPrice(60_000);
    expect(() => venue.place(venue.account(1), text)).toThrow(refusal(code));
    expect(venue.violation()).toBeNull();
  });
});

describe("trailing stops", () => {
  it("follow the best mark since they were placed, by distance or share", () => {
    const venue = createTestVenue();
    depth(venue);
    venue.place(venue.account(1), "sell 1 market trail=500");
    venue.place(venue.account(2), "sell 1 market trail=10000ppm");
    venue.block(61_000);
    // Placed later, it knows nothing of 61,000.
    venue.setPrice(60_550);
    venue.place(venue.account(3), "sell 1 market trail=500");
    venue.block(60_501);
    expect(triggered(venue)).toEqual([]);
    venue.block(60_500);
    expect(triggered(venue)).toEqual(["3"]);
    venue.block(60_390);
    expect(triggered(venue)).toEqual(["4"]);
    venue.block(60_050);
    expect(triggered(venue)).toEqual(["5"]);
    expect(venue.venue.state.trailMarks.size(venue.ctx)).toBe(0);
  });

  it("write nothing in a block in which the mark gets no better and none fires", () => {
    const venue = createTestVenue();
    for (let i = 0; i < 50; i++)
      venue.place(venue.account(1 + (i % 3)), `sell 1 market trail=${500 + i}`);
    venue.block(60_100);
    venue.ctx.state.clearJournal();
    venue.ctx.nextBlock(1);
    venue.setPrice(60_050);
    venue.keeper.endBlock(venue.ctx);
    expect(venue.ctx.state.dirty().size).toBe(0);
    venue.ctx.nextBlock(1);
    venue.setPrice(60_200);
    venue.keeper.endBlock(venue.ctx);
    expect([...venue.ctx.state.dirty().values()].map((keys) => keys.length)).toEqual([1]);
  });
});
