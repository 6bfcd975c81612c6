/**
 * What every kind of contract has: one pure `payoff` and one pure `mark`. Prices and values are 1e-18 of the quote per unit of size; rounding to
 * ticks and quanta is the caller's.
 */
import type { Contract } from "./contract.ts";

/** What a mark is made of. */
export interface MarkInputs {
  readonly spot: bigint;
  /** The price expected at settlement. */
  readonly forward: bigint;
  /** Length and mean of the part of the settlement window gone by. */
  readonly averagedMs: bigint;
  readonly mean: bigint;
  readonly remainingMs: bigint;
  /** Annual; 0 for contracts without an option. */
  readonly volatility: bigint;
}

export interface ContractKind {
  /** What one unit pays at this settlement price. */
  payoff(contract: Contract, price: bigint): bigint;
  /** What one unit is worth before. */
  mark(contract: Contract, inputs: MarkInputs): bigint;
  /**
   * Options: the scenarios of the grid (spot and volatility down, unmoved, up) among which the one that costs a seller most is found. Where
   * the price is monotone its corner is known, and one price does for nine.
   */
  worstForSeller?(contract: Contract): readonly Scenario[];
  /** The marks of one contract in many scenarios, spot and volatility being all that differs, where that is cheaper than one by one. */
  pricer?(contract: Contract, inputs: MarkInputs): (moved: MarkInputs) => bigint;
  /** Options: the mark and its derivatives with respect to `spot` and volatility. */
  greeks?(contract: Contract, inputs: MarkInputs): UnitGreeks;
  /** Of these only what a small move is judged by, where that is cheaper to make. */
  curve?(contract: Contract, inputs: MarkInputs): UnitCurve;
  /** Options: what one is worth at least and at most when this forward is expected, before its window. */
  bounds?(contract: Contract, forward: bigint): readonly [bigint, bigint];
}

/** Of one unit, 1e-18: per 1 of price, per 1.00 of volatility, per year that passes, per 1.00 of the rate with the forward held. */
export interface UnitGreeks {
  readonly price: bigint;
  readonly delta: bigint;
  readonly gamma: bigint;
  readonly vega: bigint;
  readonly theta: bigint;
  readonly rho: bigint;
}

type UnitCurve = Pick<UnitGreeks, "price" | "delta" | "gamma" | "vega">;

/** Directions of the shocks. */
export interface Scenario {
  readonly spot: -1 | 1;
  readonly volatility: -1 | 0 | 1;
}
