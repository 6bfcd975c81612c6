/** Terms of a collateral asset: what is refused. */
import type { CollateralTerms } from "@keel/proto/gen/keel/margin/v1/collateral";
import type { Addresses } from "../../kit/addresses.ts";
import { PPM } from "../../kit/math/mul-div.ts";
import { parseMoney, parsePositiveMoney } from "../../kit/money.ts";
import { refuse } from "../errors.ts";
import { NO_RATES } from "../portfolio/model.ts";

const DENOM = /^[a-zA-Z][a-zA-Z0-9/:._-]{2,127}$/;
const DECIMALS_MAX = 24;
const DAY_MS = 86_400_000n;

function requireThat(condition: boolean, message: string): void {
  if (!condition) throw refuse("invalidRequest", `collateral: ${message}`);
}

function requireRange(what: string, value: bigint, low: bigint, high: bigint): void {
  requireThat(value >= low && value <= high, `expected ${what} of ${low} to ${high}, got ${value}`);
}

/** Throws ModuleError on anything out of range. */
export function validateCollateralTerms(terms: CollateralTerms, addresses: Addresses): void {
  const { denom, decimals, feedId, haircut = NO_RATES, redemption, depeg, restriction } = terms;
  requireThat(DENOM.test(denom), `expected a denom, got "${denom.slice(0, 130)}"`);
  requireThat(decimals <= DECIMALS_MAX, `expected at most ${DECIMALS_MAX} decimals`);
  requireRange("haircut.initial_ppm", haircut.initialPpm, 0n, PPM);
  requireRange("haircut.maintenance_ppm", haircut.maintenancePpm, 0n, haircut.initialPpm);
  const cap = parseMoney(terms.cap);
  requireThat(cap !== null && cap >= 0n, "expected a cap of at least 0 units");
  requireRange("owner_share_ppm", terms.ownerSharePpm, 1n, PPM);
  const least = parsePositiveMoney(terms.depositMin);
  requireThat(least !== null, "expected a positive least deposit");
  // Debt is what can be sold at once; with less than all of it, a price may fall before anything is below zero.
  requireRange("debt_ppm", terms.debtPpm, 0n, PPM);
  requireRange("sale_discount_ppm", terms.saleDiscountPpm, 0n, haircut.maintenancePpm);
  if (redemption !== undefined) {
    requireThat(redemption.rateFeedId !== 0, "expected a feed of the redemption rate");
    requireRange("redemption.floor_ppm", redemption.floorPpm, 0n, PPM);
  }
  if (depeg !== undefined) {
    requireThat(depeg.feedId !== 0, "expected a feed of the settlement asset's price");
    requireRange("depeg.threshold_ppm", depeg.thresholdPpm, 1n, PPM);
    requireRange("depeg.factor_ppm", depeg.factorPpm, 0n, 100n * PPM);
  }
  const attested = restriction !== undefined && restriction.attestor !== "";
  requireThat(attested !== feedId > 0, "expected a feed, or an attestor who says the price");
  if (restriction === undefined) return;
  addresses.parse(restriction.issuer);
  if (attested) {
    addresses.parse(restriction.attestor);
    const age = restriction.attestationMaxAgeMs;
    requireRange("restriction.attestation_max_age_ms", age, 60_000n, 400n * DAY_MS);
  }
  requireRange("restriction.fade_ms", restriction.fadeMs, 60_000n, 400n * DAY_MS);
}
