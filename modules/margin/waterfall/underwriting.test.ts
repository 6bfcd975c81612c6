/** Who underwrites beside what a fund is owed, or beside a shortfall that it cannot pay. */
import { beforeEach, describe, expect, test } from "vitest";
import { worthOf } from "../../insurance/shares.ts";
import type { AccountId } from "../../kit/account-id.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { BTC, DENOM, ETH } from "../testing/world.ts";

/** One lot is worth a unit (1e6 quanta) at 1,000 ticks. */
const UNIT = 1_000_000n;
const TERMS = { cooldownMs: 604_800_000n, fundMin: "1" };

let world: InsuredWorld;

/** A hundred lots with ten units behind them. */
function begin(params: Parameters<typeof createInsuredWorld>[0], firstLossPpm = 0): AccountId {
  world = createInsuredWorld(params, { ...TERMS, firstLossPpm });
  const long = world.funded(1, 10n * UNIT);
  world.trade(long, world.funded(2, 1_000n * UNIT), 100n, 1_000n);
  return long;
}

const mark = (ticks: bigint, market = BTC, fresh = true) =>
  world.markets.setMark(world.ctx, market, ticks, fresh);
const pending = () => world.margin.keeper.pendingShortfall(world.ctx, DENOM);
function block(): void {
  world.margin.keeper.endBlock(world.ctx);
  expect(world.violated()).toBeNull();
  world.ctx.nextBlock();
}

describe("who underwrites while a fund is owed something", () => {
  const [OLD, NEW] = [8, 9];
  beforeEach(() => {
    const long = begin({});
    world.endow(UNIT);
    underwrite(OLD, 99n * UNIT);
    world.trade(long, world.funded(3, 1_000n * UNIT), 100n, 1_000n, ETH);
    world.markets.setStatus(world.ctx, ETH, "halted");
    mark(500n);
    block();
    expect([world.balance(), world.margin.keeper.owedToFunds(world.ctx, long)]).toEqual([
      60n * UNIT,
      40n * UNIT,
    ]);
  });
  const fund = () => {
    const known = world.insurance.state.funds.get(world.ctx, DENOM);
    if (known === undefined) throw new Error("no fund");
    return known;
  };
  const sharesOf = (number: number): bigint =>
    world.insurance.state.underwriters.get(world.ctx, [world.owner(number), DENOM])?.shares ?? 0n;
  const worth = (number: number): bigint => worthOf(fund(), sharesOf(number));
  function underwrite(number: number, amount: bigint): void {
    world.bank.mint(world.ctx, world.owner(number), amount);
    world.insurance.keeper.underwrite(world.ctx, world.owner(number), DENOM, amount);
  }

  test.each([
    ["what comes back in this block", 1_400n, true],
    ["what may come back when there is a good price again", 1_000n, false],
  ])("pays for %s", (_what, ticks, fresh) => {
    mark(ticks, ETH, fresh);
    underwrite(NEW, 1_000n * UNIT);
    mark(1_400n, ETH);
    block();
    expect([world.balance(), world.margin.state.waterfall.advances.size(world.ctx)]).toEqual([
      1_100n * UNIT,
      0,
    ]);
    expect(1_000n * UNIT - worth(NEW)).toBeLessThan(10n);
    expect(99n * UNIT - worth(OLD)).toBeLessThan(10n);
  });

  test("pays what shares are worth where nothing would come back now", () => {
    underwrite(NEW, 1_000n * UNIT);
    expect(1_000n * UNIT - worth(NEW)).toBeLessThan(10n);
  });

  test("does not enter a fund that has nothing but what it is owed", () => {
    mark(400n, ETH);
    block();
    mark(400n, ETH, false);
    expect([world.balance(), pending()]).toEqual([0n, 0n]);
    expect(() => underwrite(NEW, 1_000n * UNIT)).toThrow("the fund is empty");
  });
});

describe("who underwrites beside the protocol while a fund is owed something", () => {
  const NEW = 9;
  const worthTo = (number: number): bigint => {
    const known = world.insurance.state.funds.get(world.ctx, DENOM);
    const shares = world.insurance.state.underwriters.get(world.ctx, [world.owner(number), DENOM]);
    return known === undefined ? 0n : worthOf(known, shares?.shares ?? 0n);
  };
  const underwrite = (number: number, amount: bigint): void => {
    world.bank.mint(world.ctx, world.owner(number), amount);
    world.insurance.keeper.underwrite(world.ctx, world.owner(number), DENOM, amount);
  };

  test.each([
    ["as the first of all", 0n],
    ["when the protocol has borne a part of it alone", 50n],
  ])("has what it put in when all is back, %s", (_when, others) => {
    const long = begin({}, 500_000);
    world.endow((100n - others) * UNIT);
    if (others > 0n) underwrite(8, others * UNIT);
    world.trade(long, world.funded(3, 1_000n * UNIT), 100n, 1_000n, ETH);
    world.markets.setStatus(world.ctx, ETH, "halted");
    mark(500n);
    block();
    expect(world.margin.keeper.owedToFunds(world.ctx, long)).toBe(40n * UNIT);
    mark(1_400n, ETH);
    underwrite(NEW, 100n * UNIT);
    block();
    expect(world.balance()).toBe(200n * UNIT);
    expect(world.margin.state.waterfall.advances.size(world.ctx)).toBe(0);
    expect(100n * UNIT - worthTo(NEW)).toBeLessThan(10n);
  });
});

describe("a shortfall that no fund can pay", () => {
  const enter = (): void => {
    world.bank.mint(world.ctx, world.owner(9), 100n * UNIT);
    world.insurance.keeper.underwrite(world.ctx, world.owner(9), `${DENOM}#minor`, 100n * UNIT);
  };
  test.each([
    ["does not hold up underwriters", "is too little to count", 6n],
    ["holds up underwriters", "counts", 5n],
  ])("%s when it %s", (_what, _when, floor) => {
    begin({ shortfallFloor: `${floor * UNIT}` });
    world.markets.setStatus(world.ctx, BTC, "halted");
    mark(850n);
    block();
    expect(pending()).toBe(5n * UNIT);
    if (floor > 5n) enter();
    else expect(enter).toThrow("accounts below zero miss");
  });
});
