/** Marks in numbers against the same sums in bigints, written down once more. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WAD } from "../../kit/math/fixed-point.ts";
import { clamp, maximum, PPM } from "../../kit/math/mul-div.ts";
import { powerOfTen } from "../../kit/math/powers.ts";
import type { Mark } from "../marking/mark.ts";
import type { OptionContract } from "./contract.ts";
import { type Curve, lotCurves, lotMark, moveShare, spanOf } from "./lot-curves.ts";
import { optionBounds } from "./option-pricing.ts";
import { markOfValue, type OptionLot } from "./option-requirements.ts";

interface Drawn {
  readonly option: OptionContract;
  readonly lot: OptionLot;
  readonly forward: bigint;
  readonly curves: readonly [Curve, Curve, Curve];
  readonly move: bigint;
}

/** Parts of a million. */
const part = (from: number, to: number) => fc.integer({ min: from, max: to }).map(BigInt);

const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    call: fc.boolean(),
    cents: fc.bigInt({ min: 1n, max: 10n ** 10n }),
    strike: part(300_000, 3_000_000),
    /** Of the forward: value, slope and bend of each curve. */
    shares: fc.array(part(0, 1_000_000), { minLength: 9, maxLength: 9 }),
    move: part(-300_000, 300_000),
    fine: fc.bigInt({ min: 0n, max: 10n ** 9n }),
    lotPlaces: fc.integer({ min: 0, max: 4 }),
    tickPlaces: fc.integer({ min: 0, max: 2 }),
    floors: fc.tuple(part(0, 150_000), part(0, 100_000)),
  })
  .map(({ call, cents, strike: ratio, shares, move, fine, lotPlaces, tickPlaces, floors }) => {
    const forward = cents * powerOfTen(16) + fine;
    const strike = (forward * ratio) / PPM;
    const curve = (first: number): Curve => {
      const [value, slope, bend] = shares.slice(first, first + 3) as [bigint, bigint, bigint];
      const sign = call ? 1n : -1n;
      return {
        value: (forward * value) / PPM + fine,
        slope: sign * ((slope << 128n) / PPM + fine),
        bend: ((20n * bend) << 128n) / PPM / forward,
        vega: 0n,
      };
    };
    const scale = powerOfTen(12 + lotPlaces);
    const terms = {
      tickPrice: powerOfTen(18 - tickPlaces),
      quantaPerTickLot: powerOfTen(6 - tickPlaces - lotPlaces),
      units: 1n,
      scale,
      initialFloorPpm: floors[0],
      maintenanceFloorPpm: floors[1],
      volatilityShockPpm: 0n,
    };
    return {
      option: {
        ...{ right: call ? ("call" as const) : ("put" as const), strike, payout: 0n },
        ...{ volatilityFeedId: 0, volatilitySurfaceId: 1 },
      },
      lot: { terms, most: call ? null : (strike + scale - 1n) / scale },
      forward,
      curves: [curve(0), curve(3), curve(6)] as const,
      move: (forward * move) / PPM + fine / 7n,
    };
  });

function exactly({ option, lot, forward, curves, move }: Drawn, index: bigint): Mark | undefined {
  const [value, initial, maintenance] = curves.map(
    (one) => one.value + ((move * (one.slope + one.bend * move)) >> 128n),
  ) as [bigint, bigint, bigint];
  const [low, high] = optionBounds(option, forward + move);
  return markOfValue(lot, {
    index,
    value: clamp(value, low, maximum(low, high)),
    worst: { initial: maximum(initial, maintenance), maintenance },
    fresh: true,
  });
}

describe("the mark of an option in numbers", () => {
  it("is the mark of the same sums in bigints, or none", () => {
    let answered = 0;
    let asked = 0;
    fc.assert(
      fc.property(drawn, (one) => {
        const { option, lot, forward, curves, move } = one;
        const lots = lotCurves(option, lot, forward, curves);
        const share = moveShare(move, spanOf(forward));
        if (lots === null || share === null) return;
        const index = forward + move;
        const found = lotMark(lots, lot, share, { index, fresh: true });
        asked += 1;
        if (found === null) return;
        answered += 1;
        expect(found).toEqual(exactly(one, index));
      }),
      { numRuns: 5_000 },
    );
    // Falling values below nothing are left to bigints, and little else.
    expect(answered / asked).toBeGreaterThan(0.6);
  });

  it("decides nothing where a lot is too large, or the move too far", () => {
    const curve = { value: 2_000n * WAD, slope: 1n << 127n, bend: 0n, vega: 0n };
    const forward = 60_000n * WAD;
    const option = {
      ...{ right: "call" as const, strike: forward, payout: 0n },
      ...{ volatilityFeedId: 0, volatilitySurfaceId: 1 },
    };
    const lotOf = (units: bigint): OptionLot => ({
      terms: {
        ...{ tickPrice: WAD, quantaPerTickLot: units * 1_000_000n, units },
        ...{ scale: powerOfTen(12), volatilityShockPpm: 0n },
        ...{ initialFloorPpm: 150_000n, maintenanceFloorPpm: 100_000n },
      },
      most: null,
    });
    const curves = [curve, curve, curve] as const;
    expect(lotCurves(option, lotOf(1n), forward, curves)).not.toBeNull();
    expect(lotCurves(option, lotOf(10_000n), forward, curves)).toBeNull();
    expect(moveShare(forward, spanOf(forward))).toBeNull();
    expect(moveShare(-forward / 4n, spanOf(forward))).not.toBeNull();
  });

  it("decides nothing where a floor is no safe integer", () => {
    const curve = { value: 2_000n * WAD, slope: 0n, bend: 0n, vega: 0n };
    const value = { ...curve, value: curve.value + WAD / 7n };
    const forward = 60_000n * WAD;
    const option = {
      ...{ right: "call" as const, strike: forward, payout: 0n },
      ...{ volatilityFeedId: 0, volatilitySurfaceId: 1 },
    };
    const terms = {
      ...{ tickPrice: WAD, quantaPerTickLot: 1_000_000n, units: 1n, scale: powerOfTen(12) },
      ...{ initialFloorPpm: 200_000n, maintenanceFloorPpm: 100_000n, volatilityShockPpm: 0n },
    };
    const lot = { terms, most: null };
    const lots = lotCurves(option, lot, forward, [value, value, value]);
    const still = moveShare(0n, spanOf(forward));
    if (lots === null || still === null) throw new Error("expected numbers");
    expect(lotMark(lots, lot, still, { index: forward, fresh: true })).not.toBeNull();
    // As far above its forward as a basis goes: a fifth of 6 × 10^16 quanta.
    const index = forward * 1_000_000n;
    expect(lotMark(lots, lot, still, { index, fresh: true })).toBeNull();
  });

  it("decides nothing at the edge between two ticks", () => {
    const forward = 60_000n * WAD;
    const half = { value: 2_000n * WAD + WAD / 2n, slope: 0n, bend: 0n, vega: 0n };
    const option = {
      ...{ right: "call" as const, strike: forward, payout: 0n },
      ...{ volatilityFeedId: 0, volatilitySurfaceId: 1 },
    };
    const terms = {
      ...{ tickPrice: WAD, quantaPerTickLot: 10_000n, units: 1n, scale: powerOfTen(14) },
      ...{ initialFloorPpm: 0n, maintenanceFloorPpm: 0n, volatilityShockPpm: 0n },
    };
    const lot = { terms, most: null };
    const still = moveShare(0n, spanOf(forward));
    const worst = { ...half, value: half.value + 12_345_678_901_234_567n };
    const at = (value: bigint): Mark | null => {
      const lots = lotCurves(option, lot, forward, [{ ...half, value }, worst, worst]);
      if (lots === null || still === null) throw new Error("expected numbers");
      return lotMark(lots, lot, still, { index: forward, fresh: true });
    };
    expect(at(half.value)).toBeNull();
    expect(at(half.value - WAD / 1_000_000n)?.ticks).toBe(2_000n);
    expect(at(half.value + WAD / 1_000_000n)?.ticks).toBe(2_001n);
  });
});
