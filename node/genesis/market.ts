/** The market a new chain lists: a BTC perpetual with the terms of a large, liquid contract. */

export interface MarketListing {
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly feedId: number;
  readonly tickSize: string;
  readonly lotSize: string;
  readonly takerFeePpm: number;
  readonly makerFeePpm: number;
  /** Ascending; rates in ppm, thresholds in quanta. */
  readonly tiers: readonly {
    readonly above_quanta: string;
    readonly initial_ppm: string;
    readonly maintenance_ppm: string;
  }[];
  readonly openOrdersMax: number;
}

export function defaultMarket(feedId: number): MarketListing {
  return {
    symbol: "BTC-USD-PERP",
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId,
    tickSize: "0.1",
    lotSize: "0.0001",
    // 5 bp taker, 1 bp maker.
    takerFeePpm: 500,
    makerFeePpm: 100,
    // 20×, then 10× above 5 million, 5× above 25 million.
    tiers: [
      { above_quanta: "0", initial_ppm: "50000", maintenance_ppm: "30000" },
      { above_quanta: "5000000000000", initial_ppm: "100000", maintenance_ppm: "60000" },
      { above_quanta: "25000000000000", initial_ppm: "200000", maintenance_ppm: "120000" },
    ],
    openOrdersMax: 200,
  };
}

/** The derivatives module's genesis with one market. */
export function marketJson(listing: MarketListing, authority: string): unknown {
  return {
    params: {
      authority,
      expiries_per_block_max: 500,
      good_til_max_ms: (95 * 86_400_000).toString(),
      // Ten minutes: funding does not accrue over an outage longer than that.
      funding_step_max_ms: "600000",
    },
    markets: [
      {
        market: {
          id: 1,
          symbol: listing.symbol,
          base_asset: listing.baseAsset,
          quote_asset: listing.quoteAsset,
          feed_id: listing.feedId,
          tick_size: listing.tickSize,
          lot_size: listing.lotSize,
          status: "MARKET_STATUS_ACTIVE",
          terms: {
            taker_fee_ppm: listing.takerFeePpm,
            maker_fee_ppm: listing.makerFeePpm,
            tiers: listing.tiers,
            price_band_ppm: "50000",
            liquidation_band_ppm: "30000",
            notional_min: "10000000",
            notional_max: "50000000000000",
            open_orders_max: listing.openOrdersMax,
            fills_per_order_max: 200,
            open_interest_max_lots: "0",
          },
          linear_perpetual: {
            // 1 bp per 8 hours without premium, read at a depth of 10,000.
            interest_rate_8h_ppm: "100",
            impact_notional: "10000000000",
            rate_clamp_ppm: "6000000",
            premium_clamp_ppm: "60000000",
          },
        },
      },
    ],
  };
}
