/** Closing at the book, seizing, handing over to the vault: what is the same for all rule sets but the auctions. */
import type { Bankruptcies } from "./bankruptcies.ts";
import type { Floor } from "./floor.ts";
import type { Close, Rules, Sick } from "./rules.ts";

export interface Shared {
  readonly floor: Floor;
  readonly rules: Rules;
  readonly bankruptcies: Bankruptcies;
  /** An account is about to be closed, in part or whole. */
  touched(account: number, atMs: number): void;
}

interface Found extends Sick {
  readonly account: number;
}

/** Clips that are shared out among many are no smaller than this. */
const CLIP_MIN = 500;

export class Liquidations {
  readonly #shared: Shared;
  readonly #sickSince = new Map<number, number>();
  readonly #lastClose = new Map<number, number>();
  /** Of maintenance requirements. */
  scale = 1;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  maintenance(account: number): number {
    const { floor, rules } = this.#shared;
    let sum = 0;
    for (let u = 0; u < floor.marks.length; u++) {
      const notional = Math.abs(floor.ledger.base(account, u)) * (floor.marks[u] ?? 0);
      if (notional > 0) sum += this.scale * rules.maintenance(u, notional);
    }
    return sum;
  }

  step(atMs: number, stepMs: number): void {
    const { rules, floor } = this.#shared;
    const sick = this.#sick(atMs);
    const shares = this.#budget(sick, stepMs);
    const most = rules.accountsPerSecond * (stepMs / 1_000);
    for (const [i, one] of sick.entries()) {
      if (i >= most) break;
      const filled = this.#close(one, atMs, shares?.[i]);
      const { account } = one;
      const equity = floor.equity(account);
      if (rules.backstopHealth > 0 && account !== floor.vault && equity > 0)
        this.#handOver(account, equity, atMs);
      const waits = rules.bookFirst && filled > 0;
      if (!waits && floor.equity(account) < 0) this.#shared.bankruptcies.resolve(account);
    }
  }

  #sick(atMs: number): Found[] {
    const { floor } = this.#shared;
    const found: Found[] = [];
    for (let account = 0; account <= floor.vault; account++) {
      if (floor.agents[account]?.role === "maker") continue;
      if (floor.isFlat(account)) continue;
      const maintenance = this.maintenance(account);
      const equity = floor.equity(account);
      if (equity >= maintenance) {
        this.#sickSince.delete(account);
        this.#lastClose.delete(account);
        continue;
      }
      const notional = floor.signedNotional(account).map(Math.abs);
      const since = this.#sickSince.get(account) ?? atMs;
      this.#sickSince.set(account, since);
      const last = this.#lastClose.get(account);
      found.push({
        ...{ account, equity, maintenance, notional },
        sickMs: atMs - since,
        restedMs: last === undefined ? 0 : atMs - last,
        partlyClosed: last !== undefined,
      });
    }
    return found.sort(
      (a, b) => a.equity * b.maintenance - b.equity * a.maintenance || a.account - b.account,
    );
  }

  /** What each account may close now where flow is bounded: in proportion to what it is short of, per underlying. */
  #budget(sick: readonly Found[], stepMs: number): number[][] | null {
    const { floor, rules } = this.#shared;
    const { flowShare } = rules;
    if (flowShare === null) return null;
    const flow = floor.marks.map(
      (_, u) => (flowShare * floor.impact.fillable(u, "sell", 0.01, floor.depth) * stepMs) / 10_000,
    );
    const short = floor.marks.map((_, u) =>
      sick.reduce(
        (sum, one) => sum + ((one.notional[u] ?? 0) > 0 ? one.maintenance - one.equity : 0),
        0,
      ),
    );
    const left = [...flow];
    return sick.map((one) =>
      flow.map((all, u) => {
        const part = (all * (one.maintenance - one.equity)) / Math.max(short[u] ?? 0, 1e-9);
        const given = Math.min(left[u] ?? 0, Math.max(CLIP_MIN, part));
        left[u] = (left[u] ?? 0) - given;
        return given;
      }),
    );
  }

  /** Returns what was filled. */
  #close(sick: Found, atMs: number, budget: readonly number[] | undefined): number {
    let all = 0;
    const { floor, rules, touched } = this.#shared;
    for (const close of rules.closes(sick)) {
      const bounded = Math.min(close.notional, budget?.[close.underlying] ?? close.notional);
      if (bounded < 1) continue;
      touched(sick.account, atMs);
      const filled = this.#fill(sick.account, close, bounded);
      if (filled === 0) continue;
      all += filled;
      this.#lastClose.set(sick.account, atMs);
      floor.tally.liquidated += filled;
      const left = Math.max(0, floor.equity(sick.account));
      const gone = floor.isFlat(sick.account);
      const fee = rules.seizes && gone ? left : Math.min(left, rules.penalty * filled);
      floor.tally.penalties += fee;
      floor.toFund(sick.account, fee);
    }
    return all;
  }

  #fill(account: number, { underlying, limit }: Close, notional: number): number {
    const { floor } = this.#shared;
    const long = floor.ledger.base(account, underlying) > 0;
    return floor.atBook(account, underlying, long ? -notional : notional, limit);
  }

  /** At mark, with equity in proportion, as far as the vault may carry it. */
  #handOver(account: number, equity: number, atMs: number): void {
    const { floor, rules, touched } = this.#shared;
    const maintenance = this.maintenance(account);
    if (maintenance === 0 || equity >= rules.backstopHealth * maintenance) return;
    const worth = floor.equity(floor.vault);
    const carried = floor.signedNotional(floor.vault).reduce((sum, one) => sum + Math.abs(one), 0);
    const room = Math.max(0, rules.backstopLeverage * worth - carried);
    const notional = floor.signedNotional(account);
    const gross = notional.reduce((sum, one) => sum + Math.abs(one), 0);
    const share = Math.min(1, room / gross);
    if (worth <= 0 || share * gross < 1) return;
    touched(account, atMs);
    for (const [u, mark] of floor.marks.entries()) {
      const base = floor.ledger.base(account, u) * share;
      floor.ledger.trade(floor.vault, account, u, base, mark);
    }
    floor.ledger.pay(account, floor.vault, equity * share);
    floor.tally.takenOver += share * gross;
  }
}
