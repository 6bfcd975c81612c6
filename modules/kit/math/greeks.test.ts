/** Greeks against differences of exact prices, so that no derivative is taken from a book; and what is refused. */
import { describe, expect, test } from "vitest";
import { ModuleError } from "../errors.ts";
import { type AsianTerms, asianGreeks, asianPrice } from "./asian.ts";
import { blackScholesGreeks, blackScholesPrice } from "./black-scholes.ts";
import { digitalGreeks, digitalPrice } from "./digital.ts";
import { WAD } from "./fixed-point.ts";
import type { OptionTerms } from "./option-terms.ts";
import { type Exact, errorUnits, exactFromWad } from "./testing/exact-math.ts";
import {
  centralDifference,
  type ExactTerms,
  exactAsianPrice,
  exactDigitalPrice,
  exactPrice,
  exactTerms,
  exactYears,
  secondDifference,
} from "./testing/exact-options.ts";

const DAY = 86_400n;

function option(overrides: Partial<OptionTerms>): OptionTerms {
  return {
    kind: "call",
    spot: 100n * WAD,
    strike: 104n * WAD,
    rate: WAD / 25n,
    carry: WAD / 40n,
    volatility: (6n * WAD) / 10n,
    seconds: 30n * DAY,
    ...overrides,
  };
}

const CASES: readonly OptionTerms[] = (["call", "put"] as const).flatMap((kind) => [
  option({ kind }),
  option({ kind, strike: 80n * WAD, rate: 0n, carry: 0n, seconds: 60n }),
  option({ kind, spot: 61_234n * WAD + 5n, strike: 90_000n * WAD, seconds: 200n * DAY }),
  option({ kind, spot: WAD / 1_000n, strike: WAD / 1_100n, carry: -WAD / 20n }),
  option({ kind, strike: 100n * WAD, volatility: WAD / 50n, rate: -WAD / 100n }),
]);

/** Derivatives of a price by its terms. */
function differences(price: (terms: ExactTerms) => Exact, at: ExactTerms): Record<string, Exact> {
  const by = (field: "spot" | "volatility" | "years"): Exact =>
    centralDifference((value) => price({ ...at, [field]: value }), at[field]);
  const shift = (rate: Exact): Exact =>
    price({ ...at, rate: at.rate + rate, carry: at.carry + rate });
  const h = exactFromWad(1n) >> 6n;
  return {
    delta: by("spot"),
    gamma: secondDifference((spot) => price({ ...at, spot }), at.spot),
    vega: by("volatility"),
    theta: -by("years"),
    rho: ((shift(h) - shift(-h)) << 359n) / h,
  };
}

function expectGreeks(found: object, wanted: Record<string, Exact>, tolerance = 0.51): void {
  for (const [name, truth] of Object.entries(wanted)) {
    const value = (found as Record<string, bigint>)[name];
    expect(value, name).toBeTypeOf("bigint");
    expect(errorUnits(value as bigint, truth), name).toBeLessThanOrEqual(tolerance);
  }
}

describe("Greeks are the derivatives of the price", () => {
  test.each(CASES)("European $kind, spot $spot, strike $strike", (terms) => {
    expectGreeks(blackScholesGreeks(terms), differences(exactPrice, exactTerms(terms)));
    const higher = exactTerms({ ...terms, volatility: terms.volatility });
    const vegaAt = (volatility: Exact): Exact =>
      centralDifference((v) => exactPrice({ ...higher, volatility: v }), volatility);
    const deltaAt = (volatility: Exact): Exact =>
      centralDifference((spot) => exactPrice({ ...higher, volatility, spot }), higher.spot);
    expectGreeks(blackScholesGreeks(terms), {
      volga: centralDifference(vegaAt, higher.volatility),
      vanna: centralDifference(deltaAt, higher.volatility),
    });
  });

  test.each(CASES)("digital $kind, spot $spot, strike $strike", (terms) => {
    const payout = 250n * WAD;
    const price = (at: ExactTerms): Exact => exactDigitalPrice(at, exactFromWad(payout));
    const greeks = digitalGreeks({ ...terms, payout });
    expectGreeks(greeks, differences(price, exactTerms(terms)));
    expect(greeks.price).toBe(digitalPrice({ ...terms, payout }));
  });

  test.each([
    { fixed: 0n, paid: 0n },
    { fixed: 3n, paid: 99n },
    { fixed: 3n, paid: 140n },
    { fixed: 6n, paid: 260n },
  ])("Asian, $fixed fixings known at $paid on average", ({ fixed, paid }) => {
    for (const european of CASES) {
      const scaled = (european.spot * paid) / 100n;
      const terms: AsianTerms = {
        ...european,
        seconds: european.seconds + 61n,
        fixings: fixed + 5n,
        fixedCount: fixed,
        fixedSum: fixed * scaled,
        secondsToNextFixing: european.seconds / 5n,
        fixingIntervalSeconds: european.seconds / 5n,
      };
      const from = exactTerms(terms);
      const times = [1n, 2n, 3n, 4n, 5n].map((i) => exactYears((european.seconds / 5n) * i));
      // The whole schedule moves with `years`.
      const price = (at: ExactTerms): Exact =>
        exactAsianPrice({
          ...at,
          fixings: terms.fixings,
          fixedSum: exactFromWad(terms.fixedSum),
          times: times.map((time) => time + at.years - from.years),
        });
      const { rho: _, ...wanted } = differences(price, from);
      const greeks = asianGreeks(terms);
      expectGreeks(greeks, { ...wanted, price: price(from) });
      expect(greeks.price).toBe(asianPrice(terms));
    }
  });
});

describe("what lies outside the domain is refused", () => {
  const bad: readonly [string, Partial<OptionTerms>][] = [
    ["kind", { kind: "straddle" as "call" }],
    ["spot", { spot: 0n }],
    ["spot", { spot: 10n ** 33n + 1n }],
    ["strike", { strike: -1n }],
    ["rate", { rate: 11n * WAD }],
    ["carry", { carry: -11n * WAD }],
    ["volatility", { volatility: -1n }],
    ["volatility", { volatility: 101n * WAD }],
    ["seconds", { seconds: -1n }],
    ["seconds", { seconds: 101n * 31_536_000n }],
    ["rate times years", { rate: WAD, seconds: 11n * 31_536_000n }],
  ];
  test.each(bad)("%s: %o", (field, overrides) => {
    const named = new RegExp(`^${field} must be`);
    const terms = option(overrides);
    expect(() => blackScholesPrice(terms)).toThrow(named);
    expect(() => blackScholesGreeks(terms)).toThrow(named);
    expect(() => digitalPrice({ ...terms, payout: WAD })).toThrow(named);
    expect(() => digitalGreeks({ ...terms, payout: WAD })).toThrow(named);
    try {
      blackScholesPrice(terms);
    } catch (error) {
      expect(error).toBeInstanceOf(ModuleError);
      expect(error).toMatchObject({ codespace: "math", code: 2 });
    }
  });

  test("Greeks at the instant of expiry or without volatility; a negative payout", () => {
    expect(() => blackScholesGreeks(option({ seconds: 0n }))).toThrow(/^seconds must be/);
    expect(() => blackScholesGreeks(option({ volatility: 0n }))).toThrow(/^volatility must be/);
    expect(() => digitalPrice({ ...option({}), payout: -1n })).toThrow(/^payout must be/);
  });
});
