/** What a contract's terms must satisfy to be listed or changed. Throws ModuleError invalidTerms. */
import type {
  AuctionTerms,
  LinearPerpetual,
  Market,
  MarketTerms,
  Params,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import { PPM } from "../../kit/math/mul-div.ts";
import { refuse } from "../errors.ts";
import { contractOf } from "../instruments/contract.ts";
import { validateContract, validateInstrumentParams, validateRisk } from "../instruments/terms.ts";
import { parseStep, quantaPerTickLot } from "../instruments.ts";
import {
  AUCTION_ORDERS_MAX,
  FILLS_PER_ORDER_MAX,
  INTERRUPTION_MAX_MS,
  OPEN_ORDERS_PER_ACCOUNT_MAX,
  OPENING_MAX_MS,
  TIERS_MAX,
} from "../limits.ts";
import { markTermsFault } from "../marking/terms.ts";

const SYMBOL = /^[A-Z0-9][A-Z0-9.-]{0,31}$/;
const ASSET = /^[A-Z0-9][A-Z0-9.]{0,15}$/;
const WHOLE = /^(0|[1-9][0-9]{0,37})$/;
const FEE_MAX_PPM = 50_000;
const BAND_MAX_PPM = 900_000n;
const CLAMP_MAX_PPM = 1000n * PPM;
const INTEREST_MAX_PPM = 10_000n;
const DAY_MS = 86_400_000n;

function requireThat(condition: boolean, message: string): asserts condition {
  if (!condition) throw refuse("invalidTerms", message);
}

export function validateMarket(market: Market): void {
  requireThat(
    SYMBOL.test(market.symbol),
    `expected a symbol like BTC-USD-PERP, got "${market.symbol.slice(0, 40)}"`,
  );
  requireThat(ASSET.test(market.baseAsset), "expected a base asset like BTC");
  requireThat(ASSET.test(market.quoteAsset), "expected a quote asset like USD");
  const tick = parseStep(market.tickSize);
  const lot = parseStep(market.lotSize);
  requireThat(
    tick !== null,
    `expected a positive decimal tick size, got "${market.tickSize.slice(0, 40)}"`,
  );
  requireThat(
    lot !== null,
    `expected a positive decimal lot size, got "${market.lotSize.slice(0, 40)}"`,
  );
  requireThat(
    quantaPerTickLot(tick, lot) !== null,
    "tick size x lot size must be a whole number of 0.000001",
  );
  const contract = contractOf(market);
  requireThat(contract !== null, "expected an instrument with its maturity, right and strike");
  if (market.linearPerpetual !== undefined) validatePerpetual(market.linearPerpetual);
  validateContract(contract);
  requireThat(market.terms !== undefined, "expected terms");
  validateTermsOf(market, market.terms);
}

function validatePerpetual(perpetual: LinearPerpetual): void {
  const interest = perpetual.interestRate8hPpm;
  requireThat(
    interest <= INTEREST_MAX_PPM && interest >= -INTEREST_MAX_PPM,
    `expected interest within ${INTEREST_MAX_PPM} ppm, got ${interest}`,
  );
  requireThat(perpetual.impactNotional > 0n, "expected a positive impact notional");
  requireThat(perpetual.rateClampPpm <= CLAMP_MAX_PPM, "rate clamp is too wide");
  requireThat(perpetual.premiumClampPpm <= CLAMP_MAX_PPM, "premium clamp is too wide");
}

/** The terms fit the contract: tiers for what is worth its price, scenarios for options. */
export function validateTermsOf(market: Market, terms: MarketTerms): void {
  const option = contractOf(market)?.option != null;
  requireThat(
    option === (terms.optionRisk !== undefined),
    option ? "expected the scenarios of an option" : "only options have scenarios",
  );
  requireThat(
    terms.mark === undefined || market.linearPerpetual !== undefined,
    "only perpetuals are marked at a median",
  );
  validateTerms(terms);
}

export function validateTerms(terms: MarketTerms): void {
  requireThat(
    terms.takerFeePpm <= FEE_MAX_PPM && terms.makerFeePpm <= FEE_MAX_PPM,
    `expected fees of at most ${FEE_MAX_PPM} ppm`,
  );
  requireThat(
    terms.makerFeePpm >= -terms.takerFeePpm,
    "a maker rebate is paid from the taker fee and may not exceed it",
  );
  if (terms.optionRisk === undefined) validateTiers(terms);
  else validateRisk(terms.optionRisk, terms.tiers.length);
  requireThat(
    terms.priceBandPpm > 0n && terms.priceBandPpm <= BAND_MAX_PPM,
    `expected a price band of 1 to ${BAND_MAX_PPM} ppm`,
  );
  requireThat(
    terms.liquidationBandPpm > 0n && terms.liquidationBandPpm <= BAND_MAX_PPM,
    `expected a liquidation band of 1 to ${BAND_MAX_PPM} ppm`,
  );
  requireThat(WHOLE.test(terms.notionalMax), "expected notional_max as whole quanta");
  requireThat(
    BigInt(terms.notionalMax) >= terms.notionalMin && BigInt(terms.notionalMax) > 0n,
    "expected notional_max of at least notional_min",
  );
  requireThat(
    terms.openOrdersMax >= 1 && terms.openOrdersMax <= OPEN_ORDERS_PER_ACCOUNT_MAX,
    `expected 1 to ${OPEN_ORDERS_PER_ACCOUNT_MAX} open orders`,
  );
  if (terms.auction !== undefined) validateAuction(terms.auction);
  const fault = terms.mark === undefined ? null : markTermsFault(terms.mark);
  requireThat(fault === null, fault ?? "");
  requireThat(
    terms.fillsPerOrderMax >= 1 && terms.fillsPerOrderMax <= FILLS_PER_ORDER_MAX,
    `expected 1 to ${FILLS_PER_ORDER_MAX} fills per order`,
  );
}

function validateAuction(terms: AuctionTerms): void {
  const { feePpm, inclusionLists, interruptionMs, matching, openingMs, ordersMax } = terms;
  requireThat(
    matching === MatchingMode.MATCHING_MODE_CONTINUOUS ||
      matching === MatchingMode.MATCHING_MODE_BATCH_AUCTION,
    `expected matching to be continuous or by batch auction, got ${matching}`,
  );
  requireThat(feePpm <= FEE_MAX_PPM, `expected an auction fee of at most ${FEE_MAX_PPM} ppm`);
  requireThat(
    ordersMax >= 1 && ordersMax <= AUCTION_ORDERS_MAX,
    `expected 1 to ${AUCTION_ORDERS_MAX} orders per side of an auction`,
  );
  requireThat(openingMs <= OPENING_MAX_MS, "expected an opening of at most a day");
  requireThat(
    interruptionMs <= INTERRUPTION_MAX_MS,
    "expected an interruption of at most a day, or 0 for none",
  );
  requireThat(
    !inclusionLists || matching === MatchingMode.MATCHING_MODE_BATCH_AUCTION,
    "expected inclusion lists only with matching by batch auction",
  );
}

function validateTiers({ tiers }: MarketTerms): void {
  requireThat(
    tiers.length >= 1 && tiers.length <= TIERS_MAX,
    `expected 1 to ${TIERS_MAX} margin tiers, got ${tiers.length}`,
  );
  let above = -1n;
  let initial = 0n;
  let maintenance = 0n;
  for (const tier of tiers) {
    requireThat(WHOLE.test(tier.aboveQuanta), "expected tier bounds as whole quanta");
    const bound = BigInt(tier.aboveQuanta);
    requireThat(above >= 0n || bound === 0n, "expected the first tier to begin at 0");
    requireThat(bound > above, "expected ascending tiers");
    requireThat(
      tier.maintenancePpm > 0n && tier.maintenancePpm < tier.initialPpm && tier.initialPpm <= PPM,
      "expected 0 < maintenance < initial <= 1,000,000 ppm",
    );
    requireThat(
      tier.initialPpm >= initial && tier.maintenancePpm >= maintenance,
      "expected requirements that do not fall with size",
    );
    above = bound;
    initial = tier.initialPpm;
    maintenance = tier.maintenancePpm;
  }
}

export function validateParams(params: Params): void {
  requireThat(
    params.expiriesPerBlockMax >= 1 && params.expiriesPerBlockMax <= 10_000,
    "expected 1 to 10,000 expiries per block",
  );
  requireThat(
    params.goodTilMaxMs > 0n && params.goodTilMaxMs <= 365n * DAY_MS,
    "expected a longest good-til time of up to 365 days",
  );
  requireThat(
    params.fundingStepMaxMs > 0n && params.fundingStepMaxMs <= DAY_MS,
    "expected a longest funding step of up to a day",
  );
  if (params.instruments !== undefined) validateInstrumentParams(params.instruments, validateTerms);
}
