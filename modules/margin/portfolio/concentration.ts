/**
 * What it costs that a position is large beside what is traded. Closing N at a share of the daily volume takes t; over a linear unwinding the
 * variance is that of a third of it, so losses grow with √(t / (3 × horizon)). And selling moves the price by about daily volatility ×
 * √(N / volume), the square-root law.
 */
import { WAD, YEAR_SECONDS } from "../../kit/math/fixed-point.ts";
import { divCeil, maximum, PPM } from "../../kit/math/mul-div.ts";
import { integerSqrt, sqrtWad } from "../../kit/math/square-root.ts";
import { parseMoney } from "../../kit/money.ts";
import type { UnderlyingRisk } from "./risk-array.ts";

const DAY_MS = 86_400_000n;
const DAYS_PER_YEAR = YEAR_SECONDS / 86_400n;

function rootCeil(n: bigint): bigint {
  const root = integerSqrt(n);
  return root * root === n ? root : root + 1n;
}

/** Null: nothing is charged. */
function ruleAndVolume({ model, rule }: UnderlyingRisk) {
  const charged = model.addOns?.concentration;
  const volume = parseMoney(rule.dailyVolume || "0") ?? 0n;
  return charged === undefined || volume === 0n ? null : { charged, volume };
}

/** Share of the scenario loss that taking long to close `size` costs, ppm, rounded up. */
export function slowedPpm(underlying: UnderlyingRisk, size: bigint): bigint {
  const found = ruleAndVolume(underlying);
  if (found === null || size === 0n) return 0n;
  const { charged, volume } = found;
  // factor² = t / (3 × horizon), t = size / (share × volume per day), in PPM².
  const squared = divCeil(
    size * PPM * DAY_MS * PPM * PPM,
    charged.volumeSharePpm * volume * 3n * charged.horizonMs,
  );
  return maximum(rootCeil(squared) - PPM, 0n);
}

/** What selling `ownSize` loses by moving the price, quanta, rounded up; volatility annual, 1e-18. */
export function impactQuanta(
  underlying: UnderlyingRisk,
  volatility: bigint,
  ownSize: bigint,
  size: bigint,
): bigint {
  const found = ruleAndVolume(underlying);
  if (found === null || size === 0n) return 0n;
  const { charged, volume } = found;
  const daily = divCeil(volatility * PPM, sqrtWad(DAYS_PER_YEAR * WAD));
  const share = rootCeil(divCeil(size * PPM * PPM, volume));
  return divCeil(ownSize * charged.impactPpm * daily * share, PPM * PPM * PPM);
}

/**
 * Quanta, rounded up; 0 without a rule or a known volume. `loss` is the underlying's scenario loss of this account, `size` the gross delta of
 * all accounts of its owner, `ownSize` of this one.
 */
export function concentrationCharge(
  underlying: UnderlyingRisk,
  loss: bigint,
  ownSize: bigint,
  size: bigint,
): bigint {
  const slower = divCeil(loss * slowedPpm(underlying, size), PPM);
  const impact = impactQuanta(underlying, underlying.state.volatility, ownSize, size);
  return maximum(slower, maximum(impact - loss, 0n));
}
