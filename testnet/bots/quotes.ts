/** What a market maker wants in the book: layers on both sides of the mark, shifted against what it holds. Integers only: ticks and lots. */

export interface QuoteShape {
  /** Orders per side. */
  readonly levels: number;
  /** Distance of the first level from the mark, and between two levels, in ppm of it. */
  readonly halfSpreadPpm: bigint;
  readonly stepPpm: bigint;
  /** Size of the first level in lots; each further one is larger by the same amount. */
  readonly sizeLots: bigint;
  /** Position at which the side that would enlarge it is no longer quoted, in lots. */
  readonly inventoryMaxLots: bigint;
  /** How far the quotes move against a full inventory, in ppm of the mark. */
  readonly skewPpm: bigint;
}

export interface Quote {
  readonly side: "buy" | "sell";
  readonly ticks: bigint;
  readonly lots: bigint;
}

const PPM = 1_000_000n;

/** Best first on each side; buys below and sells above the mark, always. Empty without a mark. */
export function quotes(markTicks: bigint, inventoryLots: bigint, shape: QuoteShape): Quote[] {
  if (markTicks <= 0n) return [];
  const held = clamp(inventoryLots, shape.inventoryMaxLots);
  const shift = (shape.skewPpm * held) / shape.inventoryMaxLots;
  const out: Quote[] = [];
  for (let level = 0n; level < BigInt(shape.levels); level++) {
    const away = shape.halfSpreadPpm + shape.stepPpm * level;
    const lots = shape.sizeLots * (level + 1n);
    const buyTicks = (markTicks * (PPM - away - shift)) / PPM;
    const sellTicks = (markTicks * (PPM + away - shift) + PPM - 1n) / PPM;
    if (held < shape.inventoryMaxLots)
      out.push({ side: "buy", ticks: lesser(buyTicks, markTicks - 1n - level), lots });
    if (held > -shape.inventoryMaxLots)
      out.push({ side: "sell", ticks: greater(sellTicks, markTicks + 1n + level), lots });
  }
  return out.filter(({ ticks }) => ticks > 0n);
}

/** True when some quote differs from what rests by more than `tolerancePpm` of its price, or is missing, or too many rest. */
export function needsRequote(
  wanted: readonly Quote[],
  resting: readonly Quote[],
  tolerancePpm: bigint,
): boolean {
  if (wanted.length !== resting.length) return true;
  const order = (a: Quote, b: Quote): number =>
    a.side === b.side ? compare(a.ticks, b.ticks) : a.side === "buy" ? -1 : 1;
  const have = [...resting].sort(order);
  return [...wanted].sort(order).some((quote, index) => {
    const other = have[index] as Quote;
    const apart = quote.ticks > other.ticks ? quote.ticks - other.ticks : other.ticks - quote.ticks;
    // A level that was half eaten is set up again.
    return (
      quote.side !== other.side ||
      apart * PPM > tolerancePpm * quote.ticks ||
      other.lots * 2n < quote.lots
    );
  });
}

function clamp(value: bigint, bound: bigint): bigint {
  return value > bound ? bound : value < -bound ? -bound : value;
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
const lesser = (a: bigint, b: bigint): bigint => (compare(a, b) < 0 ? a : b);
const greater = (a: bigint, b: bigint): bigint => (compare(a, b) > 0 ? a : b);
