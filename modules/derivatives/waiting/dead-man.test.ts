import { describe, expect, it, vi } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import {
  DEAD_MAN_CANCELS_PER_BLOCK_MAX,
  DEAD_MAN_RETRY_MS,
  DEAD_MEN_IDLE_PER_BLOCK_MAX,
} from "../limits.ts";
import { parseRequest } from "../orders/requests.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";
import { fireDeadMen } from "./dead-man.ts";

const refusal = (code: number) => expect.objectContaining({ codespace: "derivatives", code });
const START = 1_700_000_000_000n;

/** A market that collects beside the first: its orders are open from their placement to the end of the block. */
const AUCTION = "SECOND";

function withAuction(): TestVenue {
  const market = testMarket();
  const venue = createTestVenue({ ...market, terms: { ...market.terms!, openOrdersMax: 1000 } });
  const terms = { ...defaultTerms(), auction: defaultAuctionTerms() };
  venue.keeper.createMarket(venue.ctx, testMarket({ symbol: AUCTION, terms }));
  return venue;
}

function collect(venue: TestVenue, n: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const order = { ...venue.order("buy 0.01 @ 59000"), market: AUCTION, clientId: `c${i}` };
    venue.keeper.place(venue.ctx, venue.account(n), parseRequest(order));
  }
}

function fired(venue: TestVenue): number {
  return venue.ctx.events.splice(0).filter(({ type }) => type === "dead_man_fired").length;
}

/** Orders of any kind, of accounts 1 to `count`. */
function open(venue: TestVenue, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const account = venue.account(i + 1);
    let sum = 0;
    for (const market of venue.keeper.marketIds(venue.ctx)) {
      sum += venue.venue.books.of(venue.ctx, market).openOrders(account);
      sum += venue.venue.waiting.of(venue.ctx, market).openOrders(account);
    }
    venue.venue.state.collected.each(venue.ctx, ([, of]) => {
      if (of === account) sum += 1;
    });
    return sum;
  });
}

describe("a dead man", () => {
  it("that has fired left no order behind, however many fire in a block that collects", () => {
    const venue = withAuction();
    const { ctx, keeper } = venue;
    const makers = 16;
    for (let n = 1; n <= makers; n++) {
      for (let i = 0; i < 140; i++) venue.place(venue.account(n), "buy 0.01 @ 59000");
      for (let i = 0; i < 10; i++) venue.place(venue.account(n), "sell 0.01 market stop=50000");
      keeper.setDeadMan(ctx, venue.account(n), START + 500n);
    }
    ctx.nextBlock(1);
    for (let n = 1; n <= makers; n++) collect(venue, n, 40);
    fired(venue);
    let all = 0;
    for (let block = 0; block < 2; block++) {
      keeper.endBlock(ctx);
      expect(venue.violation()).toBeNull();
      const done = fired(venue);
      all += done;
      const left = open(venue, makers);
      expect(left.filter((count) => count === 0).length).toBe(all);
      if (block === 0) {
        // 190 orders each, and the eleventh is left with what the block had no room for.
        expect(all).toBe(10);
        expect(left.reduce((sum, count) => sum + count)).toBe(190 * makers - 2000);
      }
      ctx.nextBlock(1);
    }
    expect(all).toBe(makers);
  });

  it("of a sub-account without orders takes no turn from one that has some", () => {
    const venue = createTestVenue();
    const { ctx, keeper } = venue;
    const idle = DEAD_MEN_IDLE_PER_BLOCK_MAX + 500;
    for (let i = 0; i < idle; i++) keeper.setDeadMan(ctx, venue.account(2, i), START + 400n);
    venue.place(venue.account(1), "buy 1 @ 59000");
    keeper.setDeadMan(ctx, venue.account(1), START + 500n);
    keeper.setDeadMan(ctx, venue.account(3), START + 500n);
    fired(venue);
    venue.block(60_000);
    expect(venue.book()).toBe(" | ");
    expect(fired(venue)).toBe(DEAD_MEN_IDLE_PER_BLOCK_MAX + 1);
    // Orders that come after the deadline, before its turn, go too.
    venue.place(venue.account(3), "buy 1 @ 59000");
    venue.block(60_000);
    expect(venue.book()).toBe(" | ");
    expect(fired(venue)).toBe(501);
    expect(venue.venue.state.deadMen.size(ctx)).toBe(0);
  });

  it("cancels everything at its time, in every market, unless it is moved", () => {
    const venue = createTestVenue();
    const { ctx, keeper } = venue;
    keeper.createMarket(ctx, testMarket({ symbol: "SECOND" }));
    const account = venue.account(1);
    venue.place(account, "buy 1 @ 59000");
    venue.place(account, "sell 1 market stop=59000");
    venue.place(venue.account(1, 1), "buy 1 @ 59000");
    keeper.setDeadMan(ctx, account, START + 1500n);
    keeper.setDeadMan(ctx, account, START + 2500n);
    expect(venue.violation()).toBeNull();
    venue.block(60_000);
    venue.block(60_000);
    expect(venue.book()).toBe("59000:1 59000:1 | ");
    venue.block(60_000);
    expect(venue.book()).toBe("59000:1 | ");
    expect(ctx.events.map(({ type }) => type)).toContain("dead_man_fired");
    expect(venue.venue.state.deadMen.size(ctx)).toBe(0);
  });

  it("cancels what could make a position before all that can only reduce one", () => {
    const venue = withAuction();
    const { ctx, keeper } = venue;
    venue.place(venue.account(9), "sell 1 @ 60000");
    for (let sub = 0; sub < 10; sub++) {
      const account = venue.account(2, sub);
      venue.place(account, "buy 0.1 @ 59000");
      for (let i = 0; i < 250; i++) venue.place(account, "sell 0.01 market stop=50000 reduce");
      keeper.setDeadMan(ctx, account, START + 400n);
    }
    venue.place(venue.account(1), "buy 1 @ 60000");
    venue.place(venue.account(1), "buy 1 @ 59000");
    venue.place(venue.account(1), "sell 1 market stop=58000 reduce");
    keeper.setDeadMan(ctx, venue.account(1), START + 500n);
    fired(venue);
    venue.block(60_000);
    expect(venue.book()).toBe(" | ");
    expect(open(venue, 2)).toEqual([1, 0]);
    expect(fired(venue)).toBe(7);
    venue.block(60_000);
    expect(open(venue, 1)).toEqual([0]);
    expect(fired(venue)).toBe(4);
  });

  it("can be brought forward, switched off, and not set in the past or for nobody", () => {
    const venue = createTestVenue();
    const { ctx, keeper } = venue;
    const account = venue.account(1);
    venue.place(account, "buy 1 @ 59000");
    keeper.setDeadMan(ctx, account, START + 9000n);
    keeper.setDeadMan(ctx, account, START + 1000n);
    expect(venue.venue.state.deadManQueue.size(ctx)).toBe(1);
    keeper.setDeadMan(ctx, account, 0n);
    keeper.setDeadMan(ctx, account, 0n);
    venue.block(60_000);
    expect(venue.book()).toBe("59000:1 | ");
    for (const wrong of [1n, START, START + 400n * 86_400_000n, (1n << 64n) - 1n]) {
      expect(() => keeper.setDeadMan(ctx, account, wrong)).toThrow(refusal(48));
    }
    const nobody = accountId(new Uint8Array(20).fill(77), 0);
    expect(() => keeper.setDeadMan(ctx, nobody, START + 9000n)).toThrow(refusal(22));
  });

  it("with more orders than a block may cancel goes on in the next", () => {
    const market = testMarket();
    const venue = createTestVenue({ ...market, terms: { ...market.terms!, openOrdersMax: 1000 } });
    const { ctx, keeper } = venue;
    for (const n of [1, 2, 3]) {
      for (let i = 0; i < 800; i++) venue.place(venue.account(n), "buy 0.01 @ 59000");
      keeper.setDeadMan(ctx, venue.account(n), START + 500n);
    }
    ctx.nextBlock(1);
    keeper.endBlock(ctx);
    const { books } = venue.venue;
    expect(books.of(ctx, 1).size).toBe(2400 - DEAD_MAN_CANCELS_PER_BLOCK_MAX);
    expect(venue.violation()).toBeNull();
    ctx.nextBlock(1);
    keeper.endBlock(ctx);
    expect(books.of(ctx, 1).size).toBe(0);
    expect(venue.violation()).toBeNull();
  });

  it("costs a block no more than it can cancel, however many are due", () => {
    const venue = createTestVenue();
    const { ctx, keeper } = venue;
    const men = DEAD_MAN_CANCELS_PER_BLOCK_MAX + 500;
    for (let i = 0; i < men; i++) {
      venue.place(venue.account(1, i), "buy 0.01 @ 50000");
      keeper.setDeadMan(ctx, venue.account(1, i), START + 500n);
    }
    ctx.nextBlock(1);
    const steps = vi.spyOn(ctx.state, "savepoint");
    fireDeadMen(ctx, venue.venue);
    expect(steps.mock.calls.length).toBeLessThanOrEqual(DEAD_MAN_CANCELS_PER_BLOCK_MAX);
    expect(venue.venue.books.of(ctx, 1).size).toBe(500);
  });

  it("of a sub-account with nothing but reduce-only orders that wait is not tried before all the others", () => {
    const venue = createTestVenue();
    const { ctx, keeper } = venue;
    const cancelled = { market: SYMBOL, orderId: 0n, clientId: "entry" };
    for (let i = 0; i < 20; i++) {
      venue.place(venue.account(1, i), "buy 0.01 @ 50000 id=entry");
      venue.place(venue.account(1, i), "sell 0.01 market stop=49000 reduce");
      keeper.cancel(ctx, venue.account(1, i), cancelled);
      keeper.setDeadMan(ctx, venue.account(1, i), START + 400n);
    }
    ctx.nextBlock(1);
    const steps = vi.spyOn(ctx.state, "savepoint");
    fireDeadMen(ctx, venue.venue);
    expect(steps).toHaveBeenCalledTimes(20);
    expect(fired(venue)).toBe(20);
  });

  it("is looked at in a later block where the markets are too full to look for all", () => {
    const venue = createTestVenue();
    const { ctx, keeper } = venue;
    for (let i = 0; i < 8; i++) {
      venue.place(venue.account(1, i), "buy 0.01 @ 50000");
      keeper.setDeadMan(ctx, venue.account(1, i), START + 500n);
    }
    ctx.nextBlock(1);
    fired(venue);
    // A quarter of eight is within three looks; then half of six; then all three.
    for (const count of [2, 3, 3]) {
      fireDeadMen(ctx, venue.venue, 3);
      expect(fired(venue)).toBe(count);
    }
    expect(venue.book()).toBe(" | ");
  });

  it("stays while an order of it stands in a market that fails at cancelling, and holds nobody up", () => {
    const market = testMarket();
    const venue = createTestVenue({ ...market, terms: { ...market.terms!, openOrdersMax: 1000 } });
    const { clearing, ctx, keeper } = venue;
    keeper.createMarket(ctx, testMarket({ symbol: "SECOND" }));
    const second = { ...venue.order("buy 1 @ 59000"), market: "SECOND" };
    for (const n of [1, 2]) {
      venue.place(venue.account(n), "buy 1 @ 59000");
      keeper.place(ctx, venue.account(n), parseRequest(second));
      keeper.setDeadMan(ctx, venue.account(n), START + 500n);
    }
    const adjust = clearing.adjustOpenOrders;
    const fails = vi.spyOn(clearing, "adjustOpenOrders");
    fails.mockImplementation((inner, account, id, ...rest) => {
      if (id === 1 && account === venue.account(1)) throw new Error("broken");
      return adjust(inner, account, id, ...rest);
    });
    fired(venue);
    venue.block(60_000);
    // The rest of its orders went, and so did the other's, out of the quarantined market too.
    expect(open(venue, 2)).toEqual([1, 0]);
    expect(fired(venue)).toBe(1);
    const record = venue.venue.state.deadMen.get(ctx, venue.account(1));
    expect(record?.deadlineMs).toBe(START + 1000n + BigInt(DEAD_MAN_RETRY_MS));
    expect(venue.violation()).toBeNull();
    fails.mockClear();
    venue.block(60_000);
    expect(fails).not.toHaveBeenCalled();
    fails.mockRestore();
    ctx.nextBlock(DEAD_MAN_RETRY_MS / 1000);
    keeper.endBlock(ctx);
    expect(open(venue, 1)).toEqual([0]);
    expect(fired(venue)).toBe(1);
    expect(venue.violation()).toBeNull();
  });
});
