/** Against figures made elsewhere: mpmath at 80 digits, the option rows being those of published textbooks and edge cases around them. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { asianGreeks } from "./asian.ts";
import { black76Greeks, black76Price } from "./black-76.ts";
import { blackScholesGreeks, blackScholesPrice, type Greeks } from "./black-scholes.ts";
import { parseDecimal } from "./decimal.ts";
import { digitalGreeks } from "./digital.ts";
import { expWad } from "./exp.ts";
import { divNearest, WAD, YEAR_SECONDS } from "./fixed-point.ts";
import { lnWad } from "./log.ts";
import { normalCdf, normalDensity } from "./normal.ts";
import type { OptionTerms } from "./option-terms.ts";
import black76 from "./vectors/black-76.json" with { type: "json" };
import vectors from "./vectors/mpmath.json" with { type: "json" };

const PLACES = 30;
const UNIT = 10n ** 12n;

function read(text: string, places: number): bigint {
  const value = parseDecimal(text, places);
  if (value === null) throw new Error(`not a decimal: ${text}`);
  return value;
}

const wad = (text: string): bigint => read(text, 18);

/** Distance in units of 1e-18. */
function errorUnits(value: bigint, text: string): number {
  const difference = value * UNIT - read(text, PLACES);
  return Number(difference < 0n ? -difference : difference) / 1e12;
}

type Row = (typeof vectors.options)[number];

function termsOf(row: Row): OptionTerms {
  return {
    kind: row.kind as "call" | "put",
    spot: wad(row.spot),
    strike: wad(row.strike),
    rate: wad(row.rate),
    carry: wad(row.carry),
    volatility: wad(row.volatility),
    seconds: BigInt(row.seconds),
  };
}

const FIELDS: readonly (keyof Greeks)[] = [
  "price",
  "delta",
  "gamma",
  "vega",
  "theta",
  "rho",
  "vanna",
  "volga",
];

test("there are 32 rows of options", () => {
  expect(vectors.options).toHaveLength(32);
});

test.each(vectors.options)("$id: price and Greeks are the nearest unit of 1e-18", (row) => {
  const greeks = blackScholesGreeks(termsOf(row));
  for (const field of FIELDS)
    expect(errorUnits(greeks[field], row[field]), field).toBeLessThanOrEqual(0.501);
  expect(blackScholesPrice(termsOf(row))).toBe(greeks.price);
});

test("rows without carry are those of Black 1976, with rho at a fixed forward", () => {
  const rows = vectors.options.filter((row) => row.carry === "0");
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) {
    const { spot, carry: _, ...rest } = termsOf(row);
    const { rho, ...others } = black76Greeks({ ...rest, forward: spot });
    const { rho: __, ...expected } = blackScholesGreeks(termsOf(row));
    expect(others, row.id).toEqual(expected);
    expect(rho, row.id).toBe(divNearest(-expected.price * BigInt(row.seconds), YEAR_SECONDS));
  }
});

test("the normal distribution and its density are the nearest unit", () => {
  for (const [x = "", below = "", above = "", density = ""] of vectors.normal) {
    expect(errorUnits(normalCdf(wad(x)), below), x).toBeLessThanOrEqual(0.501);
    expect(errorUnits(normalCdf(-wad(x)), above), x).toBeLessThanOrEqual(0.501);
    expect(errorUnits(normalDensity(wad(x)), density), x).toBeLessThanOrEqual(0.501);
    expect(normalCdf(wad(x)) + normalCdf(-wad(x))).toBe(WAD);
  }
});

test("exponential and logarithm are the nearest unit, or right to 34 digits", () => {
  for (const [x = "", value = ""] of vectors.exp)
    expect(errorUnits(expWad(wad(x)), value), x).toBeLessThanOrEqual(
      0.501 + Number(value) * 1e18 * 1e-34,
    );
  for (const [x = "", value = ""] of vectors.ln)
    expect(errorUnits(lnWad(wad(x)), value), x).toBeLessThanOrEqual(0.501);
});

test("Black-76 prices are those the client's solver is tested with, to the unit", () => {
  expect(black76.options).toHaveLength(240);
  for (const row of black76.options) {
    const found = black76Price({
      kind: row.kind as "call" | "put",
      forward: wad(row.forward),
      strike: wad(row.strike),
      rate: wad(row.rate),
      volatility: wad(row.volatility),
      seconds: BigInt(row.seconds),
    });
    expect(found, JSON.stringify(row)).toBe(wad(row.price));
  }
});

test("every engine and processor computes the same: 5,000 random options have the pinned digest", () => {
  let state = 20_261n;
  const draw = (low: bigint, high: bigint): bigint => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % (1n << 64n);
    return low + (((state >> 16n) * (high - low)) >> 48n);
  };
  const hash = createHash("sha256");
  for (let i = 0; i < 5_000; i += 1) {
    const spot = draw(1n, 10n ** BigInt(15 + (i % 10)));
    const seconds = draw(60n, 10n ** BigInt(3 + (i % 6)));
    const terms = {
      kind: i % 2 === 0 ? ("call" as const) : ("put" as const),
      spot,
      strike: 1n + (spot * draw(500n, 2_000n)) / 1_000n,
      rate: draw(-WAD / 10n, WAD / 10n),
      carry: draw(-WAD / 10n, WAD / 10n),
      volatility: draw(WAD / 20n, 2n * WAD),
      seconds,
    };
    const average = {
      ...terms,
      volatility: terms.volatility / 3n,
      fixings: 20n,
      fixedCount: 5n,
      fixedSum: spot * draw(0n, 9n),
      secondsToNextFixing: seconds / 20n,
      fixingIntervalSeconds: seconds / 20n,
    };
    for (const greeks of [
      blackScholesGreeks(terms),
      digitalGreeks({ ...terms, payout: spot }),
      asianGreeks(average),
    ])
      hash.update(`${Object.values(greeks).join()}\n`);
  }
  expect(hash.digest("hex")).toBe(
    "8bce48389dc48f131196341b84c26e2bb9b74fe8f4a6da75ab018a530a6414cb",
  );
});
