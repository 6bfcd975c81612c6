/**
 * How many hold what, so that the first look makes each array once, at its length. Arrays that grow by copying leave several times their size behind,
 * and memory outside the heap makes the engine walk all of the heap, each time.
 */
import type { Account } from "../account-codec.ts";
import type { MarketId } from "../ports.ts";
import type { Holders } from "./market-path.ts";

export class Census {
  accounts = 0;
  positions = 0;
  readonly #sides: Map<MarketId, { long: number; short: number }> = new Map();

  count({ positions }: Account): void {
    const before = this.positions;
    for (const { market, lots } of positions) {
      if (lots === 0n) continue;
      this.positions += 1;
      let side = this.#sides.get(market);
      if (side === undefined) {
        side = { long: 0, short: 0 };
        this.#sides.set(market, side);
      }
      side[lots < 0n ? "short" : "long"] += 1;
    }
    if (this.positions > before) this.accounts += 1;
  }

  /** Once for each market: who comes to it later has not been counted. */
  take(market: MarketId): Holders | undefined {
    const side = this.#sides.get(market);
    this.#sides.delete(market);
    return side;
  }
}
