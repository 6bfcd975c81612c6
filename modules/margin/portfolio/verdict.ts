/** A requirement beside the equity: enough or not, and in words. */
import type { PortfolioModel, Scenario } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { formatDecimal } from "../../kit/math/decimal.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import type { PortfolioRequirement } from "./requirement.ts";
import type { Scan } from "./scan.ts";
import { scenarioText } from "./shocks.ts";

const MONEY_PLACES = 6;

export function money(quanta: bigint): string {
  return formatDecimal(quanta, MONEY_PLACES);
}

/** Of what the scenario does to each underlying: the same where their ranges are. Moves of different size are named by their share of range. */
export function bindingText(model: PortfolioModel, { underlyings, binding }: Scan): string {
  const scenario: Scenario | undefined = model.scenarios[binding];
  if (scenario === undefined || underlyings.length === 0) return "no scenario";
  return underlyings
    .map(({ underlying }) => {
      const { state, movesPpm } = underlying;
      return `${state.name} ${scenarioText(scenario, movesPpm[binding] ?? 0n)}`;
    })
    .join("; ");
}

export interface Verdict {
  readonly equity: bigint;
  /** What is missing of the initial and of the maintenance requirement, at least 0. */
  readonly shortfall: { readonly initial: bigint; readonly maintenance: bigint };
}

export function verdictOf(requirement: PortfolioRequirement, equity: bigint): Verdict {
  return {
    equity,
    shortfall: {
      initial: maximum(requirement.initial - equity, 0n),
      maintenance: maximum(requirement.maintenance - equity, 0n),
    },
  };
}

/** Says which scenario binds, what is required, what is there and what is missing; money in units. */
export function refusalText(
  model: PortfolioModel,
  requirement: PortfolioRequirement,
  equity: bigint,
  needed: bigint = requirement.initial,
): string {
  const { loss } = requirement.scan;
  return (
    `expected equity of at least ${money(needed)} (requirement), got ${money(equity)}: short of ` +
    `${money(maximum(needed - equity, 0n))}; worst scenario of model ${model.name}: ` +
    `${bindingText(model, requirement.scan)}, loss ${money(loss)}`
  );
}
