import { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { describe, expect, it } from "vitest";
import { WAD } from "../../kit/math/fixed-point.ts";
import { accumulate, fitsNumbers } from "./accumulate.ts";
import { type PortfolioRequirement, portfolioRequirement } from "./requirement.ts";
import { type RiskArray, type RiskInstrument, riskArray, underlyingRisk } from "./risk-array.ts";
import { future, option, perpetual } from "./testing/instruments.ts";
import { models } from "./testing/models.ts";
import { totalsOf } from "./totals.ts";
import { refusalText, verdictOf } from "./verdict.ts";

const free = { initial: 0n, maintenance: 0n };

function arrayOf(
  model: PortfolioModel,
  instrument: RiskInstrument,
  name = "BTC-USD",
  price = 50_000n,
): RiskArray {
  const state = { name, price: price * WAD, volatility: (6n * WAD) / 10n, oracleWidthPpm: 0n };
  const risk = underlyingRisk(model, state);
  const array = risk === null ? null : riskArray(risk, instrument);
  if (array === null) throw new Error("no array");
  return array;
}

function required(
  model: PortfolioModel,
  held: readonly (readonly [RiskArray, bigint])[],
): PortfolioRequirement {
  const positions = held.map(([array, lots]) => ({ array, low: lots, high: lots }));
  return portfolioRequirement({
    model,
    positions,
    haircut: free,
    depegPpm: 0n,
    elsewhere: () => 0n,
  });
}

const addOn = (found: PortfolioRequirement, name: string) =>
  found.addOns.find((one) => one.name === name);

describe("a requirement worked out by hand", () => {
  it("of one bitcoin long at 50,000 and 60 % is 3.3 daily deviations and half the spread", () => {
    // 3.3 × 0.6 × √(1/365) = 0.10363788… → 103,638 ppm of 50,000 = 5,181.90; half-spread 0.02 % = 10; half a quantum of 1,000 lots.
    const found = required(models.s35, [[arrayOf(models.s35, perpetual(50_000n)), 1_000n]]);
    expect(found.scan.loss).toBe(5_181_900_000n);
    expect(found.scenarios).toEqual({ initial: 5_181_900_000n, maintenance: 4_145_520_000n });
    expect(found.addOns.map(({ name, initial }) => [name, initial])).toEqual([
      ["liquidity", 10_000_000n],
      ["rounding", 500n],
    ]);
    expect(found.initial).toBe(5_191_900_500n);
    expect(found.maintenance).toBe(4_155_520_500n);
  });

  it("of a perfect hedge is 1 % of what is hedged, as a floor, and fees", () => {
    const model = models.paradex;
    const found = required(model, [
      [arrayOf(model, perpetual(50_000n)), 1_000n],
      [arrayOf(model, future(50_000n, 30n)), -1_000n],
    ]);
    expect(found.scan.loss).toBe(0n);
    // Gross 100,000, net 0: hedged 50,000 × 1 %; maintenance half of it. Fees 0.03 % of 100,000.
    expect(addOn(found, "delta minimum")).toMatchObject({
      initial: 500_000_000n,
      maintenance: 250_000_000n,
    });
    expect(addOn(found, "liquidity")?.initial).toBe(30_000_000n);
  });

  it("counts so much of an extreme move that something straight is never bound by it, and something curved is", () => {
    const line = required(models.s35, [[arrayOf(models.s35, perpetual(50_000n)), -1_000n]]);
    expect(models.s35.scenarios[line.scan.binding]?.rangePpm).toBe(1_000_000n);
    // Loses price × move²: at +300 % nine times the price, of which 103,638 / 3,000,000 count.
    const wing: RiskInstrument = {
      ...perpetual(50_000n),
      price: (movePpm) => (-50_000n * WAD * movePpm * movePpm) / 10n ** 12n,
    };
    const found = required(models.s35, [[arrayOf(models.s35, wing), 1_000n]]);
    expect(models.s35.scenarios[found.scan.binding]?.movePpm).toBe(3_000_000n);
    expect(found.scan.loss).toBe(15_545_700_000n);
  });

  it("grants four fifths of what two underlyings save against each other, in the worse of two correlations", () => {
    const model = PortfolioModel.fromPartial({
      ...models.derive,
      name: "two",
      offsetCapPpm: 800_000n,
      addOns: undefined,
      underlyings: [
        {
          underlying: "BTC-USD",
          rangeMinimumPpm: 180_000n,
          rangeMaximumPpm: 180_000n,
          betaPpm: 1_000_000n,
        },
        {
          underlying: "ETH-USD",
          rangeMinimumPpm: 180_000n,
          rangeMaximumPpm: 180_000n,
          betaPpm: 800_000n,
        },
      ],
    });
    const btc = arrayOf(model, perpetual(50_000n));
    const eth = arrayOf(model, perpetual(2_500n), "ETH-USD", 2_500n);
    const hedged = required(model, [
      [btc, 2_000n],
      [eth, -40_000n],
    ]);
    // 18,000 each. All together: 0. Apart: √((18,000 − 0.8 × 18,000)² + (0.6 × 18,000)²) = 11,384.199577.
    // 36,000 − 0.8 × (36,000 − 11,384.199577) = 16,307.359662.
    expect(hedged.scan.loss).toBe(16_307_359_662n);
    expect(hedged.scan.offset).toBe(19_692_640_338n);
    const same = required(model, [
      [btc, 2_000n],
      [eth, 40_000n],
    ]);
    expect(same.scan.loss).toBe(36_000_000_000n);
  });

  it("of short options nets calls and puts of one strike, and charges the rest a share of the underlying", () => {
    const { derive } = models;
    const terms = { forward: 50_000n, strike: 52_000n, days: 30n, volatilityPpm: 600_000n };
    const call = arrayOf(derive, option({ right: "call", ...terms }));
    const put = arrayOf(derive, option({ right: "put", ...terms }));
    const found = required(derive, [
      [call, -3_000n],
      [put, 1_000n],
    ]);
    // Two contracts short of 50,000 at 0.5 % and 0.3 %.
    expect(addOn(found, "short options")).toMatchObject({
      initial: 500_000_000n,
      maintenance: 300_000_000n,
    });
  });

  it("discounts what an expiry is worth after the shock when that is positive, and not what it owes", () => {
    const { derive } = models;
    // 1,000 whatever happens, for a year: × 0.95 × e^(−0.16) = 809.536…
    const cash: RiskInstrument = {
      ...option({
        right: "call",
        forward: 50_000n,
        strike: 1n,
        days: 365n,
        volatilityPpm: 500_000n,
      }),
      price: () => 1_000n * WAD,
    };
    const array = arrayOf(derive, cash);
    const long = required(derive, [[array, 1_000_000n]]);
    const kept = 1_000_000 * 0.95 * Math.exp(-0.16);
    expect(Number(long.scan.loss) / 1e6).toBeCloseTo(1_000_000 - kept, 0);
    const short = required(derive, [[array, -1_000_000n]]);
    expect(short.scan.loss).toBe(0n);
  });

  it("charges the forward of one expiry that moves alone", () => {
    const { s35 } = models;
    const found = required(s35, [
      [arrayOf(s35, future(50_000n, 30n)), 1_000n],
      [arrayOf(s35, future(50_000n, 90n)), -1_000n],
    ]);
    // 4.5 % of 50,000 either way, in both expiries, a quarter of it.
    expect(addOn(found, "basis between expiries")?.initial).toBe(1_125_000_000n);
    expect(found.scan.loss).toBe(0n);
  });

  it("charges funding expected over eight hours only to the side that pays it", () => {
    const { s35 } = models;
    const paid = arrayOf(s35, perpetual(50_000n, 100n));
    expect(addOn(required(s35, [[paid, 1_000n]]), "funding")?.initial).toBe(40_000_000n);
    expect(addOn(required(s35, [[paid, -1_000n]]), "funding")).toBeUndefined();
  });

  it("grows with the square root of the time it takes to close a large position", () => {
    const { s35 } = models;
    // 24,000 bitcoin are 1.2 billion: at a tenth of 20 billion a day 864 minutes, √(864 / 180) = 2.190890 times the loss.
    const array = arrayOf(s35, perpetual(50_000n));
    const found = required(s35, [[array, 24_000_000n]]);
    const charge = Number(addOn(found, "concentration")?.initial);
    expect(charge / Number(found.scan.loss)).toBeCloseTo(1.19089, 5);
    const elsewhere = portfolioRequirement({
      model: s35,
      positions: [{ array, low: 1_000n, high: 1_000n }],
      haircut: free,
      depegPpm: 0n,
      elsewhere: () => 1_199_950_000_000_000n,
    });
    // One bitcoin of the same owner needs as much per bitcoin.
    expect(Number(addOn(elsewhere, "concentration")?.initial) / 5_181_900_000).toBeCloseTo(
      1.19089,
      5,
    );
  });

  it("asks for more when the oracle is unsure or the stable coin is below its peg", () => {
    const { derive } = models;
    const state = {
      name: "BTC-USD",
      price: 50_000n * WAD,
      volatility: WAD,
      oracleWidthPpm: 500_000n,
    };
    const risk = underlyingRisk(derive, state);
    if (risk === null) throw new Error("no rule");
    const array = riskArray(risk, perpetual(50_000n));
    if (array === null) throw new Error("no array");
    const positions = [{ array, low: 1_000n, high: 1_000n }];
    const found = portfolioRequirement({
      model: derive,
      positions,
      haircut: free,
      depegPpm: 10_000n,
      elsewhere: () => 0n,
    });
    // A width beyond 0.45 is charged whole, to initial margin only; 1 % below the threshold × 4 raises the factor to 1.04.
    expect(addOn(found, "oracle width")).toMatchObject({
      initial: 25_000_000_000n,
      maintenance: 0n,
    });
    expect(found.scenarios).toEqual({ initial: 9_360_000_000n, maintenance: 7_200_000_000n });
  });
});

describe("sums of risk arrays", () => {
  it("are the same to the unit in numbers and in bigints", () => {
    const { s35 } = models;
    const held = [
      [perpetual(50_000n), 1_234n],
      [
        option({
          right: "put",
          forward: 50_000n,
          strike: 45_000n,
          days: 20n,
          volatilityPpm: 700_000n,
        }),
        -77n,
      ],
      [future(50_000n, 20n), 31n],
    ] as const;
    const positions = held.map(([instrument, lots]) => ({
      array: arrayOf(s35, instrument),
      low: lots - 9n,
      high: lots + 3n,
    }));
    expect(fitsNumbers(positions)).toBe(true);
    expect(accumulate(positions, true)).toEqual(accumulate(positions, false));
    expect(totalsOf(positions, true)).toEqual(totalsOf(positions, false));
  });

  it("are made in bigints as soon as one could leave the safe integers", () => {
    const { s35 } = models;
    const array = arrayOf(s35, perpetual(50_000n));
    const lots = (1n << 53n) / array.largest;
    expect(fitsNumbers([{ array, low: lots, high: lots }])).toBe(true);
    expect(fitsNumbers([{ array, low: -lots - 1n, high: lots }])).toBe(false);
    // 1e15 bitcoin: a number would have lost the last digits.
    const found = required(s35, [[array, 10n ** 18n + 1n]]);
    expect(found.scan.loss).toBe((10n ** 18n + 1n) * 5_181_900n);
  });
});

describe("a refusal", () => {
  it("names the binding scenario, the requirement, the equity and the shortfall", () => {
    const { s35 } = models;
    const found = required(s35, [[arrayOf(s35, perpetual(50_000n)), 1_000n]]);
    expect(verdictOf(found, 5_000_000_000n).shortfall.initial).toBe(191_900_500n);
    expect(refusalText(s35, found, 5_000_000_000n)).toBe(
      "expected equity of at least 5191.9005 (requirement), got 5000: short of 191.9005; " +
        "worst scenario of model keel-s35: BTC-USD price -10.36 %, volatility down, loss 5181.9",
    );
  });

  it("of a portfolio without positions has no scenario to name", () => {
    const nothing = required(models.s35, []);
    expect(nothing).toMatchObject({ initial: 0n, maintenance: 0n });
    expect(refusalText(models.s35, nothing, -1n)).toContain("no scenario");
  });
});
