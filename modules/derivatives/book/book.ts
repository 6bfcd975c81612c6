/**
 * The order book: price levels, each a first-in-first-out queue, with every order also threaded on its account's list. Prices and
 * sizes are 31-bit integers here (ticks and lots, checked where they enter). Orders are 64-byte records of one typed array, named
 * by their slot: a book of a hundred thousand orders is not a hundred thousand objects.
 *
 * Every change registers its exact inverse. An order taken out remembers its neighbours, so undoing in reverse order puts each
 * back where it was.
 */
import type { AccountId } from "../../kit/account-id.ts";
import { AssertionError } from "../../kit/errors.ts";
import type { Side } from "../ports.ts";
import { Ladder } from "./ladder.ts";
import type { OrderTerms, UndoLog } from "./order-terms.ts";

/** The open orders of one account in this book. */
interface Holder {
  readonly account: AccountId;
  /** In records it stands for the holder. */
  readonly number: number;
  count: number;
  reduceOnly: number;
  first: number;
  last: number;
  /** Client id to slot; null until the first. */
  clientIds: Map<string, number> | null;
}

/** Fields of a record. Its slot is its number; 0 is none. */
const BEFORE = 0;
const BEHIND = 1;
const HOLDER_BEFORE = 2;
const HOLDER_BEHIND = 3;
const LEVEL = 4;
const LOTS = 5;
const TICKS = 6;
const ID_LOW = 7;
/** Above `FLAG_BITS` the high part of the id. */
const FLAGS = 8;
const HOLDER = 9;
const GOOD_TIL_LOW = 10;
const GOOD_TIL_HIGH = 11;
const NEXT_IN_BUCKET = 12;
const PRIORITY_LOW = 13;
const PRIORITY_HIGH = 14;
const GOOD_TIL_HEIGHT = 15;
const SHIFT = 4;

const SELL = 1;
const REDUCE_ONLY = 2;
const HOOKED = 4;
/** It has a client id. */
const NAMED = 8;
const FLAG_BITS = 4;
const TWO_32 = 4_294_967_296;

export class Book {
  readonly bids: Ladder = new Ladder("buy");
  readonly asks: Ladder = new Ladder("sell");
  #records: Int32Array = new Int32Array(256 << SHIFT);
  /** Order id (low bits) to the first slot of a chain. Ids are consecutive, so buckets fill evenly. */
  #buckets: Int32Array = new Int32Array(512);
  #used = 1;
  readonly #free: number[] = [];
  #size = 0;
  /** By slot; stands while its order is named. Looked at for those alone: every place beside the record is one more to fetch from memory. */
  readonly #clientIdOf: string[] = [];
  readonly #holders: Map<AccountId, Holder> = new Map();
  /** By number. */
  readonly #numbered: (Holder | undefined)[] = [];
  readonly #freeNumbers: number[] = [];

  /** Number of orders. */
  get size(): number {
    return this.#size;
  }

  ladder(side: Side): Ladder {
    return side === "buy" ? this.bids : this.asks;
  }

  /** The slot of an order, or 0. */
  find(id: number): number {
    let slot = this.#buckets[(id >>> 0) & (this.#buckets.length - 1)] as number;
    while (slot !== 0 && this.idOf(slot) !== id) {
      slot = this.#records[(slot << SHIFT) + NEXT_IN_BUCKET] as number;
    }
    return slot;
  }

  findByClientId(account: AccountId, clientId: string): number {
    return this.#holders.get(account)?.clientIds?.get(clientId) ?? 0;
  }

  idOf(slot: number): number {
    const base = slot << SHIFT;
    const low = (this.#records[base + ID_LOW] as number) >>> 0;
    return ((this.#records[base + FLAGS] as number) >>> FLAG_BITS) * TWO_32 + low;
  }

  lotsOf(slot: number): number {
    return this.#records[(slot << SHIFT) + LOTS] as number;
  }

  accountOf(slot: number): AccountId {
    return this.#holderOf(slot).account;
  }

  /** The order behind this one in its level, or 0. */
  behind(slot: number): number {
    return this.#records[(slot << SHIFT) + BEHIND] as number;
  }

  read(slot: number): OrderTerms {
    const base = slot << SHIFT;
    const records = this.#records;
    const flags = records[base + FLAGS] as number;
    const goodTilLow = (records[base + GOOD_TIL_LOW] as number) >>> 0;
    const priorityLow = (records[base + PRIORITY_LOW] as number) >>> 0;
    return {
      id: this.idOf(slot),
      account: this.accountOf(slot),
      side: (flags & SELL) === 0 ? "buy" : "sell",
      ticks: records[base + TICKS] as number,
      lots: records[base + LOTS] as number,
      reduceOnly: (flags & REDUCE_ONLY) !== 0,
      clientId: (flags & NAMED) === 0 ? "" : (this.#clientIdOf[slot] as string),
      goodTilMs: (records[base + GOOD_TIL_HIGH] as number) * TWO_32 + goodTilLow,
      goodTilHeight: (records[base + GOOD_TIL_HEIGHT] as number) >>> 0,
      priority: (records[base + PRIORITY_HIGH] as number) * TWO_32 + priorityLow,
      hooked: (flags & HOOKED) !== 0,
    };
  }

  /** Accounts with open orders here; the map's order means nothing. */
  get accounts(): ReadonlyMap<AccountId, unknown> {
    return this.#holders;
  }

  /** How many open orders the account has here, and how many of them are reduce-only. */
  openOrders(account: AccountId): number {
    return this.#holders.get(account)?.count ?? 0;
  }

  openReduceOnly(account: AccountId): number {
    return this.#holders.get(account)?.reduceOnly ?? 0;
  }

  /** Slots of the account's orders, oldest first. */
  ordersOf(account: AccountId): number[] {
    const slots: number[] = [];
    let slot = this.#holders.get(account)?.first ?? 0;
    while (slot !== 0) {
      slots.push(slot);
      slot = this.#records[(slot << SHIFT) + HOLDER_BEHIND] as number;
    }
    return slots;
  }

  /** Best price of the side, or 0. */
  bestTicks(side: Side): number {
    const ladder = this.ladder(side);
    const level = ladder.best();
    return level === 0 ? 0 : ladder.ticksOf(level);
  }

  /** True when an order of `side` at `ticks` would meet a resting one. */
  crosses(side: Side, ticks: number): boolean {
    const other = this.bestTicks(side === "buy" ? "sell" : "buy");
    if (other === 0) return false;
    return side === "buy" ? other <= ticks : other >= ticks;
  }

  /** Puts an order at the end of its level. Priorities grow, so arrival order is their order. */
  insert(terms: OrderTerms, log: UndoLog): number {
    // Messages of asserts are built even when nothing is wrong: not here.
    if (this.find(terms.id) !== 0) throw broken("order is already in the book", terms.id);
    const slot = this.#newSlot();
    const level = this.ladder(terms.side).obtain(terms.ticks);
    const last = this.ladder(terms.side).lastOf(level);
    const holder = this.#holder(terms.account);
    this.#put(slot, terms, level, last, 0, holder, holder.last, 0);
    log.onRevert(() => {
      this.#unlink(slot);
    });
    return slot;
  }

  remove(slot: number, log: UndoLog): void {
    const terms = this.read(slot);
    const base = slot << SHIFT;
    const before = this.#records[base + BEFORE] as number;
    const behind = this.#records[base + BEHIND] as number;
    const holderBefore = this.#records[base + HOLDER_BEFORE] as number;
    const holderBehind = this.#records[base + HOLDER_BEHIND] as number;
    this.#unlink(slot);
    log.onRevert(() => {
      if (this.#free.pop() !== slot) throw broken("undo out of order at slot", slot);
      const level = this.ladder(terms.side).obtain(terms.ticks);
      const holder = this.#holder(terms.account);
      this.#put(slot, terms, level, before, behind, holder, holderBefore, holderBehind);
    });
  }

  /** Takes `lots` off an order, and the order out of the book when nothing is left. */
  reduce(slot: number, lots: number, log: UndoLog): void {
    const at = (slot << SHIFT) + LOTS;
    const held = this.#records[at] as number;
    if (!(lots > 0 && lots <= held)) throw broken("more lots taken than held", lots);
    if (lots === held) {
      this.remove(slot, log);
      return;
    }
    this.#records[at] = held - lots;
    log.onRevert(() => {
      this.#records[at] = held;
    });
  }

  /** Slots of a side in execution order; the callback returns true to stop. */
  each(side: Side, visit: (slot: number) => unknown): void {
    const ladder = this.ladder(side);
    ladder.each((level) => {
      for (let slot = ladder.firstOf(level); slot !== 0; slot = this.behind(slot)) {
        if (visit(slot) === true) return true;
      }
      return false;
    });
  }

  #holder(account: AccountId): Holder {
    let holder = this.#holders.get(account);
    if (holder === undefined) {
      const number = this.#freeNumbers.pop() ?? this.#numbered.length;
      holder = { account, number, count: 0, reduceOnly: 0, first: 0, last: 0, clientIds: null };
      this.#holders.set(account, holder);
      this.#numbered[number] = holder;
    }
    return holder;
  }

  #holderOf(slot: number): Holder {
    return this.#numbered[this.#records[(slot << SHIFT) + HOLDER] as number] as Holder;
  }

  #dismiss(holder: Holder): void {
    this.#holders.delete(holder.account);
    this.#numbered[holder.number] = undefined;
    this.#freeNumbers.push(holder.number);
  }

  #newSlot(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const slot = this.#used++;
    this.#clientIdOf.push("");
    // Slot 0 is none.
    if (slot === 1) this.#clientIdOf.push("");
    if (slot << SHIFT >= this.#records.length) this.#grow();
    return slot;
  }

  #grow(): void {
    const larger = new Int32Array(this.#records.length * 2);
    larger.set(this.#records);
    this.#records = larger;
    const mask = this.#buckets.length * 2 - 1;
    const buckets = new Int32Array(mask + 1);
    for (const head of this.#buckets) {
      let slot = head;
      while (slot !== 0) {
        const base = slot << SHIFT;
        const next = larger[base + NEXT_IN_BUCKET] as number;
        const bucket = (larger[base + ID_LOW] as number) & mask;
        larger[base + NEXT_IN_BUCKET] = buckets[bucket] as number;
        buckets[bucket] = slot;
        slot = next;
      }
    }
    this.#buckets = buckets;
  }

  #put(
    slot: number,
    terms: OrderTerms,
    level: number,
    before: number,
    behind: number,
    holder: Holder,
    holderBefore: number,
    holderBehind: number,
  ): void {
    const records = this.#records;
    const base = slot << SHIFT;
    const { id, goodTilMs } = terms;
    records[base + BEFORE] = before;
    records[base + BEHIND] = behind;
    records[base + HOLDER_BEFORE] = holderBefore;
    records[base + HOLDER_BEHIND] = holderBehind;
    records[base + LEVEL] = level;
    records[base + LOTS] = terms.lots;
    records[base + TICKS] = terms.ticks;
    records[base + ID_LOW] = id | 0;
    records[base + FLAGS] =
      (terms.side === "sell" ? SELL : 0) |
      (terms.reduceOnly ? REDUCE_ONLY : 0) |
      (terms.hooked ? HOOKED : 0) |
      (terms.clientId === "" ? 0 : NAMED) |
      (((id - (id >>> 0)) / TWO_32) << FLAG_BITS);
    records[base + HOLDER] = holder.number;
    records[base + PRIORITY_LOW] = terms.priority | 0;
    records[base + PRIORITY_HIGH] = (terms.priority - (terms.priority >>> 0)) / TWO_32;
    records[base + GOOD_TIL_HEIGHT] = terms.goodTilHeight | 0;
    records[base + GOOD_TIL_LOW] = goodTilMs | 0;
    records[base + GOOD_TIL_HIGH] = (goodTilMs - (goodTilMs >>> 0)) / TWO_32;

    const ladder = this.ladder(terms.side);
    if (before === 0) ladder.setFirst(level, slot);
    else records[(before << SHIFT) + BEHIND] = slot;
    if (behind === 0) ladder.setLast(level, slot);
    else records[(behind << SHIFT) + BEFORE] = slot;

    if (holderBefore === 0) holder.first = slot;
    else records[(holderBefore << SHIFT) + HOLDER_BEHIND] = slot;
    if (holderBehind === 0) holder.last = slot;
    else records[(holderBehind << SHIFT) + HOLDER_BEFORE] = slot;
    holder.count += 1;
    if (terms.reduceOnly) holder.reduceOnly += 1;

    const bucket = id & (this.#buckets.length - 1);
    records[base + NEXT_IN_BUCKET] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = slot;
    if (terms.clientId !== "") {
      this.#clientIdOf[slot] = terms.clientId;
      holder.clientIds ??= new Map();
      holder.clientIds.set(terms.clientId, slot);
    }
    this.#size += 1;
  }

  #unlink(slot: number): void {
    const records = this.#records;
    const base = slot << SHIFT;
    this.#unhash(slot);
    const flags = records[base + FLAGS] as number;
    const level = records[base + LEVEL] as number;
    const before = records[base + BEFORE] as number;
    const behind = records[base + BEHIND] as number;
    const ladder = (flags & SELL) === 0 ? this.bids : this.asks;
    if (before === 0) ladder.setFirst(level, behind);
    else records[(before << SHIFT) + BEHIND] = behind;
    if (behind === 0) ladder.setLast(level, before);
    else records[(behind << SHIFT) + BEFORE] = before;
    if (before === 0 && behind === 0) ladder.remove(level);

    const holder = this.#holderOf(slot);
    const holderBefore = records[base + HOLDER_BEFORE] as number;
    const holderBehind = records[base + HOLDER_BEHIND] as number;
    if (holderBefore === 0) holder.first = holderBehind;
    else records[(holderBefore << SHIFT) + HOLDER_BEHIND] = holderBehind;
    if (holderBehind === 0) holder.last = holderBefore;
    else records[(holderBehind << SHIFT) + HOLDER_BEFORE] = holderBefore;
    holder.count -= 1;
    if ((flags & REDUCE_ONLY) !== 0) holder.reduceOnly -= 1;
    if (holder.count === 0) this.#dismiss(holder);

    if ((flags & NAMED) !== 0) {
      holder.clientIds?.delete(this.#clientIdOf[slot] as string);
      this.#clientIdOf[slot] = "";
    }
    this.#free.push(slot);
    this.#size -= 1;
  }

  #unhash(slot: number): void {
    const records = this.#records;
    const bucket = (records[(slot << SHIFT) + ID_LOW] as number) & (this.#buckets.length - 1);
    const next = records[(slot << SHIFT) + NEXT_IN_BUCKET] as number;
    let at = this.#buckets[bucket] as number;
    if (at === slot) {
      this.#buckets[bucket] = next;
      return;
    }
    while (at !== 0) {
      const link = (at << SHIFT) + NEXT_IN_BUCKET;
      at = records[link] as number;
      if (at === slot) {
        records[link] = next;
        return;
      }
    }
    throw broken("no order in slot", slot);
  }
}

function broken(what: string, which: number): AssertionError {
  return new AssertionError(`book: ${what} ${which}`);
}
