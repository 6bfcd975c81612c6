/**
 * What the reader holds of the chain's state: markets, orders, and the books they make. Kept from changes of the store `derivatives`, first all of
 * it, then block by block; so it is what the state is, however a change came about.
 */

import { type Instrument, instrumentOf } from "@keel/modules/derivatives/instruments";
import { countersValue, restingOrderValue } from "@keel/modules/derivatives/orders/record-codecs";
import type { MarketId, Side } from "@keel/modules/derivatives/ports";
import { type AccountId, accountId } from "@keel/modules/kit/account-id";
import { u32Key } from "@keel/modules/kit/collections/codecs";
import {
  CollectedOrder,
  Market,
  WaitingOrder,
  Side as WireSide,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { LevelBook } from "./level-book.ts";

/** "collected": accepted, for an auction to come; it has no id yet, unless it has waited and fired. */
export type OpenStatus = "open" | "waiting" | "collected";

export interface OpenOrder {
  readonly market: MarketId;
  readonly account: AccountId;
  /** 0 while collected for the first time. */
  readonly id: number;
  readonly clientId: string;
  readonly status: OpenStatus;
  readonly side: Side;
  /** 0: no price. */
  readonly ticks: number;
  /** All that is left of it, hidden parts included. */
  readonly lots: number;
  readonly sizeLots: number;
  /** In the book. */
  readonly shownLots: number;
}

/** What one order was and is; null: not there. */
export interface OrderChange {
  before: OpenOrder | null;
  after: OpenOrder | null;
}

/** First bytes of the keys in the store that are read, see the module's README. */
const MARKETS = 0x01;
const COUNTERS = 0x03;
const ORDERS = 0x04;
const WAITING = 0x10;
const COLLECTED = 0x18;

export const TABLES_STORE = "derivatives";

/** Whether a key of the store is one that `apply` reads; the last of them is below 0x19. */
export function isTableKey(key: string): boolean {
  const first = key.charCodeAt(0);
  return (
    first === MARKETS ||
    first === COUNTERS ||
    first === ORDERS ||
    first === WAITING ||
    first === COLLECTED
  );
}

export class StateTables {
  readonly #markets = new Map<MarketId, Instrument>();
  readonly #symbols = new Map<string, MarketId>();
  readonly #books = new Map<MarketId, LevelBook>();
  /** By key in the store. */
  readonly #orders = new Map<string, OpenOrder>();
  readonly #ofAccount = new Map<AccountId, Set<string>>();
  #changed = new Map<string, OrderChange>();
  readonly #touched = new Set<MarketId>();
  #removed: Instrument[] = [];

  /** One change of the store; null deletes. */
  apply(key: string, value: Uint8Array | null): void {
    switch (key.charCodeAt(0)) {
      case MARKETS:
        this.#setMarket(marketIn(key), value);
        return;
      case COUNTERS: {
        const sequence = value === null ? 0 : Number(countersValue.decode(value).sequence);
        this.#touch(marketIn(key)).sequence = sequence;
        return;
      }
      case ORDERS:
        this.#setOrder(key, value === null ? null : restingOrder(value));
        return;
      case WAITING:
        this.#setOrder(key, value === null ? null : waitingOrder(value));
        return;
      case COLLECTED:
        this.#setOrder(key, value === null ? null : collectedOrder(value));
    }
  }

  market(id: MarketId): Instrument | undefined {
    return this.#markets.get(id);
  }

  find(symbol: string): Instrument | undefined {
    const id = this.#symbols.get(symbol);
    return id === undefined ? undefined : this.#markets.get(id);
  }

  book(market: MarketId): LevelBook {
    let book = this.#books.get(market);
    if (book === undefined) this.#books.set(market, (book = new LevelBook()));
    return book;
  }

  /** Markets whose book or sequence changed since the last call. */
  takeTouched(): MarketId[] {
    const touched = [...this.#touched];
    this.#touched.clear();
    return touched;
  }

  /** In key order within a market: waiting ones after resting ones. */
  ordersOf(account: AccountId): OpenOrder[] {
    const keys = [...(this.#ofAccount.get(account) ?? [])].sort(compareText);
    return keys.map((key) => this.#orders.get(key) as OpenOrder);
  }

  /** Orders that changed since the last call, one entry each, whatever became of its key. */
  takeOrderChanges(): OrderChange[] {
    const changes = [...this.#changed.values()];
    this.#changed = new Map();
    return changes;
  }

  /** Symbols of markets that left the state since the last call; their books are forgotten. */
  takeRemoved(): string[] {
    return this.#removed.splice(0).map(({ id, symbol }) => {
      this.#markets.delete(id);
      this.#books.delete(id);
      if (this.#symbols.get(symbol) === id) this.#symbols.delete(symbol);
      return symbol;
    });
  }

  #touch(market: MarketId): LevelBook {
    this.#touched.add(market);
    return this.book(market);
  }

  #setMarket(id: MarketId, value: Uint8Array | null): void {
    const before = this.#markets.get(id);
    if (value !== null) {
      const instrument = instrumentOf(Market.decode(value));
      this.#markets.set(id, instrument);
      this.#symbols.set(instrument.symbol, id);
      return;
    }
    // Its last orders may leave in the same block, after it in the order of keys.
    if (before !== undefined) this.#removed.push(before);
  }

  #setOrder(key: string, after: OpenOrder | null): void {
    const before = this.#orders.get(key) ?? null;
    if (before !== null) this.#forget(key, before);
    if (after !== null) this.#keep(key, after);
    const one = before ?? after;
    if (one !== null) this.#note(one, before, after);
  }

  #keep(key: string, order: OpenOrder): void {
    this.#orders.set(key, order);
    const keys = this.#ofAccount.get(order.account);
    if (keys === undefined) this.#ofAccount.set(order.account, new Set([key]));
    else keys.add(key);
    if (order.status === "open")
      this.#touch(order.market).add(order.side, order.ticks, order.shownLots);
  }

  #forget(key: string, order: OpenOrder): void {
    this.#orders.delete(key);
    const keys = this.#ofAccount.get(order.account);
    keys?.delete(key);
    if (keys?.size === 0) this.#ofAccount.delete(order.account);
    if (order.status === "open")
      this.#touch(order.market).remove(order.side, order.ticks, order.shownLots);
  }

  /** An order may leave one key and appear at another in the same block: amended, refilled, triggered, collected. */
  #note(one: OpenOrder, before: OpenOrder | null, after: OpenOrder | null): void {
    const name =
      one.id === 0 ? `${one.market} ${one.account}${one.clientId}` : `${one.market} ${one.id}`;
    const known = this.#changed.get(name);
    if (known === undefined) {
      this.#changed.set(name, { before, after });
      return;
    }
    known.before ??= before;
    known.after ??= after;
  }
}

function marketIn(key: string): MarketId {
  return u32Key.decode(key, 1)[0];
}

const sideOf = (side: WireSide): Side => (side === WireSide.SIDE_BUY ? "buy" : "sell");

function restingOrder(value: Uint8Array): OpenOrder {
  const order = restingOrderValue.decode(value);
  const shownLots = Number(order.remainingLots);
  return {
    market: order.market,
    account: accountId(order.owner, order.subaccount),
    id: Number(order.id),
    clientId: order.clientId,
    status: "open",
    side: sideOf(order.side),
    ticks: Number(order.priceTicks),
    lots: shownLots + Number(order.hiddenLots),
    sizeLots: Number(order.sizeLots),
    shownLots,
  };
}

function waitingOrder(value: Uint8Array): OpenOrder {
  const order = WaitingOrder.decode(value);
  return {
    market: order.market,
    account: accountId(order.owner, order.subaccount),
    id: Number(order.id),
    clientId: order.clientId,
    status: "waiting",
    side: sideOf(order.side),
    ticks: Number(order.priceTicks),
    lots: Number(order.remainingLots),
    sizeLots: Number(order.sizeLots),
    shownLots: 0,
  };
}

function collectedOrder(value: Uint8Array): OpenOrder {
  const order = CollectedOrder.decode(value);
  return {
    market: order.market,
    account: accountId(order.owner, order.subaccount),
    id: Number(order.waiting?.id ?? 0n),
    clientId: order.clientId,
    status: "collected",
    side: sideOf(order.side),
    ticks: Number(order.priceTicks),
    lots: Number(order.lots),
    sizeLots: Number(order.sizeLots),
    shownLots: 0,
  };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
