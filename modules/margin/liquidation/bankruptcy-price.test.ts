import { describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { BTC, btcTerms, createWorld, type World } from "../testing/world.ts";

const UNIT = 1_000_000n;
const MARK = 50_000n;
const LOTS = 10n;

interface Plot {
  readonly world: World;
  readonly broke: AccountId;
  readonly friend: AccountId;
}

/** In a book where nobody else stands, one person is long by one owner and has money by another, which bids far from mark. */
function plot(mark: bigint, bidTicks: bigint): Plot {
  const world = createWorld({ liquidationNotionalMin: "0" });
  world.markets.list(world.ctx, btcTerms());
  world.markets.setMark(world.ctx, BTC, MARK);
  const broke = world.funded(1, 60n * UNIT);
  const friend = world.funded(2, 10_000n * UNIT);
  const stranger = world.funded(3, 100_000n * UNIT);
  const order = { market: BTC, ticks: MARK, lots: LOTS };
  world.markets.rest(world.ctx, { ...order, account: stranger, side: "sell", feeReserve: 0n });
  world.markets.take(world.ctx, { ...order, account: broke, side: "buy", feePpm: 0n });
  world.fund.give(world.ctx, 1_000n * UNIT);
  world.markets.setMark(world.ctx, BTC, mark);
  const bid = { market: BTC, ticks: bidTicks, lots: LOTS, side: "buy" } as const;
  world.markets.rest(world.ctx, { ...bid, account: friend, feeReserve: 0n });
  return { world, broke, friend };
}

/** What both could take out at mark: nobody pays what an account is below zero. */
function worth({ broke, friend, world }: Plot): bigint {
  const own = world.equity(broke);
  return (own > 0n ? own : 0n) + world.equity(friend);
}

describe("who bids far from mark for what a second owner of his must sell", () => {
  it.each([46_500n, 46_200n, 45_000n, 44_500n, 44_050n, 44_000n, 43_990n, 43_000n, 42_000n])(
    "gains nothing by it, at a mark of %s",
    (mark) => {
      for (const away of [0n, 10n, 150n, 500n, 1_000n, 1_900n, 2_400n]) {
        const attack = plot(mark, mark - away);
        const { broke, world } = attack;
        const before = worth(attack);
        const missing = -world.equity(broke);
        for (let block = 0; block < 3; block++) {
          world.margin.keeper.endBlock(world.ctx);
          world.ctx.nextBlock();
        }
        expect(worth(attack)).toBeLessThanOrEqual(before);
        const paid = 1_000n * UNIT - world.fund.balance(world.ctx, "uusdc");
        expect(paid).toBeLessThanOrEqual(missing > 0n ? missing : 0n);
        expect(world.violated()).toBeNull();
      }
    },
  );

  it("leaves the rest of a position with as much behind it as the whole had", () => {
    // Equity 12.4 of 452.4 units is 1,240 ticks a lot. The fillable price is further, and eight lots alone could go there.
    const attack = plot(45_240n, 43_840n);
    const { broke, world } = attack;
    const before = world.margin.keeper.health(world.ctx, broke);
    world.margin.keeper.endBlock(world.ctx);
    const after = world.margin.keeper.health(world.ctx, broke);
    if (before === undefined || before === null || after === undefined || after === null)
      throw new Error("no price");
    expect(after.equity * before.maintenance).toBeGreaterThanOrEqual(
      before.equity * after.maintenance,
    );
  });
});
