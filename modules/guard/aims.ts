/** Where controllers aim, and how far they go at once. Pure; each aim comes with its formula in words and numbers. */
import type {
  MarginRule,
  MarketMeasures,
  OpenInterestRule,
  Pace,
} from "@keel/proto/gen/keel/guard/v1/types";
import { type Quantity, quantities } from "../kit/explanation.ts";
import {
  absolute,
  clamp,
  divFloor,
  maximum,
  minimum,
  mulDivDown,
  PPM,
} from "../kit/math/mul-div.ts";

export interface Aim {
  readonly value: bigint;
  /** Where it stands when nothing asks for more. */
  readonly rest: bigint;
  readonly cause: string;
  /** The same as an explanation has it. */
  readonly rule: string;
  readonly inputs: () => Quantity[];
}

const PACED =
  "; one step an interval, none inside the band but to where it rests: at most the largest step from where it stood";

type Measured = Pick<MarketMeasures, "depthPpmLots" | "ownerSharePpm" | "nearSharePpm">;

/** Lots, rounded down. `fund`: what the insurance fund holds, quanta. */
export function capAim(
  rule: OpenInterestRule,
  measured: Pick<Measured, "depthPpmLots">,
  fund: bigint,
): Aim {
  const { depthMultiplePpm, fundTarget, fundWeightPpm, lotsMax, lotsMin } = rule;
  const byDepth = divFloor(measured.depthPpmLots * depthMultiplePpm, PPM * PPM);
  const missingPpm =
    fundWeightPpm === 0n ? 0n : maximum(PPM - mulDivDown(fund, PPM, BigInt(fundTarget)), 0n);
  const sharePpm = PPM - mulDivDown(missingPpm, fundWeightPpm, PPM);
  const value = clamp(mulDivDown(byDepth, sharePpm, PPM), lotsMin, lotsMax);
  const cause =
    `clamp(depth ${measured.depthPpmLots}e-6 lots x ${depthMultiplePpm} ppm x fund ${sharePpm} ppm, ` +
    `${lotsMin}, ${lotsMax})`;
  return {
    value,
    rest: lotsMax,
    cause,
    rule: `aim = depth x multiple x (1 - fund weight x (1 - fund / target)), down, inside the bounds${PACED}`,
    inputs: () => [
      ...quantities("millionths of a lot", { depth: measured.depthPpmLots }),
      ...quantities("ppm", { multiple: depthMultiplePpm, "fund weight": fundWeightPpm }),
      ...quantities("quanta", { fund, target: fundTarget || "0" }),
      ...quantities("lots", { lowest: lotsMin, highest: lotsMax }),
    ],
  };
}

/** ppm of initial margin, rounded down. */
export function raiseAim(rule: MarginRule, measured: Measured): Aim {
  const { depthLots, depthWeightPpm, raiseMaxPpm } = rule;
  const missing = maximum(depthLots * PPM - measured.depthPpmLots, 0n);
  const missingPpm = depthLots === 0n ? 0n : divFloor(missing, depthLots);
  const owner = maximum(measured.ownerSharePpm - rule.ownerFreePpm, 0n);
  const near = maximum(measured.nearSharePpm - rule.nearFreePpm, 0n);
  const sum =
    mulDivDown(missingPpm, depthWeightPpm, PPM) +
    mulDivDown(owner, rule.ownerWeightPpm, PPM) +
    mulDivDown(near, rule.nearWeightPpm, PPM);
  const cause =
    `min(${raiseMaxPpm}, missing depth ${missingPpm} ppm x ${depthWeightPpm} + ` +
    `largest owner ${measured.ownerSharePpm} ppm beyond ${rule.ownerFreePpm} x ${rule.ownerWeightPpm} + ` +
    `near liquidation ${measured.nearSharePpm} ppm beyond ${rule.nearFreePpm} x ${rule.nearWeightPpm})`;
  return {
    value: minimum(sum, raiseMaxPpm),
    rest: 0n,
    cause,
    rule: `aim = smaller of highest and depth weight x missing depth + owner weight x (owner - owner free) + near weight x (near - near free), each at least 0, down${PACED}`,
    inputs: () =>
      quantities("ppm", {
        "missing depth": missingPpm,
        "depth weight": depthWeightPpm,
        owner: measured.ownerSharePpm,
        "owner free": rule.ownerFreePpm,
        "owner weight": rule.ownerWeightPpm,
        near: measured.nearSharePpm,
        "near free": rule.nearFreePpm,
        "near weight": rule.nearWeightPpm,
        highest: raiseMaxPpm,
      }),
  };
}

/**
 * One step from `now` toward the aim, of at most `stepMax`; null inside the band: measurements are noisy, and a bound that moves with every breath is
 * none that anyone can plan with. To where it rests it goes from inside the band too.
 */
export function stepToward(
  now: bigint,
  aim: Pick<Aim, "rest" | "value">,
  pace: { readonly stepMax: bigint; readonly band: bigint },
): bigint | null {
  const distance = absolute(aim.value - now);
  if (distance === 0n || (distance <= pace.band && aim.value !== aim.rest)) return null;
  const step = minimum(distance, maximum(pace.stepMax, 1n));
  return aim.value > now ? now + step : now - step;
}

/** Of a cap: shares of where it stands. */
export function paceOfCap(now: bigint, pace: Pace): { stepMax: bigint; band: bigint } {
  return {
    stepMax: mulDivDown(now, pace.stepMaxPpm, PPM),
    band: mulDivDown(now, pace.bandPpm, PPM),
  };
}
