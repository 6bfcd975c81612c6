/** Amino names and forms of the messages on collateral assets. */
import * as collateral from "@keel/proto/gen/keel/margin/v1/collateral";
import { Rates } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { type Shape, shape } from "./amino-shape.ts";

export const collateralForms: Readonly<Record<string, readonly [name: string, form: Shape]>> = {
  "/keel.margin.v1.MsgSetCollateralAsset": [
    "keel/MsgSetCollateralAsset",
    shape(collateral.MsgSetCollateralAsset, {
      terms: shape(collateral.CollateralTerms, {
        haircut: shape(Rates),
        redemption: shape(collateral.CollateralRedemption),
        depeg: shape(collateral.SettlementDepeg),
        restriction: shape(collateral.CollateralRestriction),
      }),
    }),
  ],
  "/keel.margin.v1.MsgAttestCollateralPrice": [
    "keel/MsgAttestCollateralPrice",
    shape(collateral.MsgAttestCollateralPrice),
  ],
  "/keel.margin.v1.MsgFreezeCollateral": [
    "keel/MsgFreezeCollateral",
    shape(collateral.MsgFreezeCollateral),
  ],
  "/keel.margin.v1.MsgAllowCollateralHolder": [
    "keel/MsgAllowCollateralHolder",
    shape(collateral.MsgAllowCollateralHolder),
  ],
  "/keel.margin.v1.MsgBuyCollateral": ["keel/MsgBuyCollateral", shape(collateral.MsgBuyCollateral)],
};
