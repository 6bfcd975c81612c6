/**
 * What one block asked the books for, account by account, and what they and bidders gave: who has found nobody is known by it. Mutable: one per block.
 */
import type { AccountId } from "../../kit/account-id.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import type { MarketId, Side } from "../ports.ts";

interface Part {
  /** Lots that the book was asked for. */
  readonly lots: bigint;
  /** Lots that it or bidders took. */
  readonly taken: bigint;
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

export class Asked {
  readonly #parts = new Map<AccountId, Parts>();
  /** By market and side: as far from mark the book had nothing more. */
  #dry: Map<string, bigint> = new Map();

  /** Lots of one position; those that a throttle holds back are not asked for. */
  add(
    id: AccountId,
    { distance, side, view }: Ask,
    more: { readonly lots: bigint; readonly taken: bigint },
  ): void {
    const market = view.terms.id;
    const key = `${side}${market}`;
    if (more.taken < more.lots)
      this.#dry.set(key, maximum(distance, this.#dry.get(key) ?? distance));
    const { lots, taken } = this.#of(id).get(market) ?? { lots: 0n, taken: 0n };
    this.#set(id, market, {
      lots: lots + more.lots,
      taken: taken + more.taken,
      notionalPerLot: view.notionalPerLot,
    });
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

  /** The part of a position that nobody took at this price: of what was asked for; of what the throttle has held back all, where the book had nothing at it. */
  untaken(id: AccountId, { distance, side, view }: Ask): { left: bigint; of: bigint } {
    const market = view.terms.id;
    const part = this.#of(id).get(market);
    if (part !== undefined && part.lots > 0n) return { left: leftOf(part), of: part.lots };
    const dry = part === undefined && (this.#dry.get(`${side}${market}`) ?? -1n) >= distance;
    return { left: dry ? 1n : 0n, of: 1n };
  }

  /** Of all positions of an account, quanta. */
  sums(id: AccountId): { readonly asked: bigint; readonly left: bigint; readonly taken: bigint } {
    let asked = 0n;
    let left = 0n;
    let taken = 0n;
    for (const part of this.#of(id).values()) {
      asked += part.lots * part.notionalPerLot;
      left += leftOf(part) * part.notionalPerLot;
      taken += part.taken * part.notionalPerLot;
    }
    return { asked, left, taken };
  }

  #of(id: AccountId): Parts {
    return this.#parts.get(id) ?? NOTHING;
  }

  #set(id: AccountId, market: MarketId, part: Part): void {
    this.#parts.set(id, new Map(this.#of(id)).set(market, part));
  }
}

function leftOf({ lots, taken }: Part): bigint {
  return maximum(lots - taken, 0n);
}
