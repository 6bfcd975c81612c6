/**
 * Why the protocol did something by itself: what it was decided from, by which formula, with which result. Code that acts without being
 * asked gives it with its event; it is worked out only when somebody asks, by executing the block again from the state before it.
 */

export interface Quantity {
  readonly name: string;
  /** Exact, as decimal text. */
  readonly value: string;
  /** "quanta", "ppm", "ticks", "lots", "ns", "wad"; empty: a count or a word. */
  readonly unit: string;
}

export interface Explanation {
  /** The formula in the names of the inputs, with its rounding. */
  readonly rule: string;
  readonly inputs: readonly Quantity[];
  readonly results: readonly Quantity[];
}

/** Reads no state: it is called when the step that decided is over. */
export type Why = () => Explanation;

/** Quantities of one unit, in the order they are given. */
export function quantities(
  unit: Quantity["unit"],
  values: Readonly<Record<string, bigint | number | string>>,
): Quantity[] {
  return Object.entries(values).map(([name, value]) => ({ name, value: String(value), unit }));
}
