import { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { describe, expect, it } from "vitest";
import { WAD } from "../../kit/math/fixed-point.ts";
import { type CollateralState, collateralValue, depegPpm } from "./collateral.ts";
import { models } from "./testing/models.ts";

const UNIT = 1_000_000n;
const model = PortfolioModel.fromPartial({
  ...models.s35,
  collateral: [
    {
      asset: "steth",
      haircut: { initialPpm: 100_000n, maintenancePpm: 80_000n },
      cap: "30000000000",
      redemptionFloorPpm: 950_000n,
    },
    { asset: "usdt", haircut: { initialPpm: 20_000n, maintenancePpm: 15_000n } },
  ],
});

function held(asset: string, amount: bigint, price: bigint, over: Partial<CollateralState> = {}) {
  return collateralValue(
    model,
    {
      asset,
      settlement: false,
      units: amount * WAD,
      scale: 10n ** 30n,
      price: price * WAD,
      redemption: null,
      countedElsewhere: 0n,
      ...over,
    },
    WAD,
  );
}

describe("collateral in several assets", () => {
  it("counts the settlement asset in full, and nothing that no rule admits", () => {
    const cash = held("usdc", 500n, 3n, { settlement: true });
    expect(cash).toMatchObject({ value: 500n * UNIT, haircut: { initial: 0n, maintenance: 0n } });
    expect(held("pepe", 500n, 3n).value).toBe(0n);
  });

  it("cuts other assets by their haircut, rounded up", () => {
    expect(held("usdt", 1_000n, 1n)).toMatchObject({
      value: 1_000n * UNIT,
      haircut: { initial: 20n * UNIT, maintenance: 15n * UNIT },
    });
    const odd = held("usdt", 1n, 1n, { units: 1_000_001n * 10n ** 12n });
    expect(odd.haircut.initial).toBe(20_001n);
  });

  it("counts no more than the cap, over all accounts of the owner", () => {
    expect(held("steth", 20n, 3_000n).value).toBe(30_000n * UNIT);
    expect(held("steth", 20n, 3_000n, { countedElsewhere: 29_000n * UNIT }).value).toBe(
      1_000n * UNIT,
    );
    expect(held("steth", 20n, 3_000n, { countedElsewhere: 90_000n * UNIT }).value).toBe(0n);
  });

  it("prices a staked asset between the floor and all of what it redeems for, whatever one book says", () => {
    const redemption = { rate: (11n * WAD) / 10n, basePrice: 3_000n * WAD };
    const at = (price: bigint) => held("steth", 1n, price, { redemption }).value;
    expect(at(3_200n)).toBe(3_200n * UNIT);
    expect(at(2_000n)).toBe(3_135n * UNIT);
    expect(at(9_000n)).toBe(3_300n * UNIT);
  });

  it("raises haircuts while the stable asset is below its peg, up to the whole value", () => {
    expect(depegPpm(model, WAD)).toBe(0n);
    const low = (97n * WAD) / 100n;
    expect(depegPpm(model, low)).toBe(20_000n);
    const state = {
      asset: "usdt",
      settlement: false,
      units: 1_000n * WAD,
      scale: 10n ** 30n,
      price: WAD,
      redemption: null,
      countedElsewhere: 0n,
    };
    // 2 % × (1 + 4 × 0.02).
    expect(collateralValue(model, state, low).haircut.initial).toBe(21_600_000n);
    const harsh = {
      ...model,
      depeg: {
        thresholdPpm: 990_000n,
        initialFactorPpm: 0n,
        haircutFactorPpm: 100_000_000n,
        feedId: 0,
      },
    };
    expect(collateralValue(harsh, state, WAD / 100n).haircut.initial).toBe(1_000n * UNIT);
  });

  it("owes what is negative in full, without a haircut", () => {
    const owed = held("usdc", -200n, 1n, { settlement: true });
    expect(owed).toMatchObject({ value: -200n * UNIT, haircut: { initial: 0n } });
  });
});
