/**
 * From a model's shares to the shocks of one underlying and one instrument: how far its price goes, what its volatility becomes, how much
 * of the result counts. Ranges and moves round away from zero; volatilities to the nearest unit.
 */
import type {
  PortfolioModel,
  Scenario,
  SkewShock,
  UnderlyingRule,
  VolatilityShock,
} from "@keel/proto/gen/keel/margin/v1/portfolio";
import { SkewMove, VolatilityMove } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { expWad } from "../../kit/math/exp.ts";
import { divNearest, WAD, YEAR_SECONDS } from "../../kit/math/fixed-point.ts";
import { lnWad } from "../../kit/math/log.ts";
import {
  absolute,
  clamp,
  divCeil,
  divFloor,
  maximum,
  minimum,
  mulDivDown,
  mulDivUp,
  PPM,
} from "../../kit/math/mul-div.ts";
import { sqrtWad } from "../../kit/math/square-root.ts";
import { MOVE_MIN } from "./model.ts";

const YEAR_MS = YEAR_SECONDS * 1000n;
const THIRTY_DAYS_MS = 30n * 86_400_000n;
/** From ppm to 1e-18. */
export const WAD_PER_PPM: bigint = WAD / PPM;

/** R = multiplier × σ × √(horizon / year), rounded up, within the rule's bounds; `volatility` annual, 1e-18. */
export function priceRangePpm(rule: UnderlyingRule, volatility: bigint): bigint {
  if (rule.rangeMultiplierPpm === 0n) return rule.rangeMinimumPpm;
  const root = sqrtWad(divCeil(rule.rangeHorizonMs * WAD, YEAR_MS)) + 1n;
  const range = divCeil(rule.rangeMultiplierPpm * volatility * root, WAD * WAD);
  return clamp(range, rule.rangeMinimumPpm, rule.rangeMaximumPpm);
}

/** Change of the price, ppm, away from zero, but never down to nothing. */
export function moveOf(scenario: Scenario, rangePpm: bigint): bigint {
  if (scenario.rangePpm === 0n) return scenario.movePpm;
  const size = mulDivUp(absolute(scenario.rangePpm), rangePpm, PPM);
  return scenario.rangePpm < 0n ? maximum(-size, MOVE_MIN) : size;
}

/** Share of profit and loss that counts, ppm; range / |move| rounds down, so that no straight position is bound by it. */
export function weightOf(scenario: Scenario, rangePpm: bigint): bigint {
  if (scenario.weightPpm !== 0n) return scenario.weightPpm;
  const move = absolute(moveOf(scenario, rangePpm));
  return move <= rangePpm ? PPM : mulDivDown(rangePpm, PPM, move);
}

/** g = (30 days / time left)^power, 1e-18. */
function timeFactor(shock: VolatilityShock, remainingMs: bigint): bigint {
  const left = maximum(remainingMs, shock.timeFloorMs);
  const power = left <= THIRTY_DAYS_MS ? shock.shortPowerPpm : shock.longPowerPpm;
  if (power === 0n) return WAD;
  const logarithm = lnWad(divNearest(THIRTY_DAYS_MS * WAD, left));
  return expWad(divNearest(logarithm * power, PPM));
}

/** What a skew multiplies the volatility of this strike by, 1e-18. */
function skewMultiple(shock: SkewShock, kind: SkewMove, option: OptionState): bigint {
  const { strike, forward, remainingMs } = option;
  const root = sqrtWad(divFloor(maximum(remainingMs, 60_000n) * WAD, YEAR_MS));
  const ratio = clamp(divNearest(strike * WAD, forward), WAD / PPM, PPM * WAD);
  const standing = lnWad(ratio);
  const k = kind === SkewMove.SKEW_MOVE_SMILE ? absolute(standing) : standing;
  const cap = maximum(
    shock.capPpm * WAD_PER_PPM + divNearest(shock.capPerRootYearPpm * root, PPM),
    0n,
  );
  const spread =
    shock.widthVolatilityPpm + divNearest(shock.widthVolatilityPerRootYearPpm * root, WAD);
  const width = maximum(
    shock.widthMinimumPpm * WAD_PER_PPM,
    divNearest(root * shock.widthMultiplePpm * spread, PPM * PPM),
  );
  return maximum(WAD + clamp(divNearest(k * cap, width), -cap, cap), 0n);
}

/** What a shocked volatility depends on; prices and volatility 1e-18. */
export interface OptionState {
  readonly strike: bigint;
  readonly forward: bigint;
  readonly volatility: bigint;
  readonly remainingMs: bigint;
}

/** The volatility an option is priced at in each scenario, 1e-18, before the formulas' own bounds. */
export function shockedVolatilities(model: PortfolioModel, option: OptionState): bigint[] {
  const { volatilityShock, skewShock } = model;
  const { volatility, remainingMs } = option;
  const factor = volatilityShock === undefined ? WAD : timeFactor(volatilityShock, remainingMs);
  const change = (ppm: bigint): bigint => divNearest(volatility * ppm * factor, PPM * WAD);
  const up =
    volatilityShock === undefined
      ? volatility
      : maximum(
          volatilityShock.upMinimumPpm * WAD_PER_PPM,
          volatility + change(volatilityShock.upPpm),
        );
  const down =
    volatilityShock === undefined
      ? volatility
      : volatility - minimum(change(volatilityShock.downPpm), volatility);
  return model.scenarios.map((scenario) => {
    if (scenario.skew !== SkewMove.SKEW_MOVE_NONE && skewShock !== undefined) {
      return divNearest(volatility * skewMultiple(skewShock, scenario.skew, option), WAD);
    }
    if (scenario.volatility === VolatilityMove.VOLATILITY_MOVE_UP) return up;
    return scenario.volatility === VolatilityMove.VOLATILITY_MOVE_DOWN ? down : volatility;
  });
}

/** "price -8 %, volatility up": how a scenario is named in tables and refusals. */
export function scenarioText(scenario: Scenario, movePpm: bigint): string {
  if (scenario.skew === SkewMove.SKEW_MOVE_TILT) return "skew tilted";
  if (scenario.skew === SkewMove.SKEW_MOVE_SMILE) return "smile steeper";
  const hundredths = divNearest(absolute(movePpm), 100n);
  const whole = divFloor(hundredths, 100n);
  const rest = (hundredths - whole * 100n).toString().padStart(2, "0").replace(/0+$/, "");
  const sign = movePpm < 0n ? "-" : movePpm > 0n ? "+" : "";
  const price = `price ${sign}${whole}${rest === "" ? "" : `.${rest}`} %`;
  const way = ["same", "up", "down"][scenario.volatility] ?? "same";
  return `${price}, volatility ${way}`;
}
