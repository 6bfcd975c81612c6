/** What a unit of a collateral asset counts: price × share, exact or rounded down. */
import type { AssetView } from "../collateral-assets/valuation.ts";
import type { Path, SidePath } from "./side-path.ts";

/** Price, 1e-18, × share, ppm. */
export type CountedOf = (view: AssetView) => bigint;

export class AssetPath implements Path {
  readonly side: SidePath;
  readonly sides: readonly SidePath[];
  readonly #countedOf: CountedOf;
  #counted: bigint | null = null;
  /** Null: it was no collateral yet. */
  #decimals: number | null = null;

  constructor(counted: CountedOf, side: SidePath) {
    this.#countedOf = counted;
    this.side = side;
    this.sides = [side];
  }

  /** True: how it stands is no longer known. What is no collateral any more counts nothing. */
  advance(view: AssetView | null): boolean {
    const counted = view === null ? 0n : this.#countedOf(view);
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
