/** An order book kept from a snapshot and its updates. It knows by sequence when it has missed one, and by checksum when it is wrong. */
import { bookChecksum } from "@keel/proto/bytes/book-checksum";
import type { BookLevel } from "@keel/proto/gen/keel/derivatives/v1/query";
import { readDecimal } from "./decimal.ts";

/** As the stream writes it: price, size, orders. Size "0": gone. */
export type LevelJson = readonly [price: string, size: string, orders: number];

export interface BookSnapshotJson {
  readonly sequence: number;
  readonly bids: readonly LevelJson[];
  readonly asks: readonly LevelJson[];
  readonly checksum: number;
  /** False: only the best levels are in it. */
  readonly complete: boolean;
}

export interface BookUpdateJson {
  /** Sequence that the update is based on. */
  readonly previous: number;
  readonly sequence: number;
  readonly bids: readonly LevelJson[];
  readonly asks: readonly LevelJson[];
  readonly checksum: number;
}

interface Held extends BookLevel {
  /** Price as an integer, for the order of levels. */
  readonly rank: bigint;
}

/** Decimal places of prices that are told apart; the chain allows no more. */
const PRICE_PLACES = 12;

class Side {
  readonly #sign: 1n | -1n;
  /** Best first. */
  #levels: Held[] = [];

  constructor(side: "bids" | "asks") {
    this.#sign = side === "bids" ? -1n : 1n;
  }

  get levels(): readonly Held[] {
    return this.#levels;
  }

  reset(levels: readonly LevelJson[]): void {
    this.#levels = [];
    for (const level of levels) this.set(level);
  }

  set([price, size, orders]: LevelJson): void {
    const rank = this.#sign * rankOf(price);
    const at = this.#placeOf(rank);
    const known = this.#levels[at]?.rank === rank;
    if (size === "0") {
      if (known) this.#levels.splice(at, 1);
      return;
    }
    this.#levels.splice(at, known ? 1 : 0, { price, size, orders, rank });
  }

  #placeOf(rank: bigint): number {
    let low = 0;
    let high = this.#levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#levels[middle] as Held).rank < rank) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class LiveBook {
  readonly market: string;
  readonly #bids = new Side("bids");
  readonly #asks = new Side("asks");
  #sequence = -1;
  #height = 0;
  #isComplete = false;
  #isCurrent = false;

  constructor(market: string) {
    this.market = market;
  }

  /** False before the first snapshot, and from a gap or a break of the connection until the next one. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /** False: the book is so deep that the snapshot held only its best levels. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** As the query `OrderBook` says it of the same height. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Block of the last message. */
  get height(): number {
    return this.#height;
  }

  /** Best first. */
  bids(depth: number = Number.POSITIVE_INFINITY): readonly BookLevel[] {
    return view(this.#bids, depth);
  }

  asks(depth: number = Number.POSITIVE_INFINITY): readonly BookLevel[] {
    return view(this.#asks, depth);
  }

  checksum(): number {
    return bookChecksum(this.#bids.levels, this.#asks.levels);
  }

  /** Starts from a snapshot. False: its own checksum does not fit it. */
  reset(snapshot: BookSnapshotJson, height: number): boolean {
    this.#bids.reset(snapshot.bids);
    this.#asks.reset(snapshot.asks);
    this.#isComplete = snapshot.complete;
    return this.#moved(snapshot, height);
  }

  /** Takes an update. False: one was missed, or the book is wrong; a new snapshot is needed. */
  update(update: BookUpdateJson, height: number): boolean {
    if (!this.#isCurrent) return false;
    if (update.previous !== this.#sequence) {
      this.#isCurrent = false;
      return false;
    }
    for (const level of update.bids) this.#bids.set(level);
    for (const level of update.asks) this.#asks.set(level);
    return this.#moved(update, height);
  }

  /** What it holds is of before something that was missed. */
  lost(): void {
    this.#isCurrent = false;
  }

  #moved({ checksum, sequence }: BookSnapshotJson | BookUpdateJson, height: number): boolean {
    this.#sequence = sequence;
    this.#height = height;
    this.#isCurrent = this.checksum() === checksum;
    return this.#isCurrent;
  }
}

function rankOf(price: string): bigint {
  const { digits, places } = readDecimal("price", price);
  return digits * 10n ** BigInt(PRICE_PLACES - places);
}

function view(side: Side, depth: number): BookLevel[] {
  return side.levels
    .slice(0, Math.min(depth, side.levels.length))
    .map(({ price, size, orders }) => ({ price, size, orders }));
}
