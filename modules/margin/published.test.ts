/**
 * Margin figures that other venues publish, against our functions. Where ours differ by intent, the case says how. Not restated, because there is
 * nothing here to compare: initial margin that grows with open interest (dYdX; here rates grow with the position's own notional, so nobody's
 * requirement moves because of others). Injective's haircut of profits is in `waterfall/gains-haircut.test.ts`.
 */
import { describe, expect, it } from "vitest";
import { requirementQuanta, worstCaseLots } from "./health/requirement.ts";
import { penaltyQuanta } from "./liquidation/liquidation-math.ts";
import type { RequirementTier } from "./ports.ts";

const UNIT = 1_000_000n;

function flat(initialPpm: bigint, fractionPpm: bigint): readonly RequirementTier[] {
  // Maintenance is a parameter here; dYdX takes this fraction of the initial rate, truncated to ppm.
  return [{ aboveQuanta: 0n, initialPpm, maintenancePpm: (initialPpm * fractionPpm) / UNIT }];
}

describe("dYdX's margin", () => {
  it.each([
    ["Large-Cap", 20_000n, 600_000n, 2_000n, 1_200n],
    ["Small-Cap", 100_000n, 500_000n, 10_000n, 5_000n],
    ["Long-Tail", 200_000n, 500_000n, 20_000n, 10_000n],
    ["Safety", 1_000_000n, 200_000n, 100_000n, 20_000n],
    ["Isolated", 50_000n, 600_000n, 5_000n, 3_000n],
    ["Mid-Cap", 50_000n, 600_000n, 5_000n, 3_000n],
    ["FX", 10_000n, 500_000n, 1_000n, 500n],
  ])("of %s on 100,000 units", (_tier, initial, fraction, imr, mmr) => {
    const tiers = flat(initial, fraction);
    expect(requirementQuanta(100_000n * UNIT, tiers, "initialPpm")).toBe(imr * UNIT);
    expect(requirementQuanta(100_000n * UNIT, tiers, "maintenancePpm")).toBe(mmr * UNIT);
  });

  it("takes 637,239 x 289,284 ppm as a maintenance rate of 184,343", () => {
    const [tier] = flat(637_239n, 289_284n);
    expect(tier?.maintenancePpm).toBe(184_343n);
  });

  it("rounds requirements up: 10 % of 1 is 1, 56.7243 % of 123,456 is 70,030", () => {
    expect(requirementQuanta(1n, flat(100_000n, 0n), "initialPpm")).toBe(1n);
    expect(requirementQuanta(123_456n, flat(567_243n, 0n), "initialPpm")).toBe(70_030n);
  });

  it("rounds maintenance up twice, where ours is rounded once and never larger", () => {
    const twice = (notional: bigint, initial: bigint, fraction: bigint): bigint => {
      const imr = (notional * initial + UNIT - 1n) / UNIT;
      return (imr * fraction + UNIT - 1n) / UNIT;
    };
    for (const notional of [1n, 9n, 11n, 123_456n, 999_999n]) {
      const ours = requirementQuanta(notional, flat(50_000n, 600_000n), "maintenancePpm");
      expect(twice(notional, 50_000n, 600_000n) - ours).toBeGreaterThanOrEqual(0n);
      expect(twice(notional, 50_000n, 600_000n) - ours).toBeLessThanOrEqual(1n);
    }
    expect(twice(11n, 50_000n, 600_000n)).toBe(1n);
  });

  it("at a 20 % rate below the first open-interest cap is our flat tier; above it the position's own size counts", () => {
    expect(requirementQuanta(500_000n * UNIT, flat(200_000n, 500_000n), "initialPpm")).toBe(
      100_000n * UNIT,
    );
    const ours: readonly RequirementTier[] = [
      ...flat(200_000n, 500_000n),
      { aboveQuanta: 1_000_000n * UNIT, initialPpm: 1_000_000n, maintenancePpm: 100_000n },
    ];
    expect(requirementQuanta(1_500_000n * UNIT, ours, "initialPpm")).toBe(700_000n * UNIT);
    // As there, what makes entering dearer liquidates nobody.
    expect(requirementQuanta(1_500_000n * UNIT, ours, "maintenancePpm")).toBe(150_000n * UNIT);
  });
});

describe("dYdX's fee of a liquidation", () => {
  // What the fund takes when the position is closed better than at bankruptcy: the rate on what was paid, never more than is left over.
  it.each([
    ["a long sold at 5,610 instead of 5,100", 5_610_000_000n, 510_000_000n, 5_000n, 28_050_000n],
    ["the same at 2.5 %", 5_610_000_000n, 510_000_000n, 25_000n, 140_250_000n],
    ["the same at 100 %", 5_610_000_000n, 510_000_000n, 1_000_000n, 510_000_000n],
    ["a long sold at 5,105.1", 5_105_100_000n, 5_100_000n, 5_000n, 5_100_000n],
    ["a short bought at 4,410 instead of 4,900", 4_410_000_000n, 490_000_000n, 5_000n, 22_050_000n],
    ["the same at 2.5 %", 4_410_000_000n, 490_000_000n, 25_000n, 110_250_000n],
    ["the same at 100 %", 4_410_000_000n, 490_000_000n, 1_000_000n, 490_000_000n],
  ])("of %s", (_case, paid, left, ppm, fee) => {
    // There it rounds down, here up: these are whole.
    expect(penaltyQuanta(paid, ppm, left)).toBe(fee);
  });
});

describe("Injective's margin", () => {
  it("of 5 % and 2 % is a tier of ours, at mark instead of at the order's price as well", () => {
    // Its isolated positions must also cover the rate at the entry price. Ours are judged at mark alone, with the profit in equity.
    const tiers = flat(50_000n, 400_000n);
    expect(requirementQuanta(10n * UNIT, tiers, "initialPpm")).toBe(500_000n);
    expect(requirementQuanta(10n * UNIT, tiers, "maintenancePpm")).toBe(200_000n);
  });

  it("of a cross-margined account locks the worse of all buys and all sells", () => {
    const position = { lots: 3n, openBuyLots: 4n, openSellLots: 12n };
    expect(worstCaseLots(position)).toBe(9n);
    expect(worstCaseLots({ ...position, openSellLots: 9n })).toBe(7n);
  });
});
