/** What a new chain lists: a BTC perpetual on the derivatives module's default terms, and where options are wanted a series of them. */

import { linearPerpetual, optionTerms } from "@keel/modules/derivatives/defaults";
import type { Market, Series } from "@keel/proto/gen/keel/derivatives/v1/types";
import { OptionRight } from "@keel/proto/gen/keel/derivatives/v1/types";

export function defaultMarket(feedId: number): Market {
  const market = linearPerpetual({
    symbol: "BTC-USD-PERP",
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId,
    tickSize: "0.1",
    lotSize: "0.0001",
  });
  return { ...market, id: 1 };
}

const HOUR_MS = 3_600_000n;

/** European options that list themselves: the next two days at 8:00 UTC, seven strikes 2,000 apart around the index, marked by a surface. */
export function defaultOptionSeries(feedId: number, surfaceId: number): Series {
  return {
    id: 1,
    name: "BTC-DAILY-OPTIONS",
    paused: false,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId,
    tickSize: "0.5",
    lotSize: "0.01",
    terms: optionTerms(),
    expiries: {
      intervalMs: 24n * HOUR_MS,
      offsetMs: 8n * HOUR_MS,
      count: 2,
      windowMs: HOUR_MS / 2n,
      closeOnlyMs: 0n,
    },
    strikes: { spacing: "2000", eachSide: 3, strikesMax: 15 },
    europeanOption: {
      maturity: undefined,
      right: OptionRight.OPTION_RIGHT_UNSPECIFIED,
      strike: "",
      volatilityFeedId: 0,
      volatilitySurfaceId: surfaceId,
    },
  };
}
