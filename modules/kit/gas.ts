/** Gas is consensus data: it depends on keys, encoded sizes and operations only, never on caches. */

import { assert } from "./errors.ts";

export const GAS = {
  hasFlat: 1000,
  deleteFlat: 1000,
  readFlat: 1000,
  readPerByte: 3,
  writeFlat: 2000,
  writePerByte: 30,
  iterNextFlat: 30,
} as const;

/** Thrown past the limit; the router turns it into the SDK's "out of gas" (code 11). */
export class OutOfGasError extends Error {
  readonly location: string;

  constructor(location: string) {
    super(`out of gas in location: ${location}`);
    this.name = "OutOfGasError";
    this.location = location;
  }
}

export interface GasMeter {
  readonly limit: bigint;
  readonly used: bigint;
  /** Adds a whole number ≥ 0 to `used`, then throws OutOfGasError when the limit is passed. */
  consume(amount: number, location: string): void;
}

/** Counted in safe integers: every state access pays, and bigint sums were a tenth of an order's time. */
class Meter implements GasMeter {
  readonly limit: bigint;
  readonly #max: number;
  #used = 0;

  constructor(limit: bigint) {
    this.limit = limit;
    this.#max = limit > MAX_COUNT ? Number.MAX_SAFE_INTEGER : Number(limit);
  }

  get used(): bigint {
    return BigInt(this.#used);
  }

  consume(amount: number, location: string): void {
    const used = this.#used + amount;
    assert(used >= this.#used && used <= Number.MAX_SAFE_INTEGER, "gas is out of range");
    this.#used = used;
    if (used > this.#max) throw new OutOfGasError(location);
  }
}

const MAX_COUNT = BigInt(Number.MAX_SAFE_INTEGER);
const UNLIMITED = (1n << 64n) - 1n;

export function limitedGas(limit: bigint): GasMeter {
  return new Meter(limit);
}

/** Counts without a bound: block hooks, queries, simulation. */
export function unlimitedGas(): GasMeter {
  return new Meter(UNLIMITED);
}
