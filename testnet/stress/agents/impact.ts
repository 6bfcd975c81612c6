/**
 * What forced flow does to the price of everybody: selling what one percent of the book holds moves it by one percent, of which 60 % stays. The same on the
 * chain, where it is added to what validators report, and on the model.
 */
import { CALM_DEPTH } from "./depth.ts";

export const PERMANENT = 0.6;
const TEMPORARY_HALF_LIFE_MS = 15_000;
/** Log move that one step may add, whatever is sold into nothing. */
const STEP_MAX = 0.1;

export class Impact {
  readonly #permanent: number[] = CALM_DEPTH.map(() => 0);
  readonly #temporary: number[] = CALM_DEPTH.map(() => 0);

  /** `notional` > 0 was bought, < 0 sold; `depth` as a share of calm. Returns the log move. */
  trade(underlying: number, notional: number, depth: number): number {
    const move = (0.01 * notional) / ((CALM_DEPTH[underlying] ?? 1) * depth);
    const bounded = Math.max(-STEP_MAX, Math.min(STEP_MAX, move));
    this.#permanent[underlying] = (this.#permanent[underlying] ?? 0) + PERMANENT * bounded;
    this.#temporary[underlying] = (this.#temporary[underlying] ?? 0) + (1 - PERMANENT) * bounded;
    return bounded;
  }

  pass(ms: number): void {
    const keep = 0.5 ** (ms / TEMPORARY_HALF_LIFE_MS);
    for (let u = 0; u < this.#temporary.length; u++)
      this.#temporary[u] = (this.#temporary[u] ?? 0) * keep;
  }

  /** Factor on the index. */
  factor(underlying: number): number {
    return Math.exp((this.#permanent[underlying] ?? 0) + (this.#temporary[underlying] ?? 0));
  }
}
