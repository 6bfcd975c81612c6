import { beforeEach, describe, expect, it } from "vitest";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { MARGIN_CODES } from "../errors.ts";
import { defaultLadder } from "../liquidation/terms.ts";
import type { CollateralMove, Trade } from "../ports.ts";
import { BTC, DENOM, ETH } from "../testing/world.ts";

/** One lot is worth a unit (1e6 quanta) at 1,000 ticks. */
const UNIT = 1_000_000n;

let world: InsuredWorld;
let winner: AccountId;
let friend: AccountId;

/** 100 long lots with ten units behind them; at half the price 40 are missing, and the short that has gained 50 waits for its part of it. */
beforeEach(() => {
  world = createInsuredWorld({ marketSettlement: { afterBlocks: 2, atOncePpm: 0n } });
  const long = world.funded(1, 10n * UNIT);
  winner = world.funded(2, 50n * UNIT);
  friend = world.funded(3, 1_000n * UNIT);
  world.trade(long, winner, 100n, 1_000n);
  world.trade(friend, winner, 1n, 1_000n, ETH);
  world.markets.setMark(world.ctx, BTC, 500n);
  blocks(1);
});

function blocks(count: number): void {
  for (let i = 0; i < count; i++) {
    world.margin.keeper.endBlock(world.ctx);
    expect(world.violated()).toBeNull();
    world.ctx.nextBlock();
  }
}

const pending = () => world.margin.keeper.pendingShortfall(world.ctx, DENOM);
const status = () => world.markets.terms(world.ctx, BTC)?.status;
const notes = () => world.margin.state.waterfall.shares.size(world.ctx);

function traded(buyer: AccountId, seller: AccountId, lots: bigint, priceTicks: bigint): Trade {
  const party = (account: AccountId) => ({ account, feeQuanta: 0n, orderId: null });
  const [buys, sells] = [party(buyer), party(seller)];
  return {
    market: ETH,
    priceTicks,
    lots,
    buyer: buys,
    seller: sells,
    taker: "buy",
    kind: "external",
  };
}

const agreed = (trades: readonly Trade[], moves: readonly CollateralMove[] = []) =>
  world.margin.keeper.clearAll(world.ctx, trades, moves);

/** With the short ETH lot goes some cash. */
const leave = (quanta: bigint) =>
  agreed(
    [{ ...traded(winner, friend, 1n, 1_000n), kind: "transfer" }],
    [{ from: winner, to: friend, quanta }],
  );

describe("what is still to be borne", () => {
  const refusal = { ok: false, refused: 0, code: MARGIN_CODES.withdrawalsGated };

  it("does not leave with a position that moves while the market is stopped", () => {
    expect(status()).toBe("halted");
    expect(leave(40n * UNIT)).toMatchObject({ ...refusal, refused: winner });
  });

  it("does not leave with a position that moves once the market was settled", () => {
    blocks(3);
    expect(notes()).toBeGreaterThan(0);
    expect(leave(99n * UNIT)).toMatchObject({ ...refusal, refused: winner });
    blocks(1);
    expect([status(), pending()]).toEqual(["settled", 0n]);
  });

  it("does not leave as a top-up", () => {
    const poor = accountId(world.owner(2), 1);
    world.bank.mint(world.ctx, world.owner(2), 10n * UNIT);
    world.margin.keeper.deposit(world.ctx, world.owner(2), poor, 10n * UNIT);
    world.trade(poor, friend, 100n, 1_000n, ETH);
    const rule = { from: [0], capPerDay: `${100n * UNIT}`, targetPpm: 1_500_000n };
    world.margin.state.custody.topUps.set(world.ctx, poor, rule);
    world.markets.setMark(world.ctx, ETH, 940n);
    const before = world.margin.keeper.account(world.ctx, winner)?.collateral;
    blocks(1);
    expect(world.margin.keeper.account(world.ctx, winner)?.collateral).toBe(before);
  });

  it("is not traded away, beyond what the account is worth without it", () => {
    const lose = (ticks: bigint) =>
      agreed([traded(winner, friend, 100n, 1_000n + ticks), traded(friend, winner, 100n, 1_000n)]);
    expect(lose(100n)).toEqual({ ok: true });
    expect(lose(500n)).toMatchObject({ ...refusal, refused: winner });
    blocks(3);
    expect(notes()).toBeGreaterThan(0);
    expect(lose(500n)).toMatchObject({ ...refusal, refused: winner });
    // A lot that is held needs a tenth of a unit.
    expect(lose(400n)).toMatchObject({ ...refusal, refused: winner });
    expect(lose(399n)).toEqual({ ok: true });
    blocks(1);
    expect([status(), pending()]).toEqual(["settled", 0n]);
  });

  it("is no margin for what an account may win or lose elsewhere", () => {
    const bet = (lots: bigint) => agreed([traded(winner, friend, lots, 1_000n)]);
    // 50 of 100 are at stake, and the position there needs five: 45 are enough for 450 lots, and one that is short is bought back.
    const short = { ok: false, refused: winner, code: MARGIN_CODES.insufficientMargin };
    expect(bet(452n)).toMatchObject(short);
    expect(bet(451n)).toEqual({ ok: true });
    expect(bet(1n)).toMatchObject(short);
    expect(agreed([traded(friend, winner, 451n, 1_000n)])).toEqual({ ok: true });
    blocks(3);
    expect(notes()).toBeGreaterThan(0);
    expect(bet(502n)).toMatchObject({ ...refusal, refused: winner });
    expect(bet(501n)).toEqual({ ok: true });
  });

  it("is no margin for a bid, either", () => {
    const { ctx, margin } = world;
    const params = margin.state.params.require(ctx);
    margin.state.params.set(ctx, {
      ...params,
      ladder: defaultLadder(),
      liquidationNotionalMin: "0",
    });
    const goodTilMs = ctx.header.timeNs / 1_000_000n + 1_000n;
    const order = { account: winner, market: ETH, side: "buy", worstTicks: 1_000n } as const;
    const bid = (lots: bigint) =>
      margin.keeper.ladder.bids.place(ctx, { ...order, goodTilMs, lots });
    expect(() => bid(502n)).toThrow("short of 5.1");
    bid(451n);
  });

  /** By what it holds in ETH falling to a price; then it is flat. */
  function loseAll(lots: bigint, ticks: bigint): void {
    blocks(3);
    expect(notes()).toBeGreaterThan(0);
    expect(agreed([traded(winner, friend, lots + 1n, 1_000n)])).toEqual({ ok: true });
    world.markets.setMark(world.ctx, ETH, ticks);
    expect(agreed([traded(friend, winner, lots, ticks)])).toEqual({ ok: true });
    blocks(1);
  }

  it("is missing in the queue when the account has lost it since", () => {
    loseAll(100n, 100n);
    expect(pending()).toBe(30n * UNIT);
    expect([status(), notes()]).toEqual(["settled", 0]);
  });

  it("is found though the account has lost all that it had", () => {
    loseAll(200n, 500n);
    expect(pending()).toBe(40n * UNIT);
    expect([status(), notes()]).toEqual(["settled", 0]);
  });
});

describe("a loss that grows in the queue", () => {
  it("belongs to the market it is made in, not to the one it began with", () => {
    // Nine lost in ETH of eight that were there, and nothing yet in BTC, which then loses 50.
    world = createInsuredWorld({ marketSettlement: { afterBlocks: 3, atOncePpm: 0n } });
    const both = world.funded(1, 8n * UNIT);
    const ether = world.funded(2, 1_000n * UNIT);
    const coin = world.funded(3, 1_000n * UNIT);
    world.trade(both, ether, 30n, 1_000n, ETH);
    world.trade(both, coin, 100n, 1_000n);
    world.markets.setMark(world.ctx, ETH, 700n);
    world.markets.setMark(world.ctx, BTC, 1_000n, false);
    blocks(1);
    world.markets.setMark(world.ctx, BTC, 500n);
    blocks(8);
    expect(pending()).toBe(0n);
    // 51 are missing, and nine of 59 that were lost belong to ETH.
    expect(world.equity(ether)).toBe(1_009n * UNIT - (51n * UNIT * 9n) / 59n);
  });
});
