/**
 * What it costs that a position is large beside what is traded. Closing N at a share of the daily volume takes t; over a linear unwinding the
 * variance is that of a third of it, so losses grow with √(t / (3 × horizon)). And selling moves the price by about daily volatility ×
 * √(N / volume), the square-root law.
 */
import { WAD, YEAR_SECONDS } from "../../kit/math/fixed-point.ts";
import { divCeil, maximum, PPM } from "../../kit/math/mul-div.ts";
import { integerSqrt, sqrtWad } from "../../kit/math/square-root.ts";
import { parseMoney } from "../money.ts";
import type { UnderlyingRisk } from "./risk-array.ts";

const DAY_MS = 86_400_000n;
const DAYS_PER_YEAR = YEAR_SECONDS / 86_400n;

function rootCeil(n: bigint): bigint {
  const root = integerSqrt(n);
  return root * root === n ? root : root + 1n;
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
  const rule = underlying.model.addOns?.concentration;
  const volume = parseMoney(underlying.rule.dailyVolume || "0") ?? 0n;
  if (rule === undefined || volume === 0n || size === 0n) return 0n;
  // factor² = t / (3 × horizon), t = size / (share × volume per day), in PPM².
  const squared = divCeil(
    size * PPM * DAY_MS * PPM * PPM,
    rule.volumeSharePpm * volume * 3n * rule.horizonMs,
  );
  const slower = divCeil(loss * maximum(rootCeil(squared) - PPM, 0n), PPM);
  const daily = divCeil(underlying.state.volatility * PPM, sqrtWad(DAYS_PER_YEAR * WAD));
  const share = rootCeil(divCeil(size * PPM * PPM, volume));
  const impact = divCeil(ownSize * rule.impactPpm * daily * share, PPM * PPM * PPM);
  return maximum(slower, maximum(impact - loss, 0n));
}
