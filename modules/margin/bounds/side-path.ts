/** One level that falls as what waits for it may lose, and who waits for how much of that. */
import { divFloor, maximum, PPM } from "../../kit/math/mul-div.ts";
import { Thresholds } from "./thresholds.ts";

/** Half of what an Int32 holds: levels stay inside, so a threshold clamped to it is never passed unseen. */
const LEVEL_MAX = 2n ** 30n;
/** Steps of a level in the reference value: 0.5 millionths of the price, and room for it to grow five hundredfold. */
const STEP_BITS = 21n;

export class SidePath {
  /** Among all that are kept. */
  readonly number: number;
  readonly thresholds: Thresholds;
  /** quanta × 1,000,000 per step. */
  #unit = 1n;
  #exact = 0n;
  #steps = 0;

  constructor(number: number, expected: number) {
    this.number = number;
    this.thresholds = new Thresholds(expected);
  }

  /** In whole steps, rounded down. */
  get level(): number {
    return this.#steps;
  }

  /** Begins anew; thresholds set before have no meaning any more. */
  reset(referenceQuanta: bigint): void {
    this.#unit = maximum((referenceQuanta * PPM) >> STEP_BITS, 1n);
    this.#exact = 0n;
    this.#steps = 0;
  }

  /** False: out of range, and nothing can be said any more. */
  move(gain: bigint): boolean {
    this.#exact += gain;
    const steps = divFloor(this.#exact, this.#unit);
    if (steps >= LEVEL_MAX || steps <= -LEVEL_MAX) return false;
    this.#steps = Number(steps);
    return true;
  }

  /** The threshold of a holder that can bear a loss of `allowed` quanta × 1,000,000 per lot from here; rounded up. */
  thresholdFor(allowed: bigint): number {
    const steps = -divFloor(allowed - this.#exact, this.#unit);
    return Number(steps < -LEVEL_MAX ? -LEVEL_MAX : steps);
  }
}

/** What moves levels: a market as plain positions have it, as portfolios do, or an asset. */
export interface Path {
  readonly sides: readonly SidePath[];
}

export function holdersOf({ sides }: Path): number {
  return sides.reduce((sum, { thresholds }) => sum + thresholds.size, 0);
}
