/**
 * A book of signed order documents in price-time order. Nothing here is trusted by anyone: the chain checks signatures, limits, remaining size
 * and margin of whatever is matched.
 */
import { type Decimal, formatDecimal, formatUnits, readDecimal } from "@keel/client/decimal";
import { documentHash } from "@keel/client/documents";
import type { AgreedTrade } from "@keel/client/external-messages";
import { bytesToHex } from "@keel/proto/bytes/hex";
import type { OrderDocument, SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import { Side } from "@keel/proto/gen/keel/derivatives/v1/types";
import { BOOK_MAX } from "./limits.ts";

export interface Entry {
  /** Upper-case hex. */
  readonly hash: string;
  readonly signed: SignedDocument;
  readonly document: OrderDocument;
  readonly price: Decimal;
  readonly arrival: number;
  /** At the size's own scale. */
  remaining: Decimal;
}

export interface Match extends AgreedTrade {
  readonly buyerHash: string;
  readonly sellerHash: string;
}

export class MatchEngine {
  readonly #entries = new Map<string, Entry>();
  #arrivals = 0;

  get size(): number {
    return this.#entries.size;
  }

  find(hash: string): Entry | undefined {
    return this.#entries.get(hash);
  }

  /** Best first. */
  side(market: string, side: Side): readonly Entry[] {
    const found = [...this.#entries.values()].filter(
      ({ document }) => document.market === market && document.side === side,
    );
    const sign = side === Side.SIDE_BUY ? -1 : 1;
    return found.sort((a, b) => sign * compare(a.price, b.price) || a.arrival - b.arrival);
  }

  /** Matches what crosses at the resting document's price, and keeps the rest. Throws Error with one sentence to refuse. */
  add(signed: SignedDocument, nowMs: number): { readonly hash: string; readonly matches: Match[] } {
    const { document } = signed;
    if (document === undefined) throw new Error("expected a document");
    if (document.expiryMs <= BigInt(nowMs)) throw new Error("the document has expired");
    const hash = bytesToHex(documentHash(document));
    if (this.#entries.has(hash)) throw new Error("the document is already in the book");
    if (this.#entries.size >= BOOK_MAX) throw new Error("the book is full");
    const entry: Entry = {
      hash,
      signed,
      document,
      price: readDecimal("price", document.price),
      arrival: this.#arrivals++,
      remaining: readDecimal("size", document.size),
    };
    this.dropExpired(nowMs);
    const matches = this.#match(entry);
    if (entry.remaining.digits > 0n) this.#entries.set(hash, entry);
    return { hash, matches };
  }

  #match(taker: Entry): Match[] {
    const buying = taker.document.side === Side.SIDE_BUY;
    const matches: Match[] = [];
    for (const maker of this.side(taker.document.market, buying ? Side.SIDE_SELL : Side.SIDE_BUY)) {
      if (taker.remaining.digits === 0n) break;
      const order = compare(maker.price, taker.price);
      if (buying ? order > 0 : order < 0) break;
      // The chain refuses trades of an owner with itself, and so would the whole message be.
      if (maker.document.owner === taker.document.owner) continue;
      const size =
        compare(maker.remaining, taker.remaining) < 0 ? maker.remaining : taker.remaining;
      const [buyer, seller] = buying ? [taker, maker] : [maker, taker];
      matches.push({
        buyer: buyer.signed,
        seller: seller.signed,
        buyerHash: buyer.hash,
        sellerHash: seller.hash,
        price: maker.document.price,
        size: formatDecimal(size),
        taker: buying ? "buy" : "sell",
      });
      maker.remaining = minus(maker.remaining, size);
      taker.remaining = minus(taker.remaining, size);
      if (maker.remaining.digits === 0n) this.#entries.delete(maker.hash);
    }
    return matches;
  }

  drop(hash: string): void {
    this.#entries.delete(hash);
  }

  dropExpired(nowMs: number): void {
    for (const { hash, document } of this.#entries.values())
      if (document.expiryMs <= BigInt(nowMs)) this.#entries.delete(hash);
  }
}

function scaled(a: Decimal, places: number): bigint {
  return a.digits * 10n ** BigInt(places - a.places);
}

function compare(a: Decimal, b: Decimal): number {
  const places = Math.max(a.places, b.places);
  const [left, right] = [scaled(a, places), scaled(b, places)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function minus(a: Decimal, b: Decimal): Decimal {
  const places = Math.max(a.places, b.places);
  return readDecimal("size", formatUnits(scaled(a, places) - scaled(b, places), places));
}
