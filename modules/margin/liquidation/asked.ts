/** What one block asked the books for, account by account, and what they and bidders gave: who has found nobody is known by it. Mutable: one per block. */
import type { AccountId } from "../../kit/account-id.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import type { MarketId } from "../ports.ts";

interface Part {
  /** Lots that the book was asked for. */
  readonly lots: bigint;
  /** Lots that it or bidders took. */
  readonly taken: bigint;
  readonly notionalPerLot: bigint;
}

export type Parts = ReadonlyMap<MarketId, Part>;

const NOTHING: Parts = new Map();

export class Asked {
  readonly #parts = new Map<AccountId, Parts>();

  /** Lots of one position; those that a throttle holds back are not asked for. */
  add(
    id: AccountId,
    view: { readonly terms: { readonly id: MarketId }; readonly notionalPerLot: bigint },
    more: { readonly lots: bigint; readonly taken: bigint },
  ): void {
    const market = view.terms.id;
    const { lots, taken } = this.of(id).get(market) ?? { lots: 0n, taken: 0n };
    this.#set(id, market, {
      lots: lots + more.lots,
      taken: taken + more.taken,
      notionalPerLot: view.notionalPerLot,
    });
  }

  of(id: AccountId): Parts {
    return this.#parts.get(id) ?? NOTHING;
  }

  /** What has been taken since is given back: it stays asked for. */
  untake(id: AccountId, before: Parts): void {
    for (const [market, part] of this.of(id)) {
      this.#set(id, market, { ...part, taken: before.get(market)?.taken ?? 0n });
    }
  }

  /** Lots of a position that nobody took, though they were asked to. */
  left(id: AccountId, market: MarketId): bigint {
    const part = this.of(id).get(market);
    return part === undefined ? 0n : maximum(part.lots - part.taken, 0n);
  }

  /** Of all positions of an account, quanta. */
  sums(id: AccountId): { readonly asked: bigint; readonly left: bigint; readonly taken: bigint } {
    let asked = 0n;
    let left = 0n;
    let taken = 0n;
    for (const [market, part] of this.of(id)) {
      asked += part.lots * part.notionalPerLot;
      left += this.left(id, market) * part.notionalPerLot;
      taken += part.taken * part.notionalPerLot;
    }
    return { asked, left, taken };
  }

  #set(id: AccountId, market: MarketId, part: Part): void {
    this.#parts.set(id, new Map(this.of(id)).set(market, part));
  }
}
