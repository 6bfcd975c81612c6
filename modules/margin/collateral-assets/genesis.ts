/** Collateral assets in genesis; which accounts are judged follows from their records. */
import type { CollateralAsset, CollateralHolder } from "@keel/proto/gen/keel/margin/v1/collateral";
import type { Addresses } from "../../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { parseMoney } from "../../kit/money.ts";
import { refuse } from "../errors.ts";
import type { AssetState } from "./state.ts";
import { validateCollateralTerms } from "./terms.ts";

export interface AssetGenesis {
  readonly collateralAssets: CollateralAsset[];
  readonly collateralHolders: CollateralHolder[];
}

export function initAssets(
  ctx: WriteContext,
  state: AssetState,
  genesis: AssetGenesis,
  addresses: Addresses,
): void {
  for (const asset of genesis.collateralAssets) {
    const { terms, held, inventory, attestedPrice } = asset;
    const inventoryCost = asset.inventoryCost === "" ? "0" : asset.inventoryCost;
    if (terms === undefined)
      throw refuse("invalidRequest", "margin genesis: an asset without terms");
    validateCollateralTerms(terms, addresses);
    for (const text of [held, inventory, attestedPrice, inventoryCost]) {
      const amount = parseMoney(text);
      if (amount === null || amount < 0n) {
        throw refuse("invalidRequest", `margin genesis: ${terms.denom} has "${text.slice(0, 50)}"`);
      }
    }
    if (inventory === "0" && inventoryCost !== "0") {
      throw refuse("invalidRequest", `margin genesis: no ${terms.denom} cost ${inventoryCost}`);
    }
    state.assets.set(ctx, terms.denom, { ...asset, inventoryCost });
  }
  for (const { denom, holder } of genesis.collateralHolders) {
    if (!state.assets.has(ctx, denom)) {
      throw refuse(
        "invalidRequest",
        `margin genesis: holders of "${denom}", which is no collateral`,
      );
    }
    state.holders.set(ctx, [denom, addresses.parse(holder)], true);
  }
}

export function exportAssets(
  ctx: ReadContext,
  state: AssetState,
  addresses: Addresses,
): AssetGenesis {
  const genesis: AssetGenesis = { collateralAssets: [], collateralHolders: [] };
  state.assets.each(ctx, (_denom, asset) => void genesis.collateralAssets.push(asset));
  state.holders.each(ctx, ([denom, holder]) => {
    genesis.collateralHolders.push({ denom, holder: addresses.format(holder) });
  });
  return genesis;
}
