/**
 * The book against a naive reference, over random operations: one list, searched anew for every question. Inserts, removals, reductions,
 * amendments to the end of another level, sweeps whose makers trade, leave, stop the taker or show their next part, and reverts of whole
 * stretches. Throws at the first difference in results, queues, priorities, accounts or client ids.
 */
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { assert } from "../../kit/errors.ts";
import { DROP_MAKER, match, requeued, STOP_TAKER } from "../orders/matching.ts";
import type { Side } from "../ports.ts";
import { createRandom, type Random } from "../random.ts";
import { Book } from "./book.ts";
import type { OrderTerms, UndoLog } from "./order-terms.ts";

/** Keeps the reference, which searches all of them for every answer, in reach of a million operations. */
const ORDERS_MAX = 1_200;
const JOURNAL_MAX = 5_000;

/** What becomes of a maker that is met; a function of the order alone, so that both books agree. */
type Verdict = "drop" | "stop" | "trade" | "next part";

function verdictOn({ id, lots, priority }: OrderTerms, wanted: number): Verdict {
  if (id % 23 === 0) return "drop";
  if (id % 97 === 0) return "stop";
  // Once per order, when what shows is taken.
  return id % 11 === 0 && priority === id && wanted === lots ? "next part" : "trade";
}

function nextPart(order: OrderTerms, priority: number): OrderTerms {
  return { ...order, priority, lots: 1 + (order.id % 7) };
}

class NaiveBook {
  readonly orders: OrderTerms[] = [];

  best(side: Side): number {
    let best = -1;
    for (let at = 0; at < this.orders.length; at++) {
      const order = this.orders[at] as OrderTerms;
      if (order.side !== side) continue;
      const first = this.orders[best];
      if (first === undefined || ahead(order, first)) best = at;
    }
    return best;
  }

  at(id: number): number {
    return this.orders.findIndex((order) => order.id === id);
  }

  /** Takes lots off, or the order out. */
  reduce(at: number, lots: number): void {
    const order = this.orders[at] as OrderTerms;
    if (lots === order.lots) this.orders.splice(at, 1);
    else this.orders[at] = { ...order, lots: order.lots - lots };
  }
}

function ahead(a: OrderTerms, b: OrderTerms): boolean {
  if (a.ticks !== b.ticks) return a.side === "buy" ? a.ticks > b.ticks : a.ticks < b.ticks;
  return a.priority < b.priority;
}

function textOf(order: OrderTerms): string {
  const { account, clientId, goodTilHeight, goodTilMs, hooked, id, lots } = order;
  const facts = [id, order.priority, order.side, order.ticks, lots, order.reduceOnly, hooked];
  return [...facts, clientId, goodTilMs, goodTilHeight, account].join(" ");
}

interface Sweep {
  readonly side: Side;
  readonly limitTicks: number;
  readonly lots: number;
  readonly stepsMax: number;
}

class Comparison {
  readonly #random: Random;
  readonly #spread: number;
  readonly #accounts: readonly AccountId[];
  readonly #book: Book = new Book();
  readonly #naive: NaiveBook = new NaiveBook();
  readonly #journal: (() => void)[] = [];
  readonly #log: UndoLog = { onRevert: (undo) => void this.#journal.push(undo) };
  readonly #savepoints: { readonly mark: number; readonly orders: readonly OrderTerms[] }[] = [];
  /** Straddles 2^32: both halves of a stored id are used. */
  #next = 4_294_967_296 - 20_000;

  constructor(seed: number, spread: number) {
    this.#random = createRandom(seed);
    this.#spread = spread;
    this.#accounts = Array.from({ length: 7 }, (_, i) =>
      accountId(new Uint8Array(20).fill(i + 1), i % 3),
    );
  }

  step(): void {
    const dice = this.#random.below(100);
    const { orders } = this.#naive;
    const at = orders.length === 0 ? -1 : this.#random.below(orders.length);
    if (dice < 40 && orders.length < ORDERS_MAX) this.#insert();
    else if (dice < 62 && at >= 0) this.#remove(at);
    else if (dice < 70 && at >= 0) this.#reduce(at);
    else if (dice < 76 && at >= 0) this.#amend(at);
    else if (dice >= 76 && dice < 94) this.#sweep();
    else if (dice >= 94 && dice < 97) this.#save();
    else if (dice >= 97) this.#revert();
  }

  #side(): Side {
    return this.#random.below(2) === 0 ? "buy" : "sell";
  }

  /** Ranges overlap a little, so that the ladder is filled on both sides of any price. */
  #ticks(side: Side): number {
    const offset = this.#random.below(this.#spread);
    return 1000 + (side === "buy" ? -offset : offset);
  }

  #insert(): void {
    const random = this.#random;
    const side = this.#side();
    const id = this.#next;
    this.#next += 1;
    const terms: OrderTerms = {
      id,
      account: this.#accounts[random.below(this.#accounts.length)] as AccountId,
      side,
      ticks: this.#ticks(side),
      lots: 1 + random.below(20),
      reduceOnly: random.below(10) === 0,
      clientId: random.below(2) === 0 ? `c${id}` : "",
      goodTilMs: random.below(2) === 0 ? 0 : 1_700_000_000_000 + random.below(100_000),
      goodTilHeight: random.below(2) === 0 ? 0 : 4_000_000_000 + random.below(1000),
      priority: id,
      hooked: random.below(3) === 0,
    };
    this.#book.insert(terms, this.#log);
    this.#naive.orders.push(terms);
  }

  #slotOf(at: number): number {
    const { id } = this.#naive.orders[at] as OrderTerms;
    const slot = this.#book.find(id);
    assert(slot !== 0, `order ${id} is not found`);
    return slot;
  }

  #remove(at: number): void {
    this.#book.remove(this.#slotOf(at), this.#log);
    this.#naive.orders.splice(at, 1);
  }

  #reduce(at: number): void {
    const lots = 1 + this.#random.below((this.#naive.orders[at] as OrderTerms).lots);
    this.#book.reduce(this.#slotOf(at), lots, this.#log);
    this.#naive.reduce(at, lots);
  }

  #amend(at: number): void {
    const before = this.#naive.orders[at] as OrderTerms;
    const ticks = this.#ticks(before.side);
    const after = { ...before, ticks, lots: 1 + this.#random.below(20), priority: this.#next };
    this.#next += 1;
    this.#book.remove(this.#slotOf(at), this.#log);
    this.#book.insert(after, this.#log);
    this.#naive.orders[at] = after;
  }

  #sweep(): void {
    const random = this.#random;
    const side = this.#side();
    const offset = random.below(this.#spread);
    const sweep: Sweep = {
      side,
      limitTicks: 1000 + (side === "buy" ? offset : -offset),
      lots: 1 + random.below(40),
      stepsMax: 1 + random.below(8),
    };
    const first = this.#next;
    const got = this.#match(sweep);
    this.#next = first;
    const expected = this.#naiveMatch(sweep);
    assert(got === expected, `sweep: got ${got}, expected ${expected}`);
  }

  #match(sweep: Sweep): string {
    const book = this.#book;
    const trades: string[] = [];
    const meet = (slot: number, wanted: number): number => {
      const order = book.read(slot);
      const verdict = verdictOn(order, wanted);
      if (verdict === "drop") return DROP_MAKER;
      if (verdict === "stop") return STOP_TAKER;
      trades.push(`${order.id}:${wanted}@${order.ticks}`);
      if (verdict === "trade") return wanted;
      book.remove(slot, this.#log);
      book.insert(nextPart(order, this.#next++), this.#log);
      return requeued(wanted);
    };
    const { remaining, steps, end } = match(book, sweep, meet, this.#log);
    return `${trades.join()} left ${remaining} after ${steps}: ${end}`;
  }

  #naiveMatch({ side, limitTicks, lots, stepsMax }: Sweep): string {
    const naive = this.#naive;
    const trades: string[] = [];
    let left = lots;
    let steps = 0;
    let end = "filled";
    while (left > 0) {
      const at = naive.best(side === "buy" ? "sell" : "buy");
      const order = naive.orders[at];
      const beyond =
        order === undefined ||
        (side === "buy" ? order.ticks > limitTicks : order.ticks < limitTicks);
      if (beyond) end = "limit";
      else if (steps >= stepsMax) end = "steps";
      if (beyond || steps >= stepsMax) break;
      steps += 1;
      const wanted = left < order.lots ? left : order.lots;
      const verdict = verdictOn(order, wanted);
      if (verdict === "stop") {
        end = "stopped";
        break;
      }
      if (verdict === "drop") {
        naive.orders.splice(at, 1);
        continue;
      }
      trades.push(`${order.id}:${wanted}@${order.ticks}`);
      left -= wanted;
      if (verdict === "next part") naive.orders[at] = nextPart(order, this.#next++);
      else naive.reduce(at, wanted);
    }
    return `${trades.join()} left ${left} after ${steps}: ${end}`;
  }

  #save(): void {
    this.#savepoints.push({ mark: this.#journal.length, orders: [...this.#naive.orders] });
    // Made permanent now and then, as a block is.
    if (this.#journal.length > JOURNAL_MAX) this.#commit();
  }

  #commit(): void {
    this.#savepoints.length = 0;
    this.#journal.length = 0;
  }

  #revert(): void {
    const back = this.#savepoints.pop();
    if (back === undefined || this.#random.below(3) === 0) return;
    this.#undo(back.mark);
    this.#naive.orders.splice(0, this.#naive.orders.length, ...back.orders);
  }

  #undo(mark: number): void {
    while (this.#journal.length > mark) this.#journal.pop()?.();
  }

  /** Queues and priorities of both sides, then what every account is said to hold. */
  check(): void {
    const book = this.#book;
    const { orders } = this.#naive;
    assert(book.size === orders.length, `${book.size} orders, expected ${orders.length}`);
    for (const side of ["buy", "sell"] as const) {
      const expected = orders
        .filter((order) => order.side === side)
        .sort((a, b) => (ahead(a, b) ? -1 : 1));
      let at = 0;
      book.each(side, (slot) => {
        const got = textOf(book.read(slot));
        const wanted = expected[at] === undefined ? "none" : textOf(expected[at] as OrderTerms);
        assert(got === wanted, `${side} ${at}: got ${got}, expected ${wanted}`);
        at += 1;
      });
      assert(at === expected.length, `${at} ${side} orders, expected ${expected.length}`);
    }
    for (const account of this.#accounts) this.#checkHolder(account);
  }

  #checkHolder(account: AccountId): void {
    const book = this.#book;
    const own = this.#naive.orders
      .filter((order) => order.account === account)
      .sort((a, b) => a.priority - b.priority);
    const slots = book.ordersOf(account);
    assert(book.openOrders(account) === own.length, "open orders of an account");
    const reduceOnly = own.filter((order) => order.reduceOnly).length;
    assert(book.openReduceOnly(account) === reduceOnly, "reduce-only orders of an account");
    assert(slots.length === own.length, "orders of an account");
    own.forEach(({ clientId, id }, at) => {
      const slot = slots[at] as number;
      assert(book.idOf(slot) === id && book.find(id) === slot, `order ${id} of an account`);
      const named = clientId === "" ? slot : book.findByClientId(account, clientId);
      assert(named === slot, `client id of order ${id}`);
    });
  }

  /** Everything since the last commit undone, in the book alone. */
  checkUndone(): void {
    this.#commit();
    const before = [...this.#naive.orders];
    for (let i = 0; i < 1000; i++) {
      this.step();
      this.#savepoints.length = 0;
    }
    this.#undo(0);
    this.#naive.orders.splice(0, this.#naive.orders.length, ...before);
    this.check();
  }
}

/** Throws AssertionError at the first difference. `spread`: ticks over which each side is scattered. */
export function compareBooks(seed: number, operations: number, spread: number): void {
  const comparison = new Comparison(seed, spread);
  for (let i = 0; i < operations; i++) {
    comparison.step();
    if (i % 500 === 0) comparison.check();
  }
  comparison.check();
  comparison.checkUndone();
}
