/**
 * What makers leave in the book: with a minute's move in units of a calm one they withdraw exponentially, down to a fiftieth, and come back with a half-life
 * of ten minutes. Spreads widen as depth shrinks.
 */
import { CALM_MINUTE } from "../tape/path.ts";
import { MINUTE_MS } from "../tape/tape.ts";

/** Accounts for which the figures here and in `population.ts` and `impact.ts` hold; with fewer everything is smaller in proportion. */
export const FULL_SIZE = 2_000;
/** Settlement units within one percent of mark on one side of a calm book. */
export const CALM_DEPTH = [4_000_000, 2_500_000] as const;
const DEPTH_MIN = 0.02;
const WITHDRAWAL = 0.2;
export const HALF_LIFE_MS: number = 10 * MINUTE_MS;
const CALM_HALF_SPREAD = 0.0003;
const HALF_SPREAD_MAX = 0.01;

export class DepthGauge {
  #points: { readonly atMs: number; readonly price: number }[] = [];
  #ratio = 1;
  #atMs = 0;

  /** Share of calm depth left, from the first underlying's price as the market has it. */
  observe(atMs: number, price: number): number {
    this.#points.push({ atMs, price });
    while ((this.#points[0]?.atMs ?? atMs) < atMs - MINUTE_MS) this.#points.shift();
    let [low, high] = [price, price];
    for (const point of this.#points) {
      low = Math.min(low, point.price);
      high = Math.max(high, point.price);
    }
    // A calm minute ranges over about 1.6 deviations.
    const ratio = Math.log(high / low) / (1.6 * CALM_MINUTE);
    const remembered = this.#ratio * 0.5 ** ((atMs - this.#atMs) / HALF_LIFE_MS);
    this.#ratio = Math.max(1, ratio, remembered);
    this.#atMs = atMs;
    return Math.max(DEPTH_MIN, Math.exp(-WITHDRAWAL * (this.#ratio - 1)));
  }
}

export function halfSpread(depth: number): number {
  return Math.min(HALF_SPREAD_MAX, CALM_HALF_SPREAD / Math.sqrt(Math.max(depth, DEPTH_MIN)) ** 1.5);
}
