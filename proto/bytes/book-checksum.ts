/**
 * The checksum of an order book, one definition for the query, the stream and whoever keeps a book from deltas: CRC-32 of the text of
 * the best levels. The text is `price:size` of the bids, best first, joined by commas, a bar, and the same of the asks:
 * `99.5:2,99:1|100:3`. Prices and sizes are the decimals of the wire, as they are written there.
 */
import { crc32OfText } from "./crc32.ts";

/** Levels per side that count. Fewer where there are fewer. */
export const BOOK_CHECKSUM_LEVELS = 25;

export interface PricedSize {
  readonly price: string;
  readonly size: string;
}

/** Both best first; levels beyond those that count may be given. 0 to 2^32 − 1. */
export function bookChecksum(bids: readonly PricedSize[], asks: readonly PricedSize[]): number {
  return crc32OfText(`${textOf(bids)}|${textOf(asks)}`);
}

function textOf(levels: readonly PricedSize[]): string {
  let text = "";
  for (let at = 0; at < levels.length && at < BOOK_CHECKSUM_LEVELS; at++) {
    const { price, size } = levels[at] as PricedSize;
    text += at === 0 ? `${price}:${size}` : `,${price}:${size}`;
  }
  return text;
}
