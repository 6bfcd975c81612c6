import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeelInputError } from "./errors.ts";
import { impliedVolatility, optionPrice, type PricedOption } from "./implied-volatility.ts";

interface Row extends PricedOption {
  readonly volatility: string;
  readonly price: string;
}

// The figures the chain's integer formula is held to as well (modules/kit/math): one truth for both.
const vectors = JSON.parse(
  readFileSync(new URL("../modules/kit/math/vectors/black-76.json", import.meta.url), "utf8"),
) as { options: readonly Row[] };

function relativeError(found: string, wanted: string): number {
  return Math.abs(Number(found) / Number(wanted) - 1);
}

const base: PricedOption = {
  kind: "call",
  forward: "100",
  strike: "110",
  seconds: 7_884_000,
  price: "5",
};

function codeOf(option: PricedOption): string {
  try {
    return `no error: ${impliedVolatility(option)}`;
  } catch (error) {
    expect(error).toBeInstanceOf(KeelInputError);
    return (error as KeelInputError).code;
  }
}

describe("implied volatility", () => {
  test("finds the volatility of every price of the integer implementation", () => {
    expect(vectors.options.length).toBe(240);
    for (const row of vectors.options)
      expect(
        relativeError(impliedVolatility(row), row.volatility),
        JSON.stringify(row),
      ).toBeLessThan(1e-11);
  });

  test("gives back the volatility a price was made from, far from the strike, in seconds and in decades", () => {
    const deviations = fc.double({ min: -6, max: 6, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom("call" as const, "put" as const),
        deviations,
        fc.integer({ min: 100, max: 30_000 }),
        fc.double({ min: 0.5, max: 9, noNaN: true }),
        (kind, z, tenThousandths, magnitude) => {
          const volatility = tenThousandths / 10_000;
          const seconds = Math.round(10 ** magnitude);
          const s = volatility * Math.sqrt(seconds / 31_536_000);
          if (s > 3) return;
          const strike = (1e6 * Math.exp(z * s)).toFixed(9);
          const option = { kind, forward: "1000000", strike, discount: "0.97", seconds };
          const price = optionPrice({ ...option, volatility: String(volatility) });
          const found = impliedVolatility({ ...option, price, timeValueFloor: 0 });
          // At six deviations a price has about 1e-18/1e-6 of its digits left.
          expect(relativeError(found, String(volatility))).toBeLessThan(1e-9);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test("reads decimals, quanta, and seconds of either type", () => {
    const found = impliedVolatility(base);
    expect(found).toMatch(/^0\.\d{1,12}$/);
    expect(impliedVolatility({ ...base, price: 5_000_000n, seconds: 7_884_000n })).toBe(found);
    expect(impliedVolatility({ ...base, price: "5.000", forward: "0100.00" })).toBe(found);
    expect(impliedVolatility({ ...base, discount: "0.5", price: "2.5" })).toBe(found);
  });

  test("put and call of one strike imply the same", () => {
    const put = impliedVolatility({ ...base, kind: "put", price: "15" });
    expect(put).toBe(impliedVolatility(base));
  });

  test("prices no volatility can give are refused, to the last digit", () => {
    const inTheMoney = { ...base, strike: "90", discount: "0.9" };
    expect(codeOf({ ...inTheMoney, price: "8.999999999999999999999999" })).toBe("below-intrinsic");
    expect(codeOf({ ...inTheMoney, price: "9" })).toBe("ill-conditioned");
    expect(codeOf({ ...inTheMoney, price: "9.1" })).toMatch(/^no error/);
    expect(codeOf({ ...inTheMoney, price: "89.999999999999999999999999" })).toBe("ill-conditioned");
    expect(codeOf({ ...inTheMoney, price: "90" })).toBe("above-maximum");
    expect(codeOf({ ...inTheMoney, kind: "put", price: "81" })).toBe("above-maximum");
    expect(codeOf({ ...inTheMoney, kind: "put", price: "0" })).toBe("ill-conditioned");
    expect(codeOf({ ...inTheMoney, price: -1n })).toBe("below-intrinsic");
    expect(() => impliedVolatility({ ...inTheMoney, price: "8" })).toThrow(
      "price: expected at least the discounted intrinsic value 9, got 8",
    );
    expect(() => impliedVolatility({ ...inTheMoney, price: "95" })).toThrow(
      "price: expected less than the discounted forward 90, got 95",
    );
  });

  test("a time value too thin to say anything is refused unless asked for", () => {
    const thin = { ...base, price: "0.000009" };
    expect(codeOf(thin)).toBe("ill-conditioned");
    expect(codeOf({ ...thin, timeValueFloor: 0 })).toMatch(/^no error/);
  });

  test("what is not a quote is refused by the field at fault", () => {
    for (const [field, overrides] of [
      ["kind", { kind: "both" as "call" }],
      ["forward", { forward: "0" }],
      ["strike", { strike: "-1" }],
      ["discount", { discount: "0" }],
      ["seconds", { seconds: 0 }],
      ["seconds", { seconds: Number.NaN }],
      ["price", { price: "5e1" }],
    ] as const) {
      const option: PricedOption = { ...base, ...overrides };
      expect(() => impliedVolatility(option)).toThrow(new RegExp(`^${field}: expected`));
    }
  });
});

describe("option price", () => {
  test("agrees with the integer implementation to 13 digits of the option out of the money", () => {
    for (const row of vectors.options) {
      const error = Math.abs(Number(optionPrice(row)) - Number(row.price));
      expect(error, JSON.stringify(row)).toBeLessThanOrEqual(1e-13 * Number(row.price) + 1e-18);
    }
  });

  test("a worthless option is worth zero, a sure one its forward", () => {
    const far = { forward: "100", strike: "1000000", seconds: 60, volatility: "0.1" };
    expect(optionPrice({ ...far, kind: "call" })).toBe("0");
    expect(optionPrice({ ...far, kind: "put" })).toBe("999900");
  });
});
