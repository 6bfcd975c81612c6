import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { BTC, btcTerms, createWorld, ETH, type World } from "../testing/world.ts";

const UNIT = 1_000_000n;
/** One lot at 50,000 ticks is 50 units of notional. */
const MARK = 50_000n;

let world: World;
let trader: AccountId;
let maker: AccountId;

function setUp(params: Parameters<typeof createWorld>[0] = {}, traderFunds = 60n): void {
  world = createWorld({ liquidationNotionalMin: "0", ...params });
  world.markets.list(world.ctx, btcTerms());
  world.markets.setMark(world.ctx, BTC, MARK);
  trader = world.funded(1, traderFunds * UNIT);
  maker = world.funded(2, 100_000n * UNIT);
}

function rest(side: "buy" | "sell", ticks: bigint, lots: bigint, account = maker): void {
  world.markets.rest(world.ctx, { account, market: BTC, side, ticks, lots, feeReserve: 0n });
}

/** The trader opens `lots` (500 units of notional per ten) against the maker at the mark. */
function open(side: "buy" | "sell", lots: bigint, account = trader): void {
  rest(side === "buy" ? "sell" : "buy", MARK, lots);
  const taken = world.markets.take(world.ctx, {
    account,
    market: BTC,
    side,
    ticks: MARK,
    lots,
    feePpm: 0n,
  });
  expect(taken.filled).toBe(lots);
}

function endBlock(): void {
  world.margin.keeper.endBlock(world.ctx);
}

function events(type: string): Record<string, string>[] {
  return world.ctx.events
    .filter((event) => event.type === type)
    .map((event) => Object.fromEntries(event.attributes.map(({ key, value }) => [key, value])));
}

const lots = (id: AccountId, market = BTC) =>
  world.margin.keeper.positionLots(world.ctx, id, market);

describe("liquidation at the book", () => {
  beforeEach(() => setUp());

  it("leaves a healthy account alone", () => {
    open("buy", 10n);
    world.markets.setMark(world.ctx, BTC, 46_800n);
    endBlock();
    expect(lots(trader)).toBe(10n);
    expect(events("liquidation")).toEqual([]);
  });

  it("closes only what brings equity back to the target, charges the penalty and cancels orders first", () => {
    open("buy", 10n);
    world.markets.rest(world.ctx, {
      account: trader,
      market: BTC,
      side: "sell",
      ticks: 60_000n,
      lots: 5n,
      feeReserve: 0n,
    });
    // Equity 60 − 38 = 22 of 462 notional; maintenance 23.1.
    world.markets.setMark(world.ctx, BTC, 46_200n);
    rest("buy", 46_150n, 100n);
    endBlock();
    const [report] = events("liquidation");
    // (1.25 × 23.1 − 22) / (1.25 × 5 % − 1 % − 0.4 %) of 462 units: 142 units, 4 lots of 46.2.
    expect(report).toMatchObject({ market: "BTC-PERP", side: "sell", lots: "4" });
    expect(report).toMatchObject({ price_ticks: "46150", notional: "184600000" });
    expect(report).toMatchObject({ penalty: "1846000", equity_before: "22000000" });
    expect(lots(trader)).toBe(6n);
    expect(world.markets.orders(world.ctx).every(([, order]) => order.account !== trader)).toBe(
      true,
    );
    expect(world.fund.balance(world.ctx, "uusdc")).toBe(1_846_000n);
    const health = world.margin.keeper.health(world.ctx, trader);
    expect(health?.equity).toBe(22n * UNIT - 200_000n - 1_846_000n);
    expect((health?.equity ?? 0n) * 4n).toBeGreaterThanOrEqual((health?.maintenance ?? 0n) * 5n);
    expect(world.violated()).toBeNull();
  });

  it("liquidates shorts the same way", () => {
    open("sell", 10n);
    world.markets.setMark(world.ctx, BTC, 53_500n);
    rest("sell", 53_600n, 100n);
    endBlock();
    expect(lots(trader)).toBeLessThan(0n);
    expect(lots(trader)).toBeGreaterThan(-10n);
    expect(events("liquidation")[0]).toMatchObject({ side: "buy", price_ticks: "53600" });
    expect(world.violated()).toBeNull();
  });

  it("does not sell below the price limit", () => {
    open("buy", 10n);
    world.markets.setMark(world.ctx, BTC, 46_200n);
    // Little is missing, so the limit is the expected slippage: 0.4 % below mark.
    rest("buy", 46_000n, 100n);
    endBlock();
    expect(lots(trader)).toBe(10n);
    expect(events("liquidation")).toEqual([]);
  });

  it("does nothing while the price is stale, and goes on when it is fresh again", () => {
    open("buy", 10n);
    world.markets.setMark(world.ctx, BTC, 46_200n, false);
    endBlock();
    expect(lots(trader)).toBe(10n);
    world.markets.setMark(world.ctx, BTC, 46_200n);
    rest("buy", 46_200n, 100n);
    world.markets.setMark(world.ctx, BTC, 46_200n, true);
    endBlock();
    expect(lots(trader)).toBeLessThan(10n);
  });

  it("keeps to the block's bounds, most under water first", () => {
    setUp({ liquidationsPerBlockMax: 1 });
    const worse = world.funded(3, 55n * UNIT);
    open("buy", 10n);
    open("buy", 10n, worse);
    world.markets.setMark(world.ctx, BTC, 46_000n);
    rest("buy", 46_000n, 100n);
    endBlock();
    expect(lots(trader)).toBe(10n);
    expect(lots(worse)).toBeLessThan(10n);
    world.ctx.nextBlock();
    endBlock();
    expect(lots(trader)).toBeLessThan(10n);
    expect(world.violated()).toBeNull();
  });

  it("comes to everybody, however many more urgent ones nobody takes anything of", () => {
    setUp({ liquidationsPerBlockMax: 4 });
    world.fund.give(world.ctx, 1_000n * UNIT);
    const stuck = [3, 4, 5, 6].map((number) => world.funded(number, 50_100_000n));
    open("buy", 10n);
    for (const id of stuck) open("buy", 10n, id);
    // Theirs reaches ten ticks below mark, the trader's a thousand; the book is 50 below.
    world.markets.setMark(world.ctx, BTC, 45_000n);
    rest("buy", 44_950n, 100n);
    for (let block = 0; block < 4; block++) {
      endBlock();
      world.ctx.nextBlock();
    }
    expect(stuck.map((id) => lots(id))).toEqual([10n, 10n, 10n, 10n]);
    expect(lots(trader)).toBeLessThan(10n);
    expect(world.violated()).toBeNull();
  });

  it("spends at most the notional of one block", () => {
    // Two lots of 46 units.
    setUp({ liquidationNotionalPerBlockMax: "92000000" });
    open("buy", 10n);
    world.markets.setMark(world.ctx, BTC, 45_000n);
    rest("buy", 45_000n, 100n);
    endBlock();
    expect(lots(trader)).toBe(8n);
  });
});

describe("an account below zero", () => {
  beforeEach(() => setUp());

  it("is closed at the book at mark and the fund pays what is missing", () => {
    world.fund.give(world.ctx, 1_000n * UNIT);
    open("buy", 10n);
    // Equity 60 − 80 = −20.
    world.markets.setMark(world.ctx, BTC, 42_000n);
    rest("buy", 42_000n, 100n);
    endBlock();
    expect(lots(trader)).toBe(0n);
    expect(world.equity(trader)).toBe(0n);
    expect(world.fund.balance(world.ctx, "uusdc")).toBe(980n * UNIT);
    expect(events("deficit_covered")).toMatchObject([{ amount: "20000000" }]);
    expect(events("deleverage")).toEqual([]);
    expect(events("deficit")).toEqual([]);
    expect(world.violated()).toBeNull();
  });

  it("goes to the other side at mark rather than to who bids less, and the fund pays what is missing at mark", () => {
    world.fund.give(world.ctx, 1_000n * UNIT);
    open("buy", 10n);
    world.markets.setMark(world.ctx, BTC, 42_000n);
    rest("buy", 41_999n, 100n);
    endBlock();
    expect(events("liquidation")).toEqual([]);
    expect(events("deleverage")).toMatchObject([{ lots: "10", price_ticks: "42000" }]);
    expect(world.fund.balance(world.ctx, "uusdc")).toBe(980n * UNIT);
    expect(world.violated()).toBeNull();
  });

  it("is sold no lower than the fund can pay for", () => {
    world.fund.give(world.ctx, 15n * UNIT);
    open("buy", 10n);
    world.markets.setMark(world.ctx, BTC, 42_000n);
    rest("buy", 42_399n, 5n);
    rest("buy", 42_600n, 5n);
    endBlock();
    // The fund lacks 5 of 20: 500 ticks on each of ten lots. Of the 17 left after the first sale it pays 15, the other side the rest.
    expect(events("liquidation")).toMatchObject([{ lots: "5", price_ticks: "42600" }]);
    expect(events("deleverage")).toMatchObject([{ lots: "5", price_ticks: "42400" }]);
    expect(world.fund.balance(world.ctx, "uusdc")).toBe(0n);
    expect(world.violated()).toBeNull();
  });

  it("is deleveraged at its bankruptcy price when book and fund are empty", () => {
    open("buy", 10n);
    world.markets.setMark(world.ctx, BTC, 42_000n);
    const before = world.equity(maker);
    endBlock();
    // The missing 20 units over 10 lots are 2,000 ticks above mark.
    expect(events("deleverage")).toMatchObject([
      { lots: "10", price_ticks: "44000", mark_ticks: "42000", side: "sell", market: "BTC-PERP" },
    ]);
    expect(world.equity(trader)).toBe(0n);
    expect(world.equity(maker)).toBe(before - 20n * UNIT);
    expect(events("deficit")).toEqual([]);
    expect(world.violated()).toBeNull();
  });

  it("takes from the most leveraged of the other side, and its rounding goes to the fund", () => {
    const hot = world.funded(3, 200n * UNIT);
    const cold = world.funded(4, 50_000n * UNIT);
    world.markets.rest(world.ctx, {
      account: trader,
      market: BTC,
      side: "buy",
      ticks: MARK,
      lots: 10n,
      feeReserve: 0n,
    });
    for (const [account, amount] of [
      [hot, 6n],
      [cold, 4n],
    ] as const) {
      world.markets.take(world.ctx, {
        account,
        market: BTC,
        side: "sell",
        ticks: MARK,
        lots: amount,
        feePpm: 0n,
      });
    }
    world.markets.setMark(world.ctx, BTC, 43_997n);
    endBlock();
    const closed = events("deleverage");
    expect(closed.map((one) => one["lots"])).toEqual(["6", "4"]);
    expect(world.equity(trader)).toBe(0n);
    expect(world.fund.balance(world.ctx, "uusdc")).toBeGreaterThanOrEqual(0n);
    expect(world.violated()).toBeNull();
  });

  describe("that also holds an option marked at nothing", () => {
    const buy = (account: AccountId) => {
      const option = { market: ETH, ticks: 1n, lots: 5n };
      world.markets.rest(world.ctx, { ...option, account: maker, side: "sell", feeReserve: 0n });
      world.markets.take(world.ctx, { ...option, account, side: "buy", feePpm: 0n });
    };

    beforeEach(() => {
      world.markets.list(world.ctx, btcTerms({ id: ETH, symbol: "OPTION" }));
      world.markets.setWorthless(world.ctx, ETH, 50n * UNIT, UNIT);
      open("buy", 10n);
      buy(trader);
      world.fund.give(world.ctx, 100n * UNIT);
      world.markets.setMark(world.ctx, BTC, 42_000n);
    });

    it("is wound up without a fault", () => {
      rest("buy", 42_000n, 10n);
      endBlock();
      expect(world.markets.quarantined).toEqual([]);
      expect([lots(trader), lots(trader, ETH)]).toEqual([0n, 0n]);
      expect(world.violated()).toBeNull();
    });

    it("is wound up in a later block when this one may do no more, and gates nobody for ever", () => {
      rest("buy", 42_000n, 10n);
      world.markets.setStatus(world.ctx, ETH, "halted");
      endBlock();
      world.markets.setStatus(world.ctx, ETH, "active");
      world.ctx.nextBlock();
      endBlock();
      expect(world.markets.quarantined).toEqual([]);
      expect(lots(trader, ETH)).toBe(0n);
      expect(world.margin.keeper.totals(world.ctx).pendingShortfall).toBe(0n);
    });
  });

  it("never takes a counterparty below zero", () => {
    const tiers = [{ aboveQuanta: 0n, initialPpm: 10_000n, maintenancePpm: 5_000n }];
    world.markets.list(world.ctx, btcTerms({ tiers }));
    world.markets.setMark(world.ctx, BTC, MARK);
    open("buy", 10n);
    world.markets.setMark(world.ctx, BTC, 42_000n);
    // Four lots short at the new mark with 2 units of equity; every lot costs 2, so it can give one.
    const thin = world.funded(3, 2n * UNIT);
    rest("buy", 42_000n, 4n);
    const sold = { account: thin, market: BTC, side: "sell", ticks: 42_000n, lots: 4n } as const;
    expect(world.markets.take(world.ctx, { ...sold, feePpm: 0n }).filled).toBe(4n);
    endBlock();
    const closed = events("deleverage").map((one) => [one["lots"], one["price_ticks"]]);
    // The maker bears six lots, the thin account one; its other three are closed at mark and what they owe stands in the queue.
    expect(closed).toEqual([
      ["1", "44000"],
      ["6", "44000"],
      ["3", "42000"],
    ]);
    expect(world.equity(thin)).toBe(0n);
    expect(lots(trader)).toBe(0n);
    expect(world.equity(trader)).toBe(-6n * UNIT);
    expect(world.margin.keeper.totals(world.ctx).pendingShortfall).toBe(6n * UNIT);
    expect(world.violated()).toBeNull();
  });

  it("stands in the queue, withdrawals gated, for what lies beyond the deleveraging band", () => {
    setUp({ deleverageBandPpm: 10_000n });
    open("buy", 10n);
    world.markets.setMark(world.ctx, BTC, 40_000n);
    endBlock();
    // 1 % of 40,000 is 400 ticks: 4 of the missing 40 units; 36 stay.
    expect(events("deleverage")).toMatchObject([{ price_ticks: "40400" }]);
    expect(world.margin.keeper.totals(world.ctx).pendingShortfall).toBe(36n * UNIT);
    expect(events("deficit")).toMatchObject([{ shortfall: "36000000" }]);
    expect(() => world.margin.keeper.withdraw(world.ctx, maker, 1n)).toThrow(/closed until/);
    expect(world.violated()).toBeNull();
    // The gate is a time, and later income of the fund pays the queue.
    world.ctx.nextBlock(601);
    endBlock();
    expect(() => world.margin.keeper.withdraw(world.ctx, maker, 1n)).not.toThrow();
    world.fund.give(world.ctx, 100n * UNIT);
    endBlock();
    expect(world.margin.keeper.totals(world.ctx).pendingShortfall).toBe(0n);
    expect(world.equity(trader)).toBe(0n);
    expect(events("deficit").at(-1)).toMatchObject({ shortfall: "0" });
    expect(world.violated()).toBeNull();
  });

  it("stands in the queue while its price is stale, and leaves it when the price comes back", () => {
    open("buy", 10n);
    world.markets.setMark(world.ctx, BTC, 42_000n, false);
    endBlock();
    expect(world.margin.keeper.totals(world.ctx).pendingShortfall).toBe(20n * UNIT);
    expect(() => world.margin.keeper.withdraw(world.ctx, maker, 1n)).toThrow();
    world.markets.setMark(world.ctx, BTC, MARK);
    endBlock();
    expect(world.margin.keeper.totals(world.ctx).pendingShortfall).toBe(0n);
    expect(world.violated()).toBeNull();
  });
});

describe("a fault in one market", () => {
  it("is reverted, quarantines that market and leaves the others working", () => {
    setUp({}, 120n);
    world.markets.list(world.ctx, btcTerms({ id: ETH, symbol: "ETH-PERP" }));
    world.markets.setMark(world.ctx, ETH, MARK);
    open("buy", 12n);
    world.markets.rest(world.ctx, {
      account: maker,
      market: ETH,
      side: "sell",
      ticks: MARK,
      lots: 8n,
      feeReserve: 0n,
    });
    const bought = { account: trader, market: ETH, side: "buy", ticks: MARK, lots: 8n } as const;
    expect(world.markets.take(world.ctx, { ...bought, feePpm: 0n }).filled).toBe(8n);
    world.markets.setMark(world.ctx, BTC, 46_000n);
    world.markets.setMark(world.ctx, ETH, 46_000n);
    for (const market of [BTC, ETH]) {
      const order = { account: maker, market, side: "buy", ticks: 46_000n, lots: 50n } as const;
      world.markets.rest(world.ctx, { ...order, feeReserve: 0n });
    }
    world.markets.fail(BTC);
    endBlock();
    expect(world.markets.quarantined).toEqual([{ market: BTC, reason: "a bug in this market" }]);
    expect(lots(trader)).toBe(12n);
    expect(lots(trader, ETH)).toBeLessThan(8n);
    expect(events("liquidation").map((one) => one["market"])).toEqual(["ETH-PERP"]);
    expect(world.violated()).toBeNull();
    expect(() => world.margin.keeper.withdraw(world.ctx, trader, 1n)).toThrow(/quarantined/);
  });
});
