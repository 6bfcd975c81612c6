/** Non-negative decimals of any length, compared exactly: amounts exceed what a double holds. */

/** More digits than any amount has; longer ones are not numbers to us, so that a hostile attribute costs nothing. */
const digitsMax = 120;

export class Decimal {
  readonly #digits: bigint;
  readonly #places: number;

  constructor(digits: bigint, places: number) {
    this.#digits = digits;
    this.#places = places;
  }

  /** Negative, zero or positive as this is below, equal to or above `other`. */
  compare(other: Decimal): number {
    const places = Math.max(this.#places, other.#places);
    const left = this.#scaled(places);
    const right = other.#scaled(places);
    return left < right ? -1 : left > right ? 1 : 0;
  }

  /** Largest whole number not above it. */
  floor(): bigint {
    return this.#digits / 10n ** BigInt(this.#places);
  }

  #scaled(places: number): bigint {
    return this.#digits * 10n ** BigInt(places - this.#places);
  }
}

/** `12`, `12.` or `12.50`, already matched. */
export function parseDecimal(text: string): Decimal {
  const [whole = "", fraction = ""] = text.split(".");
  return new Decimal(BigInt(whole + fraction), fraction.length);
}

const leading = /^\d+(?:\.\d+)?/;

/** The number a text begins with, or null. */
export function leadingDecimal(text: string): Decimal | null {
  const number = leading.exec(text.slice(0, digitsMax + 1))?.[0];
  return number === undefined || number.length > digitsMax ? null : parseDecimal(number);
}
