/** Parameters and terms of markets: defaults with their reasons, and what is refused. Money in quanta of 1e-6 settlement units. */

import type { Params, VaultMarketTerms } from "@keel/proto/gen/keel/vault/v1/types";
import { VaultMarketStatus } from "@keel/proto/gen/keel/vault/v1/types";
import type { Addresses } from "../kit/addresses.ts";
import { PPM } from "../kit/math/mul-div.ts";
import { parsePositiveMoney } from "../kit/money.ts";
import { refuse } from "./errors.ts";
import {
  DAY_MS,
  DELAY_MAX_MS,
  FIRST_SHARES_PER_QUANTUM,
  LAYERS_MAX,
  LOCKUP_MAX_MS,
  OWN_SHARES,
  QUOTES_PER_BLOCK_CEILING,
  SAMPLE_MIN_MS,
  SHARES_LIMIT,
  WITHDRAWALS_PER_BLOCK_CEILING,
} from "./limits.ts";

const POSITIVE = /^[1-9][0-9]{0,38}$/;

export const STATUS_NAMES: Readonly<Partial<Record<VaultMarketStatus, string>>> = {
  [VaultMarketStatus.VAULT_MARKET_STATUS_DEACTIVATED]: "deactivated",
  [VaultMarketStatus.VAULT_MARKET_STATUS_STAND_BY]: "stand_by",
  [VaultMarketStatus.VAULT_MARKET_STATUS_QUOTING]: "quoting",
  [VaultMarketStatus.VAULT_MARKET_STATUS_CLOSE_ONLY]: "close_only",
};

/** Null unless a canonical positive integer below 2^128. */
export function parseShares(text: string): bigint | null {
  const shares = POSITIVE.test(text) ? BigInt(text) : 0n;
  return shares > 0n && shares < SHARES_LIMIT ? shares : null;
}

export function defaultParams(): Params {
  return {
    // Empty until genesis fills in the governance account.
    authority: "",
    // 100 units and 10: an account worth its bytes.
    firstDepositMin: "100000000",
    depositMin: "10000000",
    // 4 days, as the largest vault elsewhere.
    lockupMs: 4n * DAY_MS,
    // An hour: longer than any price that somebody may know before the chain does.
    withdrawalDelayMs: 3_600_000n,
    withdrawalsPerBlockMax: 20,
    // All quotes of four markets with defaults.
    quotesPerBlockMax: 16,
    // One unit at the first price.
    withdrawalSharesMin: "1000000000000",
  };
}

export function defaultTerms(): VaultMarketTerms {
  return {
    status: VaultMarketStatus.VAULT_MARKET_STATUS_QUOTING,
    capitalPpm: 200_000n,
    layers: 2,
    // 10 bp; or 1.5 x the volatility of a minute.
    spreadMinPpm: 1_000n,
    volatilityFactorPpm: 1_500_000n,
    volatilityFeedId: 0,
    sampleMs: 60_000n,
    // A half-life of about eleven samples.
    sampleWeightPpm: 60_000n,
    skewPpm: 2_000_000n,
    orderSizePpm: 100_000n,
    orderExpiryMs: 60_000n,
    refreshPpm: 200n,
    leverageMaxPpm: 2_000_000n,
    // 1,000 units.
    activationMin: "1000000000",
    concessionMaxPpm: 1_000n,
    lossMaxPpm: 500_000n,
    // A move of a fifth may cost a tenth of the vault.
    backstopLossPpm: 100_000n,
    backstopRangePpm: 200_000n,
    backstopOpenInterestPpm: 250_000n,
    backstopLeverageMaxPpm: 5_000_000n,
  };
}

function requireThat(condition: boolean, message: string): void {
  if (!condition) throw refuse("invalidRequest", message);
}

export function validateParams(params: Params, addresses: Addresses): void {
  if (params.authority !== "") addresses.parse(params.authority);
  const first = parsePositiveMoney(params.firstDepositMin);
  requireThat(
    first !== null && first * FIRST_SHARES_PER_QUANTUM > OWN_SHARES,
    "expected a first deposit worth more shares than the vault keeps",
  );
  requireThat(
    parsePositiveMoney(params.depositMin) !== null,
    "expected a positive smallest deposit",
  );
  requireThat(
    parseShares(params.withdrawalSharesMin) !== null,
    "expected a positive smallest withdrawal",
  );
  requireThat(params.lockupMs <= LOCKUP_MAX_MS, "expected a lockup of at most 366 days");
  requireThat(params.withdrawalDelayMs <= DELAY_MAX_MS, "expected a delay of at most 30 days");
  const { quotesPerBlockMax, withdrawalsPerBlockMax } = params;
  requireThat(
    withdrawalsPerBlockMax >= 1 && withdrawalsPerBlockMax <= WITHDRAWALS_PER_BLOCK_CEILING,
    `expected 1 to ${WITHDRAWALS_PER_BLOCK_CEILING} withdrawals per block`,
  );
  requireThat(
    quotesPerBlockMax <= QUOTES_PER_BLOCK_CEILING,
    `expected at most ${QUOTES_PER_BLOCK_CEILING} quotes per block`,
  );
}

/** Throws ModuleError on terms out of bounds. */
export function validateTerms(terms: VaultMarketTerms): void {
  const within = (name: string, value: bigint, low: bigint, high: bigint): void => {
    if (value >= low && value <= high) return;
    throw refuse("termsOutOfBounds", `expected ${name} from ${low} to ${high}, got ${value}`);
  };
  if (STATUS_NAMES[terms.status] === undefined) {
    throw refuse("termsOutOfBounds", `unknown status ${terms.status}`);
  }
  within("capital_ppm", terms.capitalPpm, 0n, PPM);
  within("layers", BigInt(terms.layers), 1n, BigInt(LAYERS_MAX));
  within("spread_min_ppm", terms.spreadMinPpm, 1n, PPM / 2n);
  within("volatility_factor_ppm", terms.volatilityFactorPpm, 0n, 100n * PPM);
  within("sample_ms", terms.sampleMs, SAMPLE_MIN_MS, DAY_MS);
  within("sample_weight_ppm", terms.sampleWeightPpm, 1n, PPM);
  within("skew_ppm", terms.skewPpm, 0n, 10n * PPM);
  within("order_size_ppm", terms.orderSizePpm, 1n, PPM);
  // One fill moves the quotes of the other side by less than the distance between the two: nobody can go round and gain.
  within("skew_ppm x order_size_ppm", terms.skewPpm * terms.orderSizePpm, 0n, 2n * PPM * PPM - 1n);
  within("order_expiry_ms", terms.orderExpiryMs, 1_000n, DAY_MS);
  within("refresh_ppm", terms.refreshPpm, 0n, terms.spreadMinPpm);
  within("leverage_max_ppm", terms.leverageMaxPpm, 1n, 20n * PPM);
  if (parsePositiveMoney(terms.activationMin) === null) {
    throw refuse("termsOutOfBounds", "expected a positive activation_min");
  }
  within("concession_max_ppm", terms.concessionMaxPpm, 0n, PPM / 10n);
  within("loss_max_ppm", terms.lossMaxPpm, 1n, PPM);
  within("backstop_loss_ppm", terms.backstopLossPpm, 0n, PPM);
  within("backstop_range_ppm", terms.backstopRangePpm, 1n, PPM);
  within("backstop_open_interest_ppm", terms.backstopOpenInterestPpm, 0n, PPM);
  within("backstop_leverage_max_ppm", terms.backstopLeverageMaxPpm, 0n, 50n * PPM);
}
