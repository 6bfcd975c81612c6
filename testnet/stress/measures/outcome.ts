/** What came of one tape under one rule set: the same record for the chain and for the model. Money in settlement units. */

export interface TimelinePoint {
  readonly minute: number;
  /** First underlying: outside the venue, and as marked with the venue's own impact. */
  readonly outside: number;
  readonly mark: number;
  /** Share of calm depth. */
  readonly depth: number;
  readonly fund: number;
  readonly liquidated: number;
  readonly badDebt: number;
  readonly deleveraged: number;
  readonly openInterest: number;
}

export interface Outcome {
  /** Long = short at the start, at opening prices. */
  readonly openInterest: number;
  readonly collateral: number;
  readonly fundAtStart: number;
  readonly fundAtEnd: number;
  readonly accountsLiquidated: number;
  /** Of them those whose positions, left alone, would have been worth more than nothing together with their collateral ten minutes later. */
  readonly falseLiquidations: number;
  readonly liquidatedNotional: number;
  readonly penalties: number;
  readonly takenOverNotional: number;
  readonly deleveragedNotional: number;
  readonly deleveragedAccounts: number;
  /** Closed against the other side beyond what bankrupt accounts held. */
  readonly overshootNotional: number;
  /** Below zero, all told, and who bore it: the four parts sum to it. */
  readonly badDebt: number;
  readonly paidByFund: number;
  readonly paidByDeleveraging: number;
  readonly socialised: number;
  readonly unpaid: number;
  /** Time in which an hour's bad debt was more than a quarter of the fund. */
  readonly secondsAboveFundLimit: number;
  /** Deepest fall of the first underlying outside and as marked, and their ratio. */
  readonly outsideTrough: number;
  readonly markTrough: number;
  readonly amplification: number;
  /** Hedged accounts of which one leg was closed by deleveraging. */
  readonly hedgesBroken: number;
  readonly timeline: readonly TimelinePoint[];
}

/** Counts seconds in which the last hour asked more of the fund than a share of what it was. */
export class FundLimit {
  readonly #asked: { readonly atMs: number; readonly amount: number }[] = [];
  readonly #limit: number;
  seconds = 0;

  constructor(fund: number) {
    this.#limit = fund / 4;
  }

  step(atMs: number, stepMs: number, asked: number): void {
    if (asked > 0) this.#asked.push({ atMs, amount: asked });
    while ((this.#asked[0]?.atMs ?? atMs) < atMs - 3_600_000) this.#asked.shift();
    const hour = this.#asked.reduce((sum, { amount }) => sum + amount, 0);
    if (hour > this.#limit) this.seconds += stepMs / 1_000;
  }
}

/** Accounts at their first liquidation, judged again ten minutes later as if nobody had touched them. `Marks`: what their worth is read from. */
export class SecondLook<Marks> {
  readonly #waiting: { readonly dueMs: number; readonly equityAt: (marks: Marks) => number }[] = [];
  readonly #seen = new Set<number>();
  falses = 0;

  get accounts(): number {
    return this.#seen.size;
  }

  /** `equityAt`: of what it held before, at later marks. */
  liquidated(account: number, atMs: number, equityAt: (marks: Marks) => number): void {
    if (this.#seen.has(account)) return;
    this.#seen.add(account);
    this.#waiting.push({ dueMs: atMs + 600_000, equityAt });
  }

  /** `end`: nothing comes any more, so what still waits is judged now. */
  step(atMs: number, marks: Marks, end: boolean): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (!end && first.dueMs > atMs) return;
      this.#waiting.shift();
      if (first.equityAt(marks) > 0) this.falses += 1;
    }
  }
}

/** Deepest fall below the level at the start. */
export class Trough {
  #low = 1;
  see(level: number): void {
    this.#low = Math.min(this.#low, level);
  }
  get fall(): number {
    return 1 - this.#low;
  }
}
