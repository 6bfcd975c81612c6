/** A tape: what happens to prices, whoever trades. All prices are relative to 1 at the start; the venue's own impact comes on top of it. */

/** BTC and ETH in this order. */
export const UNDERLYINGS = ["BTC", "ETH"] as const;

export interface TapeStep {
  /** Since the start of the tape. */
  readonly atMs: number;
  /** Index of each underlying outside the venue. */
  readonly index: readonly number[];
  /** What an honest validator reports of it: not always the same. */
  readonly reported: readonly number[];
  /** False while the chain stands still: nobody can do anything. */
  readonly open: boolean;
  /** Quoted annual volatility, 0.6 for 60 %. */
  readonly volatility: number;
  /** Most of the calm depth that makers may leave, whatever they think themselves. */
  readonly depthMax: number;
}

export interface Tape {
  readonly name: string;
  readonly size: number;
  /** Between two steps. */
  readonly stepMs: number;
  readonly steps: readonly TapeStep[];
  /** Deepest log move of the first underlying in it. */
  readonly about: string;
}

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
