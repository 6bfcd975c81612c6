/** Events of collateral assets. */
import type { CollateralTerms } from "@keel/proto/gen/keel/margin/v1/collateral";
import type { WriteContext } from "../../kit/context.ts";
import { type Explanation, quantities } from "../../kit/explanation.ts";
import { NO_RATES } from "../portfolio/model.ts";
import type { AssetView } from "./valuation.ts";

export function emitCollateralAsset(
  ctx: WriteContext,
  denom: string,
  terms: CollateralTerms | undefined,
): void {
  const { initialPpm, maintenancePpm } = terms?.haircut ?? NO_RATES;
  ctx.emit("collateral_asset_set", {
    denom,
    feed_id: (terms?.feedId ?? 0).toString(),
    initial_ppm: initialPpm.toString(),
    maintenance_ppm: maintenancePpm.toString(),
    cap: terms?.cap ?? "",
  });
}

interface Converted {
  readonly account: string;
  readonly view: AssetView;
  readonly units: bigint;
  readonly pay: bigint;
  /** Cash wanted; null: for all that can be sold. */
  readonly need: bigint | null;
  readonly debt: bigint;
  readonly debtMax: bigint;
}

export function emitCollateralConverted(ctx: WriteContext, converted: Converted): void {
  const { account, view, units, pay, debt, debtMax } = converted;
  ctx.emit(
    "collateral_converted",
    {
      account,
      denom: view.terms.denom,
      units: units.toString(),
      price: view.price.toString(),
      paid_ppm: view.maintenancePpm.toString(),
      paid: pay.toString(),
      debt: debt.toString(),
      debt_max: debtMax.toString(),
    },
    () => whyConverted(converted),
  );
}

function whyConverted({ debt, debtMax, need, pay, units, view }: Converted): Explanation {
  return {
    rule:
      "converted when cash below zero is more than may be owed (a part of what usable assets count), or equity is below zero; wanted = the debt, or below zero equity all that can be sold, least haircut first; " +
      "the shared fund pays exactly what the units count for maintenance, units x price x counted share, down, as far as it reaches, so equity stands",
    inputs: [
      ...quantities("quanta", {
        debt,
        "may be owed": debtMax,
        wanted: need === null ? "all that can be sold" : need,
      }),
      ...quantities("wad", { price: view.price }),
      ...quantities("ppm", { "counted share": view.maintenancePpm }),
    ],
    results: [...quantities("units", { sold: units }), ...quantities("quanta", { paid: pay })],
  };
}

export function emitCollateralSold(
  ctx: WriteContext,
  sold: {
    readonly view: AssetView;
    readonly buyer: string;
    readonly units: bigint;
    /** What the buyer pays, and what the fund had paid. */
    readonly cost: bigint;
    readonly paid: bigint;
  },
): void {
  const { terms, marketPrice } = sold.view;
  ctx.emit("collateral_sold", {
    denom: terms.denom,
    buyer: sold.buyer,
    units: sold.units.toString(),
    price: marketPrice.toString(),
    discount_ppm: terms.saleDiscountPpm.toString(),
    cost: sold.cost.toString(),
    paid: sold.paid.toString(),
  });
}

export function emitPriceAttested(ctx: WriteContext, denom: string, price: bigint): void {
  ctx.emit("collateral_price_attested", { denom, price: price.toString() });
}

export function emitCollateralFrozen(ctx: WriteContext, denom: string, frozen: boolean): void {
  ctx.emit("collateral_frozen", { denom, frozen: frozen.toString() });
}

export function emitCollateralHolder(
  ctx: WriteContext,
  denom: string,
  holder: string,
  allowed: boolean,
): void {
  ctx.emit("collateral_holder", { denom, holder, allowed: allowed.toString() });
}
