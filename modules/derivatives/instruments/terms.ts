/** What dated contracts, options and their parameters must satisfy. Throws ModuleError invalidTerms. */
import type {
  InstrumentParams,
  MarketTerms,
  OpenListing,
  OptionRisk,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { PPM } from "../../kit/math/mul-div.ts";
import { refuse } from "../errors.ts";
import {
  AVERAGING_MAX_MS,
  BONDS_CEILING,
  MARKETS_CEILING,
  TIME_TO_EXPIRY_MAX_MS,
} from "../limits.ts";
import type { Contract } from "./contract.ts";

/** Of strikes and payouts, 1e-18. */
const PRICE_MAX = 10n ** 27n;
const DENOM = /^[a-zA-Z][a-zA-Z0-9/:._-]{2,127}$/;
const AMOUNT = /^[1-9][0-9]{0,37}$/;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000n;
/** A mean of less than a minute of prices is no mean. */
const WINDOW_MIN_MS = MINUTE_MS;
/** A day: a future or option settles at one moment of the market, only an average-price option at a period of it. */
const WINDOW_MAX_MS = 86_400_000;

function requireThat(condition: boolean, message: string): asserts condition {
  if (!condition) throw refuse("invalidTerms", message);
}

export function validateContract(contract: Contract): void {
  const { kind, maturity, option } = contract;
  if (maturity === null) return;
  const most = kind === "asianOption" ? AVERAGING_MAX_MS : WINDOW_MAX_MS;
  requireThat(
    maturity.windowMs >= WINDOW_MIN_MS && maturity.windowMs <= most,
    `expected a settlement window of ${WINDOW_MIN_MS} to ${most} ms, got ${maturity.windowMs}`,
  );
  // Averages are whole seconds: fixings of an average-price option lie on them.
  requireThat(maturity.windowMs % 1000 === 0, "expected a settlement window of whole seconds");
  if (option === null) return;
  requireThat(
    option.volatilityFeedId > 0 !== option.volatilitySurfaceId > 0,
    "expected either a volatility feed or a volatility surface",
  );
  requireThat(
    option.strike <= PRICE_MAX && option.payout <= PRICE_MAX,
    "expected strike and payout of at most a thousand million",
  );
}

/** Shocks and floors below the whole price, those of maintenance not above those of initial. */
export function validateRisk(risk: OptionRisk, tiers: number): void {
  requireThat(tiers === 0, "options have scenarios and no margin tiers");
  const ordered = (least: bigint, most: bigint): boolean => least <= most && most < PPM;
  requireThat(
    risk.maintenanceShockPpm > 0n && ordered(risk.maintenanceShockPpm, risk.initialShockPpm),
    "expected 0 < maintenance shock <= initial shock < 1,000,000 ppm",
  );
  requireThat(
    risk.maintenanceFloorPpm > 0n && ordered(risk.maintenanceFloorPpm, risk.initialFloorPpm),
    "expected 0 < maintenance floor <= initial floor < 1,000,000 ppm",
  );
  requireThat(risk.volatilityShockPpm < PPM, "expected a volatility shock below 1,000,000 ppm");
}

export function validateInstrumentParams(
  params: InstrumentParams,
  validateTerms: (terms: MarketTerms) => void,
): void {
  const bounded = (value: number, most: number): boolean => value >= 1 && value <= most;
  requireThat(
    bounded(params.transitionsPerBlockMax, 10_000) &&
      bounded(params.cancelsPerBlockMax, 10_000) &&
      bounded(params.listingsPerBlockMax, 1000),
    "expected 1 to 10,000 steps and cancels and 1 to 1,000 listings per block",
  );
  requireThat(
    params.coverageMinPpm > 0n && params.coverageMinPpm <= PPM,
    "expected a coverage of 1 to 1,000,000 ppm",
  );
  requireThat(params.retentionMs <= 365n * DAY_MS, "expected a retention of at most 365 days");
  requireThat(
    bounded(params.marketsMax, MARKETS_CEILING),
    `expected 1 to ${MARKETS_CEILING} markets`,
  );
  if (params.openListing === undefined) return;
  const { linearTerms, optionTerms } = validateOpenListing(params.openListing);
  validateTerms(linearTerms);
  validateTerms(optionTerms);
}

function validateOpenListing(rule: OpenListing): {
  readonly linearTerms: MarketTerms;
  readonly optionTerms: MarketTerms;
} {
  requireThat(DENOM.test(rule.bondDenom), "expected the denom of bonds");
  requireThat(AMOUNT.test(rule.bondAmount), "expected a positive bond");
  requireThat(
    rule.noticeMs <= 30n * DAY_MS && rule.standingMs <= 3650n * DAY_MS,
    "expected a notice of at most 30 days and a standing of at most ten years",
  );
  requireThat(
    rule.reportingPowerMinPpm <= PPM && rule.confidenceMaxPpm > 0n && rule.confidenceMaxPpm <= PPM,
    "expected shares of at most 1,000,000 ppm",
  );
  requireThat(rule.bondsMax <= BONDS_CEILING, `expected at most ${BONDS_CEILING} bonds`);
  requireThat(
    rule.timeToExpiryMaxMs <= BigInt(TIME_TO_EXPIRY_MAX_MS),
    `expected a time to expiry of at most ${TIME_TO_EXPIRY_MAX_MS} ms`,
  );
  const { linearTerms, optionTerms } = rule;
  requireThat(
    linearTerms !== undefined && optionTerms?.optionRisk !== undefined,
    "expected terms for linear contracts and for options",
  );
  requireThat(linearTerms.optionRisk === undefined, "linear contracts have margin tiers");
  return { linearTerms, optionTerms };
}
