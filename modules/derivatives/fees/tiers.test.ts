import type { FeeParams } from "@keel/proto/gen/keel/derivatives/v1/fees";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PPM } from "../../kit/math/mul-div.ts";
import { instrumentOf } from "../instruments.ts";
import { testMarket } from "../testing.ts";
import { defaultFeeParams, validateFeeParams } from "./params.ts";
import { builderFee, feeReserve, fillFees, shareOf } from "./rates.ts";
import { BASE_TIER, discounted, makerRate, type Tier, takerRate, tierIndex } from "./tiers.ts";

const UNIT = 1_000_000n;
const MILLION = 1_000_000n * UNIT;

/**
 * dYdX's schedule: volume of 30 days, and the rates of maker and taker in ppm. Its tiers 6 to 9 also ask for a share of all (or all makers')
 * volume, which ours do not: that would make one owner's fee depend on what others trade. They stand here at volumes of our own.
 */
const PUBLISHED = [
  { volume: 0n, maker: 100, taker: 500 },
  { volume: MILLION, maker: 100, taker: 450 },
  { volume: 5n * MILLION, maker: 50, taker: 400 },
  { volume: 25n * MILLION, maker: 0, taker: 350 },
  { volume: 125n * MILLION, maker: 0, taker: 300 },
  { volume: 250n * MILLION, maker: -50, taker: 250 },
  { volume: 500n * MILLION, maker: -90, taker: 250 },
  { volume: 1000n * MILLION, maker: -110, taker: 250 },
] as const;

/** The same as changes of a market at 500 and 100 ppm, its first tier. */
const params: FeeParams = {
  ...defaultFeeParams(),
  tiers: PUBLISHED.map(({ volume, maker, taker }) => ({
    volume: volume.toString(),
    takerFactorPpm: taker * 2000,
    makerDiscountPpm: (100 - maker) * 2000,
  })),
};
const tiers: readonly Tier[] = params.tiers.map((tier) => ({
  volume: BigInt(tier.volume),
  takerFactorPpm: BigInt(tier.takerFactorPpm),
  makerDiscountPpm: BigInt(tier.makerDiscountPpm),
}));
const market = { takerPpm: 500n, makerPpm: 100n };

describe("dYdX's fee tiers", () => {
  it("are a table that is taken as it stands", () => {
    expect(() => validateFeeParams(params)).not.toThrow();
    // Not with its affiliates' highest share: 42 % of the taker rate to makers and half of the fee to a referrer is more than the whole of 250 ppm.
    expect(() => validateFeeParams({ ...params, referrerSharePpm: 500_000 })).toThrow();
  });

  it.each(PUBLISHED)("from $volume on cost $maker and $taker ppm", ({ volume, maker, taker }) => {
    const tier = tiers[tierIndex(tiers, volume)] ?? BASE_TIER;
    expect(makerRate(market, tier)).toBe(BigInt(maker));
    expect(takerRate(market.takerPpm, tier)).toBe(BigInt(taker));
    if (volume === 0n) return;
    // One unit less is the tier below.
    expect(tierIndex(tiers, volume - 1n)).toBe(tierIndex(tiers, volume) - 1);
  });

  it("scale with the market's own fee, as its charge per market does", () => {
    const half = { takerPpm: 250n, makerPpm: 50n };
    const top = tiers[7] ?? BASE_TIER;
    expect([makerRate(half, top), takerRate(half.takerPpm, top)]).toEqual([-55n, 125n]);
  });

  it("round fees and rebates up, toward the venue", () => {
    const fees = (notional: bigint, makerPpm: bigint) =>
      fillFees(notional, { takerPpm: 500n, makerPpm, referrerSharePpm: 0n }, false);
    expect(fees(1n, 100n)).toEqual({ takerQuanta: 1n, makerQuanta: 1n, referrerQuanta: 0n });
    expect(fees(19_999n, -110n)).toEqual({
      takerQuanta: 10n,
      makerQuanta: -2n,
      referrerQuanta: 0n,
    });
  });

  it("pay no fee and no rebate when the taker is liquidated", () => {
    const rates = { takerPpm: 250n, makerPpm: -110n, referrerSharePpm: 250_000n };
    expect(fillFees(MILLION, rates, true)).toEqual({
      takerQuanta: 0n,
      makerQuanta: 0n,
      referrerQuanta: 0n,
    });
  });
});

describe("shares of a fee", () => {
  it.each([
    [50_000n, 25_000n],
    [100_000n, 50_000n],
    [125_000n, 62_500n],
    [150_000n, 75_000n],
    [250_000n, 125_000n],
  ])("are what dYdX's affiliates get: %s ppm of 0.5 units is %s quanta", (share, quanta) => {
    expect(shareOf(500_000n, share)).toBe(quanta);
  });

  it("leave Injective's venue more than its least fee: 0.1 % and -0.01 %, 40 % to the relayer", () => {
    // There the relayer's part is taken of both sides' positive fees; of 100,000 units that is 40 here as well, and 0.005 % would be 5.
    const notional = 100_000n * UNIT;
    const rates = { takerPpm: 1000n, makerPpm: -100n, referrerSharePpm: 400_000n };
    const { takerQuanta, makerQuanta, referrerQuanta } = fillFees(notional, rates, false);
    expect([takerQuanta, makerQuanta, referrerQuanta]).toEqual([
      100n * UNIT,
      -10n * UNIT,
      40n * UNIT,
    ]);
    expect(takerQuanta + makerQuanta - referrerQuanta).toBe(50n * UNIT);
  });

  it("of builders are of the quote: 1 % of 0.5 at 20,000 is 100 units, whatever the base asset's decimals are", () => {
    expect(builderFee(10_000n * UNIT, 10_000)).toBe(100n * UNIT);
  });

  it("of a discount are rounded up in whole ppm", () => {
    expect([discounted(500n, 40_000n), discounted(35n, 40_000n), discounted(0n, 40_000n)]).toEqual([
      480n,
      34n,
      0n,
    ]);
  });
});

const ppm = fc.bigInt({ min: 0n, max: PPM });
const notional = fc.bigInt({ min: 0n, max: 10n ** 15n });

describe("whatever the rates are", () => {
  it("a trade pays out no more than it takes in", () => {
    fc.assert(
      fc.property(
        notional,
        ppm,
        fc.bigInt({ min: -PPM, max: PPM }),
        ppm,
        fc.boolean(),
        (value, takerPpm, makerPpm, referrerSharePpm, liquidation) => {
          const rates = { takerPpm, makerPpm, referrerSharePpm };
          const fees = fillFees(value, rates, liquidation);
          expect(fees.takerQuanta + fees.makerQuanta - fees.referrerQuanta).toBeGreaterThanOrEqual(
            0n,
          );
          // Nobody pays more than the stated rate, rounded up.
          expect(fees.takerQuanta * PPM).toBeLessThan(value * takerPpm + PPM);
          if (makerPpm >= 0n) expect(fees.makerQuanta * PPM).toBeLessThan(value * makerPpm + PPM);
        },
      ),
    );
  });

  it("a table that is accepted never needs a rebate to be cut in a market that charges makers", () => {
    const table = fc.record({
      takerFactorPpm: fc.integer({ min: 0, max: 1_000_000 }),
      makerDiscountPpm: fc.integer({ min: 0, max: 1_000_000 }),
      referrerSharePpm: fc.integer({ min: 0, max: 500_000 }),
      referredDiscountPpm: fc.integer({ min: 0, max: 500_000 }),
    });
    fc.assert(
      fc.property(
        table,
        notional,
        fc.bigInt({ min: 0n, max: 50_000n }),
        (rates, value, takerPpm) => {
          const only = { volume: "0", ...rates };
          const candidate = { ...defaultFeeParams(), ...rates, tiers: [only] };
          try {
            validateFeeParams(candidate);
          } catch {
            return;
          }
          const tier: Tier = {
            volume: 0n,
            takerFactorPpm: BigInt(rates.takerFactorPpm),
            makerDiscountPpm: BigInt(rates.makerDiscountPpm),
          };
          const taker = discounted(takerRate(takerPpm, tier), BigInt(rates.referredDiscountPpm));
          const makerPpm = makerRate({ takerPpm, makerPpm: 0n }, tier);
          const share = {
            takerPpm: taker,
            makerPpm,
            referrerSharePpm: BigInt(rates.referrerSharePpm),
          };
          const { makerQuanta } = fillFees(value, share, false);
          const uncut = fillFees(
            value,
            { ...share, takerPpm: 1000n * PPM, referrerSharePpm: 0n },
            false,
          );
          expect(makerQuanta).toBe(uncut.makerQuanta);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("a fee and a builder's fee stay within what is held back for both", () => {
    const instrument = instrumentOf(testMarket({ id: 1 }));
    const ticks = fc.integer({ min: 1, max: 1_000_000 });
    const rate = fc.integer({ min: 0, max: 50_000 });
    fc.assert(
      fc.property(ticks, ticks, rate, rate, (price, lots, feePpm, builderPpm) => {
        const value = BigInt(price) * BigInt(lots) * instrument.quantaPerTickLot;
        const { makerQuanta } = fillFees(
          value,
          { takerPpm: PPM, makerPpm: BigInt(feePpm), referrerSharePpm: 0n },
          false,
        );
        const held = feeReserve(instrument, price, lots, feePpm + builderPpm);
        expect(makerQuanta + builderFee(value, builderPpm)).toBeLessThanOrEqual(held);
      }),
    );
  });
});
