import { CollateralTerms } from "@keel/proto/gen/keel/margin/v1/collateral";
import { describe, expect, it } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import { WAD } from "../../kit/math/fixed-point.ts";
import { type Account, NO_ELSEWHERE } from "../account-codec.ts";
import type { AssetView } from "../collateral-assets/valuation.ts";
import type { MarketView, MarketViews } from "../health/market-view.ts";
import { btcTerms } from "../testing/world.ts";
import { HealthBounds } from "./health-bounds.ts";

const UNIT = 1_000_000n;
const TIERS = [{ aboveQuanta: 0n, initialPpm: 100_000n, maintenancePpm: 50_000n }];
const ID = accountId(new Uint8Array(20), 0);

const market: MarketView = {
  terms: btcTerms({ tiers: TIERS }),
  ...{ markTicks: 1n, fresh: true, fundingIndex: 0n, losses: null },
  ...{ quantaPerLot: 100n * UNIT, notionalPerLot: 100n * UNIT },
};

const asset: AssetView = {
  terms: CollateralTerms.fromPartial({ denom: "share", decimals: 18 }),
  ...{ price: 1_000n * WAD, marketPrice: 1_000n * WAD },
  ...{ initialPpm: 800_000n, maintenancePpm: 900_000n, frozen: false, usable: true },
};

/** 10 lots of 100 need 50; backed by a tenth of an asset worth 100, which counts 90. Half of the slack is the asset's, by its value of a tenth of all. */
const account: Account = {
  ...{ collateral: 0n, feeReserve: 0n, portfolio: false, isolated: false, elsewhere: NO_ELSEWHERE },
  positions: [
    {
      ...{ market: 1, lots: 10n, quote: -1_000n * UNIT, fundingIndex: 0n },
      ...{ openBuyLots: 0n, openSellLots: 0n },
    },
  ],
  assets: [{ denom: "share", units: WAD / 10n }],
};

function looking(bounds: HealthBounds, of: AssetView | null, falls = 0n): number {
  const quantaPerLot = market.quantaPerLot - falls;
  const view = { ...market, quantaPerLot, notionalPerLot: quantaPerLot };
  const views: MarketViews = Object.assign(() => view, { asset: () => of });
  bounds.look(
    () => account,
    views,
    true,
    () => undefined,
  );
  return bounds.lastLooks;
}

function bounded(): HealthBounds {
  const bounds = new HealthBounds();
  bounds.watch([ID]);
  expect(looking(bounds, asset)).toBe(1);
  return bounds;
}

describe("an account backed by an asset", () => {
  // 40 are over: 1,000 of 1,100 of the value is the position's, and 100 the asset's.
  it("is not judged while price and haircut of the asset move less than its share of the slack", () => {
    const bounds = bounded();
    expect(looking(bounds, asset)).toBe(0);
    // It may count 3.63 less: 4 % of its price, or 3.6 points of its share.
    expect(looking(bounds, { ...asset, price: 961n * WAD })).toBe(0);
    expect(looking(bounds, { ...asset, price: 1_040n * WAD })).toBe(0);
    expect(looking(bounds, { ...asset, maintenancePpm: 864_000n })).toBe(0);
    expect(looking(bounds, asset, 3n * UNIT)).toBe(0);
  });

  it("is judged when one of them moves by more, and when the asset counts nothing any more", () => {
    expect(looking(bounded(), { ...asset, price: 959n * WAD })).toBe(1);
    expect(looking(bounded(), { ...asset, maintenancePpm: 863_000n })).toBe(1);
    expect(looking(bounded(), asset, 4n * UNIT)).toBe(1);
    const bounds = bounded();
    expect(looking(bounds, null)).toBe(1);
    expect(bounds.sees(ID)).toBe(true);
  });

  it("is judged when what is no collateral becomes one with other decimals", () => {
    const bounds = bounded();
    const terms = { ...asset.terms, decimals: 6 };
    expect(looking(bounds, { ...asset, terms })).toBe(1);
  });
});
