import { CollateralAsset } from "@keel/proto/gen/keel/margin/v1/collateral";
import { beforeEach, describe, expect, it } from "vitest";
import { worthOf } from "../../insurance/shares.ts";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { BTC, createWorld, DENOM } from "../testing/world.ts";
import { withBought, withSold } from "./inventory.ts";
import { COIN, FEED, WBTC, wbtc } from "./testing/assets.ts";

const UNIT = 1_000_000n;
const DAY_MS = 86_400_000n;
const ANN = 50;
const UNSOLD = CollateralAsset.fromPartial({
  terms: wbtc(),
  held: "7",
  inventory: "0",
  inventoryCost: "0",
});

let world: InsuredWorld;

/** A hundred thousand of the protocol's and as much of Ann's; a quarter of losses is the protocol's first. */
function start(params = {}): void {
  world = createInsuredWorld(
    { liquidationNotionalMin: "0" },
    { cooldownMs: DAY_MS, firstLossPpm: 250_000, purchaseCapPpm: 0, ...params },
  );
  const { ctx, margin, markets } = world;
  setPrice(50_000n);
  margin.keeper.assets.set(ctx, WBTC, wbtc());
  markets.setMark(ctx, BTC, 50_000n);
  world.endow(100_000n * UNIT);
  underwrite(ANN, 100_000n * UNIT);
}

beforeEach(() => start());

function setPrice(mantissa: bigint, fresh = true): void {
  world.prices.set(FEED, { mantissa, exponent: 0, confidence: 0n, fresh });
}

function underwrite(number: number, amount: bigint): void {
  world.bank.mint(world.ctx, world.owner(number), amount);
  world.insurance.keeper.underwrite(world.ctx, world.owner(number), DENOM, amount);
}

function fund() {
  const known = world.insurance.state.funds.get(world.ctx, DENOM);
  if (known === undefined) throw new Error("no fund");
  return known;
}

const sharesOf = (number: number): bigint =>
  world.insurance.state.underwriters.get(world.ctx, [world.owner(number), DENOM])?.shares ?? 0n;
const worth = (number: number): bigint => worthOf(fund(), sharesOf(number));
const own = (): bigint => worthOf(fund(), fund().ownShares);
const asset = () => world.margin.keeper.assets.require(world.ctx, WBTC);

/** Four coins, and 180,000 lost to somebody else: nothing is held any more. */
function owing(): AccountId {
  const { ctx, margin, bank, markets } = world;
  const id = accountId(world.owner(1), 0);
  bank.mint(ctx, world.owner(1), 4n * COIN, WBTC);
  margin.keeper.assets.deposit(ctx, id, WBTC, 4n * COIN);
  const other = world.funded(2, 1_000_000n * UNIT);
  world.trade(id, other, 5_000n, 50_000n);
  markets.setMark(ctx, BTC, 14_000n);
  world.trade(other, id, 5_000n, 14_000n);
  return id;
}

function endBlock(): void {
  world.margin.keeper.endBlock(world.ctx);
  expect(world.violated()).toBeNull();
}

function buyUnits(units: bigint): bigint {
  const { ctx, margin, bank } = world;
  bank.mint(ctx, world.owner(61), 400_000n * UNIT);
  const order = { denom: WBTC, units, costMax: 400_000n * UNIT };
  const cost = margin.keeper.assets.buy(ctx, world.owner(61), order);
  expect(world.violated()).toBeNull();
  return cost;
}

describe("a conversion", () => {
  it("is no loss of the fund: it keeps its worth, and the hour's cap for what is one", () => {
    start({ drawCapPpm: 250_000 });
    const before = fund();
    owing();
    endBlock();
    const paid = BigInt(asset().inventoryCost);
    expect(paid).toBeGreaterThan(179_000n * UNIT);
    expect(fund()).toEqual({ ...before, balance: before.balance - paid, inventory: paid });
    expect(world.losses()).toEqual([]);
    expect([worth(ANN), own()]).toEqual([100_000n * UNIT, 100_000n * UNIT]);
    expect(world.insurance.keeper.available(world.ctx, DENOM)).toBe(200_000n * UNIT - paid);
  });

  it("and a sale beyond cost make all holders richer alike", () => {
    owing();
    endBlock();
    const cost = BigInt(asset().inventoryCost);
    const gain = buyUnits(BigInt(asset().inventory)) - cost;
    expect(gain).toBeGreaterThan(5_000n * UNIT);
    expect(fund()).toMatchObject({
      balance: 200_000n * UNIT + gain,
      inventory: 0n,
      received: gain,
    });
    expect([worth(ANN), own()]).toEqual([100_000n * UNIT + gain / 2n, 100_000n * UNIT + gain / 2n]);
  });

  it("gives nothing to who enters before the sale and leaves after it", () => {
    owing();
    endBlock();
    underwrite(60, 100_000n * UNIT);
    const eve = world.owner(60);
    buyUnits(BigInt(asset().inventory));
    const { ctx, insurance, bank } = world;
    insurance.keeper.giveNotice(ctx, eve, DENOM, sharesOf(60));
    ctx.nextBlock(86_401);
    insurance.module.endBlock?.(ctx);
    expect(bank.balance(ctx, eve, DENOM)).toBeLessThanOrEqual(100_000n * UNIT);
    expect(worth(ANN)).toBeGreaterThan(102_000n * UNIT);
    expect(own()).toBeGreaterThan(102_000n * UNIT);
  });

  it("leaves three quarters of the fund for losses, and goes on when inventory is sold", () => {
    start({ purchaseCapPpm: 250_000 });
    const id = owing();
    endBlock();
    // Whole units: one counts 475 quanta.
    expect(50_000n * UNIT - fund().inventory).toBeLessThan(475n);
    expect(50_000n * UNIT - fund().inventory).toBeGreaterThanOrEqual(0n);
    endBlock();
    expect(fund().inventory).toBeGreaterThan(49_999n * UNIT);
    for (let i = 0; i < 3; i++) {
      buyUnits(BigInt(asset().inventory));
      endBlock();
    }
    buyUnits(BigInt(asset().inventory));
    expect(world.margin.keeper.account(world.ctx, id)?.collateral).toBeGreaterThanOrEqual(
      -38_000n * UNIT,
    );
  });

  it("of an account below zero goes as far as the fund has money", () => {
    start({ purchaseCapPpm: 250_000 });
    const id = owing();
    setPrice(44_000n);
    endBlock();
    endBlock();
    expect(world.margin.keeper.account(world.ctx, id)).toMatchObject({
      collateral: 0n,
      assets: [],
    });
    expect(BigInt(asset().inventoryCost)).toBe((4n * 44_000n * 95n * UNIT) / 100n);
  });
});

describe("inventory", () => {
  it("whose price has fallen below cost is sold at a loss in the order of losses", () => {
    owing();
    endBlock();
    const cost = BigInt(asset().inventoryCost);
    setPrice(40_000n);
    const proceeds = buyUnits(BigInt(asset().inventory));
    const loss = cost - proceeds;
    expect(fund()).toMatchObject({ paid: loss, received: 0n, inventory: 0n });
    const [sold] = world.reports("insurance_sold");
    expect(sold).toMatchObject({
      amount: `${proceeds}`,
      cost: `${cost}`,
      first_loss: `${loss / 4n}`,
    });
    expect(world.reports("collateral_sold")).toMatchObject([
      { cost: `${proceeds}`, paid: `${cost}` },
    ]);
    expect(own()).toBeLessThan(worth(ANN));
  });

  it("with such a loss in it is not left behind by who leaves", () => {
    owing();
    endBlock();
    const { ctx, insurance, bank } = world;
    insurance.keeper.giveNotice(ctx, world.owner(ANN), DENOM, sharesOf(ANN));
    setPrice(40_000n);
    ctx.nextBlock(86_401);
    buyUnits(BigInt(asset().inventory) / 2n);
    const { loss } = world.margin.keeper.assets.sale(ctx, DENOM);
    expect(loss).toBeGreaterThan(10_000n * UNIT);
    const before = fund();
    insurance.module.endBlock?.(ctx);
    const { balance, inventory, shares } = before;
    const expected = ((balance + inventory - loss) * (before.shares - before.ownShares)) / shares;
    expect(bank.balance(ctx, world.owner(ANN), DENOM)).toBe(expected);
    expect(sharesOf(ANN)).toBe(0n);
  });

  it("bought at the floor of a redemption is not sold below it", () => {
    const redemption = { rateFeedId: FEED + 1, baseFeedId: 0, floorPpm: 950_000n };
    world.margin.keeper.assets.set(world.ctx, WBTC, wbtc({ redemption }));
    world.prices.set(FEED + 1, { mantissa: 50_000n, exponent: 0, confidence: 0n, fresh: true });
    setPrice(40_000n);
    owing();
    endBlock();
    const { inventory, inventoryCost } = asset();
    expect(inventory).not.toBe("0");
    expect(buyUnits(BigInt(inventory))).toBeGreaterThan(BigInt(inventoryCost));
  });

  it("without a good price keeps newcomers out", () => {
    owing();
    endBlock();
    setPrice(50_000n, false);
    expect(() => underwrite(60, 100_000n * UNIT)).toThrow("cannot be sold now");
    setPrice(50_000n);
    underwrite(60, 100_000n * UNIT);
  });

  it("that nobody prices any more is written off by whoever sets its terms, and newcomers may enter again", () => {
    owing();
    endBlock();
    setPrice(50_000n, false);
    const { ctx, margin } = world;
    const [authority, holder] = [createAddresses("keel").format(world.owner(62)), world.owner(61)];
    const restriction = {
      ...{ issuer: authority, attestor: authority },
      ...{ attestationMaxAgeMs: 86_400_000n, fadeMs: 86_400_000n },
    };
    margin.keeper.assets.set(ctx, WBTC, wbtc({ feedId: 0, restriction }));
    margin.keeper.assets.attest(ctx, authority, WBTC, 1n);
    expect(() => buyUnits(1n)).toThrow("does not list this holder");
    margin.keeper.assets.allow(ctx, authority, { denom: WBTC, holder, allowed: true });
    const cost = BigInt(asset().inventoryCost);
    expect(buyUnits(BigInt(asset().inventory))).toBeLessThanOrEqual(1n);
    expect(fund().inventory).toBe(0n);
    expect(fund().paid).toBeGreaterThanOrEqual(cost - 1n);
    // A quarter of it is the protocol's first.
    expect(own()).toBeLessThan(worth(ANN));
    underwrite(60, 100_000n * UNIT);
  });

  it("costs what is left of what was paid, whatever parts it is sold in", () => {
    let left = withBought(UNSOLD, 7n, 100n);
    expect(left).toMatchObject({ held: "0", inventory: "7", inventoryCost: "100" });
    const costs: bigint[] = [];
    for (const units of [1n, 2n, 1n, 3n]) {
      const sold = withSold(left, units);
      costs.push(sold.cost);
      left = sold.asset;
    }
    expect(costs).toEqual([15n, 29n, 14n, 42n]);
    expect(left).toMatchObject({ inventory: "0", inventoryCost: "0" });
  });

  it("is worth to the fund what is written down here, or an invariant is broken", () => {
    owing();
    endBlock();
    const { ctx, margin } = world;
    const known = asset();
    margin.state.assets.assets.set(ctx, WBTC, { ...known, inventoryCost: "1" });
    expect(world.violated()).toContain("inventory-at-cost: assets have cost 1, the fund holds");
    margin.state.assets.assets.set(ctx, WBTC, { ...known, inventory: "0" });
    expect(world.violated()).toContain("inventory-at-cost: 0 uwbtc of the fund have cost");
  });

  it("is carried by genesis with its cost", () => {
    owing();
    endBlock();
    const { genesis } = world.margin.module;
    if (genesis.kind !== "proto") throw new Error("margin has a proto genesis");
    const exported = genesis.export(world.ctx);
    const fresh = createWorld();
    const hooks = fresh.margin.module.genesis;
    if (hooks.kind !== "proto") throw new Error("margin has a proto genesis");
    hooks.init(fresh.ctx, exported);
    expect(hooks.export(fresh.ctx)).toEqual(exported);
    expect(fresh.margin.keeper.assets.require(fresh.ctx, WBTC)).toEqual(asset());
  });
});
