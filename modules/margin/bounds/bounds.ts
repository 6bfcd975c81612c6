/**
 * Who must be looked at. Every account a rule concerns has a bound: what it has over what the rule asks, shared among its positions and assets by their
 * value, and turned into a threshold on the level of each (paths.ts). As long as no level has fallen below its threshold, the account
 * has lost no more than what it had over, so it is not short. Each look judges those whose threshold was passed, those that were
 * written, and those that were short: exactly whom a scan of all would find, because everyone else cannot be among them.
 *
 * Derived from state and no part of it: it may be built at any time, and which accounts it chooses to look at has no effect but time. So a
 * write only has to say whom it touched, and what is undone only has to name those that were let out of sight meanwhile.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { Account } from "../account-codec.ts";
import type { MarketViews } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import { Arena } from "./arena.ts";
import { type Measures, Paths } from "./paths.ts";
import { Shares } from "./shares.ts";
import { NEVER } from "./thresholds.ts";

/** What accounts must not fall short of. */
export interface Rule<Short extends object> {
  concerns(account: Account): boolean;
  /** What it has over; null when it cannot be judged; what is found of it when it is short. */
  judge(id: AccountId, account: Account, views: MarketViews): bigint | null | Short;
  readonly measures: Measures;
  /** Into shares that were begun with what the account has over. False: it has to be looked at all the time. */
  waits(account: Account, views: MarketViews, paths: Paths, shares: Shares): boolean;
}

export type AccountOf = (id: AccountId) => Account | undefined;

/**
 * How many hold what, so that the first look makes each array about as long as it will be. Arrays that grow by copying leave several times their size
 * behind, and at a million accounts so much memory outside the heap makes the engine walk all of the heap.
 */
export interface Expected {
  readonly accounts: number;
  /** By market, both sides together. */
  readonly positions: Map<MarketId, number>;
}

const NOBODY: Expected = { accounts: 0, positions: new Map() };

export class Bounds<Short extends object> {
  readonly #rule: Rule<Short>;
  readonly #arena: Arena;
  readonly #paths: Paths;
  readonly #shares: Shares = new Shares();
  /** Written since the last look. */
  #touched: Set<AccountId> = new Set();
  /** Looked at again whatever prices do: short, or without a bound. */
  #watched: Set<AccountId> = new Set();
  /** Numbers of accounts whose bound was passed, or lost. */
  #passed: Set<number> = new Set();

  /** How many accounts the last look judged. */
  lastLooks = 0;

  constructor(rule: Rule<Short>, { accounts, positions }: Expected = NOBODY) {
    this.#rule = rule;
    this.#paths = new Paths(rule.measures, positions);
    let links = 0;
    for (const count of positions.values()) links += count;
    this.#arena = new Arena(accounts, links);
  }

  /** The account's record is being written. */
  touch(id: AccountId): void {
    this.#touched.add(id);
  }

  watch(ids: Iterable<AccountId>): void {
    for (const id of ids) this.#watched.add(id);
  }

  /** Of its typed arrays. */
  get byteLength(): number {
    return this.#arena.byteLength + this.#paths.byteLength;
  }

  /** The first look at an account that has no bound yet. */
  enter(id: AccountId, account: Account, views: MarketViews, found: Short[]): void {
    if (!this.#rule.concerns(account)) return;
    const slack = this.#judge(id, account, views, found);
    if (slack === "seen" || !this.#bound(id, account, views, slack)) this.#watched.add(id);
  }

  /**
   * All accounts that are short, in no order. With `settle`, accounts not written since the last look are given new bounds; those that are written in
   * every block stay in sight instead, which costs less. `settled` is told of each that goes out of sight.
   */
  look(
    accountOf: AccountOf,
    views: MarketViews,
    settle: boolean,
    settled: (id: AccountId) => void,
  ): Short[] {
    this.refresh(views);
    const touched = this.#touched;
    const before = this.#watched;
    const passed = this.#passed;
    this.#touched = new Set();
    this.#watched = new Set(touched);
    this.#passed = new Set();
    const found: Short[] = [];
    this.lastLooks = touched.size;
    const renew = (id: AccountId, account: Account | undefined): void => {
      this.lastLooks += 1;
      const slack = this.#judge(id, account, views, found);
      if (!settle || slack === "seen" || !this.#settle(id, account, views, slack))
        this.#watched.add(id);
      else settled(id);
    };
    for (const number of passed) {
      const id = this.#arena.idOf(number);
      // Neither written nor undone since its bound was made: its record is the one of that time.
      if (!touched.has(id) && !before.has(id)) renew(id, this.#arena.recordOf(number));
    }
    for (const id of touched) this.#judge(id, accountOf(id), views, found);
    for (const id of before) if (!touched.has(id)) renew(id, accountOf(id));
    return found;
  }

  /** Written since the last look, undone or not: of everyone else the record is what it was then. */
  get touched(): ReadonlySet<AccountId> {
    return this.#touched;
  }

  /** Everyone who may have lots on the side of the market: more rather than fewer, perhaps twice, in no order; with the record of those who are not watched, which is the present one. */
  eachHolder(
    market: MarketId,
    long: boolean,
    visit: (id: AccountId, record: Account | undefined) => void,
  ): void {
    for (const id of this.#touched) visit(id, undefined);
    for (const id of this.#watched) if (!this.#touched.has(id)) visit(id, undefined);
    this.#paths.waiting(market, long, (number) => {
      const id = this.#arena.idOf(number);
      if (this.#touched.has(id) || this.#watched.has(id)) return;
      visit(id, this.#arena.recordOf(number));
    });
  }

  /** As a look without `settle` of those alone who were written since the last one, where nothing has changed that a record is valued by: nobody else can have become short. */
  lookAtWritten(accountOf: AccountOf, views: MarketViews): Short[] {
    const found: Short[] = [];
    const written = this.#touched;
    this.#touched = new Set();
    for (const id of written) {
      this.#judge(id, accountOf(id), views, found);
      this.#watched.add(id);
    }
    return found;
  }

  /** After `refresh`: a look would judge this account, its bound does not vouch for it. */
  sees(id: AccountId): boolean {
    if (this.#touched.has(id) || this.#watched.has(id)) return true;
    const number = this.#arena.numberOf(id);
    return number === undefined || this.#passed.has(number);
  }

  /** Brings the levels to present views, and those below their thresholds into sight. */
  refresh(views: MarketViews): void {
    this.#paths.refresh(views, (number) => void this.#passed.add(number));
  }

  /** What the account has over; null when it cannot be judged or is none of the rule's; "seen" when it is short. */
  #judge(
    id: AccountId,
    account: Account | undefined,
    views: MarketViews,
    found: Short[],
  ): bigint | null | "seen" {
    if (account === undefined || !this.#rule.concerns(account)) return null;
    const verdict = this.#rule.judge(id, account, views);
    if (verdict === null || typeof verdict === "bigint") return verdict;
    found.push(verdict);
    return "seen";
  }

  /** New thresholds; false: it has none. Null slack: none can be passed. */
  #settle(
    id: AccountId,
    account: Account | undefined,
    views: MarketViews,
    slack: bigint | null,
  ): boolean {
    if (account !== undefined && this.#rule.concerns(account))
      return this.#bound(id, account, views, slack);
    const known = this.#arena.numberOf(id);
    if (known === undefined) return true;
    this.#release(known);
    this.#arena.remove(id, known);
    return true;
  }

  #bound(id: AccountId, account: Account, views: MarketViews, slack: bigint | null): boolean {
    const shares = this.#shares;
    shares.begin(slack);
    if (!this.#rule.waits(account, views, this.#paths, shares)) return false;
    const number = this.#arena.numberOf(id) ?? this.#arena.add(id);
    this.#arena.keep(number, account);
    if (!this.#fits(number)) this.#enter(number);
    let link = this.#arena.first(number);
    for (let i = shares.count - 1; i >= 0; i--) {
      shares.side(i).thresholds.set(this.#arena.place(link), shares.threshold(i));
      link = this.#arena.next(link);
    }
    return true;
  }

  /** The chain stands for these shares, the last one first. */
  #fits(number: number): boolean {
    let link = this.#arena.first(number);
    for (let i = this.#shares.count - 1; i >= 0; i--) {
      if (link < 0 || this.#arena.path(link) !== this.#shares.side(i).number) return false;
      link = this.#arena.next(link);
    }
    return link < 0;
  }

  #enter(number: number): void {
    this.#release(number);
    for (let i = 0; i < this.#shares.count; i++) {
      const side = this.#shares.side(i);
      this.#arena.push(number, side.number, side.thresholds.add(number, NEVER));
    }
  }

  #release(number: number): void {
    for (let link = this.#arena.first(number); link >= 0; link = this.#arena.next(link))
      this.#paths.side(this.#arena.path(link)).thresholds.remove(this.#arena.place(link));
    this.#arena.clear(number);
  }
}
