/**
 * Who must be looked at. Every account with positions has a bound: what it has over its maintenance requirement, shared among its positions by their
 * value, and turned into a threshold on the level of each market's side (market-path.ts). As long as no level has fallen below its threshold, the account
 * has lost no more than what it had over, so it is not under water. Each block judges those whose threshold was passed, those that were
 * written, and those that were under water or next to it: exactly whom a scan of all would find, because everyone else cannot be among them.
 *
 * Derived from state and no part of it: it may be built at any time, and which accounts it chooses to look at has no effect but time. So a
 * write only has to say whom it touched, and what is undone only has to name those that were let out of sight meanwhile.
 */
import type { AccountId } from "../../kit/account-id.ts";
import { absolute, divFloor, PPM } from "../../kit/math/mul-div.ts";
import type { Account, Position } from "../account-codec.ts";
import { isLiquidatable, maintenanceHealth } from "../health/health.ts";
import type { MarketView, MarketViews } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import { Arena } from "./arena.ts";
import { MarketPath } from "./market-path.ts";
import { NEVER } from "./thresholds.ts";

/** Below its maintenance requirement. */
export interface Judged {
  readonly id: AccountId;
  readonly account: Account;
  readonly equity: bigint;
  readonly maintenance: bigint;
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

/** Of a market's positions each side has room for five eighths. */
const roomFor = (positions: number): number => (positions * 5) >> 3;

export class HealthBounds {
  readonly #arena: Arena;
  /** Once for each market: who comes to it later was not counted. */
  readonly #expected: Map<MarketId, number>;
  readonly #paths: Map<MarketId, MarketPath> = new Map();
  /** Written since the last look. */
  #touched: Set<AccountId> = new Set();
  /** Looked at again whatever prices do: short of margin, judged as portfolios, or backed by assets. */
  #watched: Set<AccountId> = new Set();
  /** Numbers of accounts whose bound was passed, or lost. */
  #passed: Set<number> = new Set();

  /** How many accounts the last look judged. */
  lastLooks = 0;

  constructor({ accounts, positions }: Expected = NOBODY) {
    this.#expected = new Map(positions);
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
    let sum = this.#arena.byteLength;
    for (const path of this.#paths.values())
      sum += path.long.thresholds.byteLength + path.short.thresholds.byteLength;
    return sum;
  }

  /** The first look at an account that has no bound yet. */
  enter(id: AccountId, account: Account, views: MarketViews, found: Judged[]): void {
    const slack = this.#judge(id, account, views, found);
    if (slack === "seen") this.#watched.add(id);
    else {
      const held = heldOf(account);
      if (held.length > 0) this.#bound(this.#arena.add(id), account, held, views, slack);
    }
  }

  /**
   * All accounts short of margin, in no order. With `settle`, accounts not written since the last look are given new bounds; those that are written in
   * every block stay in sight instead, which costs less. `settled` is told of each that goes out of sight.
   */
  look(
    accountOf: AccountOf,
    views: MarketViews,
    settle: boolean,
    settled: (id: AccountId) => void,
  ): Judged[] {
    this.refresh(views);
    const touched = this.#touched;
    const before = this.#watched;
    const passed = this.#passed;
    this.#touched = new Set();
    this.#watched = new Set(touched);
    this.#passed = new Set();
    const found: Judged[] = [];
    this.lastLooks = touched.size;
    const renew = (id: AccountId, account: Account | undefined): void => {
      this.lastLooks += 1;
      const slack = this.#judge(id, account, views, found);
      if (!settle || slack === "seen") this.#watched.add(id);
      else {
        this.#settle(id, account, views, slack);
        settled(id);
      }
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

  /** After `refresh`: a look would judge this account, its bound does not vouch for it. */
  sees(id: AccountId): boolean {
    if (this.#touched.has(id) || this.#watched.has(id)) return true;
    const number = this.#arena.numberOf(id);
    return number === undefined || this.#passed.has(number);
  }

  /** Brings the levels to present views, and those below their thresholds into sight. */
  refresh(views: MarketViews): void {
    const see = (number: number): void => void this.#passed.add(number);
    for (const [market, path] of this.#paths) {
      if (path.holders === 0) {
        this.#paths.delete(market);
        continue;
      }
      const lost = path.advance(views(market));
      for (const { thresholds, level } of [path.long, path.short]) {
        if (lost) thresholds.each(see);
        else thresholds.above(level, see);
      }
    }
  }

  /**
   * What the account has over; null when it cannot be judged or holds nothing; "seen" when it stays in sight: it is short of margin, or a portfolio, whose
   * loss is no sum over its markets, or backed by assets, whose prices are no levels.
   */
  #judge(
    id: AccountId,
    account: Account | undefined,
    views: MarketViews,
    found: Judged[],
  ): bigint | null | "seen" {
    if (account === undefined || !holdsLots(account)) return null;
    const health = maintenanceHealth(account, views);
    if (health === null) return null;
    const { equity, maintenance } = health;
    if (isLiquidatable(health)) {
      found.push({ id, account, equity, maintenance });
      return "seen";
    }
    return account.portfolio || account.assets.length > 0 ? "seen" : equity - maintenance;
  }

  /** New thresholds. Null slack: none can be passed. */
  #settle(
    id: AccountId,
    account: Account | undefined,
    views: MarketViews,
    slack: bigint | null,
  ): void {
    const held = account === undefined ? NOTHING : heldOf(account);
    const known = this.#arena.numberOf(id);
    if (account === undefined || held.length === 0) {
      if (known === undefined) return;
      this.#release(known);
      this.#arena.remove(id, known);
      return;
    }
    this.#bound(known ?? this.#arena.add(id), account, held, views, slack);
  }

  #bound(
    number: number,
    account: Account,
    held: readonly Position[],
    views: MarketViews,
    slack: bigint | null,
  ): void {
    this.#arena.keep(number, account);
    if (!this.#fits(number, held)) this.#enter(number, held, views);
    this.#setThresholds(number, held, views, slack);
  }

  /** The chain stands for these positions, the last one first. */
  #fits(number: number, held: readonly Position[]): boolean {
    let link = this.#arena.first(number);
    for (let i = held.length - 1; i >= 0; i--) {
      const { market, lots } = held[i] as Position;
      if (link < 0 || this.#arena.market(link) !== market) return false;
      if (this.#arena.isShort(link) !== lots < 0n) return false;
      link = this.#arena.next(link);
    }
    return link < 0;
  }

  #enter(number: number, held: readonly Position[], views: MarketViews): void {
    this.#release(number);
    for (const { market, lots } of held) {
      let path = this.#paths.get(market);
      if (path === undefined) {
        path = new MarketPath(roomFor(this.#expected.get(market) ?? 0));
        this.#expected.delete(market);
        path.advance(views(market));
        this.#paths.set(market, path);
      }
      const side = lots < 0n ? path.short : path.long;
      this.#arena.push(number, market, lots < 0n, side.thresholds.add(number, NEVER));
    }
  }

  #release(number: number): void {
    for (let link = this.#arena.first(number); link >= 0; link = this.#arena.next(link)) {
      const path = this.#paths.get(this.#arena.market(link)) as MarketPath;
      const side = this.#arena.isShort(link) ? path.short : path.long;
      side.thresholds.remove(this.#arena.place(link));
    }
    this.#arena.clear(number);
  }

  #setThresholds(
    number: number,
    held: readonly Position[],
    views: MarketViews,
    slack: bigint | null,
  ): void {
    let weights = 0n;
    let spare = slack ?? 0n;
    for (const { market, lots } of held) {
      const view = views(market);
      if (view === undefined) continue;
      weights += absolute(lots) * weightOf(view, lots);
      // Its requirement was rounded up, and may be again.
      if (view.losses === null) spare -= 1n;
    }
    const spareMillionths = spare * PPM;
    let link = this.#arena.first(number);
    for (let i = held.length - 1; i >= 0; i--) {
      const { market, lots } = held[i] as Position;
      const path = this.#paths.get(market) as MarketPath;
      const side = lots < 0n ? path.short : path.long;
      const view = views(market);
      let threshold = NEVER;
      if (slack !== null && view !== undefined) {
        const weight = weightOf(view, lots);
        const allowed = weights === 0n ? 0n : divFloor(spareMillionths * weight, weights);
        threshold = side.thresholdFor(allowed);
      }
      side.thresholds.set(this.#arena.place(link), threshold);
      link = this.#arena.next(link);
    }
  }
}

const NOTHING: readonly Position[] = [];

/** Most accounts hold in every market they have a position in. */
function heldOf({ positions }: Account): readonly Position[] {
  for (const { lots } of positions) {
    if (lots === 0n) return positions.filter((position) => position.lots !== 0n);
  }
  return positions;
}

function holdsLots({ positions }: Account): boolean {
  for (const { lots } of positions) if (lots !== 0n) return true;
  return false;
}

/** By what the slack is shared: the value that moves. A lot that was paid in full can lose no more than its requirement, which is its value. */
function weightOf(view: MarketView, lots: bigint): bigint {
  if (view.losses === null) return view.quantaPerLot;
  return lots < 0n ? view.notionalPerLot : 0n;
}
