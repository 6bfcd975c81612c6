/**
 * The application's PriceSource over a feed: quotes at 1e-8 become mantissas at the exponent the chain lists for their symbol. The
 * list of feeds is asked of the committed state now and then; a symbol the chain does not list is left out.
 */
import { QueryFeedsResponse } from "@keel/proto/gen/keel/oracle/v1/query";
import type { PriceSource } from "../app/vote-extension.ts";
import type { Query, SurfaceSource } from "./surface-source.ts";
import type { PriceFeed, SourceStatus } from "./types.ts";

interface Listing {
  readonly id: number;
  readonly exponent: number;
}

export interface ChainPriceSource extends PriceSource {
  /** The chain's list of feeds has been read. */
  readonly isListed: boolean;
  /** Symbols the chain lists of which the feed has no quote now, in the order of the list. */
  missing(): readonly string[];
  /** Null: the feed has no venues. */
  status(): SourceStatus | null;
  /** Asks the chain which feeds and surfaces it lists. Keeps the old list when the answer fails. */
  refresh(query: Query): Promise<void>;
  stop(): void;
}

const E8_EXPONENT = -8;

/** `surfaces` null: this node says nothing about volatility. */
export function createPriceSource(
  feed: PriceFeed,
  surfaces: SurfaceSource | null = null,
): ChainPriceSource {
  let listings: ReadonlyMap<string, Listing> = new Map();
  return {
    get isListed() {
      return listings.size > 0;
    },
    latest() {
      const out: { feedId: number; mantissa: bigint; confidence: bigint }[] = [];
      const quotes = feed.latest();
      surfaces?.observe(quotes);
      for (const quote of quotes) {
        const listing = listings.get(quote.symbol);
        if (listing === undefined) continue;
        const mantissa = rescale(quote.priceE8, listing.exponent);
        if (mantissa === 0n) continue;
        out.push({
          feedId: listing.id,
          mantissa,
          confidence: rescale(quote.confidenceE8, listing.exponent),
        });
      }
      return out.sort((a, b) => a.feedId - b.feedId);
    },
    missing() {
      const quoted = new Set(feed.latest().map(({ symbol }) => symbol));
      return [...listings.keys()].filter((symbol) => !quoted.has(symbol));
    },
    status: () => feed.status?.() ?? null,
    surfaces: () => surfaces?.votes() ?? [],
    async refresh(query) {
      const answer = await query({
        path: "/keel.oracle.v1.Query/Feeds",
        data: new Uint8Array(0),
        height: 0,
        prove: false,
      });
      if (answer.code !== 0) return;
      const { feeds } = QueryFeedsResponse.decode(answer.value);
      listings = new Map(feeds.map(({ symbol, id, exponent }) => [symbol, { id, exponent }]));
      const symbols = new Map(feeds.map(({ symbol, id }) => [id, symbol]));
      await surfaces?.refresh(query, (feedId) => symbols.get(feedId));
    },
    stop: () => feed.stop(),
  };
}

/** From 1e-8 to `exponent`, rounded toward zero. */
export function rescale(valueE8: bigint, exponent: number): bigint {
  const shift = E8_EXPONENT - exponent;
  return shift >= 0 ? valueE8 * 10n ** BigInt(shift) : valueE8 / 10n ** BigInt(-shift);
}
