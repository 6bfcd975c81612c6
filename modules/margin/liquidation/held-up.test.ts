import { describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import { bid, block, events, lots, rest, setUp, UNIT, world } from "../testing/ladder.ts";
import { BTC, btcTerms } from "../testing/world.ts";
import { defaultLadder } from "./terms.ts";

const LOTS = 3_000n;
/** Of a clip: what a bid must be for, a dozen lots at 45,000. */
const LEAST = { liquidationNotionalMin: "500000000" };

function trade(market: number, long: AccountId, short: AccountId, size: bigint): void {
  world.margin.keeper.clear(world.ctx, {
    ...{ market, priceTicks: 50_000n, lots: size, taker: "buy", kind: "deleverage" },
    buyer: { account: long, feeQuanta: 0n, orderId: null },
    seller: { account: short, feeQuanta: 0n, orderId: null },
  });
}

/** 3,000 lots at 50,000 in an empty book, to which a fall to 45,000 leaves about a quarter of the maintenance requirement; `other`: as many lots of a second market. */
function fallen(params: Parameters<typeof setUp>[1] = {}, other = 0n): AccountId {
  setUp(defaultLadder(), { ...LEAST, ...params });
  world.fund.give(world.ctx, 1_000n * UNIT);
  const long = world.funded(11, 18_500n * UNIT);
  const short = world.funded(12, 500_000n * UNIT);
  world.funded(14, 500_000n * UNIT);
  trade(BTC, long, short, LOTS);
  if (other > 0n) {
    world.markets.list(world.ctx, { ...btcTerms(), id: BTC + 1, symbol: "ETH-PERP" });
    world.markets.setMark(world.ctx, BTC + 1, 50_000n);
    trade(BTC + 1, long, short, other);
  }
  block(1, 50_000n);
  return long;
}

/** Seconds until nothing is left of it; `each`: before the block, by seconds gone. */
function secondsUntilClosed(
  long: AccountId,
  most: number,
  each: (seconds: number) => void,
): number {
  for (let seconds = 1; seconds <= most; seconds++) {
    each(seconds);
    block(1, 45_000n);
    if (lots(long) === 0n) return seconds;
  }
  return -1;
}

describe("the other side of an account far under water", () => {
  for (const every of [50, 5, 1]) {
    it(`comes however often somebody bids for the least, every ${every} s`, () => {
      const seconds = secondsUntilClosed(fallen(), 120, (at) => {
        if (at % every === 0) bid(14, 12n, 44_600n);
      });
      expect(seconds).toBeGreaterThan(60);
      expect(seconds).toBeLessThan(90);
    });

    it(`comes however often somebody buys in the book what the throttle lets into it, every ${every} s`, () => {
      const seconds = secondsUntilClosed(fallen(), 120, (at) => {
        if (at % every === 0) rest("buy", 44_600n, 12n);
      });
      expect(seconds).toBeGreaterThan(60);
      expect(seconds).toBeLessThan(90);
    });
  }

  it("comes when somebody takes a quarter of it in every wait", () => {
    const long = fallen();
    const seconds = secondsUntilClosed(long, 120, (at) => {
      if (at % 59 === 0) bid(14, lots(long) / 4n, 44_600n);
    });
    expect(seconds).toBeGreaterThan(60);
    expect(seconds).toBeLessThan(90);
  });

  it("waits for who takes a quarter of it four times as often, and little is left when they have done so for two waits", () => {
    const long = fallen();
    let others = 0;
    secondsUntilClosed(long, 120, (at) => {
      if (at % 15 === 0) bid(14, maximum(lots(long) / 4n, 12n), 44_600n);
      others += events("deleverage").length;
    });
    expect(others).toBe(0);
    expect(lots(long)).toBeLessThan(LOTS / 4n);
  });

  it("comes when somebody takes all of a small position beside a large one", () => {
    let taken = 0n;
    const seconds = secondsUntilClosed(fallen({}, 12n), 120, (at) => {
      for (const { lots: size, market, source } of events("liquidation"))
        if (market === "ETH-PERP" && source === "auction") taken += BigInt(size as string);
      if (at === 50) bid(14, 12n, 49_700n, { market: "ETH-PERP" });
    });
    expect(taken).toBe(12n);
    expect(seconds).toBeGreaterThan(60);
    expect(seconds).toBeLessThan(70);
  });

  it("comes where a block may do little more than what somebody takes in it", () => {
    // Fourteen lots of 45 units a block: the clip is no more, and bidders take nearly all of it.
    const long = fallen({ liquidationNotionalPerBlockMax: "630000000" });
    let others = 0;
    secondsUntilClosed(long, 120, (at) => {
      if (at % 50 === 0) bid(14, 12n, 44_600n);
      others += events("deleverage").length;
    });
    expect(others).toBeGreaterThan(0);
  });
});

describe("who pays up to the maintenance requirement", () => {
  it("has waited for nothing, and has put up all that it was short of", () => {
    const long = fallen();
    secondsUntilClosed(long, 50, () => undefined);
    const { unfilled } = world.margin.state;
    const waits = (): bigint => world.ctx.header.timeNs - (unfilled.get(world.ctx, long) ?? 0n);
    expect(waits()).toBe(49_000_000_000n);
    world.funded(11, 100n * UNIT);
    block(1, 45_000n);
    expect(waits()).toBe(50_000_000_000n);
    const health = world.margin.keeper.health(world.ctx, long);
    world.funded(11, (health?.maintenance ?? 0n) - (health?.equity ?? 0n));
    block(1, 45_000n);
    expect(unfilled.has(world.ctx, long)).toBe(false);
  });
});
