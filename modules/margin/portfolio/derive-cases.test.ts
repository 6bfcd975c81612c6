/**
 * Portfolios that the authors of PMRM v2 test their contracts with, as a model and positions of this engine. Where their engine has a notion that this
 * one has not, it is folded into figures of the case: their interest rate of an expiry into the discounts of that expiry's own model.
 */
import { PortfolioModel, SkewMove, VolatilityMove } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { describe, expect, it } from "vitest";
import { black76Price } from "../../kit/math/black-76.ts";
import { divNearest, WAD } from "../../kit/math/fixed-point.ts";
import { clamp, maximum, PPM } from "../../kit/math/mul-div.ts";
import type { RiskPosition } from "./accumulate.ts";
import { depegPpm } from "./collateral.ts";
import { portfolioRequirement, type RequirementInputs } from "./requirement.ts";
import { type RiskInstrument, riskArray, underlyingRisk } from "./risk-array.ts";
import published from "./testing/derive-cases.json" with { type: "json" };

const YEAR_SECONDS = 31_536_000;
const LOTS_PER_UNIT = 10_000;
/** Of money and amounts: the fixture has thirteen digits. */
const wad = (value: number): bigint => BigInt(Math.round(value * 1e12)) * 1_000_000n;
const ppm = (value: number): bigint => BigInt(Math.round(value * 1e6));

type Numbers = readonly number[];

interface Book {
  readonly spot: number;
  readonly stable: number;
  /** The least of all that are known of it. */
  readonly confidence: number;
  readonly perps: number;
  readonly perpPrice: number;
  /** Value, whether it moves with the underlying, haircuts: initial beyond maintenance, maintenance. */
  readonly collateral: readonly (readonly (number | boolean)[])[];
  /** Seconds left, right, strike, volatility, amount. */
  readonly options: readonly (readonly (number | string)[])[];
  /** Seconds left, forward, rate. */
  readonly expiries: readonly Numbers[];
}

interface Parameters {
  /** Cap and cap per root year (tilt, smile), least width, width multiple, volatility of the width, and per root year. */
  readonly skew: Numbers;
  /** Up, least up, down, powers short and long, days that count at least. */
  readonly vol: Numbers;
  /** Maintenance and initial factor; rate multiples short and long; rates added; discounts of values above and below zero. */
  readonly margin: Numbers;
  /** Up, down, share, share per year. */
  readonly basis: Numbers;
  /** Depeg threshold and factor; confidence threshold and factor; perpetuals, options: maintenance, initial beyond it. */
  readonly other: Numbers;
  /** Move ppm, volatility, weight ppm. */
  readonly scenarios: readonly (readonly (number | string)[])[];
}

interface Case extends Partial<Parameters> {
  readonly id: number;
  readonly title: string;
  readonly book: number;
  readonly initial: number;
  readonly maintenance: number;
}

interface PublishedCase {
  readonly name: string;
  /** Published, in units of money. */
  readonly initial: number;
  readonly maintenance: number;
  inputs(): RequirementInputs;
}

const VOLATILITIES: Readonly<Record<string, VolatilityMove>> = {
  Up: VolatilityMove.VOLATILITY_MOVE_UP,
  Down: VolatilityMove.VOLATILITY_MOVE_DOWN,
};
const SKEWS: Readonly<Record<string, SkewMove>> = {
  LINEAR: SkewMove.SKEW_MOVE_TILT,
  ABS: SkewMove.SKEW_MOVE_SMILE,
};

function at(numbers: Numbers, index: number): number {
  const value = numbers[index];
  if (value === undefined) throw new Error(`the fixture has no figure ${index}`);
  return value;
}

/** For options of one expiry; seconds 0 for what has none. */
function modelOf(parameters: Parameters, seconds: number, rate: number): PortfolioModel {
  const { skew, vol, margin, basis, other, scenarios } = parameters;
  const years = seconds / YEAR_SECONDS;
  const rateUp = rate * at(margin, 2) + at(margin, 4);
  const rateDown = rate * at(margin, 3) + at(margin, 5);
  const below = Math.min(Math.exp(rate * years), at(margin, 7) * Math.exp(years * rateUp));
  const width = at(skew, 6) + at(skew, 7) * Math.sqrt(years);
  return PortfolioModel.fromPartial({
    name: "published",
    scenarios: scenarios.map(([movePpm, kind, weightPpm]) => ({
      movePpm: BigInt(movePpm as number),
      volatility: VOLATILITIES[kind as string] ?? VolatilityMove.VOLATILITY_MOVE_SAME,
      skew: SKEWS[kind as string] ?? SkewMove.SKEW_MOVE_NONE,
      weightPpm: BigInt(weightPpm as number),
    })),
    volatilityShock: {
      upPpm: ppm(at(vol, 0)),
      upMinimumPpm: ppm(at(vol, 1)),
      downPpm: ppm(at(vol, 2)),
      shortPowerPpm: ppm(at(vol, 3)),
      longPowerPpm: ppm(at(vol, 4)),
      timeFloorMs: BigInt(Math.round(at(vol, 5) * 86_400_000)),
    },
    skewShock: {
      capPpm: ppm(at(skew, 0)),
      capPerRootYearPpm: ppm(at(skew, 1)),
      widthMinimumPpm: ppm(at(skew, 4)),
      widthMultiplePpm: ppm(at(skew, 5)),
      widthVolatilityPpm: ppm(width),
    },
    maintenanceFactorPpm: ppm(at(margin, 0)),
    initialFactorPpm: ppm(at(margin, 1)),
    underlyings: [{ underlying: "", rangeMinimumPpm: 180_000n, rangeMaximumPpm: 180_000n }],
    valueDiscount: {
      longPpm: ppm(at(margin, 6) * Math.exp(-years * rateDown)),
      shortPpm: ppm(below),
    },
    depeg: { thresholdPpm: ppm(at(other, 0)), initialFactorPpm: ppm(at(other, 1)) },
    addOns: {
      linear: {
        initialPpm: ppm(at(other, 4) + at(other, 5)),
        maintenancePpm: ppm(at(other, 4)),
      },
      shortOptions: {
        rates: {
          initialPpm: ppm(at(other, 6) + at(other, 7)),
          maintenancePpm: ppm(at(other, 6)),
        },
      },
      basis: {
        upPpm: ppm(at(basis, 0) - 1),
        downPpm: ppm(1 - at(basis, 1)),
        sharePpm: ppm(at(basis, 2)),
        sharePerYearPpm: ppm(at(basis, 3)),
        floor: true,
      },
      oracleWidth: {
        thresholdPpm: ppm(1 - at(other, 2)),
        factor: { initialPpm: ppm(at(other, 3)), maintenancePpm: 0n },
        wholeWidth: true,
      },
    },
  });
}

const LOT = { units: WAD / BigInt(LOTS_PER_UNIT), scale: 10n ** 30n, fundingPpmPerHour: 0n };

function linear(kind: "perpetual" | "spot", value: number): RiskInstrument {
  const price = wad(value);
  return {
    ...LOT,
    ...{ kind, expiry: "", remainingMs: 0n, strike: 0n, forward: price, volatility: 0n },
    price: (movePpm) => divNearest(price * (PPM + movePpm), PPM),
  };
}

function positionsOf(parameters: Parameters, book: Book): RiskPosition[] {
  const positions: RiskPosition[] = [];
  const state = {
    name: "X",
    price: wad(book.spot),
    volatility: 0n,
    oracleWidthPpm: ppm(1 - book.confidence),
  };
  const hold = (instrument: RiskInstrument, amount: number, expiry: Numbers): void => {
    const risk = underlyingRisk(modelOf(parameters, at(expiry, 0), at(expiry, 2)), state);
    const array = risk === null ? null : riskArray(risk, instrument);
    if (array === null) throw new Error("too large a lot");
    const lots = BigInt(Math.round(amount * LOTS_PER_UNIT));
    positions.push({ array, low: lots, high: lots });
  };
  const none = [0, 0, 0];
  if (book.perps !== 0) hold(linear("perpetual", book.perpPrice), book.perps, none);
  for (const [value, moves] of book.collateral) {
    if (moves === true) hold(linear("spot", value as number), 1, none);
  }
  for (const [seconds, right, strike, volatility, amount] of book.options) {
    const expiry = book.expiries.find(([other]) => other === seconds);
    if (expiry === undefined) throw new Error("an option without forward");
    const forward = wad(at(expiry, 1));
    const option: RiskInstrument = {
      ...LOT,
      kind: "option",
      expiry: `${seconds}`,
      remainingMs: BigInt(seconds as number) * 1000n,
      strike: wad(strike as number),
      forward,
      volatility: wad(volatility as number),
      price: (movePpm, shocked) =>
        black76Price({
          kind: right as "call" | "put",
          forward: maximum(divNearest(forward * (PPM + movePpm), PPM), 1n),
          strike: wad(strike as number),
          rate: wad(at(expiry, 2)),
          volatility: clamp(shocked, 1n, (38n * WAD) / 10n),
          seconds: BigInt(seconds as number),
        }),
    };
    hold(option, amount as number, expiry);
  }
  return positions;
}

function inputsOf(one: Case): RequirementInputs {
  const book = published.books[one.book] as Book | undefined;
  if (book === undefined) throw new Error(`case ${one.id} has no book`);
  const parameters: Parameters = { ...(published.base as Parameters), ...one };
  const model = modelOf(parameters, 0, 0);
  const haircut = (share: (initial: number, maintenance: number) => number): bigint => {
    const parts = book.collateral.map(
      ([value, , initial, maintenance]) =>
        (value as number) * share(initial as number, maintenance as number),
    );
    return ppm(parts.reduce((sum, part) => sum + part, 0));
  };
  return {
    model,
    positions: positionsOf(parameters, book),
    haircut: {
      initial: haircut((initial, maintenance) => initial + maintenance),
      maintenance: haircut((_initial, maintenance) => maintenance),
    },
    depegPpm: depegPpm(model, wad(book.stable)),
    elsewhere: () => 0n,
  };
}

const publishedCases: readonly PublishedCase[] = (published.cases as readonly Case[]).map(
  (one) => ({
    name: `${one.id}: ${one.title}`,
    initial: one.initial,
    maintenance: one.maintenance,
    inputs: () => inputsOf(one),
  }),
);

/** Shares of a millionth that the fixture's parameters are rounded to, and the formulas'. */
const TOLERANCE = 4e-5;

describe("requirements as published for PMRM v2", () => {
  it.each(publishedCases)("$name", ({ initial, inputs, maintenance }) => {
    const found = portfolioRequirement(inputs());
    const rounding = found.addOns.find(({ name }) => name === "rounding")?.initial ?? 0n;
    const units = (quanta: bigint): number => Number(quanta - rounding) / 1e6;
    // What rounding of risk arrays may be off by is charged; half of it either way.
    const slack = (of: number): number => 2 * (Number(rounding) / 1e6) + TOLERANCE * Math.abs(of);
    expect(Math.abs(units(found.initial) - initial)).toBeLessThanOrEqual(slack(initial));
    expect(Math.abs(units(found.maintenance) - maintenance)).toBeLessThanOrEqual(
      slack(maintenance),
    );
  });
});
