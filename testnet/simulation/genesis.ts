/** The chain the simulation starts from: agents with coins, four feeds, three perpetuals, and parameters small enough that every bound is met. */
import {
  defaultAuctionTerms,
  defaultParams,
  defaultTerms,
  linearPerpetual,
  optionTerms,
} from "@keel/modules/derivatives/defaults";
import { simulatedFeeParams } from "@keel/modules/derivatives/fees/simulate";
import { defaultInstrumentParams } from "@keel/modules/derivatives/instruments/params";
import { defaultMarkTerms } from "@keel/modules/derivatives/marking/terms";
import { defaultParams as insuranceParams } from "@keel/modules/insurance/params";
import { defaultLadder } from "@keel/modules/margin/liquidation/terms";
import { defaultParams as marginParams } from "@keel/modules/margin/params";
import { messageToJson } from "@keel/node/app/genesis";
import { vaultParamsJson } from "@keel/node/app/testing/market-genesis";
import type { FeeParams } from "@keel/proto/gen/keel/derivatives/v1/fees";
import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import type { Market, Params, Series } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import { GenesisState as InsuranceGenesis } from "@keel/proto/gen/keel/insurance/v1/genesis";
import type { Params as InsuranceParams } from "@keel/proto/gen/keel/insurance/v1/types";
import { GenesisState as MarginGenesis } from "@keel/proto/gen/keel/margin/v1/genesis";
import type { Params as MarginParams } from "@keel/proto/gen/keel/margin/v1/types";
import type { Agent, Signer } from "./agents.ts";
import { COLLATERAL_DENOMS, openingAssets } from "./collateral-operations.ts";
import { FEEDS, SURFACE } from "./prices.ts";

export const DENOM = "uusdc";
const UNIT = 1_000_000n;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Coins of an agent in whole units: a few rich ones, many who trade at the edge of what they have. */
export function coinsOf({ index }: Agent): bigint {
  if (index % 20 === 0) return 2_000_000n;
  return index % 3 === 0 ? 4_000n : 120_000n;
}

/** What it deposits into each of two sub-accounts before it trades, in whole units. */
export function depositOf({ index }: Agent): bigint {
  if (index % 20 === 0) return 400_000n;
  return index % 3 === 0 ? 800n : 25_000n;
}

const auction = { ...defaultAuctionTerms(), openingMs: 30_000n, interruptionMs: 90_000n };

export function exchangeParams(authority: string): Params {
  return {
    ...defaultParams(),
    authority,
    expiriesPerBlockMax: 8,
    instruments: {
      ...defaultInstrumentParams(),
      listingsPerBlockMax: 8,
      transitionsPerBlockMax: 6,
      cancelsPerBlockMax: 25,
      retentionMs: BigInt(15 * MINUTE_MS),
      openListing: {
        bondDenom: DENOM,
        bondAmount: "100",
        noticeMs: BigInt(2 * MINUTE_MS),
        standingMs: BigInt(20 * MINUTE_MS),
        reportingPowerMinPpm: 800_000n,
        confidenceMaxPpm: 1_000n,
        bondsMax: 8,
        timeToExpiryMaxMs: BigInt(10 * HOUR_MS),
        linearTerms: {
          ...defaultTerms(),
          auction: { ...auction, matching: MatchingMode.MATCHING_MODE_CONTINUOUS },
        },
        optionTerms: optionTerms(),
      },
    },
  };
}

/** As the module simulates them, with a budget that does not stop everybody. */
export function feeParams(): FeeParams {
  const actionBudget = { initial: 2_000n, quantaPerAction: 400_000_000n, trickleMs: 5_000n };
  return { ...simulatedFeeParams(), actionBudget };
}

/** Underwriters wait two minutes; half of a fund may go in an hour. */
export function insuranceTerms(authority: string): Partial<InsuranceParams> {
  return {
    authority,
    fundMin: "1000",
    cooldownMs: 120_000n,
    firstLossPpm: 250_000,
    drawCapPpm: 500_000,
  };
}

export function ledgerParams(authority: string): MarginParams {
  return {
    ...marginParams(DENOM),
    authority,
    ladder: { ...defaultLadder(), averageMs: 10_000n, offerWindowMs: 30_000n },
    marketsPerAccountMax: 5,
    liquidationsPerBlockMax: 4,
    withdrawalGateMs: BigInt(MINUTE_MS),
    marketGates: true,
    backstopHealthPpm: 666_667n,
    backstopWaitMs: BigInt(MINUTE_MS),
    settlementAccountsPerBlockMax: 40,
    settlementPositionsPerBlockMax: 15,
  };
}

/** Continuous with openings; continuous without auction terms, and tight bounds; batch auctions. */
export function perpetuals(): Market[] {
  const of = (base: string, feedId: number, lotSize: string): Market =>
    linearPerpetual({
      symbol: `${base}-PERP`,
      baseAsset: base,
      quoteAsset: "USD",
      feedId,
      tickSize: "0.1",
      lotSize,
    });
  const btc = of("BTC", FEEDS.btc, "0.001");
  const eth = of("ETH", FEEDS.eth, "0.01");
  const sol = of("SOL", FEEDS.sol, "0.1");
  const terms = defaultTerms();
  const continuous = { ...auction, matching: MatchingMode.MATCHING_MODE_CONTINUOUS };
  const batch = { ...auction, matching: MatchingMode.MATCHING_MODE_BATCH_AUCTION, ordersMax: 60 };
  return [
    {
      ...btc,
      terms: {
        ...terms,
        auction: continuous,
        makerFeePpm: -100,
        fillsPerOrderMax: 12,
        mark: defaultMarkTerms(),
      },
    },
    {
      ...sol,
      terms: {
        ...terms,
        openOrdersMax: 6,
        notionalMin: 40_000_000n,
        openInterestMaxLots: 2_000n,
        notionalMax: "20000000000",
      },
    },
    { ...eth, terms: { ...terms, auction: batch } },
  ];
}

/** What lists itself: futures, and options of each kind; the digital ones are matched by auction. */
export function seriesList(): Series[] {
  const rules = {
    intervalMs: BigInt(30 * MINUTE_MS),
    count: 2,
    windowMs: BigInt(5 * MINUTE_MS),
    closeOnlyMs: BigInt(2 * MINUTE_MS),
  };
  const option = {
    maturity: undefined,
    right: 0,
    strike: "",
    volatilityFeedId: FEEDS.volatility,
    volatilitySurfaceId: 0,
  } as const;
  const of = (name: string, offsetMinutes: number, change: Partial<Series>): Series => ({
    id: 0,
    name,
    paused: false,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: FEEDS.btc,
    tickSize: "0.5",
    lotSize: "0.01",
    expiries: { ...rules, offsetMs: BigInt(offsetMinutes * MINUTE_MS) },
    strikes: { spacing: "1000", eachSide: 1, strikesMax: 5 },
    terms: optionTerms(),
    ...change,
  });
  const batch = { ...auction, matching: MatchingMode.MATCHING_MODE_BATCH_AUCTION };
  return [
    of("F", 0, {
      strikes: undefined,
      terms: {
        ...defaultTerms(),
        auction: { ...auction, matching: MatchingMode.MATCHING_MODE_CONTINUOUS },
      },
      datedFuture: { maturity: undefined },
    }),
    of("E", 10, {
      europeanOption: { ...option, volatilityFeedId: 0, volatilitySurfaceId: SURFACE },
      expiries: { ...rules, offsetMs: BigInt(10 * MINUTE_MS), count: 4 },
    }),
    of("D", 20, {
      tickSize: "0.01",
      lotSize: "1",
      digitalOption: { ...option, payout: "100" },
      terms: { ...optionTerms(), auction: { ...batch, inclusionLists: true } },
    }),
    of("A", 0, { asianOption: option }),
  ];
}

/** app_state of the genesis document. */
export function appState(agents: readonly Agent[], authority: Signer): Record<string, unknown> {
  const accounts = [...agents.map(({ account }) => account), authority];
  const coins = (amount: bigint) =>
    [...COLLATERAL_DENOMS, "ukeel", DENOM].map((denom) => ({ denom, amount: `${amount * UNIT}` }));
  const insurance = {
    params: { ...insuranceParams(), ...insuranceTerms(authority.address) },
    funds: [{ denom: DENOM, balance: "0", funded: "0", received: "0", paid: "0" }],
  };
  return {
    auth: {
      accounts: accounts.map(({ address }, number) => ({
        "@type": "/cosmos.auth.v1beta1.BaseAccount",
        address,
        account_number: `${number}`,
        sequence: "0",
      })),
    },
    bank: {
      balances: [
        ...agents.map((agent) => ({
          address: agent.account.address,
          coins: coins(coinsOf(agent)),
        })),
        { address: authority.address, coins: coins(50_000_000n) },
      ],
    },
    oracle: {
      params: { authority: authority.address, ema_time_ms: "30000", report_window_blocks: "1000" },
      feeds: Object.entries(FEEDS).map(([name, id]) => ({
        id,
        symbol: name === "volatility" ? "BTC.VOL-USD" : `${name.toUpperCase()}-USD`,
        exponent: -4,
        max_age_ms: "30000",
        min_reporting_power_ppm: "666667",
        max_deviation_ppm: "10000",
        enabled: true,
      })),
      surfaces: [
        {
          id: SURFACE,
          symbol: "BTC-VOL",
          feed_id: FEEDS.btc,
          max_age_ms: "30000",
          hold_ms: "60000",
          min_reporting_power_ppm: "666667",
          max_deviation_ppm: "100000",
          step_max_ppm: "50000",
          shape_step_max_ppm: "50000",
          basis_max_ppm: "500000",
          repricing_blocks: 4,
          repricing_age_max_ms: "60000",
          enabled: true,
        },
      ],
    },
    guard: { params: { authority: authority.address } },
    vault: { params: { ...(vaultParamsJson as object), authority: authority.address } },
    insurance: messageToJson(
      "keel.insurance.v1.GenesisState",
      InsuranceGenesis.encode(InsuranceGenesis.fromPartial(insurance)).finish(),
    ),
    margin: messageToJson(
      "keel.margin.v1.GenesisState",
      MarginGenesis.encode(
        MarginGenesis.fromPartial({
          params: ledgerParams(authority.address),
          collateralAssets: openingAssets(agents),
        }),
      ).finish(),
    ),
    derivatives: messageToJson(
      "keel.derivatives.v1.GenesisState",
      GenesisState.encode(
        GenesisState.fromPartial({
          params: exchangeParams(authority.address),
          markets: perpetuals().map((market) => ({ market })),
          feeParams: feeParams(),
        }),
      ).finish(),
    ),
  };
}
