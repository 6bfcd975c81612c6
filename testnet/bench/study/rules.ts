/**
 * Rules that say each evening what margin to hold for the next day, as a share of the price. The separate ones are written here in floating point, as
 * textbooks have them; the combined one is the rule of the chain, in its own integers, on a grid of days instead of minutes.
 */
import { WAD } from "@keel/modules/kit/math/fixed-point";
import { divCeil, divFloor, maximum, minimum, PPM } from "@keel/modules/kit/math/mul-div";
import {
  approach,
  logReturn,
  rangeInForce,
  rangeOf,
  smoothing,
  varianceOf,
  weigh,
} from "@keel/modules/margin/volatility/estimators";
import { defaultDynamicMargin } from "@keel/modules/margin/volatility/terms";

export interface Rule {
  readonly name: string;
  /** For the next day; null before it can say anything. */
  margin(): number | null;
  learn(before: number, now: number): void;
}

/** Days of the rolling floor. */
const FLOOR_DAYS = 1460;
const DAY_MS = 86_400_000n;
/** A close as an integer. */
const PRICE_SCALE = 1e8;
const DAYS_PER_YEAR = 365n;

/** Exponentially weighted variance of daily log returns, from the first one on. */
class Weighted {
  #variance: number | null = null;
  readonly #keep: number;

  constructor(keep: number) {
    this.#keep = keep;
  }

  get deviation(): number {
    return Math.sqrt(this.#variance ?? 0);
  }

  learn(logarithm: number): void {
    const square = logarithm ** 2;
    this.#variance =
      this.#variance === null ? square : this.#keep * this.#variance + (1 - this.#keep) * square;
  }
}

/** Root mean square of the last returns. */
class Rolling {
  readonly #squares: number[] = [];
  #sum = 0;

  get deviation(): number {
    return Math.sqrt(this.#sum / Math.max(this.#squares.length, 1));
  }

  learn(logarithm: number): void {
    this.#squares.push(logarithm ** 2);
    this.#sum += logarithm ** 2;
    if (this.#squares.length > FLOOR_DAYS) this.#sum -= this.#squares.shift() ?? 0;
  }
}

export interface SeparateRule {
  readonly name: string;
  readonly deviations: number;
  /** What is kept of each estimate a day; the largest estimate counts. */
  readonly keep: readonly number[];
  readonly floor?: boolean;
  /** A quarter on top, as far as it was there over a half-life of 30 days. */
  readonly hold?: boolean;
  /** A quarter of this in the mix. */
  readonly stress?: number;
  /** Largest rise a day. */
  readonly ramp?: number;
}

export function fixedRule(margin: number): Rule {
  return { name: `fixed ${margin * 100} %`, margin: () => margin, learn: () => undefined };
}

export function separateRule(rule: SeparateRule): Rule {
  const estimates = rule.keep.map((keep) => new Weighted(keep));
  const floor = new Rolling();
  const forget = 1 - 2 ** (-1 / 30);
  let measured: number | null = null;
  let held: number | null = null;
  let last: number | null = null;

  return {
    name: rule.name,
    margin() {
      if (measured === null) return null;
      let used = measured;
      if (rule.stress !== undefined) used = 0.75 * used + 0.25 * rule.stress;
      if (rule.floor === true) used = Math.max(used, rule.deviations * floor.deviation);
      if (held !== null) used = Math.max(used, Math.min(1.25 * measured, held));
      if (rule.ramp !== undefined && last !== null) used = Math.min(used, last * (1 + rule.ramp));
      last = used;
      return used;
    },
    learn(before, now) {
      const logarithm = Math.log(now / before);
      for (const estimate of [...estimates, floor]) estimate.learn(logarithm);
      measured = rule.deviations * Math.max(...estimates.map(({ deviation }) => deviation));
      if (rule.hold !== true) return;
      held = held === null ? 1.25 * measured : held + forget * (1.25 * measured - held);
    },
  };
}

/** The rule of the chain with its default terms, and what margin of positions that were there before follows of it. */
export function combinedRule(ramped: boolean, stress?: number): Rule {
  const terms = defaultDynamicMargin(1);
  const { bufferPpm, deviationsPpm, horizonMs: horizon, rampPerDayPpm } = terms;
  const over = { deviationsPpm, horizon, step: DAY_MS };
  const seed = varianceOf(terms.seedVolatility, DAYS_PER_YEAR);
  const estimates = [terms.fastHalfLifeMs, terms.slowHalfLifeMs, terms.floorHalfLifeMs].map(
    (halfLife) => ({ weight: smoothing(DAY_MS, halfLife), variance: seed }),
  );
  const hold = smoothing(DAY_MS, terms.bufferHalfLifeMs);
  const buffered = (measured: bigint): bigint => divCeil(measured * (PPM + bufferPpm), PPM);
  const measuredRange = (): bigint => {
    const [fast, slow] = estimates.map(({ variance }) => variance) as [bigint, bigint];
    return rangeOf(maximum(fast, slow), over);
  };
  let held = buffered(measuredRange());
  let last: bigint | null = null;

  const suffix = stress === undefined ? "" : `, a quarter of ${stress * 100} % stress`;
  return {
    name: ramped ? `combined, maintenance ramped${suffix}` : `combined, initial${suffix}`,
    margin() {
      const measured = measuredRange();
      const { range } = rangeInForce({
        measured,
        buffered: buffered(measured),
        held,
        floor: rangeOf(estimates[2]?.variance ?? 0n, over),
        stress: BigInt(Math.round((stress ?? 0) * 1e6)) * (WAD / PPM),
        stressWeightPpm: stress === undefined ? 0n : 250_000n,
      });
      const most = last === null ? range : divFloor(last * (PPM + rampPerDayPpm), PPM);
      last = ramped ? minimum(most, range) : range;
      return Number(last) / 1e18;
    },
    learn(before, now) {
      const scaled = (price: number): bigint => BigInt(Math.round(price * PRICE_SCALE));
      const logarithm = logReturn(scaled(before), scaled(now));
      for (const estimate of estimates)
        estimate.variance = weigh(estimate.variance, logarithm, estimate.weight);
      held = approach(held, buffered(measuredRange()), hold, 1n);
    },
  };
}
