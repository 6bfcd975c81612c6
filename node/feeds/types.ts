/** Where a validator's prices come from. A source never throws and never blocks: no price is an answer too. */

/** A price in units of 1e-8, with half the width of its confidence interval. */
export interface Quote {
  readonly symbol: string;
  readonly priceE8: bigint;
  readonly confidenceE8: bigint;
}

/** How one venue stands with one symbol now. */
export interface SourceState {
  readonly venue: string;
  readonly symbol: string;
  /** Silent: nothing was heard of it, or what it is quoted in has no price. */
  readonly state: "used" | "outlier" | "late" | "silent";
  readonly ageMs: number | null;
}

export interface SourceStatus {
  readonly sources: readonly SourceState[];
  /** Since start, by venue and kind of failure. */
  readonly faults: readonly {
    readonly venue: string;
    readonly kind: string;
    readonly count: number;
  }[];
}

export interface PriceFeed {
  /** The freshest quotes known now, at most one per symbol; empty when there is none. */
  latest(): readonly Quote[];
  /** Absent: it has no venues. */
  status?(): SourceStatus;
  stop(): void;
}

/** Chain time in milliseconds since the Unix epoch. */
export type NowMs = () => number;

export const E8 = 100_000_000;
