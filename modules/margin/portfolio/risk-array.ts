/**
 * What one lot of an instrument gains or loses in every scenario: computed once per epoch, then a portfolio's requirement is sums of products.
 * Whole quanta per lot, half to even, as safe integers, which an array holds in eight bytes each; `accumulate.ts` proves for each portfolio
 * that its sums are safe too.
 */
import type { PortfolioModel, UnderlyingRule } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { SkewMove } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { expWad } from "../../kit/math/exp.ts";
import { divNearest, WAD, YEAR_SECONDS } from "../../kit/math/fixed-point.ts";
import { absolute, divHalfEven, maximum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import { betaOf, type Measured, NOT_MEASURED, rangeVolatility } from "./measured.ts";
import { ruleOf } from "./model.ts";
import { moveOf, priceRangePpm, shockedVolatilities, WAD_PER_PPM, weightOf } from "./shocks.ts";

const YEAR_MS = YEAR_SECONDS * 1000n;
/** Delta is the slope of the value over this move to both sides. */
const DELTA_MOVE_PPM = 5_000n;
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** An underlying as markets and oracle know it now. */
export interface UnderlyingState {
  readonly name: string;
  /** Index price and annual volatility, 1e-18. */
  readonly price: bigint;
  readonly volatility: bigint;
  /** Half-width of the oracle's confidence as a share of the price, ppm. */
  readonly oracleWidthPpm: bigint;
}

/** An underlying under a model: its range, and what each scenario does to it. */
export interface UnderlyingRisk {
  readonly model: PortfolioModel;
  readonly rule: UnderlyingRule;
  readonly state: UnderlyingState;
  readonly rangePpm: bigint;
  /** As the model has it, or as it is measured. */
  readonly betaPpm: bigint;
  /** How far the settlement asset is below the model's threshold. */
  readonly depegPpm: bigint;
  readonly movesPpm: readonly bigint[];
  readonly weightsPpm: readonly bigint[];
  /** The scenario moves the skew and nothing else. */
  readonly skewed: readonly boolean[];
}

/** Null: the model has no rule for it. */
export function underlyingRisk(
  model: PortfolioModel,
  state: UnderlyingState,
  measured: Measured = NOT_MEASURED,
): UnderlyingRisk | null {
  const rule = ruleOf(model, state.name);
  if (rule === null) return null;
  const found = rangeVolatility(rule, state.volatility, measured);
  const volatility = maximum(found, rule.volatilityFloorPpm * WAD_PER_PPM);
  const known = state.volatility === volatility ? state : { ...state, volatility };
  const rangePpm = priceRangePpm(rule, known.volatility);
  return {
    model,
    rule,
    state: known,
    rangePpm,
    betaPpm: betaOf(rule, measured),
    depegPpm: measured.depegPpm,
    movesPpm: model.scenarios.map((scenario) => moveOf(scenario, rangePpm)),
    weightsPpm: model.scenarios.map((scenario) => weightOf(scenario, rangePpm)),
    skewed: model.scenarios.map(({ skew }) => skew !== SkewMove.SKEW_MOVE_NONE),
  };
}

/** A contract as it can be priced: by whoever knows contracts. */
export interface RiskInstrument {
  /** "spot" is collateral that moves with the underlying: it hedges, and is charged nothing but its haircut. */
  readonly kind: "perpetual" | "future" | "option" | "spot";
  /** Of two instruments on one underlying that end at the same time, equal; empty: it never ends. */
  readonly expiry: string;
  readonly remainingMs: bigint;
  /** 1e-18; strike and volatility of options, 0 for others. */
  readonly strike: bigint;
  readonly forward: bigint;
  readonly volatility: bigint;
  /** Price per unit, 1e-18, when the price of the underlying moves by `movePpm` and volatility is `volatility`. */
  price(movePpm: bigint, volatility: bigint): bigint;
  /** Quanta of a lot at a price: price × units / scale. */
  readonly units: bigint;
  readonly scale: bigint;
  /** Expected funding of an hour as a share of the notional, ppm, paid by longs. */
  readonly fundingPpmPerHour: bigint;
}

/** One instrument under one model at one time, per lot; quanta. */
export interface RiskArray {
  readonly underlying: UnderlyingRisk;
  readonly kind: RiskInstrument["kind"];
  /** Underlying and expiry: what nets before a skew or a discount is applied. */
  readonly group: string;
  /** Options: underlying, expiry and strike. */
  readonly strike: string;
  /**
   * Profit of a long lot in each scenario, unweighted, then for the forward up and down. Two of them where values are discounted: one
   * as for a long, one as for a short expiry, the worse of whose sums counts.
   */
  readonly changes: readonly (readonly number[])[];
  /** The largest absolute value of all entries and of the three numbers below, which are safe integers as well. */
  readonly largest: bigint;
  /** Value of one lot of the underlying. */
  readonly notional: number;
  /** Profit per lot if the price moved by 100 % along its present slope. */
  readonly delta: number;
  /** Funding that a long lot is expected to pay over the model's hours. */
  readonly funding: number;
  readonly yearsLeftPpm: bigint;
}

/** Factors on the shocked value of an expiry, 1e-18: one when nothing is discounted. */
function discounts(model: PortfolioModel, remainingMs: bigint): readonly bigint[] {
  const rule = model.valueDiscount;
  if (rule === undefined) return [WAD];
  const grown = (rate: bigint): bigint =>
    expWad(divNearest(rate * WAD_PER_PPM * remainingMs, YEAR_MS));
  return [
    divNearest(
      rule.longPpm * expWad(-divNearest(rule.longRatePpm * WAD_PER_PPM * remainingMs, YEAR_MS)),
      PPM,
    ),
    divNearest(rule.shortPpm * grown(rule.shortRatePpm), PPM),
  ];
}

/** Null: a lot is so large that its changes are no safe integers; such an instrument cannot be held under a model. */
export function riskArray(
  underlying: UnderlyingRisk,
  instrument: RiskInstrument,
): RiskArray | null {
  const { model, movesPpm, state } = underlying;
  const { kind, expiry, units, scale, remainingMs, volatility } = instrument;
  const isOption = kind === "option";
  const now = instrument.price(0n, volatility);
  const quanta = (price: bigint): bigint => divHalfEven(price * units, scale);
  const volatilities = isOption ? shockedVolatilities(model, instrument) : null;
  const prices = movesPpm.map((move, i) => instrument.price(move, volatilities?.[i] ?? volatility));
  const { upPpm, downPpm } = model.addOns?.basis ?? { upPpm: 0n, downPpm: 0n };
  for (const move of [upPpm, -downPpm]) {
    prices.push(expiry === "" || move === 0n ? now : instrument.price(move, volatility));
  }
  const factors = isOption ? discounts(model, remainingMs) : [WAD];
  let largest = 0n;
  const changes = factors.map((factor) =>
    prices.map((price, i) => {
      // A forward that moves alone is no scenario: its value is not discounted.
      const discounted = factor !== WAD && i < movesPpm.length;
      const shocked = discounted ? divNearest(price * factor, WAD) : price;
      const change = quanta(shocked - now);
      largest = maximum(largest, absolute(change));
      return Number(change);
    }),
  );
  const slope =
    instrument.price(DELTA_MOVE_PPM, volatility) - instrument.price(-DELTA_MOVE_PPM, volatility);
  const notional = quanta(state.price);
  const group = `${state.name}/${expiry}`;
  const hours = BigInt(model.addOns?.fundingHours ?? 0);
  const delta = quanta(divHalfEven(slope * PPM, 2n * DELTA_MOVE_PPM));
  const funding = divHalfEven(notional * instrument.fundingPpmPerHour * hours, PPM);
  for (const value of [notional, absolute(delta), absolute(funding)]) {
    largest = maximum(largest, value);
  }
  if (largest > SAFE_MAX) return null;
  return {
    underlying,
    kind,
    group,
    strike: isOption ? `${group}/${instrument.strike}` : "",
    changes,
    largest,
    notional: Number(notional),
    delta: Number(delta),
    funding: Number(funding),
    yearsLeftPpm: mulDivUp(remainingMs, PPM, YEAR_MS),
  };
}
