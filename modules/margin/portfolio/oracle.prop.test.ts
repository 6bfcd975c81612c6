/** The engine against a naive reimplementation in doubles: no risk arrays, every position of every corner priced anew in every scenario. */
import type { PortfolioModel, Rates, Scenario } from "@keel/proto/gen/keel/margin/v1/portfolio";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WAD } from "../../kit/math/fixed-point.ts";
import type { RiskPosition } from "./accumulate.ts";
import { ruleOf } from "./model.ts";
import { portfolioRequirement } from "./requirement.ts";
import { type RiskArray, riskArray, underlyingRisk } from "./risk-array.ts";
import { future, option, perpetual } from "./testing/instruments.ts";
import { models } from "./testing/models.ts";

const UNDERLYINGS = [
  { name: "BTC-USD", price: 65_000, volatility: 0.55 },
  { name: "ETH-USD", price: 3_200, volatility: 0.7 },
  { name: "SOL-USD", price: 150, volatility: 0.95 },
];

interface Held {
  readonly underlying: number;
  readonly kind: "perpetual" | "future" | "call" | "put";
  readonly days: number;
  /** Strike as a share of the price, in fortieths. */
  readonly strike: number;
  readonly volatility: number;
  readonly lots: number;
  readonly buys: number;
  readonly sells: number;
}

const held: fc.Arbitrary<Held> = fc.record({
  underlying: fc.integer({ min: 0, max: 2 }),
  kind: fc.constantFrom("perpetual", "future", "call", "put"),
  days: fc.constantFrom(1, 7, 30, 90),
  strike: fc.integer({ min: 20, max: 70 }),
  volatility: fc.integer({ min: 30, max: 150 }),
  lots: fc.integer({ min: -5_000, max: 5_000 }),
  buys: fc.constantFrom(0, 0, 0, 700),
  sells: fc.constantFrom(0, 0, 0, 400),
});

const strikeOf = (one: Held): number =>
  Math.round(((UNDERLYINGS[one.underlying]?.price ?? 0) * one.strike) / 40);
const ppm = (value: bigint | undefined): number => Number(value ?? 0n) / 1e6;

/** N(x) to about 1e-15. */
function normal(x: number): number {
  if (Math.abs(x) > 9) return x > 0 ? 1 : 0;
  let term = x;
  let sum = x;
  for (let n = 1; n < 250; n++) {
    term *= (x * x) / (2 * n + 1);
    sum += term;
  }
  return 0.5 + sum * Math.exp((-x * x) / 2 - 0.5 * Math.log(2 * Math.PI));
}

function priceOf(one: Held, move: number, volatility: number): number {
  const forward = (UNDERLYINGS[one.underlying]?.price ?? 0) * (1 + move);
  if (one.kind === "perpetual" || one.kind === "future") return forward;
  const strike = strikeOf(one);
  const s = Math.min(Math.max(volatility, 0.01), 3.8) * Math.sqrt(one.days / 365);
  const d1 = Math.log(forward / strike) / s + s / 2;
  const call = forward * normal(d1) - strike * normal(d1 - s);
  return one.kind === "call" ? call : call - forward + strike;
}

function volatilityIn(model: PortfolioModel, scenario: Scenario, one: Held): number {
  const base = one.volatility / 100;
  const { volatilityShock: shock, skewShock: skew } = model;
  if (scenario.skew !== 0 && skew !== undefined) {
    const root = Math.sqrt(one.days / 365);
    const k = Math.log(strikeOf(one) / (UNDERLYINGS[one.underlying]?.price ?? 0));
    const cap = Math.max(0, ppm(skew.capPpm) + ppm(skew.capPerRootYearPpm) * root);
    const spread = ppm(skew.widthVolatilityPpm) + root * ppm(skew.widthVolatilityPerRootYearPpm);
    const width = Math.max(ppm(skew.widthMinimumPpm), root * ppm(skew.widthMultiplePpm) * spread);
    const side = scenario.skew === 2 ? Math.abs(k) : k;
    return base * Math.max(0, 1 + Math.min(cap, Math.max(-cap, (side * cap) / width)));
  }
  if (shock === undefined || scenario.volatility === 0) return base;
  const left = Math.max(one.days, Number(shock.timeFloorMs) / 86_400_000);
  const power = left <= 30 ? ppm(shock.shortPowerPpm) : ppm(shock.longPowerPpm);
  const g = (30 / left) ** power;
  return scenario.volatility === 1
    ? Math.max(ppm(shock.upMinimumPpm), base * (1 + ppm(shock.upPpm) * g))
    : base * Math.max(0, 1 - ppm(shock.downPpm) * g);
}

interface Naive {
  readonly initial: number;
  readonly loss: number;
  readonly losses: readonly number[];
}

const LOT = 0.001;

/** Without orders: `lots` as given, in one vector. */
function naive(model: PortfolioModel, book: readonly Held[], lots: readonly number[]): Naive {
  const names = [...new Set(book.map((one) => one.underlying))];
  const perUnderlying = names.map((name) => {
    const { price, volatility } = UNDERLYINGS[name] as (typeof UNDERLYINGS)[number];
    const rule = ruleOf(model, UNDERLYINGS[name]?.name ?? "");
    if (rule === null) throw new Error("no rule");
    const raw =
      ppm(rule.rangeMultiplierPpm) *
      volatility *
      Math.sqrt(Number(rule.rangeHorizonMs) / (365 * 86_400_000));
    const range = Math.min(
      ppm(rule.rangeMaximumPpm),
      Math.max(ppm(rule.rangeMinimumPpm), rule.rangeMultiplierPpm === 0n ? 0 : raw),
    );
    const mine = book
      .map((one, i) => ({ one, q: (lots[i] ?? 0) * LOT }))
      .filter(({ one }) => one.underlying === name);
    const expiries = [...new Set(mine.map(({ one }) => (one.kind === "perpetual" ? 0 : one.days)))];
    const losses = model.scenarios.map((scenario) => {
      const move =
        scenario.rangePpm !== 0n
          ? Math.max(-0.99, ppm(scenario.rangePpm) * range)
          : ppm(scenario.movePpm);
      const weight =
        scenario.weightPpm !== 0n
          ? ppm(scenario.weightPpm)
          : Math.abs(move) <= range
            ? 1
            : range / Math.abs(move);
      let profit = 0;
      for (const expiry of expiries) {
        const legs = mine.filter(({ one }) => (one.kind === "perpetual" ? 0 : one.days) === expiry);
        const discount = model.valueDiscount;
        const years = expiry / 365;
        const factors =
          discount === undefined
            ? [1]
            : [
                ppm(discount.longPpm) * Math.exp(-years * ppm(discount.longRatePpm)),
                ppm(discount.shortPpm) * Math.exp(years * ppm(discount.shortRatePpm)),
              ];
        const profits = factors.map((factor) =>
          legs.reduce((sum, { one, q }) => {
            const optional = one.kind === "call" || one.kind === "put";
            const after = priceOf(one, move, volatilityIn(model, scenario, one));
            const before = priceOf(one, 0, one.volatility / 100);
            return sum + q * (after * (optional ? factor : 1) - before);
          }, 0),
        );
        const worst = Math.min(...profits);
        profit += scenario.skew === 0 ? worst : -Math.abs(worst);
      }
      return -profit * weight;
    });
    const basis = model.addOns?.basis;
    const basisLoss = expiries.reduce((sum, expiry) => {
      if (basis === undefined || expiry === 0) return sum;
      const legs = mine.filter(({ one }) => one.kind !== "perpetual" && one.days === expiry);
      const loss = (move: number): number =>
        -legs.reduce((total, { one, q }) => {
          const vol = one.volatility / 100;
          return total + q * (priceOf(one, move, vol) - priceOf(one, 0, vol));
        }, 0);
      const worst = Math.max(0, loss(ppm(basis.upPpm)), loss(-ppm(basis.downPpm)));
      return sum + worst * (ppm(basis.sharePpm) + (ppm(basis.sharePerYearPpm) * expiry) / 365);
    }, 0);
    const delta = ({ one, q }: { one: Held; q: number }): number => {
      const vol = one.volatility / 100;
      return (q * (priceOf(one, 0.005, vol) - priceOf(one, -0.005, vol))) / 0.01;
    };
    const gross = mine.reduce((sum, leg) => sum + Math.abs(delta(leg)), 0);
    const net = Math.abs(mine.reduce((sum, leg) => sum + delta(leg), 0));
    const strikes = new Map<string, number>();
    let linear = 0;
    let optional = 0;
    for (const { one, q } of mine) {
      if (one.kind === "perpetual" || one.kind === "future") {
        linear += Math.abs(q) * price;
        continue;
      }
      optional += Math.abs(q) * price;
      const key = `${one.days}/${strikeOf(one)}`;
      strikes.set(key, (strikes.get(key) ?? 0) + q * price);
    }
    const shorts = [...strikes.values()].reduce((sum, one) => sum + Math.max(0, -one), 0);
    const loss = Math.max(0, ...losses);
    const conc = model.addOns?.concentration;
    const volume = Number(rule.dailyVolume || "0") / 1e6;
    let concentration = 0;
    if (conc !== undefined && volume > 0 && gross > 0) {
      const minutes = (gross * 1440) / (ppm(conc.volumeSharePpm) * volume);
      const m = Math.max(1, Math.sqrt(minutes / (3 * (Number(conc.horizonMs) / 60_000))));
      const daily = volatility / Math.sqrt(365);
      const impact = gross * ppm(conc.impactPpm) * daily * Math.sqrt(gross / volume);
      concentration = Math.max(loss * (m - 1), impact - loss, 0);
    }
    return { rule, losses, loss, basisLoss, gross, net, linear, optional, shorts, concentration };
  });
  const sum = (of: (one: (typeof perUnderlying)[number]) => number): number =>
    perUnderlying.reduce((total, one) => total + of(one), 0);
  const count = model.scenarios.length;
  const together = Array.from({ length: count }, (_, i) => sum((one) => one.losses[i] ?? 0));
  let loss = sum((one) => one.loss);
  if (names.length > 1) {
    const stressed = Math.max(0, ...together);
    const market = Math.max(
      0,
      ...together.map((_, i) => sum((one) => (one.losses[i] ?? 0) * ppm(one.rule.betaPpm))),
    );
    const own = sum((one) => one.loss ** 2 * (1 - ppm(one.rule.betaPpm) ** 2));
    const estimated = Math.sqrt(market ** 2 + own);
    loss -= Math.max(0, loss - Math.max(stressed, estimated)) * ppm(model.offsetCapPpm);
  }
  const { addOns } = model;
  const rate = (rates: Rates | undefined): number => ppm(rates?.initialPpm);
  const shorts = sum((one) => one.shorts) * rate(addOns?.shortOptions?.rates);
  const minimum = sum(
    (one) =>
      one.net * rate(addOns?.deltaMinimum?.net) +
      ((one.gross - one.net) / 2) * rate(addOns?.deltaMinimum?.hedged),
  );
  const basis = sum((one) => one.basisLoss);
  const factor = ppm(model.initialFactorPpm);
  let initial = loss * factor;
  if (addOns?.basis?.floor === true) initial = Math.max(initial, basis * factor);
  if (addOns?.shortOptions?.floor === true) initial = Math.max(initial, shorts);
  if (addOns?.deltaMinimum?.floor === true) initial = Math.max(initial, minimum);
  if (addOns?.basis?.floor !== true) initial += basis;
  if (addOns?.shortOptions?.floor !== true) initial += shorts;
  if (addOns?.deltaMinimum?.floor !== true) initial += minimum;
  initial += sum((one) => one.linear) * rate(addOns?.linear);
  initial += sum((one) => one.concentration) * factor;
  initial += sum(
    (one) =>
      one.linear * ppm(addOns?.liquidity?.linearPpm) +
      one.optional * ppm(addOns?.liquidity?.optionPpm),
  );
  return { initial, loss, losses: together };
}

function arrayOf(model: PortfolioModel, one: Held): RiskArray {
  const { name, price, volatility } = UNDERLYINGS[one.underlying] as (typeof UNDERLYINGS)[number];
  const risk = underlyingRisk(model, {
    name,
    price: BigInt(price) * WAD,
    volatility: BigInt(Math.round(volatility * 100)) * (WAD / 100n),
    oracleWidthPpm: 0n,
  });
  if (risk === null) throw new Error("no rule");
  const forward = BigInt(price);
  const days = BigInt(one.days);
  const instrument =
    one.kind === "perpetual"
      ? perpetual(forward)
      : one.kind === "future"
        ? future(forward, days)
        : option({
            right: one.kind,
            forward,
            strike: BigInt(strikeOf(one)),
            days,
            volatilityPpm: BigInt(one.volatility) * 10_000n,
          });
  const array = riskArray(risk, instrument);
  if (array === null) throw new Error("too large");
  return array;
}

const free = { initial: 0n, maintenance: 0n };

function engine(model: PortfolioModel, positions: readonly RiskPosition[]) {
  return portfolioRequirement({
    model,
    positions,
    haircut: free,
    depegPpm: 0n,
    elsewhere: () => 0n,
  });
}

const names = Object.keys(models) as (keyof typeof models)[];

describe("the margin engine and its naive definition", () => {
  it.each(names)("agree on random portfolios under %s", (name) => {
    const model = models[name];
    fc.assert(
      fc.property(fc.array(held, { minLength: 1, maxLength: 8 }), (book) => {
        const positions = book.map((one) => {
          const lots = BigInt(one.lots);
          return { array: arrayOf(model, one), low: lots, high: lots };
        });
        const found = engine(model, positions);
        const expected = naive(
          model,
          book,
          book.map((one) => one.lots),
        );
        const gross = book.reduce(
          (sum, one) => sum + Math.abs(one.lots) * LOT * (UNDERLYINGS[one.underlying]?.price ?? 0),
          1,
        );
        // Half a quantum of every lot, and ppm of moves and ranges that are rounded up.
        const tolerance = gross * 5e-6 + 0.01;
        expected.losses.forEach((loss, i) => {
          expect(Math.abs(Number(found.scan.losses[i]) / 1e6 - loss)).toBeLessThan(tolerance);
        });
        expect(Math.abs(Number(found.scan.loss) / 1e6 - expected.loss)).toBeLessThan(tolerance);
        expect(Math.abs(Number(found.initial) / 1e6 - expected.initial)).toBeLessThan(
          3 * tolerance,
        );
      }),
      { numRuns: 120 },
    );
  });

  it("agree on the worst of all ways in which resting orders can fill", () => {
    const model = models.s35;
    fc.assert(
      fc.property(fc.array(held, { minLength: 1, maxLength: 5 }), (book) => {
        const single = book.map((one) => ({ ...one, underlying: 0 }));
        const positions = single.map((one) => ({
          array: arrayOf(model, one),
          low: BigInt(one.lots - one.sells),
          high: BigInt(one.lots + one.buys),
        }));
        let worst = 0;
        for (let corner = 0; corner < 1 << single.length; corner++) {
          const lots = single.map((one, i) =>
            (corner >> i) % 2 === 0 ? one.lots - one.sells : one.lots + one.buys,
          );
          worst = Math.max(worst, naive(model, single, lots).loss);
        }
        const found = engine(model, positions);
        const gross = single.reduce((sum, one) => sum + (Math.abs(one.lots) + 700) * 65, 1);
        expect(Math.abs(Number(found.scan.loss) / 1e6 - worst)).toBeLessThan(gross * 5e-6 + 0.01);
      }),
      { numRuns: 60 },
    );
  });
});
