/** What is listed on the laboratory's chain: two perpetuals, a call and a put on the first underlying, marked by a feed of quoted volatility. */
import {
  defaultAuctionTerms,
  linearPerpetual,
  optionTerms,
} from "@keel/modules/derivatives/defaults";
import {
  Market,
  MarketStatus,
  MatchingMode,
  OptionRight,
} from "@keel/proto/gen/keel/derivatives/v1/types";

export const DENOM = "uusdc";
/** Feed ids: the underlyings in their order, then quoted volatility. Mantissas have four places. */
export const FEEDS = [1, 2] as const;
export const VOLATILITY_FEED = 3;
export const FEED_SCALE = 10_000;
/** Prices at the start of every tape. */
export const START_PRICES = [100_000, 4_000] as const;

const OPTION_DAYS = 30;
export const OPTION_STRIKE = 100_000;
const QUOTED = 0.6;
const DAY_MS = 86_400_000;
const QUANTA = 1_000_000;

export interface Listing {
  readonly market: Market;
  readonly underlying: number;
  readonly option: boolean;
  /** Quanta per lot at the start. */
  readonly openedAt: bigint;
  /** Units of the base asset per lot. */
  readonly lot: number;
}

/** Matched at once, and by an auction when the guard calls one; the guard alone judges gaps. */
function perpetual(listing: Parameters<typeof linearPerpetual>[0]): Market {
  const market = linearPerpetual(listing);
  const auction = {
    ...defaultAuctionTerms(),
    matching: MatchingMode.MATCHING_MODE_CONTINUOUS,
    interruptionMs: 0n,
  };
  return { ...market, terms: market.terms && { ...market.terms, auction } };
}

export function listings(genesisMs: number): Listing[] {
  const btc = perpetual({
    ...{ symbol: "BTC-PERP", baseAsset: "BTC", quoteAsset: "USD", feedId: FEEDS[0] },
    ...{ tickSize: "0.1", lotSize: "0.001" },
  });
  const eth = perpetual({
    ...{ symbol: "ETH-PERP", baseAsset: "ETH", quoteAsset: "USD", feedId: FEEDS[1] },
    ...{ tickSize: "0.01", lotSize: "0.01" },
  });
  return [
    {
      market: btc,
      underlying: 0,
      option: false,
      openedAt: worth(START_PRICES[0], 0.001),
      lot: 0.001,
    },
    {
      market: eth,
      underlying: 1,
      option: false,
      openedAt: worth(START_PRICES[1], 0.01),
      lot: 0.01,
    },
    ...(["CALL", "PUT"] as const).map((right) => ({
      market: option(right, genesisMs),
      underlying: 0,
      option: true,
      openedAt: worth(atTheMoney(), 0.001),
      lot: 0.001,
    })),
  ];
}

function worth(price: number, lot: number): bigint {
  return BigInt(Math.round(price * lot * QUANTA));
}

/** Of an option at the money, without rates: F σ √(T / 2π), good to a part in a hundred here. */
function atTheMoney(): number {
  return OPTION_STRIKE * QUOTED * Math.sqrt(OPTION_DAYS / 365 / (2 * Math.PI));
}

function option(right: "CALL" | "PUT", genesisMs: number): Market {
  const expiryMs = BigInt(genesisMs + OPTION_DAYS * DAY_MS);
  return Market.fromPartial({
    symbol: `BTC-${OPTION_STRIKE}-${right}`,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: FEEDS[0],
    tickSize: "1",
    lotSize: "0.001",
    status: MarketStatus.MARKET_STATUS_ACTIVE,
    terms: optionTerms(),
    europeanOption: {
      maturity: { expiryMs, windowMs: 1_800_000n, closeOnlyMs: 0n },
      right: right === "CALL" ? OptionRight.OPTION_RIGHT_CALL : OptionRight.OPTION_RIGHT_PUT,
      strike: `${OPTION_STRIKE}`,
      volatilityFeedId: VOLATILITY_FEED,
    },
  });
}
