/** Query routes of collateral assets, and what the Account query says of an account's own. */
import {
  type CollateralHoldingView,
  type CollateralView,
  QueryCollateralAssetsRequest,
  QueryCollateralAssetsResponse,
  QueryCollateralHoldersRequest,
  QueryCollateralHoldersResponse,
} from "@keel/proto/gen/keel/margin/v1/collateral";
import type { Addresses } from "../../kit/addresses.ts";
import { PPM } from "../../kit/math/mul-div.ts";
import { onQuery, type QueryRoute } from "../../kit/module.ts";
import type { Account } from "../account-codec.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import type { MarginState } from "../state.ts";
import type { AssetViews } from "./backing.ts";
import { countedQuanta } from "./valuation.ts";

const HOLDERS_PER_ANSWER_MAX = 1000;

export function assetQueries(
  { assets: state }: MarginState,
  markets: ModelledMarkets,
  addresses: Addresses,
): readonly QueryRoute[] {
  return [
    onQuery({
      path: "/keel.margin.v1.Query/CollateralAssets",
      request: QueryCollateralAssetsRequest,
      response: QueryCollateralAssetsResponse,
      handle(ctx) {
        const assets: CollateralView[] = [];
        state.assets.each(ctx, (denom, asset) => {
          const view = markets.asset(ctx, denom);
          if (view === null) return;
          assets.push({
            asset,
            price: view.price.toString(),
            marketPrice: view.marketPrice.toString(),
            initialPpm: view.initialPpm,
            maintenancePpm: view.maintenancePpm,
            usable: view.usable,
          });
        });
        return { assets };
      },
    }),
    onQuery({
      path: "/keel.margin.v1.Query/CollateralHolders",
      request: QueryCollateralHoldersRequest,
      response: QueryCollateralHoldersResponse,
      handle(ctx, { denom }) {
        const holders: string[] = [];
        if (!state.assets.has(ctx, denom)) return { holders };
        state.holders.eachWithPrefix(ctx, `${denom}\0`, ([, holder]) => {
          holders.push(addresses.format(holder));
          return holders.length >= HOLDERS_PER_ANSWER_MAX;
        });
        return { holders };
      },
    }),
  ];
}

export function holdingViews(
  account: Account,
  views: AssetViews | undefined,
): CollateralHoldingView[] {
  return account.assets.map(({ denom, units }) => {
    const view = views?.(denom) ?? null;
    const counted = (ppm: bigint): string =>
      (view === null ? 0n : countedQuanta(view, units, ppm)).toString();
    return {
      denom,
      units: units.toString(),
      value: counted(PPM),
      initial: counted(view?.initialPpm ?? 0n),
      maintenance: counted(view?.maintenancePpm ?? 0n),
    };
  });
}
