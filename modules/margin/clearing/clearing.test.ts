import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { accountId } from "../../kit/account-id.ts";
import { ModuleError } from "../../kit/errors.ts";
import { MARGIN_CODES } from "../errors.ts";
import type { Trade } from "../ports.ts";
import { BTC, btcTerms, createWorld, ETH, type World } from "../testing/world.ts";

const UNIT = 1_000_000n;

function trade(over: {
  buyer: AccountId;
  seller: AccountId;
  lots: bigint;
  ticks: bigint;
  buyerFee?: bigint;
  sellerFee?: bigint;
  kind?: Trade["kind"];
  taker?: Trade["taker"];
}): Trade {
  return {
    market: BTC,
    priceTicks: over.ticks,
    lots: over.lots,
    buyer: { account: over.buyer, feeQuanta: over.buyerFee ?? 0n, orderId: null },
    seller: { account: over.seller, feeQuanta: over.sellerFee ?? 0n, orderId: null },
    taker: over.taker ?? "buy",
    kind: over.kind ?? "order",
  };
}

describe("clear", () => {
  let world: World;
  let long: AccountId;
  let short: AccountId;

  beforeEach(() => {
    world = createWorld();
    world.markets.list(world.ctx, btcTerms());
    world.markets.setMark(world.ctx, BTC, 50_000n);
    long = world.funded(1, 10_000n * UNIT);
    short = world.funded(2, 10_000n * UNIT);
  });

  const clear = (over: Parameters<typeof trade>[0]) =>
    world.margin.keeper.clear(world.ctx, trade(over));

  it("moves lots and cash exactly and charges fees to collateral", () => {
    // 10 lots × 50,000 ticks × 1000 quanta = 500 units.
    const result = clear({
      buyer: long,
      seller: short,
      lots: 10n,
      ticks: 50_000n,
      buyerFee: 250_000n,
      sellerFee: -50_000n,
    });
    expect(result).toEqual({ ok: true });
    const { keeper } = world.margin;
    expect(keeper.account(world.ctx, long)).toEqual({
      collateral: 10_000n * UNIT - 250_000n,
      feeReserve: 0n,
      portfolio: false,
      isolated: false,
      assets: [],
      elsewhere: [],
      positions: [
        {
          market: BTC,
          lots: 10n,
          quote: -500n * UNIT,
          fundingIndex: 0n,
          openBuyLots: 0n,
          openSellLots: 0n,
        },
      ],
    });
    expect(keeper.positionLots(world.ctx, short, BTC)).toBe(-10n);
    expect(keeper.openInterestLots(world.ctx, BTC)).toBe(10n);
    expect(keeper.totals(world.ctx).feesHeld).toBe(200_000n);
    expect(world.violated()).toBeNull();
  });

  it("moves the quote balance to collateral when a position closes", () => {
    clear({ buyer: long, seller: short, lots: 10n, ticks: 50_000n });
    world.markets.setMark(world.ctx, BTC, 51_000n);
    clear({ buyer: short, seller: long, lots: 10n, ticks: 51_000n });
    const { keeper } = world.margin;
    expect(keeper.account(world.ctx, long)).toEqual({
      collateral: 10_010n * UNIT,
      feeReserve: 0n,
      portfolio: false,
      isolated: false,
      assets: [],
      elsewhere: [],
      positions: [],
    });
    expect(keeper.account(world.ctx, short)?.collateral).toBe(9_990n * UNIT);
    expect(world.margin.state.active.size(world.ctx)).toBe(0);
    expect(world.violated()).toBeNull();
  });

  it("carries the quote balance through a flip", () => {
    clear({ buyer: long, seller: short, lots: 10n, ticks: 50_000n });
    clear({ buyer: short, seller: long, lots: 15n, ticks: 50_000n, taker: "sell" });
    expect(world.margin.keeper.positionLots(world.ctx, long, BTC)).toBe(-5n);
    expect(world.equity(long)).toBe(10_000n * UNIT);
    expect(world.violated()).toBeNull();
  });

  it("settles funding lazily and exactly, whenever either side is touched", () => {
    clear({ buyer: long, seller: short, lots: 7n, ticks: 50_000n });
    world.markets.addFunding(world.ctx, BTC, 333n);
    expect(world.equity(long)).toBe(10_000n * UNIT - 7n * 333n);
    expect(world.equity(short)).toBe(10_000n * UNIT + 7n * 333n);
    const third = world.funded(3, 10_000n * UNIT);
    clear({ buyer: third, seller: long, lots: 3n, ticks: 50_000n });
    world.markets.addFunding(world.ctx, BTC, -1_000n);
    expect(world.equity(long)).toBe(10_000n * UNIT - 7n * 333n + 4n * 1_000n);
    expect(world.equity(third)).toBe(10_000n * UNIT + 3n * 1_000n);
    expect(world.violated()).toBeNull();
  });

  it("refuses a party below its initial requirement and changes nothing", () => {
    const poor = world.funded(3, 49n * UNIT);
    const before = world.ctx.state.savepoint();
    const result = clear({ buyer: poor, seller: short, lots: 10n, ticks: 50_000n });
    expect(result).toMatchObject({
      ok: false,
      refused: "buy",
      code: MARGIN_CODES.insufficientMargin,
    });
    expect(world.ctx.state.savepoint()).toBe(before);
    expect(clear({ buyer: long, seller: poor, lots: 10n, ticks: 50_000n })).toMatchObject({
      ok: false,
      refused: "sell",
    });
  });

  it("admits an account between maintenance and initial only when it gets no riskier", () => {
    const thin = world.funded(3, 50n * UNIT);
    expect(clear({ buyer: thin, seller: short, lots: 10n, ticks: 50_000n }).ok).toBe(true);
    world.markets.setMark(world.ctx, BTC, 49_000n);
    expect(clear({ buyer: thin, seller: short, lots: 1n, ticks: 49_000n }).ok).toBe(false);
    // Selling at mark keeps equity and lowers the requirement; far below mark it is riskier.
    expect(clear({ buyer: long, seller: thin, lots: 5n, ticks: 40_000n }).ok).toBe(false);
    expect(clear({ buyer: long, seller: thin, lots: 5n, ticks: 49_000n }).ok).toBe(true);
    expect(world.violated()).toBeNull();
  });

  it("does not check the liquidated side, and pays the maker no rebate for it", () => {
    const thin = world.funded(3, 50n * UNIT);
    clear({ buyer: thin, seller: short, lots: 10n, ticks: 50_000n });
    world.markets.setMark(world.ctx, BTC, 44_000n);
    const result = clear({
      buyer: long,
      seller: thin,
      lots: 10n,
      ticks: 43_000n,
      buyerFee: -100n,
      kind: "liquidation",
      taker: "sell",
    });
    expect(result.ok).toBe(true);
    expect(world.equity(thin)).toBe(-20n * UNIT);
    expect(world.margin.keeper.totals(world.ctx).feesHeld).toBe(0n);
  });

  it("matches nothing on a stale price", () => {
    world.markets.setMark(world.ctx, BTC, 50_000n, false);
    expect(clear({ buyer: long, seller: short, lots: 1n, ticks: 50_000n })).toMatchObject({
      ok: false,
      refused: "buy",
      code: MARGIN_CODES.stalePrice,
    });
  });

  it("lets an account with a stale price elsewhere only reduce its risk", () => {
    world.markets.list(world.ctx, btcTerms({ id: ETH, symbol: "ETH-PERP" }));
    world.markets.setMark(world.ctx, ETH, 3_000n);
    clear({ buyer: long, seller: short, lots: 10n, ticks: 50_000n });
    const eth = { ...trade({ buyer: long, seller: short, lots: 10n, ticks: 3_000n }), market: ETH };
    expect(world.margin.keeper.clear(world.ctx, eth).ok).toBe(true);
    world.markets.setMark(world.ctx, ETH, 3_000n, false);
    expect(clear({ buyer: long, seller: short, lots: 1n, ticks: 50_000n })).toMatchObject({
      code: MARGIN_CODES.stalePrice,
    });
    expect(clear({ buyer: short, seller: long, lots: 1n, ticks: 50_000n }).ok).toBe(true);
  });

  it("refuses an account that does not exist", () => {
    const nobody = accountId(world.owner(9), 0);
    expect(clear({ buyer: nobody, seller: short, lots: 1n, ticks: 50_000n })).toMatchObject({
      code: MARGIN_CODES.unknownAccount,
    });
  });
});

describe("open orders", () => {
  it("reserve the worst case of the position with either side filled", () => {
    const world = createWorld();
    const { keeper } = world.margin;
    world.markets.list(world.ctx, btcTerms());
    world.markets.setMark(world.ctx, BTC, 50_000n);
    const id = world.funded(1, 100n * UNIT);
    // 20 lots = 1000 units of notional, 100 of initial requirement.
    expect(keeper.adjustOpenOrders(world.ctx, id, BTC, "buy", 20n, 0n)).toBe(true);
    expect(() => keeper.requireInitial(world.ctx, id)).not.toThrow();
    expect(keeper.adjustOpenOrders(world.ctx, id, BTC, "sell", 20n, 0n)).toBe(false);
    expect(() => keeper.requireInitial(world.ctx, id)).not.toThrow();
    expect(keeper.adjustOpenOrders(world.ctx, id, BTC, "sell", 1n, 0n)).toBe(true);
    expect(() => keeper.requireInitial(world.ctx, id)).toThrow(ModuleError);
    keeper.adjustOpenOrders(world.ctx, id, BTC, "sell", -1n, 1n);
    expect(() => keeper.requireInitial(world.ctx, id)).toThrow(
      /at least 100.000001 \(requirement\), got 100: short of 0.000001/,
    );
    keeper.adjustOpenOrders(world.ctx, id, BTC, "sell", -20n, -1n);
    keeper.adjustOpenOrders(world.ctx, id, BTC, "buy", -20n, 0n);
    expect(keeper.account(world.ctx, id)?.positions).toEqual([]);
  });

  it("are bounded in markets", () => {
    const world = createWorld({ marketsPerAccountMax: 1 });
    world.markets.list(world.ctx, btcTerms());
    world.markets.list(world.ctx, btcTerms({ id: ETH, symbol: "ETH-PERP" }));
    const id = world.funded(1, 100n * UNIT);
    const { keeper } = world.margin;
    keeper.adjustOpenOrders(world.ctx, id, BTC, "buy", 1n, 0n);
    expect(() => keeper.adjustOpenOrders(world.ctx, id, ETH, "buy", 1n, 0n)).toThrow(/at most 1/);
    expect(() => keeper.adjustOpenOrders(world.ctx, id, 7, "buy", 1n, 0n)).toThrow(/no market/);
  });
});
