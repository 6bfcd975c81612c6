/** An account below zero: what it still holds and what is missing, by the rules of the venue. */
import { dice } from "../agents/intentions.ts";
import { allocate, type Counterparty } from "./adl.ts";
import type { Floor } from "./floor.ts";
import type { AdlRule, Rules } from "./rules.ts";

/** Seconds until who found nobody to be closed against is tried again. */
const RETRY_SECONDS = 10;

export class Bankruptcies {
  readonly #floor: Floor;
  readonly #rules: Rules;
  readonly #seed: number;
  #count = 0;
  #seconds = 0;
  #rounds = 0;
  readonly #alone = new Map<number, number>();

  constructor(floor: Floor, rules: Rules, seed: number) {
    this.#floor = floor;
    this.#rules = rules;
    this.#seed = seed;
  }

  /** A second is over: whoever is flat and below zero is paid as the fund can. */
  step(): void {
    const floor = this.#floor;
    this.#seconds += 1;
    this.#rounds = 0;
    for (let account = 0; account <= floor.vault; account++) {
      const equity = floor.equity(account);
      if (equity >= 0) continue;
      if (account === floor.vault) this.resolve(account);
      else if (floor.isFlat(account)) this.#coverFlat(account, -equity);
    }
  }

  resolve(account: number): void {
    const floor = this.#floor;
    const { bankrupt, fundFirst } = this.#rules;
    const missing = -floor.equity(account);
    if (missing <= 0) return;
    const holds = !floor.isFlat(account);
    if (bankrupt === "settle-market") {
      if (this.#floor.cover(account, missing) < missing - 0.01) this.#settle(account);
      return;
    }
    if (bankrupt === "haircut") {
      const covered = this.#floor.cover(account, missing);
      this.#haircut(account, missing - covered);
      return;
    }
    if (fundFirst) this.#floor.cover(account, missing);
    if (holds && this.#mayDeleverage(account)) this.#deleverage(account, bankrupt);
    if (!fundFirst) this.#floor.cover(account, Math.max(0, -floor.equity(account)));
    if (this.#rules.fundInVault) this.#byVault(account);
  }

  #coverFlat(account: number, missing: number): void {
    this.#floor.cover(account, missing);
    if (this.#rules.fundInVault) this.#byVault(account);
  }

  /** What deleveraging at the last mark leaves is the vault's, as far as it has any. */
  #byVault(account: number): void {
    const floor = this.#floor;
    const missing = -floor.equity(account);
    if (missing <= 0 || account === floor.vault) return;
    const paid = Math.min(missing, Math.max(0, floor.equity(floor.vault)));
    floor.ledger.pay(floor.vault, account, paid);
    floor.paid.fund += paid;
  }

  #mayDeleverage(account: number): boolean {
    if (this.#rounds >= this.#rules.deleveragesPerSecond) return false;
    return this.#seconds - (this.#alone.get(account) ?? -RETRY_SECONDS) >= RETRY_SECONDS;
  }

  #deleverage(account: number, rule: AdlRule): void {
    const floor = this.#floor;
    this.#rounds += 1;
    const gross = floor.signedNotional(account).reduce((sum, one) => sum + Math.abs(one), 0);
    const missing = Math.max(0, -floor.equity(account));
    for (const [u, mark] of floor.marks.entries()) {
      const base = floor.ledger.base(account, u);
      if (base === 0) continue;
      // The distance from mark that brings in this position's part of what is missing.
      const wanted = missing / (gross / mark);
      const distance =
        this.#rules.adlPrice === "last-mark" ? 0 : Math.min(wanted, this.#rules.adlBand * mark);
      const price =
        this.#rules.adlPrice === "last-mark"
          ? (floor.lastMarks[u] ?? mark)
          : mark + Math.sign(base) * distance;
      let left = this.#round(account, rule, u, price, Math.abs(base));
      // Where nobody can bear the loss the rest goes at mark.
      if (left > 1e-9 && distance > 0) left = this.#round(account, rule, u, mark, left);
      if (left > 1e-9) this.#alone.set(account, this.#seconds);
    }
  }

  /** Returns the size that nobody took. */
  #round(account: number, rule: AdlRule, u: number, price: number, needed: number): number {
    const floor = this.#floor;
    const mark = floor.marks[u] ?? 1;
    const long = floor.ledger.base(account, u) > 0;
    const loss = Math.max(0, long ? price - mark : mark - price);
    const others = this.#others(account, u, long, loss);
    this.#count += 1;
    let left = needed;
    for (const part of allocate(rule, others, needed, dice(this.#seed, account, this.#count))) {
      const base = Math.min(part.base, left);
      floor.ledger.trade(part.account, account, u, long ? base : -base, price);
      left -= base;
      floor.tally.deleveraged += base * mark;
      floor.tally.deleveragedAccounts.add(part.account);
      if (floor.agents[part.account]?.role === "hedger") floor.tally.hedgesBroken.add(part.account);
      floor.paid.deleveraging += base * (long ? price - mark : mark - price);
    }
    return left;
  }

  #others(account: number, u: number, long: boolean, loss: number): Counterparty[] {
    const floor = this.#floor;
    const mark = floor.marks[u] ?? 1;
    const found: Counterparty[] = [];
    for (let other = 0; other < floor.agents.length; other++) {
      const held = floor.ledger.base(other, u);
      if (other === account || held === 0 || held > 0 === long) continue;
      const equity = floor.equity(other);
      const base = Math.min(Math.abs(held), loss === 0 ? Number.POSITIVE_INFINITY : equity / loss);
      if (equity <= 0 || base <= 1e-9) continue;
      const profit = floor.ledger.profit(other, u, mark);
      const entry = floor.ledger.entry(other, u);
      const notional = Math.abs(held) * mark;
      found.push({ account: other, base, notional, equity, mark, long: held > 0, profit, entry });
    }
    return found;
  }

  /** Every position of the market is closed at mark; what is missing is taken from those in profit, in proportion. */
  #settle(account: number): void {
    const floor = this.#floor;
    for (const [u, mark] of floor.marks.entries()) {
      const own = Math.abs(floor.ledger.base(account, u));
      if (own === 0 || floor.settled.has(u)) continue;
      floor.tally.overshoot += Math.max(0, floor.ledger.longs(u) - own) * mark;
      floor.tally.deleveraged += floor.ledger.longs(u) * mark;
      const gains: { readonly account: number; readonly gain: number }[] = [];
      for (let other = 0; other < floor.ledger.count; other++) {
        if (other === floor.street) continue;
        const gain = floor.ledger.profit(other, u, mark);
        if (gain > 0) gains.push({ account: other, gain });
        if (floor.ledger.base(other, u) !== 0) floor.tally.deleveragedAccounts.add(other);
        floor.ledger.trade(floor.street, other, u, floor.ledger.base(other, u), mark);
      }
      floor.settled.add(u);
      this.#share(gains);
    }
  }

  /** Deficits that stand are paid by those in profit, at most all of it. */
  #share(gains: readonly { readonly account: number; readonly gain: number }[]): void {
    const floor = this.#floor;
    const all = gains.reduce((sum, { gain }) => sum + gain, 0);
    const missing: { readonly account: number; readonly amount: number }[] = [];
    for (let account = 0; account < floor.agents.length; account++) {
      const amount = -floor.equity(account);
      const flat = floor.isFlat(account);
      if (amount > 0 && flat) missing.push({ account, amount });
    }
    const total = missing.reduce((sum, { amount }) => sum + amount, 0);
    const share = all === 0 ? 0 : Math.min(1, total / all);
    for (const { account, gain } of gains) floor.ledger.pay(account, floor.street, gain * share);
    for (const { account, amount } of missing)
      floor.ledger.pay(floor.street, account, total === 0 ? 0 : (amount * share * all) / total);
    floor.paid.socialised += share * all;
  }

  /** Everybody's cash is worth less: taken in proportion from all that have some. */
  #haircut(account: number, missing: number): void {
    const floor = this.#floor;
    if (missing <= 0.01) return;
    const owners: number[] = [];
    for (let other = 0; other < floor.agents.length; other++)
      if (other !== account && floor.equity(other) > 0) owners.push(other);
    const all = owners.reduce((sum, other) => sum + floor.equity(other), 0);
    const share = Math.min(1, missing / Math.max(all, 1));
    for (const other of owners) floor.ledger.pay(other, account, floor.equity(other) * share);
    floor.paid.socialised += share * all;
  }
}
