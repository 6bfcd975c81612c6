import { describe, expect, it } from "vitest";
import {
  bankruptcyDistanceTicks,
  fillableDistanceTicks,
  limitDistanceTicks,
  lotsToClose,
  ownDistanceTicks,
  penaltyQuanta,
} from "./liquidation-math.ts";

// One lot of 0.1 BTC, ticks of one dollar: a tick is worth 0.1 dollar = 100,000 quanta. Figures published for the reference
// engine's fillable price: 0.1 BTC at 50,000 with a maintenance rate of 10 % is a requirement of 500.
const DOLLAR = 1_000_000n;
const QUANTA_PER_TICK_LOT = 100_000n;
const BTC_MAINTENANCE = 500n * DOLLAR;

function fillable(cash: bigint, spreadPpm = 100_000n): bigint {
  const equity = cash * DOLLAR + 5_000n * DOLLAR;
  return fillableDistanceTicks(
    { equity, maintenance: BTC_MAINTENANCE },
    { lots: 1n, maintenance: BTC_MAINTENANCE },
    { spreadPpm, quantaPerTickLot: QUANTA_PER_TICK_LOT },
  );
}

describe("fillable price", () => {
  it("moves from mark toward bankruptcy in proportion to the missing equity", () => {
    expect(50_000n - fillable(-4_501n)).toBe(49_999n);
    expect(50_000n - fillable(-4_501n, 200_000n)).toBe(49_998n);
  });

  it("stops at zero equity", () => {
    expect(50_000n - fillable(-5_000n)).toBe(49_500n);
    expect(50_000n - fillable(-5_500n)).toBe(49_500n);
  });

  it("is mirrored for a short", () => {
    const short = (cash: bigint): bigint =>
      fillableDistanceTicks(
        { equity: (cash - 5_000n) * DOLLAR, maintenance: BTC_MAINTENANCE },
        { lots: 1n, maintenance: BTC_MAINTENANCE },
        { spreadPpm: 100_000n, quantaPerTickLot: QUANTA_PER_TICK_LOT },
      );
    expect(50_000n + short(5_499n)).toBe(50_001n);
    expect(50_000n + short(5_000n)).toBe(50_500n);
  });

  it("uses the account's totals and the position's own rate", () => {
    // 0.004 BTC (200, requirement 20) and 0.1 ETH at 3,000 (300, requirement 30) with -490 in cash: equity 10 of 50.
    const distance = fillableDistanceTicks(
      { equity: 10n * DOLLAR, maintenance: 50n * DOLLAR },
      { lots: 1n, maintenance: 30n * DOLLAR },
      { spreadPpm: 100_000n, quantaPerTickLot: QUANTA_PER_TICK_LOT },
    );
    expect(3_000n - distance).toBe(2_976n);
  });
});

describe("bankruptcy price", () => {
  const distance = (equity: bigint, lots = 1n, maintenance = BTC_MAINTENANCE): bigint =>
    bankruptcyDistanceTicks(
      { equity: equity * DOLLAR, maintenance: BTC_MAINTENANCE },
      { lots, maintenance },
      QUANTA_PER_TICK_LOT,
    );

  it("is mark at zero equity and above", () => {
    expect(distance(0n)).toBe(0n);
    expect(distance(499n)).toBe(0n);
  });

  it("brings a long with cash of -5,100 out at 5,100", () => {
    expect(50_000n + distance(-100n)).toBe(51_000n);
  });

  it("splits the deficit by maintenance requirement", () => {
    expect(distance(-100n, 1n, BTC_MAINTENANCE / 4n)).toBe(250n);
  });

  it("rounds so that the account ends at or above zero", () => {
    expect(
      bankruptcyDistanceTicks(
        { equity: -1n, maintenance: 10n },
        { lots: 3n, maintenance: 10n },
        5n,
      ),
    ).toBe(1n);
  });
});

describe("lotsToClose", () => {
  // The published worked figures: N = 117,600, m = 3 %, f = 0.5 %, s = 0.4 %, t = 1.25; lots of one unit.
  const share = (equity: bigint): bigint =>
    lotsToClose(
      { equity: equity * DOLLAR, maintenance: 3_528n * DOLLAR },
      {
        lots: 117_600n,
        quantaPerLot: DOLLAR,
        notionalPerLot: DOLLAR,
        maintenance: 3_528n * DOLLAR,
      },
      { targetPpm: 1_250_000n, penaltyPpm: 5_000n, slippagePpm: 4_000n, notionalMin: 0n },
    );

  it.each([
    [3_500n, 2_715n],
    [3_000n, 4_207n],
    [2_000n, 7_191n],
    [1_200n, 9_578n],
  ])("closes the published share at equity %s", (equity, bps) => {
    const exact = (share(equity) * 10_000n + 58_800n) / 117_600n;
    expect(exact).toBe(bps);
  });

  it("closes nothing at the target and everything below zero", () => {
    expect(share(4_410n)).toBe(0n);
    expect(share(-1n)).toBe(117_600n);
  });

  it("closes everything when the rest would be below the minimum, and at least the minimum otherwise", () => {
    const rates = { targetPpm: 1_250_000n, penaltyPpm: 0n, slippagePpm: 0n };
    const position = {
      lots: 100n,
      quantaPerLot: DOLLAR,
      notionalPerLot: DOLLAR,
      maintenance: 10n * DOLLAR,
    };
    const account = { equity: 9_900_000n, maintenance: 10n * DOLLAR };
    expect(lotsToClose(account, position, { ...rates, notionalMin: 0n })).toBe(21n);
    expect(lotsToClose(account, position, { ...rates, notionalMin: 30n * DOLLAR })).toBe(30n);
    expect(lotsToClose(account, position, { ...rates, notionalMin: 71n * DOLLAR })).toBe(100n);
  });

  it("closes everything when closing cannot restore the target", () => {
    expect(
      lotsToClose(
        { equity: DOLLAR, maintenance: 2n * DOLLAR },
        { lots: 100n, quantaPerLot: DOLLAR, notionalPerLot: DOLLAR, maintenance: 2n * DOLLAR },
        { targetPpm: 1_000_000n, penaltyPpm: 10_000n, slippagePpm: 10_000n, notionalMin: 0n },
      ),
    ).toBe(100n);
  });
});

describe("ownDistanceTicks", () => {
  const distance = (equity: bigint, maintenance = BTC_MAINTENANCE): bigint =>
    ownDistanceTicks(
      { equity: equity * DOLLAR, maintenance: BTC_MAINTENANCE },
      { lots: 3n, maintenance },
      QUANTA_PER_TICK_LOT,
    );

  it("uses up the share of equity that the position stands for, rounded down, and nothing below zero", () => {
    expect(distance(100n)).toBe(333n);
    expect(distance(100n, BTC_MAINTENANCE / 4n)).toBe(83n);
    expect([distance(0n), distance(-100n), distance(100n, 0n)]).toEqual([0n, 0n, 0n]);
  });
});

describe("limitDistanceTicks", () => {
  const limit = (over: Partial<Parameters<typeof limitDistanceTicks>[0]>): bigint =>
    limitDistanceTicks({
      fillableTicks: 300n,
      ownTicks: 10_000n,
      notionalTicks: 50_000n,
      slippagePpm: 4_000n,
      bandPpm: 50_000n,
      fundsQuanta: 1_000_000n * DOLLAR,
      closingLots: 1n,
      quantaPerTickLot: QUANTA_PER_TICK_LOT,
      ...over,
    });

  it("is the fillable distance, at least the slippage, inside the band", () => {
    expect(limit({})).toBe(300n);
    expect(limit({ fillableTicks: 0n })).toBe(200n);
    expect(limit({ fillableTicks: 9_000n })).toBe(2_500n);
  });

  it("ends at the bankruptcy price, be the fillable price, slippage or the fund what they may", () => {
    expect(limit({ ownTicks: 250n })).toBe(250n);
    expect(limit({ ownTicks: 40n, fillableTicks: 0n })).toBe(40n);
    expect(limit({ ownTicks: 0n })).toBe(0n);
  });

  it("asks for more than mark where equity and fund together could not pay what is missing", () => {
    expect(limit({ fundsQuanta: 10n * DOLLAR })).toBe(100n);
    expect(limit({ fundsQuanta: 0n })).toBe(0n);
    expect(limit({ fundsQuanta: -1n })).toBe(-1n);
  });
});

describe("penaltyQuanta", () => {
  it("rounds up and never takes more than the equity left", () => {
    expect(penaltyQuanta(5_610n * DOLLAR, 5_000n, 510n * DOLLAR)).toBe(28_050_000n);
    expect(penaltyQuanta(5_610n * DOLLAR, 25_000n, 510n * DOLLAR)).toBe(140_250_000n);
    expect(penaltyQuanta(5_610n * DOLLAR, 1_000_000n, 510n * DOLLAR)).toBe(510n * DOLLAR);
    expect(penaltyQuanta(1n, 1n, 10n)).toBe(1n);
    expect(penaltyQuanta(100n, 10_000n, -5n)).toBe(0n);
  });
});
