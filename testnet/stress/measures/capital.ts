/**
 * What a hedged book ties up. Every rule set is scaled so that one unhedged leg needs exactly the margin that covers 99 % of days; what is compared is how much of that
 * a hedge saves: margin per book at equal coverage.
 */
import { portfolioRequirement } from "@keel/modules/margin/portfolio/requirement";
import { riskArray, underlyingRisk } from "@keel/modules/margin/portfolio/risk-array";
import { future, perpetual } from "@keel/modules/margin/portfolio/testing/instruments";
import { models } from "@keel/modules/margin/portfolio/testing/models";
import type { Rules } from "../venue/rules.ts";

const WAD = 10n ** 18n;
const PRICES = [100_000n, 4_000n] as const;
const NAMES = ["BTC-USD", "ETH-USD"] as const;
const NOTIONAL = 1_000_000n;

export interface HedgedBook {
  readonly rules: string;
  /** Requirement of a long leg of a million, a share of it, as it is. */
  readonly leg: number;
  /** At equal coverage, as a share of one leg's notional: long perpetual and short future on it; long one underlying and short the other. */
  readonly sameUnderlying: number;
  readonly twoUnderlyings: number;
}

/** `quantile`: what one leg must hold. */
export function hedgedBooks(ruleSets: readonly Rules[], quantile: number): HedgedBook[] {
  const rows = ruleSets.map((rules) => {
    const leg = (u: number): number => rules.initial(u, Number(NOTIONAL)) / Number(NOTIONAL);
    // Markets are summed, so a hedge saves nothing.
    const both = leg(0) + leg(1);
    return row(`${rules.title}, market by market`, leg(0), 2 * leg(0), both, quantile);
  });
  const named = { s35: "Keel, portfolio", derive: "Derive, PMRM v2" } as const;
  for (const [model, title] of Object.entries(named)) {
    const needs = (legs: readonly Leg[]): number => portfolio(model as keyof typeof named, legs);
    const leg = needs([[0, 1n, false]]);
    const same = needs([
      [0, 1n, false],
      [0, -1n, true],
    ]);
    const two = needs([
      [0, 1n, false],
      [1, -1n, false],
    ]);
    rows.push(row(title, leg, same, two, quantile));
  }
  return rows;
}

function row(rules: string, leg: number, same: number, two: number, quantile: number): HedgedBook {
  const scale = quantile / leg;
  return { rules, leg, sameUnderlying: same * scale, twoUnderlyings: two * scale };
}

type Leg = readonly [underlying: 0 | 1, side: 1n | -1n, dated: boolean];

function portfolio(name: "s35" | "derive", legs: readonly Leg[]): number {
  const model = models[name];
  const positions = legs.map(([u, side, dated]) => {
    const price = PRICES[u];
    const state = {
      ...{ name: NAMES[u], price: price * WAD, volatility: (6n * WAD) / 10n },
      oracleWidthPpm: 0n,
    };
    const risk = underlyingRisk(model, state);
    if (risk === null) throw new Error(`model ${name} has no rule for ${NAMES[u]}`);
    const array = riskArray(risk, dated ? future(price, 30n) : perpetual(price));
    if (array === null) throw new Error("a lot is too large");
    // A lot is a thousandth.
    const lots = (side * NOTIONAL * 1_000n) / price;
    return { array, low: lots, high: lots };
  });
  const { initial } = portfolioRequirement({
    ...{ model, positions, haircut: { initial: 0n, maintenance: 0n }, depegPpm: 0n },
    elsewhere: () => 0n,
  });
  return Number(initial) / 1e6 / Number(NOTIONAL);
}
