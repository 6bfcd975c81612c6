/** Gas is consensus data: it depends on keys, encoded sizes and operations only, never on caches. */

export const GAS = {
  hasFlat: 1000n,
  deleteFlat: 1000n,
  readFlat: 1000n,
  readPerByte: 3n,
  writeFlat: 2000n,
  writePerByte: 30n,
  iterNextFlat: 30n,
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
  /** Adds to `used`, then throws OutOfGasError when the limit is passed. */
  consume(amount: bigint, location: string): void;
}

export function limitedGas(limit: bigint): GasMeter {
  let used = 0n;
  return {
    limit,
    get used() {
      return used;
    },
    consume(amount, location) {
      used += amount;
      if (used > limit) throw new OutOfGasError(location);
    },
  };
}

const UNLIMITED = (1n << 64n) - 1n;

/** Counts without a bound: block hooks, queries, simulation. */
export function unlimitedGas(): GasMeter {
  let used = 0n;
  return {
    limit: UNLIMITED,
    get used() {
      return used;
    },
    consume(amount) {
      used += amount;
    },
  };
}
