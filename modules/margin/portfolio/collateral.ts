/** What collateral in several assets is worth to a requirement: value, cap, redemption floor, haircuts. Values round down, haircuts up. */
import type { CollateralRule, PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { WAD } from "../../kit/math/fixed-point.ts";
import {
  clamp,
  divFloor,
  maximum,
  minimum,
  mulDivDown,
  mulDivUp,
  PPM,
} from "../../kit/math/mul-div.ts";
import { parseMoney } from "../../kit/money.ts";
import { NO_RATES } from "./model.ts";

export interface CollateralState {
  readonly asset: string;
  /** The asset that positions settle in: one unit is one unit of money. */
  readonly settlement: boolean;
  /** Quanta at a price: price × units / scale. */
  readonly units: bigint;
  readonly scale: bigint;
  /** Of one book or index, 1e-18. */
  readonly price: bigint;
  /** What one unit redeems for, in an asset worth basePrice; both 1e-18. Null: nothing redeems it. */
  readonly redemption: { readonly rate: bigint; readonly basePrice: bigint } | null;
  /** Quanta of this asset that other accounts of the owner have used of its cap. */
  readonly countedElsewhere: bigint;
}

/** Quanta. */
export interface CollateralValue {
  readonly asset: string;
  /** Counted in equity. */
  readonly value: bigint;
  readonly haircut: { readonly initial: bigint; readonly maintenance: bigint };
  readonly rule: CollateralRule | null;
}

/** How far the stable asset is below the model's threshold, ppm; price 1e-18. */
export function depegPpm(model: PortfolioModel, stablePrice: bigint): bigint {
  const threshold = model.depeg?.thresholdPpm ?? 0n;
  return maximum(threshold - divFloor(stablePrice * PPM, WAD), 0n);
}

/** A staked asset is worth what it redeems for, at most; and at least the rule's share of that, even when one book says less. */
function priceOf(state: CollateralState, rule: CollateralRule | null): bigint {
  if (state.settlement) return WAD;
  if (state.redemption === null) return state.price;
  const redeemed = mulDivDown(state.redemption.rate, state.redemption.basePrice, WAD);
  const floor = mulDivDown(redeemed, rule?.redemptionFloorPpm ?? 0n, PPM);
  return clamp(state.price, floor, redeemed);
}

export function collateralValue(
  model: PortfolioModel,
  state: CollateralState,
  stablePrice: bigint,
): CollateralValue {
  const { asset, settlement } = state;
  const rule = model.collateral.find((one) => one.asset === asset) ?? null;
  const none = { initial: 0n, maintenance: 0n };
  // What no rule admits is not collateral.
  if (rule === null && !settlement) return { asset, value: 0n, haircut: none, rule };
  const full = mulDivDown(priceOf(state, rule), state.units, state.scale);
  const cap = parseMoney(rule?.cap ?? "");
  const value = cap === null ? full : minimum(full, maximum(cap - state.countedElsewhere, 0n));
  const raised =
    PPM + mulDivUp(depegPpm(model, stablePrice), model.depeg?.haircutFactorPpm ?? 0n, PPM);
  const cut = (ppm: bigint): bigint =>
    minimum(mulDivUp(maximum(value, 0n), ppm * raised, PPM * PPM), maximum(value, 0n));
  const { initialPpm, maintenancePpm } = rule?.haircut ?? NO_RATES;
  return {
    asset,
    value,
    haircut: { initial: cut(initialPpm), maintenance: cut(maintenancePpm) },
    rule,
  };
}
