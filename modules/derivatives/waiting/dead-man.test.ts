import { describe, expect, it } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import { DEAD_MAN_CANCELS_PER_BLOCK_MAX } from "../limits.ts";
import { createTestVenue, testMarket } from "../testing.ts";

const refusal = (code: number) => expect.objectContaining({ codespace: "derivatives", code });
const START = 1_700_000_000_000n;

describe("a dead man", () => {
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
});
