import { describe, expect, it } from "vitest";
import type { Account, Position } from "../account-codec.ts";
import { btcTerms } from "../testing/world.ts";
import { liquidationTicks } from "../views.ts";
import { evaluate, freeCollateral, meetsInitial, noRiskier } from "./health.ts";
import type { MarketView } from "./market-view.ts";
import { requirementQuanta, worstCaseLots } from "./requirement.ts";

const VIEW: MarketView = {
  terms: btcTerms(),
  markTicks: 50_000n,
  fresh: true,
  fundingIndex: 0n,
  quantaPerLot: 50_000_000n,
  notionalPerLot: 50_000_000n,
  losses: null,
};
const views = () => VIEW;

function position(over: Partial<Position> = {}): Position {
  return {
    market: 1,
    lots: 0n,
    quote: 0n,
    fundingIndex: 0n,
    openBuyLots: 0n,
    openSellLots: 0n,
    ...over,
  };
}

function account(collateral: bigint, ...positions: Position[]): Account {
  return {
    collateral,
    feeReserve: 0n,
    positions,
    portfolio: false,
    isolated: false,
    assets: [],
    elsewhere: [],
  };
}

describe("requirementQuanta", () => {
  const { tiers } = btcTerms();

  it("applies each tier's rate to its own part of the notional", () => {
    expect(requirementQuanta(10_000_000_000n, tiers, "initialPpm")).toBe(1_000_000_000n);
    expect(requirementQuanta(10_000_000_001n, tiers, "initialPpm")).toBe(1_000_000_001n);
    expect(requirementQuanta(15_000_000_000n, tiers, "initialPpm")).toBe(2_000_000_000n);
    expect(requirementQuanta(15_000_000_000n, tiers, "maintenancePpm")).toBe(1_000_000_000n);
  });

  it("rounds up", () => {
    const flat = [{ aboveQuanta: 0n, initialPpm: 100_000n, maintenancePpm: 60_000n }];
    expect(requirementQuanta(1n, flat, "initialPpm")).toBe(1n);
    expect(requirementQuanta(0n, flat, "initialPpm")).toBe(0n);
    const odd = [{ aboveQuanta: 0n, initialPpm: 567_243n, maintenancePpm: 0n }];
    // Published: 56.7243 % of 123,456 is a requirement of 70,030.
    expect(requirementQuanta(123_456n, odd, "initialPpm")).toBe(70_030n);
  });
});

describe("worstCaseLots", () => {
  it("is the larger side when all its resting orders fill", () => {
    expect(worstCaseLots(position({ lots: 5n, openBuyLots: 3n, openSellLots: 20n }))).toBe(15n);
    expect(worstCaseLots(position({ lots: 5n, openBuyLots: 30n, openSellLots: 20n }))).toBe(35n);
    expect(worstCaseLots(position({ lots: -5n, openBuyLots: 4n }))).toBe(5n);
  });
});

describe("evaluate", () => {
  it("adds the value of every position at mark, funding included", () => {
    const held = position({ lots: 10n, quote: -400_000_000n, fundingIndex: -7n });
    const health = evaluate(account(1_000n, held), views);
    expect(health).toEqual({
      equity: 1_000n + 500_000_000n - 400_000_000n - 70n,
      cash: 1_000n + 500_000_000n - 400_000_000n - 70n,
      debtMax: 0n,
      initial: 50_000_000n,
      maintenance: 25_000_000n,
      fresh: true,
      complete: true,
      portfolio: false,
    });
  });

  it("is incomplete without a price and then never meets the initial requirement", () => {
    const owner = account(10n ** 12n, position({ lots: 1n }));
    const health = evaluate(owner, () => undefined);
    expect(health.complete).toBe(false);
    expect(meetsInitial(owner, health)).toBe(false);
  });

  it("frees no unrealised profit and nothing below the requirement", () => {
    const winner = account(100n, position({ lots: 1n, quote: 0n }));
    expect(freeCollateral(winner, evaluate(winner, views))).toBe(100n);
    const loser = account(5_000_000n, position({ lots: 1n, quote: -50_000_001n }));
    expect(freeCollateral(loser, evaluate(loser, views))).toBe(0n);
  });
});

describe("noRiskier", () => {
  const health = (equity: bigint, maintenance: bigint) => ({
    equity,
    cash: equity,
    debtMax: 0n,
    maintenance,
    initial: 0n,
    fresh: true,
    complete: true,
    portfolio: false,
  });

  it("compares equity per requirement by cross-multiplication", () => {
    expect(noRiskier(health(10n, 100n), health(5n, 50n))).toBe(true);
    expect(noRiskier(health(10n, 100n), health(4n, 50n))).toBe(false);
    expect(noRiskier(health(10n, 100n), health(11n, 101n))).toBe(false);
    expect(noRiskier(health(-10n, 100n), health(-5n, 50n))).toBe(true);
    expect(noRiskier(health(-10n, 100n), health(-6n, 50n))).toBe(false);
  });

  it("lets a position be closed to nothing only at or above zero", () => {
    expect(noRiskier(health(10n, 100n), health(0n, 0n))).toBe(true);
    expect(noRiskier(health(-10n, 100n), health(-1n, 0n))).toBe(false);
  });

  it("needs a strict improvement without any requirement", () => {
    expect(noRiskier(health(1n, 0n), health(1n, 0n))).toBe(false);
    expect(noRiskier(health(1n, 0n), health(2n, 0n))).toBe(true);
  });
});

describe("liquidationTicks", () => {
  it("is the published price of a long: (entry − margin) / (1 − rate)", () => {
    // Entry 10, margin 2, rate 5 %: 8.421052...; here ticks of 1e-6 and one quantum per tick and lot.
    const view: MarketView = {
      ...VIEW,
      markTicks: 10_000_000n,
      quantaPerLot: 10_000_000n,
      terms: btcTerms({
        quantaPerTickLot: 1n,
        tiers: [{ aboveQuanta: 0n, initialPpm: 100_000n, maintenancePpm: 50_000n }],
      }),
    };
    const long = position({ lots: 1n, quote: -10_000_000n });
    const health = evaluate(account(2_000_000n, long), () => view);
    expect(liquidationTicks(long, view, health, 0n)).toBe(8_421_052n);
    const short = position({ lots: -1n, quote: 10_000_000n });
    const other = evaluate(account(2_000_000n, short), () => view);
    // (10 + 2) / 1.05 = 11.428571...
    expect(liquidationTicks(short, view, other, 0n)).toBe(11_428_572n);
  });

  it("does not exist for a long that is fully paid", () => {
    const paid = position({ lots: 1n, quote: -50_000_000n });
    expect(
      liquidationTicks(paid, VIEW, evaluate(account(60_000_000n, paid), views), 0n),
    ).toBeNull();
  });
});
