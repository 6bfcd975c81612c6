/** Defaults with their reasons, for genesis files and listings. Money in quanta of 1e-6 settlement units. */
import type {
  AuctionTerms,
  LinearPerpetual,
  Market,
  MarketTerms,
  Params,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus, MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";

export function defaultParams(): Params {
  return {
    // Empty: genesis fills in the governance account.
    authority: "",
    // A cancel is cheap, but not free: what is left over waits one block, and cannot trade meanwhile.
    expiriesPerBlockMax: 500,
    // 95 days, as long as the longest elsewhere.
    goodTilMaxMs: 95n * 86_400_000n,
    // Funding is for time in which the book could be read: an outage costs nobody more than a minute of it.
    fundingStepMaxMs: 60_000n,
    instruments: undefined,
  };
}

export function defaultTerms(): MarketTerms {
  return {
    // 5 bp and 1 bp: the first tier of comparable venues.
    takerFeePpm: 500,
    makerFeePpm: 100,
    // 20x up to 1 million, then less.
    tiers: [
      { aboveQuanta: "0", initialPpm: 50_000n, maintenancePpm: 30_000n },
      { aboveQuanta: "1000000000000", initialPpm: 100_000n, maintenancePpm: 60_000n },
      { aboveQuanta: "10000000000000", initialPpm: 200_000n, maintenancePpm: 120_000n },
    ],
    // 5 %: no honest order needs more against a fresh mark.
    priceBandPpm: 50_000n,
    // Wider than the orders' band: a liquidation must find buyers in a falling market.
    liquidationBandPpm: 80_000n,
    // 1 unit; 50 million units.
    notionalMin: 1_000_000n,
    notionalMax: "50000000000000",
    openOrdersMax: 200,
    fillsPerOrderMax: 200,
    openInterestMaxLots: 0n,
    optionRisk: undefined,
    auction: undefined,
    // At the index.
    mark: undefined,
  };
}

/** Options: no tiers but scenarios, fees on the premium. */
export function optionTerms(): MarketTerms {
  return {
    ...defaultTerms(),
    // 1 % and 0.2 % of the premium: about 3 bp of the underlying for an option worth 3 % of it.
    takerFeePpm: 10_000,
    makerFeePpm: 2_000,
    tiers: [],
    optionRisk: {
      // 15 % and 9 % of the underlying with volatility half up: the corners of the usual grids.
      initialShockPpm: 150_000n,
      maintenanceShockPpm: 90_000n,
      volatilityShockPpm: 500_000n,
      // A far strike still ties up this much of the underlying.
      initialFloorPpm: 30_000n,
      maintenanceFloorPpm: 20_000n,
    },
  };
}

/** For a market matched by batch auction. */
export function defaultAuctionTerms(): AuctionTerms {
  return {
    matching: MatchingMode.MATCHING_MODE_BATCH_AUCTION,
    // 3 bp each: what a maker and a taker pay together at the defaults above, split evenly, since nobody is either.
    feePpm: 300,
    // Per side; more than a second of orders at the rates a block can carry.
    ordersMax: 5000,
    // Half a minute to look and requote after a halt, or after ten seconds without blocks or prices.
    openingMs: 30_000n,
    interruptionMs: 10_000n,
    inclusionLists: false,
  };
}

export function defaultFunding(): LinearPerpetual {
  return {
    // 1 bp per 8 hours.
    interestRate8hPpm: 100n,
    // 10,000 units: deep enough that painting the premium costs a position.
    impactNotional: 10_000_000_000n,
    // 6 x (initial - maintenance) per 8 hours, 60 x for one reading.
    rateClampPpm: 6_000_000n,
    premiumClampPpm: 60_000_000n,
  };
}

/** A linear perpetual with default terms; id and height are set when it is listed. */
export function linearPerpetual(listing: {
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly feedId: number;
  readonly tickSize: string;
  readonly lotSize: string;
}): Market {
  return {
    ...listing,
    id: 0,
    status: MarketStatus.MARKET_STATUS_ACTIVE,
    terms: defaultTerms(),
    listedHeight: 0n,
    activatesMs: 0n,
    closeOnlySinceMs: 0n,
    dueMs: 0n,
    seriesId: 0,
    linearPerpetual: defaultFunding(),
  };
}
