/** The accounts that wait on thresholds, by small numbers, each with its chain of places: typed arrays, no object per account. */
import type { AccountId } from "../../kit/account-id.ts";
import type { Account } from "../account-codec.ts";

const NONE = -1;
const FIRST_LENGTH = 64;

function grown<T extends Int32Array | Uint32Array>(array: T, make: (length: number) => T): T {
  const longer = make(array.length + (array.length >> 1));
  longer.set(array);
  return longer;
}

export class Arena {
  readonly #numbers: Map<AccountId, number> = new Map();
  readonly #ids: (AccountId | null)[] = [];
  /** Each as it was when its bound was made: the same objects that state holds, found without searching it. */
  readonly #records: (Account | null)[] = [];
  readonly #freeNumbers: number[] = [];
  /** First link of each account. */
  #first: Int32Array;
  #next: Int32Array;
  /** Number of the path, and the place in its thresholds. */
  #paths: Uint32Array;
  #places: Int32Array;
  #links = 0;
  #freeLink = NONE;

  /** With room for so many accounts and places. */
  constructor(accounts = 0, links = 0) {
    this.#first = new Int32Array(accounts + FIRST_LENGTH);
    this.#next = new Int32Array(links + FIRST_LENGTH);
    this.#paths = new Uint32Array(links + FIRST_LENGTH);
    this.#places = new Int32Array(links + FIRST_LENGTH);
  }

  /** Typed arrays only. */
  get byteLength(): number {
    const { byteLength } = this.#first;
    return byteLength + this.#next.byteLength + this.#paths.byteLength + this.#places.byteLength;
  }

  numberOf(id: AccountId): number | undefined {
    return this.#numbers.get(id);
  }

  idOf(number: number): AccountId {
    return this.#ids[number] as AccountId;
  }

  recordOf(number: number): Account {
    return this.#records[number] as Account;
  }

  keep(number: number, record: Account): void {
    this.#records[number] = record;
  }

  /** `keep` must follow. */
  add(id: AccountId): number {
    const number = this.#freeNumbers.pop() ?? this.#ids.length;
    this.#ids[number] = id;
    this.#records[number] = null;
    this.#numbers.set(id, number);
    if (number >= this.#first.length)
      this.#first = grown(this.#first, (length) => new Int32Array(length));
    this.#first[number] = NONE;
    return number;
  }

  /** After `clear`. */
  remove(id: AccountId, number: number): void {
    this.#numbers.delete(id);
    this.#ids[number] = null;
    this.#records[number] = null;
    this.#freeNumbers.push(number);
  }

  /** First link, or −1. */
  first(number: number): number {
    return this.#first[number] as number;
  }

  next(link: number): number {
    return this.#next[link] as number;
  }

  path(link: number): number {
    return this.#paths[link] as number;
  }

  place(link: number): number {
    return this.#places[link] as number;
  }

  /** Puts a place in front of the account's chain. */
  push(number: number, path: number, place: number): void {
    let link = this.#freeLink;
    if (link === NONE) {
      link = this.#links++;
      if (link === this.#next.length) {
        this.#next = grown(this.#next, (length) => new Int32Array(length));
        this.#places = grown(this.#places, (length) => new Int32Array(length));
        this.#paths = grown(this.#paths, (length) => new Uint32Array(length));
      }
    } else {
      this.#freeLink = this.next(link);
    }
    this.#next[link] = this.#first[number] as number;
    this.#first[number] = link;
    this.#paths[link] = path;
    this.#places[link] = place;
  }

  /** Drops the account's chain. */
  clear(number: number): void {
    let link = this.first(number);
    while (link !== NONE) {
      const next = this.next(link);
      this.#next[link] = this.#freeLink;
      this.#freeLink = link;
      link = next;
    }
    this.#first[number] = NONE;
  }
}
