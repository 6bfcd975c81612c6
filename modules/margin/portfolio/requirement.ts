/** The requirement of a portfolio: worst scenario × factor, then what is charged besides. Pure: risk arrays and lots in, figures out. */
import type { PortfolioModel, Rates } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { divCeil, maximum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import { accumulate, fitsNumbers, largerSide, type RiskPosition } from "./accumulate.ts";
import { concentrationCharge } from "./concentration.ts";
import { NO_RATES } from "./model.ts";
import type { UnderlyingRisk } from "./risk-array.ts";
import { type Scan, scan } from "./scan.ts";
import { totalsOf, type UnderlyingTotals } from "./totals.ts";

/** Quanta. */
export interface Charge {
  readonly initial: bigint;
  readonly maintenance: bigint;
}

export interface NamedCharge extends Charge {
  readonly name: string;
}

export interface PortfolioRequirement extends Charge {
  readonly scan: Scan;
  /** Worst scenario × factors. */
  readonly scenarios: Charge;
  /** What is charged besides; none of them is zero. */
  readonly addOns: readonly NamedCharge[];
}

export interface RequirementInputs {
  readonly model: PortfolioModel;
  readonly positions: readonly RiskPosition[];
  /** From `collateral.ts`; 0 where collateral is the settlement asset alone. */
  readonly haircut: Charge;
  /** How far the stable asset is below its threshold, ppm. */
  readonly depegPpm: bigint;
  /** Gross delta that other accounts of the same owner hold in an underlying: concentration is the owner's. */
  readonly elsewhere: (underlying: string) => bigint;
}

const FREE: Charge = { initial: 0n, maintenance: 0n };

/** Rounded up. */
function share(of: bigint, rates: Rates | undefined): Charge {
  const { initialPpm, maintenancePpm } = rates ?? NO_RATES;
  if (of === 0n) return FREE;
  return { initial: mulDivUp(of, initialPpm, PPM), maintenance: mulDivUp(of, maintenancePpm, PPM) };
}

function plus(a: Charge, b: Charge): Charge {
  return { initial: a.initial + b.initial, maintenance: a.maintenance + b.maintenance };
}

function both(quanta: bigint): Charge {
  return { initial: quanta, maintenance: quanta };
}

/** What a floor adds to what is charged already. */
function above(floor: Charge, charged: Charge): Charge {
  return {
    initial: maximum(floor.initial - charged.initial, 0n),
    maintenance: maximum(floor.maintenance - charged.maintenance, 0n),
  };
}

/** Hedged delta is (gross − |net|) / 2. */
function deltaShare(totals: UnderlyingTotals, net: Rates, hedged: Rates): Charge {
  const { grossDelta, netDelta } = totals;
  const twice = (rate: keyof Rates): bigint =>
    divCeil(2n * netDelta * net[rate] + (grossDelta - netDelta) * hedged[rate], 2n * PPM);
  return { initial: twice("initialPpm"), maintenance: twice("maintenancePpm") };
}

export function portfolioRequirement(inputs: RequirementInputs): PortfolioRequirement {
  const { model, positions } = inputs;
  const numbers = fitsNumbers(positions);
  const found = scan(accumulate(positions, numbers));
  const totals = totalsOf(positions, numbers);
  const initialFactor =
    model.initialFactorPpm + mulDivUp(inputs.depegPpm, model.depeg?.initialFactorPpm ?? 0n, PPM);
  const factored = (quanta: bigint): Charge => ({
    initial: mulDivUp(quanta, initialFactor, PPM),
    maintenance: mulDivUp(quanta, model.maintenanceFactorPpm, PPM),
  });
  const scenarios = factored(found.loss);
  const { addOns } = model;
  const sum = (of: (one: UnderlyingTotals) => Charge): Charge =>
    totals.reduce((total, one) => plus(total, of(one)), FREE);

  const listed: NamedCharge[] = [];
  let charged = scenarios;
  const charge = (name: string, one: Charge): void => {
    if (one.initial === 0n && one.maintenance === 0n) return;
    listed.push({ name, ...one });
    charged = plus(charged, one);
  };
  // Floors first: they stand against the scenario part alone.
  if (addOns?.basis?.floor === true) {
    charge("basis between expiries", above(factored(found.basisLoss), charged));
  }
  const shorts = sum((one) => share(one.shortOptions, addOns?.shortOptions?.rates));
  if (addOns?.shortOptions?.floor === true) charge("short options", above(shorts, charged));
  const { net = NO_RATES, hedged = NO_RATES, floor: isFloor } = addOns?.deltaMinimum ?? {};
  const deltas = sum((one) => deltaShare(one, net, hedged));
  if (isFloor === true) charge("delta minimum", above(deltas, charged));

  charge(
    "linear notional",
    sum((one) => share(one.linearNotional, addOns?.linear)),
  );
  if (addOns?.shortOptions?.floor !== true) charge("short options", shorts);
  if (isFloor !== true) charge("delta minimum", deltas);
  if (addOns?.basis?.floor !== true) charge("basis between expiries", both(found.basisLoss));
  charge("concentration", factored(concentration(inputs, found, totals)));
  const { linearPpm = 0n, optionPpm = 0n } = addOns?.liquidity ?? {};
  const spread = totals.reduce(
    (total, one) => total + one.linearNotional * linearPpm + one.optionNotional * optionPpm,
    0n,
  );
  charge("liquidity", both(divCeil(spread, PPM)));
  charge("funding", both(totals.reduce((total, one) => total + one.funding, 0n)));
  charge("oracle width", sum(widthCharge));
  charge("collateral haircut", inputs.haircut);
  // Entries of risk arrays are to the nearest quantum of a lot: half of one, per lot, may be missing.
  const lots = positions.reduce((total, one) => total + largerSide(one), 0n);
  charge("rounding", both(divCeil(lots, 2n)));
  return { ...charged, scan: found, scenarios, addOns: listed };
}

function concentration(
  { elsewhere }: RequirementInputs,
  found: Scan,
  totals: readonly UnderlyingTotals[],
): bigint {
  let charge = 0n;
  // Both lists are in the order in which underlyings first appear.
  totals.forEach(({ underlying, grossDelta }, i) => {
    const loss = found.underlyings[i]?.loss ?? 0n;
    const size = grossDelta + elsewhere(underlying.state.name);
    charge += concentrationCharge(underlying, loss, grossDelta, size);
  });
  return charge;
}

/** Part of the oracle's width that is charged, ppm. */
export function chargedWidthPpm({ model, state }: UnderlyingRisk): bigint {
  const rule = model.addOns?.oracleWidth;
  const width = state.oracleWidthPpm;
  if (rule === undefined || width <= rule.thresholdPpm) return 0n;
  return rule.wholeWidth ? width : width - rule.thresholdPpm;
}

function widthCharge({ underlying, linearNotional, optionNotional }: UnderlyingTotals): Charge {
  const widthPpm = chargedWidthPpm(underlying);
  if (widthPpm === 0n) return FREE;
  const moved = mulDivUp(linearNotional + optionNotional, widthPpm, PPM);
  return share(moved, underlying.model.addOns?.oracleWidth?.factor);
}
