/** Methods of margin's query service on collateral assets. */
import * as collateral from "@keel/proto/gen/keel/margin/v1/collateral";
import type { Method } from "./method.ts";

export interface CollateralMethods {
  readonly collateralAssets: Method<
    collateral.QueryCollateralAssetsRequest,
    collateral.QueryCollateralAssetsResponse
  >;
  readonly collateralHolders: Method<
    collateral.QueryCollateralHoldersRequest,
    collateral.QueryCollateralHoldersResponse
  >;
}

export const collateralMethods: CollateralMethods = {
  collateralAssets: {
    path: "/keel.margin.v1.Query/CollateralAssets",
    request: collateral.QueryCollateralAssetsRequest,
    answer: collateral.QueryCollateralAssetsResponse,
  },
  collateralHolders: {
    path: "/keel.margin.v1.Query/CollateralHolders",
    request: collateral.QueryCollateralHoldersRequest,
    answer: collateral.QueryCollateralHoldersResponse,
  },
};
