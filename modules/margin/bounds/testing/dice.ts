/** Chances from a seed: the same on every machine. */
import { divTrunc } from "../../../kit/math/mul-div.ts";

const RANGE = 2n ** 32n;

export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) | 0 || 1;
  }

  #roll(): bigint {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return BigInt(this.#state >>> 0);
  }

  below(count: number): number {
    return Number(divTrunc(this.#roll() * BigInt(count), RANGE));
  }

  /** From `low`, below `high`; at `low` where there is nothing between. */
  between(low: bigint, high: bigint): bigint {
    return low + divTrunc(this.#roll() * (high - low), RANGE);
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}

/** A price goes somewhere: mostly a little, sometimes far. */
export function moved(dice: Dice, value: bigint): bigint {
  const width = dice.oneIn(12) ? 400_000n : dice.oneIn(3) ? 20_000n : 1_000n;
  const next = value + divTrunc(value * dice.between(-width, width + 1n), 1_000_000n);
  return next < 1n ? 1n : next;
}
