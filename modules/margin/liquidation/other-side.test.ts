import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { bid, block, events, lots, open, rest, setUp, UNIT, world } from "../testing/ladder.ts";
import { listen } from "../testing/reasons.ts";
import { BTC, btcTerms } from "../testing/world.ts";
import { defaultLadder } from "./terms.ts";

/** 100 lots at 50,000 against two shorts of 60 and 40; `left`: units that a fall to 45,000 leaves of the long's equity, of 225 that it needs. */
function fallen(
  left: bigint,
  terms: Parameters<typeof setUp>[0] | null,
): { long: AccountId; shorts: AccountId[] } {
  setUp(terms ?? {}, terms === null ? { ladder: undefined } : {});
  world.fund.give(world.ctx, 1_000n * UNIT);
  const long = world.funded(11, (500n + left) * UNIT);
  const shorts = [world.funded(12, 1_000n * UNIT), world.funded(13, 100_000n * UNIT)];
  open("buy", 100n, long);
  for (const [i, short] of shorts.entries()) open("sell", i === 0 ? 60n : 40n, short);
  block(1, 50_000n);
  return { long, shorts };
}

/** Seconds until nothing is left of it. */
function secondsUntilClosed(
  long: AccountId,
  most: number,
  each: () => void = () => undefined,
): number {
  for (let seconds = 1; seconds <= most; seconds++) {
    each();
    block(1, 45_000n);
    if (lots(long) === 0n) return seconds;
  }
  return -1;
}

describe("an account with next to nothing left, which nobody can take at a price it can pay", () => {
  for (const [name, terms] of [
    ["without a ladder", null],
    ["with one", defaultLadder()],
  ] as const) {
    for (const left of [0n, 1n, 2n]) {
      it(`is closed by the other side after the wait, ${name}, with ${left} units left`, () => {
        const { long, shorts } = fallen(left, terms);
        const equities = shorts.map(
          (id) => world.equity(id) + (5_000n * UNIT * (id === shorts[0] ? 60n : 40n)) / 1_000n,
        );
        const fund = world.fund.balance(world.ctx, "uusdc");
        // Beyond what it can pay: 22.5 units of slippage for all.
        rest("buy", 44_977n, 1_000n);
        const seconds = secondsUntilClosed(long, 90);
        expect(seconds).toBeGreaterThan(60);
        expect(world.fund.balance(world.ctx, "uusdc")).toBeGreaterThanOrEqual(fund);
        for (const [i, id] of shorts.entries())
          expect(world.equity(id)).toBeGreaterThanOrEqual(equities[i] as bigint);
        expect(world.equity(long)).toBeGreaterThanOrEqual(0n);
        expect(world.markets.quarantined).toEqual([]);
      });
    }
  }
});

describe("what the other side closes", () => {
  beforeEach(() => {
    fallen(0n, null);
  });

  it("says why, whom it was closed against, and at which price", () => {
    const { long } = fallen(100n, null);
    const { input } = listen(world.ctx);
    expect(secondsUntilClosed(long, 61)).toBe(-1);
    // 100 of 225: the price is moved by 1.5 x 125 / 225 of 5 %, and that is more than all it has, 100 units of 4,500.
    expect(events("liquidation")).toMatchObject([
      { source: "other_side", price_ticks: "44000", limit_ticks: "44000", mark_ticks: "45000" },
    ]);
    expect(events("deleverage_round")).toMatchObject([
      { reason: "unfilled", price_ticks: "44000" },
    ]);
    expect(events("deleverage")[0]).toMatchObject({ reason: "unfilled", price_ticks: "44000" });
    expect(input("deleverage_round", "waited")).toBe("60000000000");
    expect(input("deleverage_round", "wait")).toBe("60000");
    expect(world.ctx.events.some(({ type }) => type === "loss")).toBe(false);
  });

  it("is given away where it is an option marked at nothing: nobody is made to pay more than the mark", () => {
    const { long, shorts } = fallen(100n, null);
    const { ctx, margin, markets } = world;
    const ETH = BTC + 1;
    markets.list(ctx, btcTerms({ id: ETH, feedId: ETH, symbol: "ETH-CALL" }));
    markets.setMark(ctx, ETH, 1n);
    margin.keeper.clear(ctx, {
      ...{ market: ETH, priceTicks: 1n, lots: 10n, taker: "buy", kind: "deleverage" },
      buyer: { account: long, feeQuanta: 0n, orderId: null },
      seller: { account: shorts[1] as AccountId, feeQuanta: 0n, orderId: null },
    });
    markets.setWorthless(ctx, ETH, 50n * UNIT, UNIT);
    for (let seconds = 0; seconds < 62; seconds++) {
      ctx.nextBlock(1);
      markets.setMark(ctx, BTC, 45_000n, false);
      margin.keeper.endBlock(ctx);
    }
    expect(events("deleverage")).toMatchObject([
      { market: "ETH-CALL", lots: "10", price_ticks: "0", mark_ticks: "0" },
    ]);
    expect(world.violated()).toBeNull();
  });

  it("is only what brings the account back to its target", () => {
    // 200 of 225, and a market whose book is empty.
    const { long } = fallen(200n, null);
    expect(secondsUntilClosed(long, 61)).toBe(-1);
    expect(lots(long)).toBeGreaterThan(0n);
    expect(lots(long)).toBeLessThan(100n);
    const health = world.margin.keeper.health(world.ctx, long);
    expect(health?.equity).toBeGreaterThanOrEqual(health?.maintenance ?? 0n);
  });

  it("is nothing of what the throttle holds back from the book", () => {
    const { long } = fallen(200n, { flowPpm: 1_000n });
    rest("buy", 44_900n, 1n);
    block(1, 45_000n);
    secondsUntilClosed(long, 120, () => rest("buy", 44_900n, 1n));
    expect(events("deleverage")).toEqual([]);
  });

  it("is what the throttle holds back, too, where the book has nothing at that price", () => {
    const { long } = fallen(100n, { flowPpm: 1_000n });
    const seconds = secondsUntilClosed(long, 70);
    expect(seconds).toBeGreaterThan(60);
  });

  it("is nothing where a bidder takes it first", () => {
    const { long } = fallen(100n, { offerWindowMs: 60_000n });
    world.funded(14, 10_000n * UNIT);
    for (let i = 0; i < 58; i++) block(1, 45_000n);
    expect(lots(long)).toBe(100n);
    bid(14, 100n, 44_000n);
    let others = 0;
    for (let i = 0; i < 10; i++) {
      block(1, 45_000n);
      others += events("deleverage").length;
    }
    expect(others).toBe(0);
    expect(lots(long)).toBeLessThan(20n);
  });
});
