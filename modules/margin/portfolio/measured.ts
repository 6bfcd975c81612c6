/** What a model takes from measurement in place of its own figures. */
import type { UnderlyingRule } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { VolatilitySource } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { divCeil, divHalfEven, maximum } from "../../kit/math/mul-div.ts";

/** Of an underlying. Null: not measured. */
export interface Measured {
  /** Annual, 1e-18. */
  readonly volatility: bigint | null;
  readonly betaPpm: bigint | null;
  /** How far the settlement asset is below the model's threshold. */
  readonly depegPpm: bigint;
}

export const NOT_MEASURED: Measured = { volatility: null, betaPpm: null, depegPpm: 0n };

/** Steps in which measurements reach a model, so that what is computed from them serves many blocks: half a point of volatility, a hundredth of beta, a ten-thousandth of the peg. */
const VOLATILITY_STEP = 5_000_000_000_000_000n;
const BETA_STEP_PPM = 10_000n;
const DEPEG_STEP_PPM = 100n;

/** The next step up; of beta the nearest. */
export function stepped({ volatility, betaPpm, depegPpm }: Measured): Measured {
  return {
    volatility: volatility === null ? null : divCeil(volatility, VOLATILITY_STEP) * VOLATILITY_STEP,
    betaPpm: betaPpm === null ? null : divHalfEven(betaPpm, BETA_STEP_PPM) * BETA_STEP_PPM,
    depegPpm: divCeil(depegPpm, DEPEG_STEP_PPM) * DEPEG_STEP_PPM,
  };
}

/** The volatility that a range follows. */
export function rangeVolatility(rule: UnderlyingRule, quoted: bigint, found: Measured): bigint {
  const { volatility } = found;
  if (volatility === null) return quoted;
  switch (rule.volatilitySource) {
    case VolatilitySource.VOLATILITY_SOURCE_MEASURED:
      return volatility;
    case VolatilitySource.VOLATILITY_SOURCE_LARGER:
      return maximum(volatility, quoted);
    default:
      return quoted;
  }
}

export function betaOf(rule: UnderlyingRule, { betaPpm }: Measured): bigint {
  return rule.betaMeasured ? (betaPpm ?? rule.betaPpm) : rule.betaPpm;
}
