/**
 * From the range that counts to the multipliers of a market's rates. Initial margin rises at once, in steps large enough to be news; everything else
 * moves with the hourly publication, and maintenance margin, which existing positions must meet, rises no faster than its ramp.
 */
import { expQ } from "../../kit/math/exp.ts";
import { Q_BITS, WAD } from "../../kit/math/fixed-point.ts";
import { lnRatioQ } from "../../kit/math/log.ts";
import { clamp, divCeil, divFloor, maximum, minimum, PPM } from "../../kit/math/mul-div.ts";

/** A rise of initial margin by less than this waits for the hour. */
const RISE_PPM = 10_000n;
const HOURS_PER_DAY = 24n;

export interface Multipliers {
  readonly initialPpm: bigint;
  readonly maintenancePpm: bigint;
}

export const UNITY: Multipliers = { initialPpm: PPM, maintenancePpm: PPM };

/** The multiplier that the range asks for, rounded up, inside its bounds. */
export function targetOf(
  range: bigint,
  terms: { basePpm: bigint; multiplierMaxPpm: bigint },
): bigint {
  return clamp(divCeil(range * PPM * PPM, terms.basePpm * WAD), PPM, terms.multiplierMaxPpm);
}

/** Growth of an hour in ppm whose 24th power is that of a day, rounded down. */
export function hourlyGrowth(rampPerDayPpm: bigint): bigint {
  const growth = expQ(divFloor(lnRatioQ(PPM + rampPerDayPpm, PPM), HOURS_PER_DAY));
  return ((growth * PPM) >> Q_BITS) - PPM;
}

/** Of initial margin: the target with what is expected on top. */
export function initialTarget(
  target: bigint,
  forwardPpm: bigint,
  multiplierMaxPpm: bigint,
): bigint {
  return minimum(divCeil(target * (PPM + forwardPpm), PPM), multiplierMaxPpm);
}

/** Between publications: initial margin rises to its target when that is a step away. The same object: nothing moves. */
export function risen(now: Multipliers, initial: bigint): Multipliers {
  const step = divCeil(now.initialPpm * RISE_PPM, PPM);
  return initial >= now.initialPpm + step ? { ...now, initialPpm: initial } : now;
}

/** The publication of an hour. */
export function published(
  now: Multipliers,
  aims: { readonly target: bigint; readonly initial: bigint; readonly rampPerDayPpm: bigint },
): Multipliers {
  const ramped =
    now.maintenancePpm + divFloor(now.maintenancePpm * hourlyGrowth(aims.rampPerDayPpm), PPM);
  return { initialPpm: aims.initial, maintenancePpm: minimum(aims.target, ramped) };
}

/** How much more initial margin what is expected asks for; 0 without weights. All shares in ppm. */
export function forwardOf(
  inputs: {
    /** Quoted and measured annual volatility; 0: not known. */
    readonly implied: bigint;
    readonly measured: bigint;
    readonly widthPpm: bigint;
  },
  terms: {
    readonly impliedWeightPpm: bigint;
    readonly widthFreePpm: bigint;
    readonly widthWeightPpm: bigint;
    readonly riseMaxPpm: bigint;
    readonly basePpm: bigint;
  },
): bigint {
  const { implied, measured, widthPpm } = inputs;
  const excess = measured === 0n ? 0n : maximum(divFloor((implied - measured) * PPM, measured), 0n);
  const width = maximum(widthPpm - terms.widthFreePpm, 0n);
  const rise =
    divFloor(excess * terms.impliedWeightPpm, PPM) +
    divFloor(width * terms.widthWeightPpm, terms.basePpm);
  return minimum(rise, terms.riseMaxPpm);
}
