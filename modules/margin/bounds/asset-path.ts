/** What a unit of a collateral asset counts for maintenance: price × share that counts, exact. Of what an account has of it, at most one quantum is rounded away. */
import type { AssetView } from "../collateral-assets/valuation.ts";
import type { Path, SidePath } from "./side-path.ts";

export class AssetPath implements Path {
  readonly side: SidePath;
  readonly sides: readonly SidePath[];
  #counted: bigint | null = null;
  /** Null: it was no collateral yet. */
  #decimals: number | null = null;

  constructor(side: SidePath) {
    this.side = side;
    this.sides = [side];
  }

  /** True: how it stands is no longer known. What is no collateral any more counts nothing. */
  advance(view: AssetView | null): boolean {
    const counted = view === null ? 0n : view.price * view.maintenancePpm;
    const decimals = view === null ? this.#decimals : view.terms.decimals;
    const last = this.#counted;
    this.#counted = counted;
    if (last !== null && decimals === this.#decimals) {
      if (last === counted || this.side.move(counted - last)) return false;
    }
    this.#decimals = decimals;
    this.side.reset(view?.price ?? 0n);
    return true;
  }
}
