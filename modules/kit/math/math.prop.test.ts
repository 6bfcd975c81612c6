import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDecimal, parseDecimal } from "./decimal.ts";
import { divCeil, divFloor, divHalfEven } from "./mul-div.ts";

const anyInt = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n });
const positive = fc.bigInt({ min: 1n, max: 10n ** 20n });

describe("integer division", () => {
  it("floors, ceils and rounds to even exactly", () => {
    fc.assert(
      fc.property(anyInt, positive, (a, d) => {
        const floor = divFloor(a, d);
        expect(floor * d <= a && a < (floor + 1n) * d).toBe(true);
        const ceil = divCeil(a, d);
        expect((ceil - 1n) * d < a && a <= ceil * d).toBe(true);
        const error = 2n * (a - divHalfEven(a, d) * d);
        expect(-d <= error && error <= d).toBe(true);
      }),
    );
    expect([
      divHalfEven(1n, 2n),
      divHalfEven(3n, 2n),
      divHalfEven(-1n, 2n),
      divHalfEven(-3n, 2n),
    ]).toEqual([0n, 2n, 0n, -2n]);
  });

  it("refuses a divisor that is not positive", () => {
    expect(() => divFloor(1n, 0n)).toThrow("divisor must be positive, got 0");
  });
});

describe("decimal strings", () => {
  it("parse what was formatted", () => {
    fc.assert(
      fc.property(anyInt, fc.integer({ min: 0, max: 18 }), (value, places) => {
        expect(parseDecimal(formatDecimal(value, places), places)).toBe(value);
      }),
    );
  });

  it("refuse every second spelling of a number", () => {
    for (const text of [
      "",
      "-0",
      "+1",
      "01",
      "1.",
      ".5",
      "1.50",
      "1e3",
      "0x1",
      " 1",
      "1 ",
      "1,0",
      "NaN",
      "-",
      "0.10",
      `1${"0".repeat(60)}`,
    ]) {
      expect(parseDecimal(text, 6), text).toBeNull();
    }
    expect(parseDecimal("0.123", 2)).toBeNull();
    expect(parseDecimal("-3.25", 2)).toBe(-325n);
  });
});
