/** Events of collateral assets. */
import type { CollateralTerms } from "@keel/proto/gen/keel/margin/v1/collateral";
import type { WriteContext } from "../../kit/context.ts";
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

export function emitCollateralConverted(
  ctx: WriteContext,
  converted: {
    readonly account: string;
    readonly view: AssetView;
    readonly units: bigint;
    readonly pay: bigint;
    readonly debt: bigint;
    readonly debtMax: bigint;
  },
): void {
  const { account, view, units, pay, debt, debtMax } = converted;
  ctx.emit("collateral_converted", {
    account,
    denom: view.terms.denom,
    units: units.toString(),
    price: view.price.toString(),
    paid_ppm: view.maintenancePpm.toString(),
    paid: pay.toString(),
    debt: debt.toString(),
    debt_max: debtMax.toString(),
  });
}

export function emitCollateralSold(
  ctx: WriteContext,
  sold: {
    readonly view: AssetView;
    readonly buyer: string;
    readonly units: bigint;
    readonly cost: bigint;
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
