/** Where a validator's prices come from. A source never throws and never blocks: no price is an answer too. */

/** A price in units of 1e-8, with half the width of its confidence interval. */
export interface Quote {
  readonly symbol: string;
  readonly priceE8: bigint;
  readonly confidenceE8: bigint;
}

export interface PriceFeed {
  /** The freshest quotes known now, at most one per symbol; empty when there is none. */
  latest(): readonly Quote[];
  stop(): void;
}

/** Chain time in milliseconds since the Unix epoch. */
export type NowMs = () => number;

export const E8 = 100_000_000;
