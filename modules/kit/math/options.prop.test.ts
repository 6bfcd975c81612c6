import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { black76Curve, black76Greeks, black76Price, black76Pricer } from "./black-76.ts";
import { blackScholesGreeks, blackScholesPrice } from "./black-scholes.ts";
import { digitalPrice } from "./digital.ts";
import { roundQ, WAD } from "./fixed-point.ts";
import {
  growth,
  type OptionTerms,
  PRICE_MAX,
  SECONDS_MAX,
  VOLATILITY_MAX,
} from "./option-terms.ts";

const YEAR = 31_536_000n;

const price = fc.bigInt({ min: 1n, max: 10n ** 24n });
const rates = fc.constantFrom(0n, WAD / 20n, -WAD / 50n, WAD / 7n);
const base: fc.Arbitrary<OptionTerms> = fc.record({
  kind: fc.constantFrom("call" as const, "put" as const),
  spot: price,
  // Mostly near the spot, where options live; sometimes anywhere.
  strike: price,
  rate: rates,
  carry: rates,
  volatility: fc.bigInt({ min: WAD / 10_000n, max: 4n * WAD }),
  seconds: fc.bigInt({ min: 1n, max: 3n * YEAR }),
});
const near = fc
  .tuple(base, fc.bigInt({ min: 600_000n, max: 1_600_000n }))
  .map(([terms, millionths]): OptionTerms => {
    const strike = (terms.spot * millionths) / 1_000_000n;
    return { ...terms, strike: strike > 0n ? strike : 1n };
  });
const terms = fc.oneof(near, base);

/** S·Dq and K·D, rounded. */
function legs({ spot, strike, rate, carry, seconds }: OptionTerms): readonly [bigint, bigint] {
  return [
    roundQ(spot * growth("rate", carry - rate, seconds)),
    roundQ(strike * growth("rate", -rate, seconds)),
  ];
}

const call = (t: OptionTerms): OptionTerms => ({ ...t, kind: "call" });
const put = (t: OptionTerms): OptionTerms => ({ ...t, kind: "put" });
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

describe("European options", () => {
  test("call less put is the forward contract, exactly when nothing is discounted", () => {
    fc.assert(
      fc.property(terms, (t) => {
        const difference = blackScholesPrice(call(t)) - blackScholesPrice(put(t));
        const [asset, cash] = legs(t);
        const gap = difference - (asset - cash);
        expect(gap >= -2n && gap <= 2n).toBe(true);
        const { spot: forward, ...rest } = { ...t, rate: 0n };
        const flat = { ...rest, forward };
        expect(
          black76Price({ ...flat, kind: "call" }) - black76Price({ ...flat, kind: "put" }),
        ).toBe(forward - t.strike);
      }),
    );
  });

  test("a curve is the price, delta, gamma and vega of the Greeks without a rate, to the last unit", () => {
    fc.assert(
      fc.property(terms, ({ kind, spot: forward, strike, volatility, seconds }) => {
        const flat = { kind, forward, strike, volatility, seconds };
        const { price, delta, gamma, vega } = black76Greeks({ ...flat, rate: 0n });
        expect(black76Curve(flat)).toEqual({ price, delta, gamma, vega });
      }),
    );
  });

  test("a grid's prices are those of the formula without a rate, to the last unit", () => {
    const volatility = fc.bigInt({ min: 0n, max: 4n * WAD });
    const point = fc.tuple(price, volatility);
    fc.assert(
      fc.property(terms, fc.array(point, { maxLength: 5 }), (t, points) => {
        const option = { kind: t.kind, strike: t.strike, seconds: t.seconds };
        const priceAt = black76Pricer(option);
        const all = [[t.spot, t.volatility], ...points, [t.spot, 0n], ...points] as const;
        for (const [forward, sigma] of all) {
          const whole = { ...option, forward, volatility: sigma, rate: 0n };
          expect(priceAt(forward, sigma)).toBe(black76Price(whole));
        }
        expect(() => priceAt(0n, t.volatility)).toThrow("spot must be within");
      }),
    );
  });

  test("prices lie between intrinsic value and the leg received", () => {
    fc.assert(
      fc.property(terms, (t) => {
        const [asset, cash] = legs(t);
        const value = blackScholesPrice(t);
        const intrinsic = t.kind === "call" ? asset - cash : cash - asset;
        expect(value).toBeGreaterThanOrEqual(intrinsic > 0n ? intrinsic - 1n : 0n);
        expect(value).toBeLessThanOrEqual(t.kind === "call" ? asset : cash);
      }),
    );
  });

  test("a call falls and a put rises with the strike, by no more than the discounted difference", () => {
    fc.assert(
      fc.property(terms, price, (t, step) => {
        const higher = { ...t, strike: t.strike + step };
        const change = blackScholesPrice(higher) - blackScholesPrice(t);
        const most = roundQ(step * growth("rate", -t.rate, t.seconds)) + 1n;
        const sign = t.kind === "call" ? -1n : 1n;
        expect(sign * change).toBeGreaterThanOrEqual(-1n);
        expect(sign * change).toBeLessThanOrEqual(most);
      }),
    );
  });

  test("prices are convex in the strike", () => {
    fc.assert(
      fc.property(terms, price, (t, step) => {
        const [low, middle, high] = [t.strike, t.strike + step, t.strike + 2n * step].map(
          (strike) => blackScholesPrice({ ...t, strike }),
        ) as [bigint, bigint, bigint];
        expect(low + high - 2n * middle).toBeGreaterThanOrEqual(-2n);
      }),
    );
  });

  test("prices rise with volatility, and with time where nothing is discounted", () => {
    fc.assert(
      fc.property(
        terms,
        fc.bigInt({ min: 0n, max: WAD }),
        fc.bigInt({ min: 0n, max: YEAR }),
        (t, more, later) => {
          expect(
            blackScholesPrice({ ...t, volatility: t.volatility + more }),
          ).toBeGreaterThanOrEqual(blackScholesPrice(t) - 1n);
          const flat = { ...t, rate: 0n, carry: 0n };
          expect(blackScholesPrice({ ...flat, seconds: t.seconds + later })).toBeGreaterThanOrEqual(
            blackScholesPrice(flat) - 1n,
          );
        },
      ),
    );
  });

  test("delta lies in its range, gamma and vega are not negative, and both kinds share them", () => {
    fc.assert(
      fc.property(terms, (t) => {
        const [asCall, asPut] = [blackScholesGreeks(call(t)), blackScholesGreeks(put(t))];
        const most = roundQ(WAD * growth("rate", t.carry - t.rate, t.seconds));
        expect(asCall.delta >= 0n && asCall.delta <= most).toBe(true);
        const gap = asCall.delta - asPut.delta - most;
        expect(gap >= -1n && gap <= 1n).toBe(true);
        expect(asCall.gamma).toBeGreaterThanOrEqual(0n);
        expect(asCall.vega).toBeGreaterThanOrEqual(0n);
        for (const greek of ["gamma", "vega", "vanna", "volga"] as const)
          expect(asPut[greek]).toBe(asCall[greek]);
      }),
    );
  });

  test("without time or volatility they are worth their discounted intrinsic value", () => {
    fc.assert(
      fc.property(terms, (t) => {
        const [asset, cash] = legs(t);
        const still = blackScholesPrice({ ...t, volatility: 0n });
        const intrinsic = t.kind === "call" ? asset - cash : cash - asset;
        const gap = still - (intrinsic > 0n ? intrinsic : 0n);
        expect(gap >= -1n && gap <= 1n).toBe(true);
        const payoff = t.kind === "call" ? t.spot - t.strike : t.strike - t.spot;
        expect(blackScholesPrice({ ...t, seconds: 0n })).toBe(payoff > 0n ? payoff : 0n);
      }),
    );
  });

  test("every corner of the domain has a price within its bounds", () => {
    const corner = (...values: bigint[]): fc.Arbitrary<bigint> => fc.constantFrom(...values);
    fc.assert(
      fc.property(
        fc.constantFrom("call" as const, "put" as const),
        corner(1n, WAD, PRICE_MAX),
        corner(1n, WAD, PRICE_MAX - 1n, PRICE_MAX),
        corner(0n, 1n, 10n ** 14n, WAD, VOLATILITY_MAX),
        corner(0n, 1n, YEAR, SECONDS_MAX),
        (kind, spot, strike, volatility, seconds) => {
          const t = { kind, spot, strike, volatility, seconds, rate: 0n, carry: 0n };
          const value = blackScholesPrice(t);
          expect(value >= 0n && value <= (kind === "call" ? spot : strike)).toBe(true);
          if (volatility >= 10n ** 14n && seconds > 0n) {
            const { delta, price: again } = blackScholesGreeks(t);
            expect(again).toBe(value);
            expect(delta >= -WAD && delta <= WAD).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("digital options", () => {
  test("call and put together pay always, and each is worth between nothing and the payout", () => {
    fc.assert(
      fc.property(terms, price, (t, payout) => {
        const [up, down] = [
          digitalPrice({ ...call(t), payout }),
          digitalPrice({ ...put(t), payout }),
        ];
        const most = roundQ(payout * growth("rate", -t.rate, t.seconds));
        const gap = up + down - most;
        expect(gap >= -1n && gap <= 1n).toBe(true);
        expect(least(up, down)).toBeGreaterThanOrEqual(0n);
      }),
    );
  });

  test("a digital call is the slope of the call in its strike", () => {
    fc.assert(
      fc.property(near, (t) => {
        // Between strikes K and K + h the spread pays between h times the two digitals.
        const step = t.strike / 1_000n + 1n;
        const higher = { ...t, strike: t.strike + step };
        const spread = blackScholesPrice(call(t)) - blackScholesPrice(call(higher));
        const dearer = digitalPrice({ ...call(t), payout: step });
        const cheaper = digitalPrice({ ...call(higher), payout: step });
        expect(spread).toBeLessThanOrEqual(dearer + 2n);
        expect(spread).toBeGreaterThanOrEqual(cheaper - 2n);
      }),
    );
  });

  test("a digital call is dearer at a lower strike", () => {
    fc.assert(
      fc.property(terms, price, (t, step) => {
        const payout = 10n ** 24n;
        const lower = digitalPrice({ ...call(t), payout });
        const higher = digitalPrice({ ...call(t), strike: t.strike + step, payout });
        expect(lower).toBeGreaterThanOrEqual(higher - 1n);
      }),
    );
  });

  test("at expiry a call pays strictly above the strike, a put otherwise", () => {
    const at = { rate: 0n, carry: 0n, volatility: WAD, seconds: 0n, payout: 5n * WAD };
    for (const [spot, above] of [
      [99n, 0n],
      [100n, 0n],
      [101n, 5n * WAD],
    ] as const) {
      expect(digitalPrice({ ...at, kind: "call", spot, strike: 100n })).toBe(above);
      expect(digitalPrice({ ...at, kind: "put", spot, strike: 100n })).toBe(5n * WAD - above);
    }
  });
});
