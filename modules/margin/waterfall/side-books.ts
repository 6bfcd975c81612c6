/**
 * The sides of markets as deleveraging asks for them, each found once a block and followed from there: exactly what a scan of all accounts finds (`holdersOf`), whatever was
 * written or undone since. Who may be on a side is known to the bounds, so nobody else is looked at; of those, whose record is another object than the one that was
 * judged are judged again. Kept with the branch until the next look (bounds/branch-watch.ts), and no part of state.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext } from "../../kit/context.ts";
import { absolute } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import { boundsOf, SIDES } from "../bounds/branch-watch.ts";
import { findPosition } from "../clearing/fill.ts";
import type { AssetView } from "../collateral-assets/valuation.ts";
import { equityOf } from "../health/health.ts";
import type { MarketView, MarketViews, ModelledMarkets } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { compareLeverage } from "./deleverage-math.ts";
import { Ranking } from "./ranking.ts";
import { gainedIn, holdersOf, lotDeltas, unhedgedLots } from "./sides.ts";

/** Of a holder the lots that count, and what its leverage is measured by. */
export interface Exposed {
  readonly id: AccountId;
  readonly lots: bigint;
  readonly equity: bigint;
}

export interface Side {
  /** Of all on it who are not below zero without what they have gained in markets that a loss has stopped. */
  readonly lots: bigint;
  readonly accounts: number;
  /** In no order. */
  each(): Iterable<Exposed>;
  /** The most leveraged first: by all their lots, or by those that nothing hedges. */
  ranked(scope: "unhedged" | "all"): Iterable<Exposed>;
}

interface SideOf {
  readonly view: MarketView;
  readonly long: boolean;
  readonly hedgesLast: boolean;
}

interface Parts {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
}

interface Entry {
  readonly id: AccountId;
  /** What it was judged by; undefined: there is no account. */
  readonly record: Account | undefined;
  /** 0: it is not on the side. */
  readonly lots: bigint;
  readonly unhedged: bigint;
  readonly equity: bigint;
}

type Judge = (id: AccountId, record: Account | undefined) => Entry;

/** What was read to judge the holders of a side. */
interface Seen {
  /** Of the present question. */
  source: MarketViews;
  readonly markets: Map<MarketId, MarketView | undefined>;
  readonly assets: Map<string, AssetView | null>;
}

/** Values the same lots at the same. */
function sameView(a: MarketView | undefined, b: MarketView | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return (
    a.quantaPerLot === b.quantaPerLot &&
    a.fundingIndex === b.fundingIndex &&
    a.notionalPerLot === b.notionalPerLot &&
    a.terms.feedId === b.terms.feedId &&
    a.terms.status === b.terms.status
  );
}

function sameAsset(a: AssetView | null, b: AssetView | null): boolean {
  if (a === null || b === null) return a === b;
  const { maintenancePpm, price, terms } = a;
  return (
    price === b.price && maintenancePpm === b.maintenancePpm && terms.decimals === b.terms.decimals
  );
}

/** Each view once, remembered. */
function noting(seen: Seen): MarketViews {
  const { assets, markets } = seen;
  const read = (market: MarketId): MarketView | undefined => {
    if (markets.has(market)) return markets.get(market);
    const view = seen.source(market);
    markets.set(market, view);
    return view;
  };
  const asset = (denom: string): AssetView | null => {
    let view = assets.get(denom);
    if (view === undefined) {
      view = seen.source.asset?.(denom) ?? null;
      assets.set(denom, view);
    }
    return view;
  };
  return Object.assign(read, { asset });
}

function stoppedMarkets(ctx: ReadContext, { waterfall }: MarginState): ReadonlySet<MarketId> {
  const stopped = new Set<MarketId>();
  waterfall.endings.each(ctx, (market) => void stopped.add(market));
  return stopped;
}

function judgeOf(
  ctx: ReadContext,
  { markets }: Parts,
  { view, long, hedgesLast }: SideOf,
  views: MarketViews,
  stopped: ReadonlySet<MarketId>,
): Judge {
  const deltaOf = lotDeltas(ctx, markets, views);
  const off = (id: AccountId, record: Account | undefined): Entry => {
    return { id, record, lots: 0n, unhedged: 0n, equity: 0n };
  };
  return (id, record) => {
    const position = record === undefined ? undefined : findPosition(record, view.terms.id);
    if (record === undefined || position === undefined) return off(id, record);
    if (position.lots === 0n || position.lots > 0n !== long) return off(id, record);
    // What it has gained in a market that a loss has stopped may not be there.
    const equity =
      (equityOf(record, views) ?? -1n) - gainedIn(record, views, (market) => stopped.has(market));
    if (equity < 0n) return off(id, record);
    const lots = absolute(position.lots);
    const unhedged = hedgesLast ? unhedgedLots(record, position, view, views, deltaOf) : lots;
    return { id, record, lots, unhedged, equity };
  };
}

class SideBook {
  readonly #judge: Judge;
  readonly #seen: Seen;
  readonly #stopped: ReadonlySet<MarketId>;
  /** On the side when it was found. */
  readonly #base: Map<AccountId, Entry> = new Map();
  /** Written since, as they are now. */
  readonly #changed: Map<AccountId, Entry> = new Map();
  readonly #rankings: Map<"unhedged" | "all", Ranking<Exposed>> = new Map();
  #lots = 0n;
  #accounts = 0;

  constructor(judge: Judge, seen: Seen, stopped: ReadonlySet<MarketId>) {
    this.#judge = judge;
    this.#seen = seen;
    this.#stopped = stopped;
  }

  /** Once, before anything else is asked. */
  enter(id: AccountId, record: Account | undefined): void {
    if (this.#base.has(id)) return;
    const entry = this.#judge(id, record);
    if (entry.lots === 0n) return;
    this.#base.set(id, entry);
    this.#count(entry, 1);
  }

  /** What it was judged by stands; what is still to be judged is at these views. */
  holds(ctx: ReadContext, state: MarginState, views: MarketViews): boolean {
    const stopped = stoppedMarkets(ctx, state);
    if (stopped.size !== this.#stopped.size) return false;
    for (const market of stopped) if (!this.#stopped.has(market)) return false;
    for (const [market, view] of this.#seen.markets) {
      if (!sameView(view, views(market))) return false;
    }
    for (const [denom, view] of this.#seen.assets) {
      if (!sameAsset(view, views.asset?.(denom) ?? null)) return false;
    }
    this.#seen.source = views;
    return true;
  }

  follow(touched: Iterable<AccountId>, recordOf: (id: AccountId) => Account | undefined): void {
    for (const id of touched) {
      const record = recordOf(id);
      const known = this.#changed.get(id) ?? this.#base.get(id);
      if (known !== undefined && known.record === record) continue;
      const entry = this.#judge(id, record);
      if (known !== undefined) this.#count(known, -1);
      this.#count(entry, 1);
      this.#changed.set(id, entry);
    }
  }

  get side(): Side {
    return {
      lots: this.#lots,
      accounts: this.#accounts,
      each: () => this.#each(),
      ranked: (scope) => this.#ranked(scope),
    };
  }

  #count({ lots }: Entry, times: 1 | -1): void {
    if (lots === 0n) return;
    this.#lots += times === 1 ? lots : -lots;
    this.#accounts += times;
  }

  *#each(): Iterable<Exposed> {
    for (const entry of this.#changed.values()) if (entry.lots > 0n) yield entry;
    for (const entry of this.#base.values()) if (!this.#changed.has(entry.id)) yield entry;
  }

  /** Two sorted lists in one: those who stand as they were found, and those who do not. */
  *#ranked(scope: "unhedged" | "all"): Iterable<Exposed> {
    const changed = exposed(this.#changed.values(), scope).sort(compareLeverage);
    let ranking = this.#rankings.get(scope);
    if (ranking === undefined) {
      ranking = new Ranking(exposed(this.#base.values(), scope));
      this.#rankings.set(scope, ranking);
    }
    let place = 0;
    let next = 0;
    for (;;) {
      const standing = ranking.at(place);
      if (standing !== undefined && this.#changed.has(standing.id)) {
        place += 1;
        continue;
      }
      const other = changed[next];
      if (standing === undefined && other === undefined) return;
      if (other === undefined || (standing !== undefined && compareLeverage(standing, other) < 0)) {
        place += 1;
        yield standing as Exposed;
      } else {
        next += 1;
        yield other;
      }
    }
  }
}

function exposed(entries: Iterable<Entry>, scope: "unhedged" | "all"): Exposed[] {
  const found: Exposed[] = [];
  for (const { equity, id, lots, unhedged } of entries) {
    const count = scope === "all" ? lots : unhedged;
    if (count > 0n) found.push({ id, lots: count, equity });
  }
  return found;
}

function found(ctx: ReadContext, parts: Parts, views: MarketViews, of: SideOf): SideBook {
  const { state } = parts;
  const seen: Seen = { source: views, markets: new Map(), assets: new Map() };
  const stopped = stoppedMarkets(ctx, state);
  const book = new SideBook(judgeOf(ctx, parts, of, noting(seen), stopped), seen, stopped);
  const present = (id: AccountId): Account | undefined => state.accounts.get(ctx, id);
  const bounds = boundsOf(ctx);
  if (bounds === undefined) {
    state.active.each(ctx, (id) => book.enter(id, present(id)));
    return book;
  }
  try {
    const { id: market } = of.view.terms;
    bounds.eachHolder(market, of.long, (id, record) => book.enter(id, record ?? present(id)));
  } catch (error) {
    // Which of several faults is met must not depend on the order of bounds, which is no part of state.
    holdersOf(ctx, parts, views, of);
    throw error;
  }
  return book;
}

/** As it stands now. */
export function sideOf(ctx: ReadContext, parts: Parts, views: MarketViews, of: SideOf): Side {
  const { state } = parts;
  const bounds = boundsOf(ctx);
  // Without bounds nobody says who was written.
  if (bounds === undefined) return found(ctx, parts, views, of).side;
  let books = ctx.state.derived.get(SIDES) as Map<string, SideBook> | undefined;
  if (books === undefined) ctx.state.derived.set(SIDES, (books = new Map()));
  const key = `${of.view.terms.id} ${of.long} ${of.hedgesLast}`;
  let book = books.get(key);
  if (book === undefined || !book.holds(ctx, state, views)) {
    book = found(ctx, parts, views, of);
    books.set(key, book);
  }
  book.follow(bounds.touched, (id) => state.accounts.get(ctx, id));
  return book.side;
}
