/** What an account waits on, and what of its slack goes to each: in proportion to the value that may move. One is enough for all accounts, one after another. */

import { WAD } from "../../kit/math/fixed-point.ts";
import { divCeil, divFloor, PPM } from "../../kit/math/mul-div.ts";
import type { SidePath } from "./side-path.ts";
import { NEVER } from "./thresholds.ts";

export class Shares {
  readonly #sides: SidePath[] = [];
  /** Quanta per lot; null: it waits for no level. */
  readonly #weights: (bigint | null)[] = [];
  #gross = 0n;
  #spareMillionths = 0n;
  #never = false;

  /** Null slack: no threshold can be passed. */
  begin(slack: bigint | null): void {
    this.#sides.length = 0;
    this.#weights.length = 0;
    this.#gross = 0n;
    this.#spareMillionths = (slack ?? 0n) * PPM;
    this.#never = slack === null;
  }

  /** What rounding may take is there. */
  get bound(): boolean {
    return this.#never || this.#spareMillionths >= 0n;
  }

  get count(): number {
    return this.#sides.length;
  }

  side(index: number): SidePath {
    return this.#sides[index] as SidePath;
  }

  /** `lots` without sign. */
  lots(side: SidePath, lots: bigint, weight: bigint): void {
    this.#sides.push(side);
    this.#weights.push(weight);
    this.#gross += lots * weight;
  }

  /** Units of an asset at this price for a whole one, 1e-18. */
  units(side: SidePath, units: bigint, price: bigint, decimals: number): void {
    this.#sides.push(side);
    this.#weights.push(price);
    // Per unit the level counts price × share, so the price stands where lots have their value.
    this.#gross += divCeil(units * price * PPM, 10n ** BigInt(decimals) * WAD);
  }

  /** Heard of only when nothing is known any more. */
  only(side: SidePath): void {
    this.#sides.push(side);
    this.#weights.push(null);
  }

  /** Quanta that rounding may take. */
  keepBack(quanta: bigint): void {
    this.#spareMillionths -= quanta * PPM;
  }

  /** Rounded up. */
  threshold(index: number): number {
    const weight = this.#weights[index] as bigint | null;
    if (this.#never || weight === null) return NEVER;
    const gross = this.#gross;
    const allowed = gross === 0n ? 0n : divFloor(this.#spareMillionths * weight, gross);
    return this.side(index).thresholdFor(allowed);
  }
}
