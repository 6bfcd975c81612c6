/** What a portfolio-margin model may say, and what is refused. Everything that decides a requirement is in the message; nothing of it is in code. */
import type {
  AddOns,
  PortfolioModel,
  Rates,
  Scenario,
  UnderlyingRule,
} from "@keel/proto/gen/keel/margin/v1/portfolio";
import {
  SkewMove,
  VolatilityMove,
  VolatilitySource,
} from "@keel/proto/gen/keel/margin/v1/portfolio";
import { PPM } from "../../kit/math/mul-div.ts";
import { parseMoney } from "../../kit/money.ts";
import { refuse } from "../errors.ts";

export const SCENARIOS_MAX = 64;
const UNDERLYINGS_MAX = 64;
const COLLATERAL_MAX = 64;
const DAY_MS = 86_400_000n;
/** A price that falls by all of itself has no option value left to compute. */
export const MOVE_MIN = -990_000n;
const MOVE_MAX = 10n * PPM;
/** The formulas take volatilities up to this. */
const VOLATILITY_MAX_PPM = 3_800_000n;
/** At least a fifth of every loss stays uncovered by other underlyings' gains: EMIR RTS 153/2013, article 27. */
const OFFSET_CAP_MAX = 800_000n;

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const UNDERLYING = /^[A-Za-z0-9._-]{0,32}$/;
const ASSET = /^[a-zA-Z][a-zA-Z0-9/:._-]{0,127}$/;

export const NO_RATES: Rates = { initialPpm: 0n, maintenancePpm: 0n };

/** Its own rule, or that of the empty name; null: the model says nothing of it, so nothing of it may be held. */
export function ruleOf(model: PortfolioModel, underlying: string): UnderlyingRule | null {
  const own = model.underlyings.find((rule) => rule.underlying === underlying);
  return own ?? model.underlyings.find((rule) => rule.underlying === "") ?? null;
}

function requireThat(condition: boolean, message: string): void {
  if (!condition) throw refuse("invalidModel", `portfolio model: ${message}`);
}

function requireRange(what: string, value: bigint, low: bigint, high: bigint): void {
  requireThat(value >= low && value <= high, `expected ${what} of ${low} to ${high}, got ${value}`);
}

function requireRates(what: string, rates: Rates | undefined, highPpm: bigint = PPM): void {
  const { initialPpm, maintenancePpm } = rates ?? NO_RATES;
  requireRange(`${what}.initial_ppm`, initialPpm, 0n, highPpm);
  requireRange(`${what}.maintenance_ppm`, maintenancePpm, 0n, initialPpm);
}

function requireMoney(what: string, text: string): void {
  const amount = text === "" ? 1n : parseMoney(text);
  requireThat(amount !== null && amount > 0n, `expected ${what} to be a positive whole number`);
}

function requireAscending(what: string, names: readonly string[], most: number): void {
  requireThat(names.length <= most, `expected at most ${most} ${what}, got ${names.length}`);
  names.forEach((name, i) => {
    const previous = names[i - 1];
    requireThat(previous === undefined || previous < name, `expected ${what} in ascending order`);
  });
}

/** Throws ModuleError "invalidModel" that names the field, its bounds and what was found. */
export function validateModel(model: PortfolioModel): void {
  requireThat(NAME.test(model.name), `expected a name of a-z, 0-9 and "-", got "${model.name}"`);
  validateScenarios(model);
  const { volatilityShock: volatility, skewShock: skew, valueDiscount: discount, depeg } = model;
  if (volatility !== undefined) {
    requireRange("volatility_shock.up_ppm", volatility.upPpm, 0n, 5n * PPM);
    requireRange("volatility_shock.down_ppm", volatility.downPpm, 0n, PPM);
    const upMinimum = volatility.upMinimumPpm;
    requireRange("volatility_shock.up_minimum_ppm", upMinimum, 0n, VOLATILITY_MAX_PPM);
    requireRange("volatility_shock.short_power_ppm", volatility.shortPowerPpm, 0n, PPM);
    requireRange("volatility_shock.long_power_ppm", volatility.longPowerPpm, 0n, PPM);
    requireRange("volatility_shock.time_floor_ms", volatility.timeFloorMs, 60_000n, 30n * DAY_MS);
  }
  if (skew !== undefined) {
    requireRange("skew_shock.cap_ppm", skew.capPpm, 0n, PPM);
    requireRange("skew_shock.cap_per_root_year_ppm", skew.capPerRootYearPpm, -PPM, PPM);
    requireRange("skew_shock.width_minimum_ppm", skew.widthMinimumPpm, 1_000n, 10n * PPM);
    requireRange("skew_shock.width_multiple_ppm", skew.widthMultiplePpm, 0n, 100n * PPM);
    const width = skew.widthVolatilityPpm;
    requireRange("skew_shock.width_volatility_ppm", width, 0n, VOLATILITY_MAX_PPM);
    const slope = skew.widthVolatilityPerRootYearPpm;
    requireRange("skew_shock.width_volatility_per_root_year_ppm", slope, 0n, VOLATILITY_MAX_PPM);
  }
  requireRange("initial_factor_ppm", model.initialFactorPpm, 100_000n, 10n * PPM);
  const maintenance = model.maintenanceFactorPpm;
  requireRange("maintenance_factor_ppm", maintenance, 100_000n, model.initialFactorPpm);
  if (discount !== undefined) {
    requireRange("value_discount.long_ppm", discount.longPpm, 0n, PPM);
    requireRange("value_discount.short_ppm", discount.shortPpm, PPM, 2n * PPM);
    requireRange("value_discount.long_rate_ppm", discount.longRatePpm, 0n, PPM);
    requireRange("value_discount.short_rate_ppm", discount.shortRatePpm, 0n, PPM);
  }
  requireRange("offset_cap_ppm", model.offsetCapPpm, 0n, OFFSET_CAP_MAX);
  validateUnderlyings(model.underlyings);
  if (model.addOns !== undefined) validateAddOns(model.addOns);
  validateCollateral(model);
  if (depeg !== undefined) {
    requireRange("depeg.threshold_ppm", depeg.thresholdPpm, 1n, PPM);
    requireRange("depeg.initial_factor_ppm", depeg.initialFactorPpm, 0n, 100n * PPM);
    requireRange("depeg.feed_id", BigInt(depeg.feedId), 0n, 0xffff_ffffn);
    requireRange("depeg.haircut_factor_ppm", depeg.haircutFactorPpm, 0n, 100n * PPM);
  }
}

function validateScenarios(model: PortfolioModel): void {
  const { scenarios } = model;
  requireThat(
    scenarios.length >= 1 && scenarios.length <= SCENARIOS_MAX,
    `expected 1 to ${SCENARIOS_MAX} scenarios, got ${scenarios.length}`,
  );
  const seen = new Set<string>();
  scenarios.forEach((scenario, i) => {
    const what = `scenarios[${i}]`;
    const { rangePpm, movePpm, volatility, weightPpm, skew } = scenario;
    requireRange(`${what}.range_ppm`, rangePpm, -5n * PPM, 5n * PPM);
    requireRange(`${what}.move_ppm`, movePpm, MOVE_MIN, MOVE_MAX);
    requireThat(rangePpm === 0n || movePpm === 0n, `${what}: expected range_ppm or move_ppm`);
    requireRange(`${what}.weight_ppm`, weightPpm, 0n, PPM);
    const known = (Object.values(VolatilityMove) as number[]).includes(volatility);
    requireThat(known && volatility >= 0, `${what}: unknown volatility ${volatility}`);
    if (volatility !== VolatilityMove.VOLATILITY_MOVE_SAME) {
      requireThat(model.volatilityShock !== undefined, `${what} needs volatility_shock`);
    }
    requireThat(
      (Object.values(SkewMove) as number[]).includes(skew) && skew >= 0,
      `${what}: unknown skew ${skew}`,
    );
    if (skew !== SkewMove.SKEW_MOVE_NONE) {
      requireThat(model.skewShock !== undefined, `${what} needs skew_shock`);
      const still = rangePpm === 0n && movePpm === 0n && volatility === 0;
      requireThat(still, `${what}: a skew comes without a move of price or volatility`);
    }
    const key = `${rangePpm}/${movePpm}/${volatility}/${skew}`;
    requireThat(!seen.has(key), `${what} is there twice`);
    seen.add(key);
  });
  const moves = (sign: bigint): boolean =>
    scenarios.some((one: Scenario) => (one.rangePpm + one.movePpm) * sign > 0n);
  requireThat(moves(1n) && moves(-1n), "expected a scenario with prices up and one with them down");
}

function validateUnderlyings(rules: readonly UnderlyingRule[]): void {
  requireThat(rules.length >= 1, "expected a rule for at least one underlying");
  const names = rules.map((rule) => rule.underlying);
  requireAscending("underlyings", names, UNDERLYINGS_MAX);
  for (const rule of rules) {
    requireThat(UNDERLYING.test(rule.underlying), `"${rule.underlying}" names no underlying`);
    const what = rule.underlying === "" ? "the rule without a name" : rule.underlying;
    requireRange(`${what}: range_multiplier_ppm`, rule.rangeMultiplierPpm, 0n, 20n * PPM);
    requireRange(`${what}: range_horizon_ms`, rule.rangeHorizonMs, 0n, 30n * DAY_MS);
    requireRange(`${what}: range_minimum_ppm`, rule.rangeMinimumPpm, 1_000n, 900_000n);
    const maximum = rule.rangeMaximumPpm;
    requireRange(`${what}: range_maximum_ppm`, maximum, rule.rangeMinimumPpm, 900_000n);
    requireRange(`${what}: beta_ppm`, rule.betaPpm, -PPM, PPM);
    requireMoney(`${what}: daily_volume`, rule.dailyVolume);
    const source = rule.volatilitySource;
    const known = (Object.values(VolatilitySource) as number[]).includes(source) && source >= 0;
    requireThat(known, `${what}: unknown volatility_source ${source}`);
    const floor = rule.volatilityFloorPpm;
    requireRange(`${what}: volatility_floor_ppm`, floor, 0n, VOLATILITY_MAX_PPM);
  }
}

function validateAddOns(addOns: AddOns): void {
  requireRates("linear", addOns.linear);
  requireRates("short_options.rates", addOns.shortOptions?.rates);
  const net = addOns.deltaMinimum?.net ?? NO_RATES;
  const hedged = addOns.deltaMinimum?.hedged ?? NO_RATES;
  requireRates("delta_minimum.net", net);
  requireRates("delta_minimum.hedged", hedged);
  // Otherwise two accounts would need less than one.
  for (const rate of ["initialPpm", "maintenancePpm"] as const) {
    const enough = 2n * net[rate] >= hedged[rate];
    requireThat(enough, "expected a rate of net delta of at least half the rate of hedged delta");
  }
  const { basis, concentration, liquidity, oracleWidth } = addOns;
  if (basis !== undefined) {
    requireRange("basis.up_ppm", basis.upPpm, 0n, PPM / 2n);
    requireRange("basis.down_ppm", basis.downPpm, 0n, PPM / 2n);
    requireRange("basis.share_ppm", basis.sharePpm, 0n, 2n * PPM);
    requireRange("basis.share_per_year_ppm", basis.sharePerYearPpm, 0n, 10n * PPM);
  }
  if (concentration !== undefined) {
    requireRange("concentration.volume_share_ppm", concentration.volumeSharePpm, 1_000n, PPM);
    requireRange("concentration.horizon_ms", concentration.horizonMs, 60_000n, 30n * DAY_MS);
    requireRange("concentration.impact_ppm", concentration.impactPpm, 0n, 10n * PPM);
  }
  if (liquidity !== undefined) {
    requireRange("liquidity.linear_ppm", liquidity.linearPpm, 0n, PPM);
    requireRange("liquidity.option_ppm", liquidity.optionPpm, 0n, PPM);
  }
  requireRange("funding_hours", BigInt(addOns.fundingHours), 0n, 168n);
  if (oracleWidth !== undefined) {
    requireRange("oracle_width.threshold_ppm", oracleWidth.thresholdPpm, 0n, PPM);
    requireRates("oracle_width.factor", oracleWidth.factor, 10n * PPM);
  }
}

function validateCollateral({ collateral }: PortfolioModel): void {
  const assets = collateral.map((rule) => rule.asset);
  requireAscending("collateral assets", assets, COLLATERAL_MAX);
  for (const rule of collateral) {
    requireThat(ASSET.test(rule.asset), `"${rule.asset}" names no asset`);
    requireRates(`${rule.asset}: haircut`, rule.haircut);
    requireMoney(`${rule.asset}: cap`, rule.cap);
    requireRange(`${rule.asset}: redemption_floor_ppm`, rule.redemptionFloorPpm, 0n, PPM);
    requireThat(UNDERLYING.test(rule.underlying), `${rule.asset}: no underlying`);
  }
}
