/**
 * What one block asked the books for, account by account, and what they and bidders took: who has found nobody is known by it. Mutable: one per block.
 * What bidders take says nothing about the book: they are offered all that has to go, the book only what a throttle lets through.
 */
import type { AccountId } from "../../kit/account-id.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import type { MarketId, Side } from "../ports.ts";

interface Part {
  /** Lots that the book was asked for. */
  readonly lots: bigint;
  /** Lots of these that it took. */
  readonly taken: bigint;
  /** Lots that bidders took. */
  readonly bid: bigint;
  readonly notionalPerLot: bigint;
}

type Parts = ReadonlyMap<MarketId, Part>;

/** At which price something is asked for. */
export interface Ask {
  readonly view: { readonly terms: { readonly id: MarketId }; readonly notionalPerLot: bigint };
  readonly side: Side;
  /** Worst price's distance from mark, ticks. */
  readonly distance: bigint;
}

/** As it stood, for what is undone. */
export interface AskedBefore {
  readonly parts: Parts;
  readonly dry: ReadonlyMap<string, bigint>;
}

const NOTHING: Parts = new Map();
const NO_LOTS = { lots: 0n, taken: 0n, bid: 0n };

export class Asked {
  readonly #parts = new Map<AccountId, Parts>();
  /** By market and side: as far from mark the book had nothing more. */
  #dry: Map<string, bigint> = new Map();

  /** The book, for lots of one position; those that a throttle holds back are not asked for. */
  add(
    id: AccountId,
    { distance, side, view }: Ask,
    more: { readonly lots: bigint; readonly taken: bigint },
  ): void {
    const market = view.terms.id;
    const key = `${side}${market}`;
    if (more.taken < more.lots)
      this.#dry.set(key, maximum(distance, this.#dry.get(key) ?? distance));
    const { bid, lots, taken } = this.#of(id).get(market) ?? NO_LOTS;
    const { notionalPerLot } = view;
    const sums = { lots: lots + more.lots, taken: taken + more.taken };
    this.#set(id, market, { ...sums, bid, notionalPerLot });
  }

  /** Bidders took lots of one position. */
  addBid(id: AccountId, { view }: Pick<Ask, "view">, lots: bigint): void {
    const market = view.terms.id;
    const before = this.#of(id).get(market) ?? NO_LOTS;
    const { notionalPerLot } = view;
    this.#set(id, market, { ...before, bid: before.bid + lots, notionalPerLot });
  }

  before(id: AccountId): AskedBefore {
    return { parts: this.#of(id), dry: new Map(this.#dry) };
  }

  /** What the account has sold since is given back: it stays asked for. */
  untake(id: AccountId, { dry, parts }: AskedBefore): void {
    for (const [market, part] of this.#of(id)) {
      this.#set(id, market, { ...part, taken: parts.get(market)?.taken ?? 0n });
    }
    this.#dry = new Map(dry);
  }

  /** The part of what has to go that the book has not at this price: as of what it was asked for; of what the throttle has held back all, where the book had nothing at it. */
  untaken(id: AccountId, { distance, side, view }: Ask): { left: bigint; of: bigint } {
    const market = view.terms.id;
    const part = this.#of(id).get(market);
    if (part !== undefined && part.lots > 0n)
      return { left: part.lots - part.taken, of: part.lots };
    const dry = (this.#dry.get(`${side}${market}`) ?? -1n) >= distance;
    return { left: dry ? 1n : 0n, of: 1n };
  }

  /** The book has left something of what it was asked for. */
  isLeft(id: AccountId): boolean {
    return [...this.#of(id).values()].some(({ lots, taken }) => taken < lots);
  }

  /** By book and bidders, of all positions of an account; quanta. */
  taken(id: AccountId): bigint {
    let sum = 0n;
    for (const { bid, notionalPerLot, taken } of this.#of(id).values())
      sum += (taken + bid) * notionalPerLot;
    return sum;
  }

  #of(id: AccountId): Parts {
    return this.#parts.get(id) ?? NOTHING;
  }

  #set(id: AccountId, market: MarketId, part: Part): void {
    this.#parts.set(id, new Map(this.#of(id)).set(market, part));
  }
}
