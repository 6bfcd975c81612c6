/** What the fund has bought of accounts, at what it paid: units and cost by asset here, the cost of all of them as part of the fund in insurance. */
import type { CollateralAsset } from "@keel/proto/gen/keel/margin/v1/collateral";
import type { ReadContext } from "../../kit/context.ts";
import { mulDivUp } from "../../kit/math/mul-div.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import type { MarginState } from "../state.ts";
import { saleCost } from "./valuation.ts";

/** If all were sold now, quanta, asset by asset. */
export interface InventorySale {
  /** Beyond cost, and below it. */
  readonly gain: bigint;
  readonly loss: bigint;
  /** Cost of what cannot be sold now. */
  readonly unpriced: bigint;
}

/** Units go from accounts to the fund for `cost` quanta. */
export function withBought(asset: CollateralAsset, units: bigint, cost: bigint): CollateralAsset {
  return {
    ...asset,
    held: (BigInt(asset.held) - units).toString(),
    inventory: (BigInt(asset.inventory) + units).toString(),
    inventoryCost: (BigInt(asset.inventoryCost) + cost).toString(),
  };
}

/** Units leave the fund. Their part of the cost rounds up: what is left is never worth more than was paid for it, and the last unit takes all of it. */
export function withSold(
  asset: CollateralAsset,
  units: bigint,
): { readonly asset: CollateralAsset; readonly cost: bigint } {
  const inventory = BigInt(asset.inventory);
  const paid = BigInt(asset.inventoryCost);
  const cost = mulDivUp(paid, units, inventory);
  const left = {
    ...asset,
    inventory: (inventory - units).toString(),
    inventoryCost: (paid - cost).toString(),
  };
  return { asset: left, cost };
}

export interface AssetSale {
  /** Of what the fund of this settlement asset holds. */
  sale(ctx: ReadContext, denom: string): InventorySale;
}

export function inventorySale(state: MarginState, markets: ModelledMarkets): AssetSale["sale"] {
  return (ctx, settled) => {
    let gain = 0n;
    let loss = 0n;
    let unpriced = 0n;
    if (settled !== state.params.require(ctx).settlementDenom) return { gain, loss, unpriced };
    state.assets.assets.each(ctx, (denom, { inventory, inventoryCost }) => {
      if (inventory === "0") return;
      const cost = BigInt(inventoryCost);
      const view = markets.asset(ctx, denom);
      if (view?.usable !== true) {
        unpriced += cost;
        return;
      }
      const difference = saleCost(view, BigInt(inventory)) - cost;
      if (difference > 0n) gain += difference;
      else loss -= difference;
    });
    return { gain, loss, unpriced };
  };
}
