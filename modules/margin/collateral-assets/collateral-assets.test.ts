import type { CollateralTerms } from "@keel/proto/gen/keel/margin/v1/collateral";
import { beforeEach, describe, expect, it } from "vitest";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { MARGIN_CODES } from "../errors.ts";
import { COLLATERAL_VAULT } from "../state.ts";
import { BTC, btcTerms, createWorld, DENOM, ETH, type World } from "../testing/world.ts";
import {
  COIN,
  codeOf,
  give as deposit,
  FEED,
  health as healthOf,
  WBTC,
  wbtc,
} from "./testing/assets.ts";
import { saleCost } from "./valuation.ts";

const UNIT = 1_000_000n;
const STABLE_FEED = 8;
const RATE_FEED = 9;

function price(value: bigint, over: { confidence?: bigint; fresh?: boolean } = {}) {
  return { mantissa: value, exponent: 0, confidence: 0n, fresh: true, ...over };
}

let world: World;
const give = (number: number, units: bigint) => deposit(world, number, units);
const health = (id: AccountId) => healthOf(world, id);

function trade(buyer: AccountId, seller: AccountId, lots: bigint) {
  return world.margin.keeper.clear(world.ctx, {
    market: BTC,
    priceTicks: 50_000n,
    lots,
    buyer: { account: buyer, feeQuanta: 0n, orderId: null },
    seller: { account: seller, feeQuanta: 0n, orderId: null },
    taker: "buy",
    kind: "order",
  });
}

/** One lot is worth a thousandth of the mark. */
function mark(ticks: bigint): void {
  world.markets.setMark(world.ctx, BTC, ticks);
}

function endBlock(): void {
  world.margin.keeper.endBlock(world.ctx);
  expect(world.violated()).toBeNull();
}

beforeEach(() => {
  world = createWorld({ liquidationNotionalMin: "0" });
  world.markets.list(world.ctx, btcTerms());
  world.markets.list(world.ctx, btcTerms({ id: ETH, symbol: "ETH-PERP" }));
  mark(50_000n);
  world.prices.set(FEED, price(50_000n));
  world.margin.keeper.assets.set(world.ctx, WBTC, wbtc());
});

describe("what an asset counts", () => {
  it("is its value less the haircut, of the price less its confidence", () => {
    const id = give(1, COIN);
    expect(health(id)).toMatchObject({
      cash: 0n,
      equity: 47_500n * UNIT,
      initial: 2_500n * UNIT,
      debtMax: 9_500n * UNIT,
    });
    world.prices.set(FEED, price(50_000n, { confidence: 1_000n }));
    expect(health(id).equity).toBe(46_550n * UNIT);
  });

  it("lies between the floor of what it redeems for and all of it", () => {
    const redemption = { rateFeedId: RATE_FEED, baseFeedId: 0, floorPpm: 950_000n };
    world.margin.keeper.assets.set(world.ctx, WBTC, wbtc({ redemption }));
    const id = give(1, COIN);
    world.prices.set(RATE_FEED, price(48_000n));
    expect(health(id).equity).toBe((48_000n * UNIT * 95n) / 100n);
    world.prices.set(FEED, price(30_000n));
    expect(health(id).equity).toBe((45_600n * UNIT * 95n) / 100n);
    world.prices.set(FEED, price(47_000n));
    expect(health(id).equity).toBe((47_000n * UNIT * 95n) / 100n);
  });

  it("falls when the settlement asset leaves its peg", () => {
    const depeg = { feedId: STABLE_FEED, thresholdPpm: 990_000n, factorPpm: 4_000_000n };
    world.margin.keeper.assets.set(world.ctx, WBTC, wbtc({ depeg }));
    const id = give(1, COIN);
    world.prices.set(STABLE_FEED, { ...price(99n), exponent: -2 });
    expect(health(id).equity).toBe(47_500n * UNIT);
    world.prices.set(STABLE_FEED, { ...price(94n), exponent: -2 });
    // Haircuts are raised by a fifth: 6 % and 12 %.
    expect(health(id)).toMatchObject({ equity: 47_000n * UNIT, initial: 3_000n * UNIT });
  });

  it("is nothing for initial margin while the price is stale, and stands for maintenance", () => {
    const id = give(1, COIN);
    world.prices.set(FEED, price(50_000n, { fresh: false }));
    expect(health(id)).toMatchObject({
      equity: 47_500n * UNIT,
      initial: 47_500n * UNIT,
      debtMax: 0n,
    });
  });
});

describe("deposits and withdrawals of assets", () => {
  it("move coins and units, and end with the account", () => {
    const { ctx, margin, bank } = world;
    const id = give(1, COIN);
    const second = accountId(world.owner(1), 1);
    margin.keeper.assets.transfer(ctx, id, second, { denom: WBTC, units: COIN / 4n });
    expect(margin.keeper.assets.require(ctx, WBTC).held).toBe(COIN.toString());
    expect(bank.balance(ctx, COLLATERAL_VAULT, WBTC)).toBe(COIN);
    expect(world.violated()).toBeNull();
    expect(margin.keeper.assets.withdraw(ctx, id, WBTC, COIN / 4n)).toBe(COIN / 2n);
    margin.keeper.assets.withdraw(ctx, id, WBTC, COIN / 2n);
    margin.keeper.assets.withdraw(ctx, second, WBTC, COIN / 4n);
    expect(bank.balance(ctx, world.owner(1), WBTC)).toBe(COIN);
    expect(margin.keeper.totals(ctx).accounts).toBe(0n);
    expect(world.violated()).toBeNull();
  });

  it("are refused above the caps, below the least, and of what is no collateral", () => {
    const { ctx, margin } = world;
    const { assets } = margin.keeper;
    const to = accountId(world.owner(1), 3);
    expect(codeOf(() => assets.deposit(ctx, to, "ueth", COIN))).toBe(MARGIN_CODES.wrongDenom);
    expect(codeOf(() => assets.deposit(ctx, to, WBTC, 999n))).toBe(MARGIN_CODES.collateralCap);
    give(1, 5n * COIN);
    // In whichever sub-account.
    expect(codeOf(() => assets.deposit(ctx, to, WBTC, 1_000n))).toBe(MARGIN_CODES.collateralCap);
    give(2, 5n * COIN);
    const other = accountId(world.owner(3), 0);
    expect(codeOf(() => assets.deposit(ctx, other, WBTC, 1_000n))).toBe(MARGIN_CODES.collateralCap);
  });

  it("are refused when the account needs them, with what is required and missing", () => {
    const { ctx, margin } = world;
    const id = give(1, COIN);
    const other = world.funded(2, 100_000n * UNIT);
    expect(trade(id, other, 1_000n)).toEqual({ ok: true });
    // 50,000 of notional need 9,000 in two tiers; what is left counts 45,000 at most.
    expect(() => margin.keeper.assets.withdraw(ctx, id, WBTC, COIN)).toThrow(
      /expected equity of at least 9000 \(requirement\), got 0: short of 9000/,
    );
    expect(margin.keeper.assets.withdraw(ctx, id, WBTC, COIN / 2n)).toBe(COIN / 2n);
    expect(world.violated()).toBeNull();
  });

  it("wait, as cash does, while a price that the account is valued by holds withdrawals back", () => {
    const { ctx, margin } = world;
    const id = give(1, COIN);
    expect(trade(id, world.funded(2, 100_000n * UNIT), 100n)).toEqual({ ok: true });
    world.markets.holdBack(ctx, BTC);
    const { assets } = margin.keeper;
    const second = accountId(world.owner(1), 1);
    const moved = { denom: WBTC, units: 1_000n };
    expect(codeOf(() => assets.withdraw(ctx, id, WBTC, 1_000n))).toBe(MARGIN_CODES.stalePrice);
    expect(codeOf(() => assets.transfer(ctx, id, second, moved))).toBe(MARGIN_CODES.stalePrice);
    mark(50_000n);
    expect(assets.withdraw(ctx, id, WBTC, 1_000n)).toBe(COIN - 1_000n);
  });

  it("pay out no settlement cash that would leave a debt", () => {
    const { ctx, margin } = world;
    const id = give(1, COIN);
    world.bank.mint(ctx, world.owner(1), 10_000n * UNIT);
    margin.keeper.deposit(ctx, world.owner(1), id, 10_000n * UNIT);
    trade(id, world.funded(2, 100_000n * UNIT), 1_000n);
    mark(42_000n);
    expect(health(id).cash).toBe(2_000n * UNIT);
    expect(margin.keeper.freeCollateral(ctx, id)).toBe(2_000n * UNIT);
  });
});

describe("settlement cash below zero", () => {
  it("is a debt within its bound, and made good by the fund beyond", () => {
    const { ctx, fund, margin, bank } = world;
    const id = give(1, COIN);
    const other = world.funded(2, 100_000n * UNIT);
    fund.give(ctx, 30_000n * UNIT);
    trade(id, other, 1_000n);
    mark(41_000n);
    endBlock();
    expect(health(id)).toMatchObject({ cash: -9_000n * UNIT, equity: 38_500n * UNIT });
    mark(40_000n);
    const before = health(id).equity;
    endBlock();
    const after = health(id);
    expect(after.equity).toBe(before);
    // Whole units: 10,000 are owed, one counts 0.000475.
    expect(after.cash).toBeGreaterThanOrEqual(0n);
    expect(after.cash).toBeLessThan(500n);
    const asset = margin.keeper.assets.require(ctx, WBTC);
    expect(BigInt(asset.inventory)).toBe(21_052_632n);
    expect(fund.balance(ctx, DENOM)).toBe(20_000n * UNIT - after.cash);
    const event = ctx.events.findLast(({ type }) => type === "collateral_converted");
    expect(event?.attributes).toContainEqual({ key: "debt", value: (10_000n * UNIT).toString() });
    // Whoever buys of the fund pays what it asks, and the fund is the richer.
    const buyer = world.owner(9);
    bank.mint(ctx, buyer, 20_000n * UNIT);
    const view = { units: 21_052_632n, costMax: 20_000n * UNIT };
    const cost = margin.keeper.assets.buy(ctx, buyer, { denom: WBTC, ...view });
    expect(cost).toBe((21_052_632n * 49_000n * UNIT) / COIN);
    expect(bank.balance(ctx, buyer, WBTC)).toBe(21_052_632n);
    expect(fund.balance(ctx, DENOM)).toBeGreaterThan(30_000n * UNIT);
    expect(world.violated()).toBeNull();
  });

  it("stays as far as the fund has no money, and admits nothing that raises risk", () => {
    const { ctx, fund } = world;
    const id = give(1, COIN);
    const other = world.funded(2, 200_000n * UNIT);
    fund.give(ctx, 4_000n * UNIT);
    trade(id, other, 1_000n);
    mark(40_000n);
    endBlock();
    expect(health(id).cash).toBeLessThan(-5_999n * UNIT);
    mark(36_000n);
    endBlock();
    const { cash, debtMax } = health(id);
    expect(-cash).toBeGreaterThan(debtMax);
    const refused = world.margin.keeper.clear(ctx, {
      market: BTC,
      priceTicks: 36_000n,
      lots: 10n,
      buyer: { account: id, feeQuanta: 0n, orderId: null },
      seller: { account: other, feeQuanta: 0n, orderId: null },
      taker: "buy",
      kind: "order",
    });
    const reason = expect.stringMatching(/^buyer: it owes [0-9.]+, and may owe [0-9.]+: short of/);
    expect(refused).toMatchObject({ ok: false, refused: "buy", reason });
  });

  it("of an account below zero is converted whole, then the fund covers what is missing", () => {
    const { ctx, fund, margin } = world;
    const id = give(1, COIN / 5n);
    const other = world.funded(2, 100_000n * UNIT);
    fund.give(ctx, 30_000n * UNIT);
    trade(id, other, 1_000n);
    // A fall of 10,500 a lot of a thousand, against 9,500 that the asset counts.
    mark(39_500n);
    endBlock();
    const account = margin.keeper.account(ctx, id);
    expect(account?.assets ?? []).toEqual([]);
    expect(account?.collateral ?? 0n).toBeGreaterThanOrEqual(0n);
    expect(fund.balance(ctx, DENOM)).toBe(30_000n * UNIT - 10_500n * UNIT);
    expect(margin.keeper.pendingShortfall(ctx, DENOM)).toBe(0n);
  });

  it("of an account without positions follows the price of its assets", () => {
    const { ctx, fund, margin } = world;
    const id = give(1, COIN / 4n);
    const other = world.funded(2, 100_000n * UNIT);
    trade(id, other, 1_000n);
    mark(42_000n);
    const close = margin.keeper.clear(ctx, {
      market: BTC,
      priceTicks: 42_000n,
      lots: 1_000n,
      buyer: { account: other, feeQuanta: 0n, orderId: null },
      seller: { account: id, feeQuanta: 0n, orderId: null },
      taker: "sell",
      kind: "order",
    });
    expect(close).toEqual({ ok: true });
    endBlock();
    expect(health(id)).toMatchObject({ cash: -8_000n * UNIT, equity: 3_875n * UNIT });
    world.prices.set(FEED, price(30_000n));
    endBlock();
    expect(margin.keeper.pendingShortfall(ctx, DENOM)).toBe(875n * UNIT);
    fund.give(ctx, 8_000n * UNIT);
    // One block converts, the next pays the queue.
    endBlock();
    endBlock();
    expect(margin.keeper.pendingShortfall(ctx, DENOM)).toBe(0n);
    expect(margin.keeper.account(ctx, id)).toMatchObject({ collateral: 0n, assets: [] });
    expect(margin.state.assets.judged.size(ctx)).toBe(0);
  });
});

describe("terms", () => {
  it("that would make a healthy account liquidatable are refused with what is missing", () => {
    const { ctx, margin } = world;
    const id = give(1, COIN / 5n);
    trade(id, world.funded(2, 100_000n * UNIT), 800n);
    mark(49_500n);
    const harsh = wbtc({ haircut: { initialPpm: 900_000n, maintenancePpm: 900_000n } });
    expect(() => margin.keeper.assets.set(ctx, WBTC, harsh)).toThrow(
      /1 healthy accounts would be liquidatable at once; .* short of/,
    );
  });

  it("that would make the fund buy a healthy account's assets are refused with what it owes", () => {
    const { ctx, margin } = world;
    const id = give(1, COIN);
    trade(id, world.funded(2, 100_000n * UNIT), 1_000n);
    mark(41_000n);
    // It owes 9,000, and may owe a fifth of 47,500; of 30,000 a fifth is less, though equity stays far above what is required.
    const harsh = wbtc({ haircut: { initialPpm: 500_000n, maintenancePpm: 400_000n } });
    const assets = margin.keeper.assets;
    for (const terms of [harsh, wbtc({ debtPpm: 100_000n })]) {
      const point = ctx.state.savepoint();
      expect(() => assets.set(ctx, WBTC, terms)).toThrow(
        /1 healthy accounts would be converted at once; the first is .*\/0: it owes 9000, and may owe (6000|4750)/,
      );
      ctx.state.revert(point);
    }
    assets.set(ctx, WBTC, wbtc({ debtPpm: 190_000n }));
    endBlock();
    expect(assets.require(ctx, WBTC).held).toBe(COIN.toString());
  });

  it("end only when nobody holds the asset", () => {
    const { ctx, margin } = world;
    const id = give(1, COIN);
    const { assets } = margin.keeper;
    expect(codeOf(() => assets.set(ctx, WBTC, undefined))).toBe(MARGIN_CODES.collateralInUse);
    assets.withdraw(ctx, id, WBTC, COIN);
    assets.set(ctx, WBTC, undefined);
    expect(codeOf(() => assets.deposit(ctx, id, WBTC, COIN))).toBe(MARGIN_CODES.wrongDenom);
  });

  it("are refused out of range", () => {
    const { ctx, margin } = world;
    const bad: readonly Partial<CollateralTerms>[] = [
      { haircut: { initialPpm: 10n, maintenancePpm: 20n } },
      { saleDiscountPpm: 50_001n },
      { decimals: 25 },
      { feedId: 0 },
      { depositMin: "0" },
      { ownerSharePpm: 0n },
      { debtPpm: 1_000_001n },
      { cap: "-1" },
      { redemption: { rateFeedId: 0, baseFeedId: 0, floorPpm: 0n } },
    ];
    for (const over of bad) {
      expect(codeOf(() => margin.keeper.assets.set(ctx, WBTC, wbtc(over)))).toBe(
        MARGIN_CODES.invalidRequest,
      );
    }
    expect(codeOf(() => margin.keeper.assets.set(ctx, DENOM, wbtc({ denom: DENOM })))).toBe(
      MARGIN_CODES.invalidRequest,
    );
  });
});

describe("invariants of assets", () => {
  it("name coins that are missing and units that nobody wrote down", () => {
    const { ctx, margin, bank } = world;
    const id = give(1, COIN);
    bank.transfer(ctx, COLLATERAL_VAULT, world.owner(8), WBTC, 1n);
    expect(world.violated()).toContain("assets-backed");
    bank.transfer(ctx, world.owner(8), COLLATERAL_VAULT, WBTC, 1n);
    const account = margin.keeper.account(ctx, id);
    if (account === undefined) throw new Error("no account");
    margin.state.accounts.set(ctx, id, { ...account, assets: [{ denom: WBTC, units: 1n }] });
    expect(world.violated()).toContain("assets-held");
    margin.state.accounts.set(ctx, id, account);
    margin.state.assets.judged.set(ctx, id, true);
    expect(world.violated()).toContain("assets-held");
  });
});

describe("genesis", () => {
  it("brings assets, holders and units back", () => {
    const { ctx, margin } = world;
    const id = give(1, COIN);
    trade(id, world.funded(2, 100_000n * UNIT), 10n);
    margin.state.assets.holders.set(ctx, [WBTC, world.owner(1)], true);
    const { genesis } = margin.module;
    if (genesis.kind !== "proto") throw new Error("margin has a proto genesis");
    const exported = genesis.export(ctx);
    const fresh = createWorld();
    if (fresh.margin.module.genesis.kind !== "proto") throw new Error("proto genesis");
    fresh.margin.module.genesis.init(fresh.ctx, exported);
    expect(fresh.margin.module.genesis.export(fresh.ctx)).toEqual(exported);
    expect(fresh.margin.keeper.account(fresh.ctx, id)).toEqual(margin.keeper.account(ctx, id));
    expect(fresh.margin.state.assets.judged.has(fresh.ctx, id)).toBe(true);
  });
});

describe("saleCost", () => {
  it("rounds up", () => {
    const view = {
      terms: wbtc(),
      price: 1n,
      marketPrice: 50_000n * 10n ** 18n,
      initialPpm: 0n,
      maintenancePpm: 0n,
      frozen: false,
      usable: true,
    };
    expect(saleCost(view, 1n)).toBe(490n);
    expect(saleCost({ ...view, marketPrice: 50_001n * 10n ** 18n }, 1n)).toBe(491n);
  });
});
