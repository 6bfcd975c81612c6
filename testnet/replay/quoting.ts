/**
 * What a market maker of the replay quotes: levels around mark, moved against its inventory. When the market runs it does what makers
 * do: wider and smaller, and beyond a point almost nothing. That is what makes liquidations slip and the insurance fund pay.
 */

export interface QuoteTerms {
  /** Whole settlement units on one side of a calm book. */
  readonly depth: number;
  /** Signed inventory at which quotes are moved by one calm half-spread, in settlement units. */
  readonly inventoryUnit: number;
  readonly tick: number;
  readonly lot: number;
}

export interface Level {
  readonly side: "buy" | "sell";
  readonly price: number;
  readonly size: number;
}

/** Distance from mark in units of the half-spread, and share of the depth. */
const LEVELS: readonly (readonly [distance: number, share: number])[] = [
  [1, 0.15],
  [4, 0.3],
  [12, 0.55],
];
const HALF_SPREAD = 0.0004;
/** Share of price: no wider than this even in a panic, and the market's own bands end at 3 %. */
const HALF_SPREAD_MAX = 0.024;
const INVENTORY_SHIFT_MAX = 0.003;

/**
 * How fast the market runs: a decaying maximum of the move over the last minute of chain time, as a share of price.
 * Memory is three minutes, so makers come back slowly after a fall.
 */
export class StressGauge {
  #points: { readonly atMs: number; readonly price: number }[] = [];
  #stress = 0;
  #atMs = 0;

  observe(atMs: number, price: number): number {
    if (atMs <= this.#atMs && this.#points.length > 0) return this.#stress;
    this.#points = [
      ...this.#points.filter((point) => atMs - point.atMs <= 60_000),
      { atMs, price },
    ];
    const prices = this.#points.map((point) => point.price);
    const move = Math.max(...prices) / Math.min(...prices) - 1;
    const decay = Math.exp((this.#atMs - atMs) / 180_000);
    this.#stress = Math.max(move, this.#stress * (this.#atMs === 0 ? 0 : decay));
    this.#atMs = atMs;
    return this.#stress;
  }
}

export function quotes(
  mark: number,
  inventory: number,
  stress: number,
  terms: QuoteTerms,
): Level[] {
  // 1 % in a minute: a tenth of the size at eight times the width; 2 % and more: a trickle.
  const halfSpread = Math.min(HALF_SPREAD_MAX, HALF_SPREAD * (1 + (stress / 0.0038) ** 2));
  const depth = terms.depth / (1 + (stress / 0.0033) ** 2);
  const shift = Math.max(
    -INVENTORY_SHIFT_MAX,
    Math.min(INVENTORY_SHIFT_MAX, (-inventory / terms.inventoryUnit) * HALF_SPREAD),
  );
  const levels: Level[] = [];
  for (const side of ["buy", "sell"] as const) {
    const sign = side === "buy" ? -1 : 1;
    for (const [distance, share] of LEVELS) {
      const away = Math.min(halfSpread * distance, HALF_SPREAD_MAX + 0.001 * distance);
      // Moved quotes stay on their side of mark: a maker does not pay to leave.
      const offset = Math.max(away + sign * shift, HALF_SPREAD / 4);
      const ticks = Math.round((mark * (1 + sign * offset)) / terms.tick);
      const lots = Math.floor((depth * share) / mark / terms.lot);
      if (lots > 0) levels.push({ side, price: ticks * terms.tick, size: lots * terms.lot });
    }
  }
  return levels;
}
