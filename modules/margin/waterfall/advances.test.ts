import { beforeEach, describe, expect, test } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { FEED, WBTC, wbtc } from "../collateral-assets/testing/assets.ts";
import { MARGIN_CODES } from "../errors.ts";
import { BTC, DENOM, ETH } from "../testing/world.ts";

/** One lot is worth a unit (1e6 quanta) at 1,000 ticks. */
const UNIT = 1_000_000n;

let world: InsuredWorld;
let long: AccountId;
let shorts: readonly [btc: AccountId, eth: AccountId];
const make = (params: Parameters<typeof createInsuredWorld>[0] = {}, leg = 1n): void => {
  world = createInsuredWorld(params);
  long = world.funded(1, 10n * UNIT);
  shorts = [world.funded(2, 1_000n * UNIT), world.funded(3, 1_000n * UNIT)];
  world.trade(long, shorts[0], 100n, 1_000n);
  if (leg > 0n) world.trade(long, shorts[1], leg, 1_000n, ETH);
};
beforeEach(() => make());

const mark = (ticks: bigint, market = BTC, fresh = true) =>
  world.markets.setMark(world.ctx, market, ticks, fresh);
const lots = (id: AccountId, market = BTC) =>
  world.margin.keeper.positionLots(world.ctx, id, market);
const pending = () => world.margin.keeper.pendingShortfall(world.ctx, DENOM);
const status = (market = BTC) => world.markets.terms(world.ctx, market)?.status;
const advances = () => world.margin.state.waterfall.advances;
function blocks(count: number): void {
  for (let i = 0; i < count; i++) {
    world.margin.keeper.endBlock(world.ctx);
    expect(world.violated()).toBeNull();
    world.ctx.nextBlock();
  }
}

describe("an account below zero with a leg that cannot be closed", () => {
  test.each([
    ["of a stale price", () => mark(1_000n, ETH, false)],
    ["of a halted market", () => world.markets.setStatus(world.ctx, ETH, "halted")],
    ["of a quarantined market", () => world.markets.setStatus(world.ctx, ETH, "quarantined")],
  ])("%s is paid for at once, and all else that it holds is closed at mark", (_name, stop) => {
    world.endow(100n * UNIT);
    stop();
    mark(850n);
    blocks(1);
    expect([lots(long), lots(long, ETH), pending()]).toEqual([0n, 1n, 0n]);
    expect(world.balance()).toBe(95n * UNIT);
    expect(world.equity(long)).toBe(0n);
    expect(world.equity(shorts[0])).toBe(1_015n * UNIT);
    expect(world.reports("withdrawals_gated")).toEqual([]);
    const [loss] = world.losses();
    expect(loss?.lines).toEqual(
      new Map([
        ["defaulter", -5n * UNIT],
        ["treasury:", 5n * UNIT],
      ]),
    );
  });

  test("is deleveraged in the markets that can be closed, for what was lost there and no more", () => {
    make({}, 10n);
    mark(880n);
    mark(400n, ETH, false);
    blocks(1);
    // Twelve lost in the one and six in the other, ten were there: of the eight two thirds belong to the first.
    expect([lots(long), lots(long, ETH)]).toEqual([0n, 10n]);
    expect(1_012n * UNIT - world.equity(shorts[0])).toBe(5_400_000n);
    expect(pending()).toBe(2_600_000n);
    expect(world.equity(shorts[1])).toBe(1_006n * UNIT);
    // What is missing is the other market's alone from now on.
    const known = world.margin.state.custody.losses.get(world.ctx, long);
    expect(known?.losses.map(({ market }) => market)).toEqual([ETH]);
    mark(400n, ETH);
    blocks(1);
    expect(lots(long, ETH)).toBe(0n);
  });

  test("of which nothing can be closed is paid for in the block that finds it, and gates nobody", () => {
    world.endow(100n * UNIT);
    mark(850n, BTC, false);
    mark(1_000n, ETH, false);
    blocks(1);
    expect([lots(long), pending(), world.equity(long)]).toEqual([100n, 0n, 0n]);
    expect(world.balance()).toBe(95n * UNIT);
    expect(world.reports("withdrawals_gated")).toEqual([]);
    // No less when it comes to more, and by whom there is something left.
    mark(840n, BTC, false);
    blocks(1);
    expect([world.balance(), world.equity(long)]).toEqual([94n * UNIT, 0n]);
    mark(840n);
    blocks(1);
    expect([lots(long), world.equity(shorts[0])]).toEqual([0n, 1_016n * UNIT]);
  });
});

describe("what funds have paid for an account that still holds something", () => {
  const free = (): void => {
    world.margin.keeper.withdraw(world.ctx, long, 1n);
  };
  const trade = (ticks: bigint) =>
    world.margin.keeper.clear(world.ctx, {
      market: ETH,
      priceTicks: ticks,
      lots: 1n,
      buyer: { account: shorts[1], feeQuanta: 0n, orderId: null },
      seller: { account: long, feeQuanta: 0n, orderId: null },
      taker: "sell",
      kind: "order",
    });
  beforeEach(() => {
    world.endow(3n * UNIT, "major");
    world.endow(100n * UNIT);
    mark(1_000n, ETH, false);
    mark(850n);
    blocks(1);
  });

  test("goes back to each as the account gains, in proportion, and no further", () => {
    expect([...paid()]).toEqual([
      ["", 2n * UNIT],
      ["major", 3n * UNIT],
    ]);
    mark(3_500n, ETH, false);
    blocks(1);
    expect([world.balance(), world.balance("major")]).toEqual([99n * UNIT, 1_500_000n]);
    expect([...paid()]).toEqual([
      ["", UNIT],
      ["major", 1_500_000n],
    ]);
    expect(world.equity(long)).toBe(0n);
    expect(world.reports("insurance_received").map(({ reason }) => reason)).toEqual([
      "recovery",
      "recovery",
    ]);
    mark(9_000n, ETH, false);
    blocks(1);
    expect([world.balance(), world.balance("major")]).toEqual([100n * UNIT, 3n * UNIT]);
    expect(advances().size(world.ctx)).toBe(0);
    // What it gains beyond that is its own.
    expect(world.equity(long)).toBe(3n * UNIT);
  });

  test("is neither withdrawn nor traded away before", () => {
    mark(9_000n, ETH);
    expect(free).toThrow("still to be borne");
    const refused = { ok: false, code: MARGIN_CODES.withdrawalsGated };
    expect(trade(8_900n)).toMatchObject(refused);
    expect(trade(9_000n)).toMatchObject(refused);
    blocks(1);
    expect(trade(9_000n)).toEqual({ ok: true });
    world.margin.keeper.withdraw(world.ctx, long, 3n * UNIT);
    expect(world.violated()).toBeNull();
  });

  test("is forgotten when nothing is left that could gain, and the account begins anew", () => {
    mark(990n, ETH);
    blocks(1);
    expect([lots(long, ETH), advances().size(world.ctx)]).toEqual([0n, 0]);
    world.bank.mint(world.ctx, world.owner(1), UNIT);
    world.margin.keeper.deposit(world.ctx, world.owner(1), long, UNIT);
    blocks(1);
    expect(world.equity(long)).toBe(UNIT);
    free();
  });

  test("is paid first by who pays the account something", () => {
    give(6n * UNIT);
    blocks(1);
    expect([world.balance(), world.balance("major")]).toEqual([100n * UNIT, 3n * UNIT]);
    expect(world.equity(long)).toBe(UNIT);
  });

  test("is owed by accounts that exist", () => {
    const none = { amount: 0n, ownShares: 0n, assessed: 0n };
    advances().set(world.ctx, [world.funded(9, 0n), "major"], none);
    expect(world.violated()).toContain("fund-advances");
    const more = { amount: 1n, ownShares: 0n, assessed: 2n };
    advances().set(world.ctx, [world.funded(9, 0n), "major"], more);
    expect(world.violated()).toContain("2 is an assessment");
  });

  test("sums to what is taken, however it is divided", () => {
    const classes = ["", "major", "minor"];
    const one = { amount: 1n, ownShares: 0n, assessed: 0n };
    for (const riskClass of classes) advances().set(world.ctx, [long, riskClass], one);
    const before = classes.map((riskClass) => world.balance(riskClass));
    give(2n);
    blocks(1);
    const back = classes.map((riskClass, i) => world.balance(riskClass) - (before[i] ?? 0n));
    expect(back).toEqual([0n, 1n, 1n]);
    expect([...paid()]).toEqual([["", 1n]]);
  });

  test("is named by an event when it is made, when some of it comes back and when it is forgotten", () => {
    const account = `${createAddresses("keel").format(world.owner(1))}/0`;
    expect(world.reports("advance_made")).toEqual([
      { account, risk_class: "major", amount: "3000000", left: "3000000" },
      { account, risk_class: "", amount: "2000000", left: "2000000" },
    ]);
    mark(3_500n, ETH, false);
    blocks(1);
    expect(world.reports("advance_returned")).toEqual([
      { account, risk_class: "", amount: "1000000", left: "1000000" },
      { account, risk_class: "major", amount: "1500000", left: "1500000" },
    ]);
    expect(world.margin.keeper.owedToFunds(world.ctx, long)).toBe(2_500_000n);
    mark(3_500n, ETH);
    blocks(2);
    expect(world.reports("advance_forgotten")).toEqual([
      { account, risk_class: "", amount: "1000000" },
      { account, risk_class: "major", amount: "1500000" },
    ]);
  });

  test("is not paid by who puts money into the account unaware", () => {
    const { keeper } = world.margin;
    world.bank.mint(world.ctx, world.owner(1), UNIT);
    const refused = expect.objectContaining({ code: MARGIN_CODES.owesFunds });
    const outcome = (act: () => unknown): unknown => {
      try {
        return act();
      } catch (error) {
        return error;
      }
    };
    expect(outcome(() => keeper.deposit(world.ctx, world.owner(1), long, UNIT))).toEqual(refused);
    expect(outcome(() => keeper.transfer(world.ctx, shorts[0], long, UNIT))).toEqual(refused);
    expect(keeper.freeCollateral(world.ctx, long)).toBe(0n);
  });

  /** As who shares a loss with it does: past what is refused to its owner. */
  function give(amount: bigint): void {
    const { accounts } = world.margin.state;
    for (const [id, delta] of [
      [long, amount],
      [shorts[0], -amount],
    ] as const) {
      const account = accounts.get(world.ctx, id);
      if (account === undefined) throw new Error("no such account");
      accounts.set(world.ctx, id, { ...account, collateral: account.collateral + delta });
    }
  }

  function* paid() {
    const found: [string, bigint][] = [];
    advances().each(world.ctx, ([id, riskClass], { amount }) => {
      expect(id).toBe(long);
      found.push([riskClass, amount]);
    });
    yield* found;
  }
});

describe("what is too little to count", () => {
  beforeEach(() => {
    make({ liquidationNotionalMin: "0" }, 0n);
    price(50_000n);
    world.margin.keeper.assets.set(world.ctx, WBTC, wbtc({ depositMin: "1" }));
    world.endow(100n * UNIT);
    // A hundred-millionth of a coin of which a quantum buys a million.
    world.bank.mint(world.ctx, world.owner(1), 1n, WBTC);
    world.margin.keeper.assets.deposit(world.ctx, long, WBTC, 1n);
  });
  const price = (mantissa: bigint, fresh = true) =>
    world.prices.set(FEED, { mantissa, exponent: -8, confidence: 0n, fresh });
  const held = () => world.margin.keeper.account(world.ctx, long)?.assets.length;

  test("goes to the fund with all else that an account below zero has, and keeps no advance", () => {
    mark(850n);
    blocks(2);
    expect([lots(long), held(), advances().size(world.ctx)]).toEqual([0n, 0, 0]);
    expect(world.balance()).toBe(95n * UNIT);
    world.bank.mint(world.ctx, world.owner(1), UNIT);
    world.margin.keeper.deposit(world.ctx, world.owner(1), long, UNIT);
    blocks(1);
    expect(world.equity(long)).toBe(UNIT);
  });

  test("keeps the advance only until it has a price", () => {
    price(50_000n, false);
    mark(850n);
    blocks(2);
    expect([lots(long), held(), advances().size(world.ctx)]).toEqual([0n, 1, 1]);
    price(50_000n);
    blocks(1);
    expect([held(), advances().size(world.ctx)]).toEqual([1, 0]);
    expect(world.margin.keeper.assets.withdraw(world.ctx, long, WBTC, 1n)).toBe(0n);
  });
});

describe("of a flat account below zero", () => {
  const price = (mantissa: bigint, fresh: boolean) =>
    world.prices.set(FEED, { mantissa, exponent: 0, confidence: 0n, fresh });
  beforeEach(() => {
    make({}, 0n);
    price(1_000n, true);
    world.margin.keeper.assets.set(world.ctx, WBTC, wbtc());
    world.endow(100n * UNIT);
    world.bank.mint(world.ctx, world.owner(1), 100_000_000n, WBTC);
    world.margin.keeper.assets.deposit(world.ctx, long, WBTC, 100_000_000n);
    // Five are missing, for which an asset that cannot be sold counts one.
    price(1n, false);
    world.markets.expire(world.ctx, BTC, 850_000n);
    blocks(2);
  });

  test("what assets that cannot be sold do not count is paid, and holds up nobody", () => {
    expect([pending(), world.equity(long)]).toEqual([0n, 0n]);
    expect(world.balance()).toBe(95_950_000n);
  });

  test("is returned when they count more", () => {
    price(3n, true);
    blocks(3);
    expect([advances().size(world.ctx), world.equity(long)]).toEqual([0, 0n]);
    // The fund has bought them for what they count, and is short of the rest.
    const inventory = world.insurance.keeper.inventory(world.ctx, DENOM);
    expect([world.balance(), inventory]).toEqual([95n * UNIT, 2_850_000n]);
  });
});

describe("where losses end markets", () => {
  const terms = { marketSettlement: { afterBlocks: 2, atOncePpm: 0n } };

  test("a leg that cannot be closed ends no market whose loss the fund can pay", () => {
    make(terms);
    world.endow(100n * UNIT);
    world.markets.setStatus(world.ctx, ETH, "quarantined");
    mark(500n);
    blocks(5);
    expect([status(), lots(long), pending(), world.balance()]).toEqual([
      "active",
      0n,
      0n,
      60n * UNIT,
    ]);
  });

  test("nor one whose loss deleveraging can bear", () => {
    make(terms);
    world.markets.setStatus(world.ctx, ETH, "quarantined");
    mark(850n);
    blocks(5);
    expect([status(), lots(long), lots(long, ETH), pending()]).toEqual(["active", 0n, 1n, 0n]);
    expect(1_015n * UNIT - world.equity(shorts[0])).toBe(5n * UNIT);
  });

  test("nor one whose losers have not had their turn yet, while funds have something for them", () => {
    make({ ...terms, liquidationsPerBlockMax: 1 }, 0n);
    const other = world.funded(4, 10n * UNIT);
    world.trade(other, shorts[0], 100n, 1_000n);
    world.endow(200n * UNIT);
    mark(500n);
    blocks(3);
    expect(world.reports("market_suspended")).toEqual([]);
    expect([status(), lots(long), lots(other), world.balance()]).toEqual([
      "active",
      0n,
      0n,
      120n * UNIT,
    ]);
  });

  test("a market that a loss has stopped goes on when its fund receives what was missing", () => {
    make(terms, 0n);
    mark(500n);
    blocks(1);
    expect([status(), pending()]).toEqual(["halted", 40n * UNIT]);
    world.endow(50n * UNIT, "major");
    blocks(1);
    expect([status(), pending()]).toEqual(["active", 0n]);
    blocks(2);
    expect([lots(long), world.balance("major")]).toEqual([0n, 10n * UNIT]);
  });
});
