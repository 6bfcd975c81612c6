import type { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { describe, expect, it } from "vitest";
import { WAD } from "../../kit/math/fixed-point.ts";
import { validateModel } from "./model.ts";
import { moveOf, priceRangePpm, scenarioText, shockedVolatilities, weightOf } from "./shocks.ts";
import { models } from "./testing/models.ts";

const { s35 } = models;
const volatility = s35.volatilityShock;
const [rule] = s35.underlyings;
if (volatility === undefined || rule === undefined) throw new Error("the model has no shocks");

describe("a portfolio model", () => {
  it.each(Object.entries(models))("that ships is within its bounds: %s", (_name, model) => {
    expect(() => validateModel(model)).not.toThrow();
  });

  it("has the scenarios its name says", () => {
    const counts = Object.values(models).map(({ scenarios }) => scenarios.length);
    expect(counts).toEqual([35, 33, 35, 24, 16]);
  });

  const bad: [string, Partial<PortfolioModel>, string][] = [
    ["a name in capitals", { name: "S35" }, "expected a name"],
    ["no scenarios", { scenarios: [] }, "expected 1 to 64 scenarios"],
    [
      "prices that only fall",
      { scenarios: s35.scenarios.filter((one) => one.rangePpm + one.movePpm <= 0n) },
      "with prices up and one with them down",
    ],
    [
      "a scenario twice",
      { scenarios: [...s35.scenarios, s35.scenarios[4] as (typeof s35.scenarios)[number]] },
      "is there twice",
    ],
    [
      "a move of more than everything",
      { scenarios: s35.scenarios.map((one) => ({ ...one, rangePpm: 0n, movePpm: -1_000_000n })) },
      "expected scenarios[0].move_ppm of -990000 to 10000000",
    ],
    [
      "volatility scenarios without a shock",
      { volatilityShock: undefined },
      "needs volatility_shock",
    ],
    ["skew scenarios without a shock", { skewShock: undefined }, "needs skew_shock"],
    ["maintenance above initial", { maintenanceFactorPpm: 1_100_000n }, "maintenance_factor_ppm"],
    [
      "an offset of everything",
      { offsetCapPpm: 900_000n },
      "expected offset_cap_ppm of 0 to 800000",
    ],
    [
      "underlyings out of order",
      { underlyings: [...s35.underlyings].reverse() },
      "ascending order",
    ],
    ["no underlyings", { underlyings: [] }, "at least one underlying"],
    [
      "hedged delta dearer than two accounts",
      {
        addOns: {
          ...(s35.addOns as NonNullable<typeof s35.addOns>),
          deltaMinimum: {
            net: undefined,
            hedged: { initialPpm: 10_000n, maintenancePpm: 0n },
            floor: false,
          },
        },
      },
      "at least half the rate of hedged delta",
    ],
  ];

  it.each(bad)("with %s is refused, and says why", (_what, change, message) => {
    expect(() => validateModel({ ...s35, ...change })).toThrow(message);
  });
});

describe("shocks", () => {
  it("take the range from volatility, within its bounds, rounded up", () => {
    const btc = s35.underlyings.find(({ underlying }) => underlying === "BTC-USD") ?? rule;
    // 3.3 × 0.6 × √(1/365) = 0.103637937…; 3.3 × 0.4 × … = 0.0690919…, below 8 %; 3.3 × 4 = 0.69, above 60 %.
    expect(priceRangePpm(btc, (6n * WAD) / 10n)).toBe(103_638n);
    expect(priceRangePpm(btc, (4n * WAD) / 10n)).toBe(80_000n);
    expect(priceRangePpm(btc, 4n * WAD)).toBe(600_000n);
  });

  it("move away from zero, never below one hundredth of the price, and weigh what is beyond the range", () => {
    const [scenario] = s35.scenarios;
    if (scenario === undefined) throw new Error("no scenario");
    const at = (rangePpm: bigint, movePpm = 0n) => ({
      ...scenario,
      rangePpm,
      movePpm,
      weightPpm: 0n,
    });
    expect(moveOf(at(-250_000n), 103_638n)).toBe(-25_910n);
    expect(moveOf(at(250_000n), 103_638n)).toBe(25_910n);
    expect(moveOf(at(-5_000_000n), 300_000n)).toBe(-990_000n);
    expect(weightOf(at(1_000_000n), 103_638n)).toBe(1_000_000n);
    expect(weightOf(at(0n, -660_000n), 103_638n)).toBe(157_027n);
    expect(weightOf({ ...at(0n, 500_000n), weightPpm: 277_200n }, 180_000n)).toBe(277_200n);
    expect(scenarioText(at(1n), -25_910n)).toBe("price -2.59 %, volatility down");
  });

  it("raise and lower volatility more, the nearer the expiry, and not below the least that is assumed", () => {
    const shocked = (days: bigint, points: bigint) => {
      const all = shockedVolatilities(s35, {
        strike: 50_000n * WAD,
        forward: 50_000n * WAD,
        volatility: (points * WAD) / 100n,
        remainingMs: days * 86_400_000n,
      });
      return [all[0], all[1], all[2]].map((one) => Number(one) / 1e18);
    };
    // At 30 days g = 1.
    expect(shocked(30n, 60n)).toEqual([0.432, 0.6, 0.9]);
    const near = (30 / 2) ** 0.3;
    const [down, same, up] = shocked(2n, 60n);
    expect(down).toBeCloseTo(0.6 * (1 - 0.28 * near), 12);
    expect(same).toBe(0.6);
    expect(up).toBeCloseTo(0.6 * (1 + 0.5 * near), 12);
    expect(shocked(120n, 60n)[2]).toBeCloseTo(0.6 * (1 + 0.5 * (30 / 120) ** 0.13), 12);
    expect(shocked(30n, 20n)[2]).toBe(0.45);
    expect(shocked(0n, 300n)[0]).toBeCloseTo(3 * (1 - 0.28 * 30 ** 0.3), 12);
  });

  it("tilt and bend the smile within a cap", () => {
    const at = (strike: bigint) => {
      const all = shockedVolatilities(s35, {
        strike: strike * WAD,
        forward: 50_000n * WAD,
        volatility: WAD,
        remainingMs: (365n * 86_400_000n) / 4n,
      });
      return all.slice(-2).map((one) => Number(one) / 1e18);
    };
    // Width 4 × 0.6 × √0.25 = 1.2 and cap 0.25: 1 ± ln(K/F) × 0.25 / 1.2.
    const k = Math.log(40_000 / 50_000);
    expect(at(40_000n)[0]).toBeCloseTo(1 + (k * 0.25) / 1.2, 12);
    expect(at(40_000n)[1]).toBeCloseTo(1 - (k * 0.25) / 1.2, 12);
    expect(at(50_000n)).toEqual([1, 1]);
    expect(at(5_000n)).toEqual([0.75, 1.25]);
  });
});
