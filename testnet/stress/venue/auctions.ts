/** Derive's auctions: a slice of the whole account goes to keepers with its margin, at a price that falls until they want it. */
import { halfSpread } from "../agents/depth.ts";
import { CALM_MINUTE } from "../tape/path.ts";
import type { Floor } from "./floor.ts";
import type { Shared } from "./liquidations.ts";
import type { AuctionTerms } from "./rules.ts";

/** Keepers carry at most this many times what they have, and want to be out in ten minutes. */
const KEEPERS_LEVERAGE = 5;
const HOLDING_MINUTES = 10;

export class Auctions {
  readonly #shared: Shared;
  readonly #terms: AuctionTerms;
  readonly #began = new Map<number, { readonly atMs: number; readonly insolvent: boolean }>();
  readonly #charged = new Set<number>();

  constructor(shared: Shared, terms: AuctionTerms) {
    this.#shared = shared;
    this.#terms = terms;
  }

  step(atMs: number): void {
    const { floor } = this.#shared;
    for (const { index, role } of floor.agents) {
      if (role === "maker" || role === "keeper") continue;
      const required = this.#required(index);
      if (required === 0) continue;
      const equity = floor.equity(index);
      const begun = this.#began.get(index);
      if (
        begun === undefined
          ? equity >= required
          : equity >= (1 + this.#terms.bufferShare) * required
      ) {
        this.#began.delete(index);
        this.#charged.delete(index);
        continue;
      }
      this.#offer(index, equity, required, atMs);
    }
  }

  #required(account: number): number {
    const { floor, rules } = this.#shared;
    return floor
      .signedNotional(account)
      .reduce((sum, one, u) => sum + rules.maintenance(u, Math.abs(one)), 0);
  }

  #offer(account: number, equity: number, required: number, atMs: number): void {
    const { touched } = this.#shared;
    const insolvent = equity <= 0;
    let begun = this.#began.get(account);
    if (begun === undefined || begun.insolvent !== insolvent) {
      begun = { atMs, insolvent };
      this.#began.set(account, begun);
      touched(account, atMs);
    }
    const elapsed = atMs - begun.atMs;
    if (insolvent) this.#insolvent(account, required, elapsed);
    else this.#solvent(account, equity, required, elapsed);
  }

  #solvent(account: number, equity: number, required: number, elapsed: number): void {
    const { floor } = this.#shared;
    const { from, slowFrom, fastMs, slowMs, bufferShare, feeShare } = this.#terms;
    const price =
      elapsed < fastMs
        ? from - ((from - slowFrom) * elapsed) / fastMs
        : Math.max(0, slowFrom * (1 - (elapsed - fastMs) / slowMs));
    const missing = (1 + bufferShare) * required - equity;
    const share = Math.min(1, missing / (missing + equity * price));
    const gain = share * equity * (1 - price);
    if (gain < this.#cost(account, share)) return;
    if (!this.#charged.has(account)) {
      this.#charged.add(account);
      const whole = missing / (missing + equity);
      const fee = Math.min(equity / 2, feeShare * Math.min(1, whole) * equity);
      floor.toFund(account, fee);
      floor.tally.penalties += fee;
    }
    this.#sell(account, share, -share * floor.equity(account) * (1 - price));
  }

  /** Keepers are paid to take the whole: what is missing, and with time up to the requirement. */
  #insolvent(account: number, required: number, elapsed: number): void {
    const { bankruptcies, floor } = this.#shared;
    const bonus = (required * Math.min(elapsed, this.#terms.insolventMs)) / this.#terms.insolventMs;
    if (bonus < this.#cost(account, 1)) return;
    this.#sell(account, 1, -bonus);
    if (floor.equity(account) < 0) bankruptcies.resolve(account);
  }

  /** Spread, impact of getting out, and one deviation of the time until then; without end when keepers can carry no more. */
  #cost(account: number, share: number): number {
    const { floor } = this.#shared;
    const carried = floor
      .signedNotional(floor.keepers)
      .reduce((sum, one) => sum + Math.abs(one), 0);
    let [cost, more] = [0, 0];
    for (const [u, one] of floor.signedNotional(account).entries()) {
      const notional = Math.abs(one) * share;
      more += notional;
      const impact = (0.005 * notional) / (floor.impact.calm(u) * floor.depth * HOLDING_MINUTES);
      const risk = (CALM_MINUTE / floor.depth ** 0.5) * Math.sqrt(HOLDING_MINUTES);
      cost += notional * (halfSpread(floor.depth) + impact + risk);
    }
    const capital = KEEPERS_LEVERAGE * Math.max(0, floor.equity(floor.keepers));
    return carried + more > capital ? Number.POSITIVE_INFINITY : cost;
  }

  /** The slice at mark; `margin`: what the account receives besides, negative when it pays. */
  #sell(account: number, share: number, margin: number): void {
    const { floor } = this.#shared;
    takeSlice(floor, account, share);
    floor.ledger.pay(floor.keepers, account, margin);
  }
}

function takeSlice(floor: Floor, account: number, share: number): void {
  for (const [u, mark] of floor.marks.entries()) {
    const base = floor.ledger.base(account, u) * share;
    if (base === 0) continue;
    floor.ledger.trade(floor.keepers, account, u, base, mark);
    floor.tally.liquidated += Math.abs(base) * mark;
  }
}
