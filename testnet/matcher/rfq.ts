/**
 * Request for quote, without any server: makers answer a request with a document that only the asker may submit; the asker takes the best,
 * signs its own side and clears both itself. A quote nobody takes costs nobody anything: it expires.
 */
import { readDecimal } from "@keel/client/decimal";
import type { DocumentRequest } from "@keel/client/documents";
import type { AgreedTrade } from "@keel/client/external-messages";
import type { OrderSide } from "@keel/client/orders";
import type { KeelSigningClient } from "@keel/client/signing-client";
import type { OrderDocument, SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";

export interface QuoteRequest {
  readonly market: string;
  /** What the asker does. */
  readonly side: OrderSide;
  readonly size: string;
  /** Who is going to submit. */
  readonly asker: string;
  /** Unix milliseconds of chain time. */
  readonly expiryMs: bigint;
}

/** A maker's answer, or null for no quote. */
export type Quoter = (request: QuoteRequest) => Promise<SignedDocument | null>;

export type SignOwn = (document: OrderDocument) => Promise<SignedDocument>;

/** A maker that quotes at `price(side of the asker)`, from its own sub-account. */
export function createQuoter(
  maker: KeelSigningClient,
  sign: SignOwn,
  price: (side: OrderSide) => string,
): Quoter {
  return async ({ market, side, size, asker, expiryMs }) => {
    const own: DocumentRequest = {
      market,
      side: side === "buy" ? "sell" : "buy",
      price: price(side),
      size,
      expiryMs,
      matcher: asker,
    };
    return await sign(await maker.document(own));
  };
}

/** Asks all, takes the best price, clears. Null when nobody quotes within `limit`. Throws KeelTxError when the chain refuses. */
export async function tradeByQuote(
  asker: KeelSigningClient,
  sign: SignOwn,
  quoters: readonly Quoter[],
  wanted: Omit<QuoteRequest, "asker"> & { readonly limit: string },
): Promise<{ readonly price: string; readonly tx: string } | null> {
  const { limit, ...request } = wanted;
  const answers = await Promise.all(
    quoters.map((quote) => quote({ ...request, asker: asker.address })),
  );
  const quotes = answers.flatMap((signed) => (signed?.document === undefined ? [] : [signed]));
  const best = bestQuote(quotes, request.side, limit);
  if (best === undefined) return null;
  const price = priceOf(best);
  const { market, side, size, expiryMs } = request;
  const document = await asker.document({
    market,
    side,
    size,
    price,
    expiryMs,
    matcher: asker.address,
  });
  const own = await sign(document);
  const [buyer, seller] = side === "buy" ? [own, best] : [best, own];
  const trade: AgreedTrade = { buyer, seller, price, size, taker: side };
  const { tx } = await asker.clearTrades([trade]);
  return { price, tx: tx.hash };
}

/** The best price within the limit, of equal ones the first. */
export function bestQuote(
  quotes: readonly SignedDocument[],
  side: OrderSide,
  limit: string,
): SignedDocument | undefined {
  return quotes
    .filter((quote) => compareFor(side, priceOf(quote), limit) <= 0)
    .sort((a, b) => compareFor(side, priceOf(a), priceOf(b)))[0];
}

function priceOf({ document }: SignedDocument): string {
  return document?.price ?? "0";
}

/** Below 0: the first price is the better one for whoever trades on `side`; 0: they are one price. */
function compareFor(side: OrderSide, first: string, second: string): number {
  const [a, b] = [readDecimal("price", first), readDecimal("price", second)];
  const places = Math.max(a.places, b.places);
  const left = a.digits * 10n ** BigInt(places - a.places);
  const right = b.digits * 10n ** BigInt(places - b.places);
  if (left === right) return 0;
  const isLower = left < right;
  return isLower === (side === "buy") ? -1 : 1;
}
