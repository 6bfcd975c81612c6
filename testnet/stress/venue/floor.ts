/** The trading floor of the model: accounts, fund, vault, keepers and the street behind the book; prices, and what is traded at them. */
import type { Impact } from "../agents/impact.ts";
import type { Agent, Opening } from "../agents/population.ts";
import { type TapeStep, UNDERLYINGS } from "../tape/tape.ts";
import { Ledger } from "./ledger.ts";

/** An inventory that was taken over is sold in about this time. */
const UNWIND_MS = 600_000;
const UNWIND_REACH = 0.02;

export interface Tally {
  liquidated: number;
  penalties: number;
  takenOver: number;
  deleveraged: number;
  overshoot: number;
  readonly deleveragedAccounts: Set<number>;
  readonly hedgesBroken: Set<number>;
}

export class Floor {
  readonly agents: readonly Agent[];
  readonly ledger: Ledger;
  readonly impact: Impact;
  /** Places after the agents. The street is whom the book trades for: outside makers, never judged. */
  readonly vault: number;
  readonly keepers: number;
  readonly street: number;
  readonly #fund: number;
  readonly tally: Tally = {
    ...{ liquidated: 0, penalties: 0, takenOver: 0, deleveraged: 0, overshoot: 0 },
    deleveragedAccounts: new Set(),
    hedgesBroken: new Set(),
  };
  readonly paid: { fund: number; deleveraging: number; socialised: number } = {
    fund: 0,
    deleveraging: 0,
    socialised: 0,
  };
  /** What accounts are judged by, what was so in the step before, and what the book trades around. */
  marks: readonly number[] = UNDERLYINGS.map(() => 1);
  lastMarks: readonly number[] = this.marks;
  trades: readonly number[] = this.marks;
  depth = 1;
  /** Markets that were settled: nobody holds anything there any more. */
  readonly settled: Set<number> = new Set();

  constructor(start: {
    readonly agents: readonly Agent[];
    readonly opening: Opening;
    readonly fund: number;
    readonly vault: number;
    readonly impact: Impact;
  }) {
    const { agents, opening } = start;
    this.agents = agents;
    this.impact = start.impact;
    const count = agents.length;
    [this.vault, this.keepers, this.street, this.#fund] = [count, count + 1, count + 2, count + 3];
    this.ledger = new Ledger(count + 4, UNDERLYINGS.length);
    for (const { index, collateral, role } of agents) {
      this.ledger.cash[index] = role === "keeper" ? 0 : collateral;
      if (role === "keeper") this.ledger.pay(this.street, this.keepers, collateral);
      for (const [u, notional] of (opening.notional[index] ?? []).entries())
        this.ledger.trade(index, this.street, u, notional, 1);
    }
    this.ledger.cash[this.vault] = start.vault;
    this.ledger.cash[this.#fund] = start.fund;
  }

  get fund(): number {
    return this.ledger.cash[this.#fund] ?? 0;
  }

  reprice(step: TapeStep): void {
    const factor = (u: number): number => this.impact.factor(u);
    this.lastMarks = this.marks;
    this.marks = step.reported.map((level, u) => level * factor(u));
    this.trades = step.index.map((level, u) => level * factor(u));
  }

  pass(ms: number): void {
    this.impact.pass(ms, this.depth);
  }

  equity(account: number): number {
    return this.ledger.equity(account, this.marks);
  }

  signedNotional(account: number): number[] {
    return this.marks.map((price, u) => this.ledger.base(account, u) * price);
  }

  isFlat(account: number): boolean {
    for (let u = 0; u < this.marks.length; u++)
      if (this.ledger.base(account, u) !== 0) return false;
    return true;
  }

  /** Equity at later marks if nobody touches the account. */
  leftAlone(account: number): (marks: readonly number[]) => number {
    const bases = this.marks.map((_, u) => this.ledger.base(account, u));
    const [equity, then] = [this.equity(account), this.marks];
    return (marks) =>
      bases.reduce((sum, base, u) => sum + base * ((marks[u] ?? 0) - (then[u] ?? 0)), equity);
  }

  deposit(account: number, amount: number): void {
    this.ledger.cash[account] = (this.ledger.cash[account] ?? 0) + amount;
  }

  /** Takes up to a signed notional from the book, no further than `reach` from mark; returns what was filled, without sign. */
  atBook(account: number, underlying: number, notional: number, reach: number): number {
    if (this.settled.has(underlying)) return 0;
    const way = notional > 0 ? "buy" : "sell";
    const sign = notional > 0 ? 1 : -1;
    const [mark, trade] = [this.marks[underlying] ?? 1, this.trades[underlying] ?? 1];
    // The limit is said from mark; the book stands around the true price.
    const limit = sign * ((mark * (1 + sign * reach)) / trade - 1);
    if (limit <= 0) return 0;
    const room = this.impact.fillable(underlying, way, limit, this.depth);
    const filled = Math.min(Math.abs(notional), room);
    if (filled < 1) return 0;
    const away = this.impact.take(underlying, way, filled, this.depth);
    const price = trade * (1 + sign * away);
    this.ledger.trade(account, this.street, underlying, (sign * filled) / trade, price);
    return filled;
  }

  /** What vault and keepers took over goes back to the market bit by bit. */
  unwind(stepMs: number): void {
    for (const account of [this.vault, this.keepers])
      for (const [u, notional] of this.signedNotional(account).entries()) {
        const part = (-notional * stepMs) / UNWIND_MS;
        const least = Math.min(Math.abs(notional), 1_000);
        const wanted = Math.abs(part) < least ? -Math.sign(notional) * least : part;
        if (Math.abs(notional) > 0) this.atBook(account, u, wanted, UNWIND_REACH);
      }
  }

  /** Pays from the fund as much as there is. */
  cover(account: number, amount: number): number {
    const covered = Math.max(0, Math.min(amount, this.fund));
    this.ledger.pay(this.#fund, account, covered);
    this.paid.fund += covered;
    return covered;
  }

  toFund(account: number, amount: number): void {
    this.ledger.pay(account, this.#fund, amount);
  }

  /** Σ of what accounts are below zero; the vault's among them. */
  below(): number {
    let sum = 0;
    for (let account = 0; account <= this.keepers; account++)
      sum += Math.max(0, -this.equity(account));
    return sum;
  }

  openInterest(): number {
    let sum = 0;
    for (const [u, price] of this.marks.entries()) sum += this.ledger.longs(u) * price;
    return sum;
  }
}
