/** Keel's messages for CosmJS: a registry with the default Cosmos messages and Keel's own. */
import { type GeneratedType, Registry } from "@cosmjs/proto-signing";
import { defaultRegistryTypes } from "@cosmjs/stargate";
import * as derivatives from "@keel/proto/gen/keel/derivatives/v1/tx";
import * as guard from "@keel/proto/gen/keel/guard/v1/tx";
import * as insurance from "@keel/proto/gen/keel/insurance/v1/tx";
import * as collateral from "@keel/proto/gen/keel/margin/v1/collateral";
import * as custody from "@keel/proto/gen/keel/margin/v1/custody";
import * as ladder from "@keel/proto/gen/keel/margin/v1/ladder";
import * as margin from "@keel/proto/gen/keel/margin/v1/tx";
import * as waterfall from "@keel/proto/gen/keel/margin/v1/waterfall";
import * as oracle from "@keel/proto/gen/keel/oracle/v1/tx";
import * as vault from "@keel/proto/gen/keel/vault/v1/tx";

/** What this library needs of a generated message. */
export interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

// The generated codecs write with another library than CosmJS expects; the calls it makes are the same.
const generated = (codec: unknown): GeneratedType => codec as GeneratedType;

/** Every message of Keel that a person can sign, by type URL. */
export const keelTypes: ReadonlyArray<[string, GeneratedType]> = [
  ["/keel.derivatives.v1.MsgPlaceOrder", generated(derivatives.MsgPlaceOrder)],
  ["/keel.derivatives.v1.MsgCancelOrder", generated(derivatives.MsgCancelOrder)],
  ["/keel.derivatives.v1.MsgCancelAll", generated(derivatives.MsgCancelAll)],
  ["/keel.derivatives.v1.MsgBatchOrders", generated(derivatives.MsgBatchOrders)],
  ["/keel.derivatives.v1.MsgClearTrades", generated(derivatives.MsgClearTrades)],
  ["/keel.derivatives.v1.MsgCancelDocuments", generated(derivatives.MsgCancelDocuments)],
  ["/keel.derivatives.v1.MsgTransferPosition", generated(derivatives.MsgTransferPosition)],
  ["/keel.derivatives.v1.MsgTransferSubaccount", generated(derivatives.MsgTransferSubaccount)],
  ["/keel.derivatives.v1.MsgGrantTradingKey", generated(derivatives.MsgGrantTradingKey)],
  ["/keel.derivatives.v1.MsgRevokeTradingKey", generated(derivatives.MsgRevokeTradingKey)],
  ["/keel.derivatives.v1.MsgRegisterReferralCode", generated(derivatives.MsgRegisterReferralCode)],
  ["/keel.derivatives.v1.MsgSetReferrer", generated(derivatives.MsgSetReferrer)],
  ["/keel.derivatives.v1.MsgApproveBuilder", generated(derivatives.MsgApproveBuilder)],
  ["/keel.derivatives.v1.MsgUpdateFeeParams", generated(derivatives.MsgUpdateFeeParams)],
  ["/keel.derivatives.v1.MsgAmendOrder", generated(derivatives.MsgAmendOrder)],
  ["/keel.derivatives.v1.MsgPlaceOco", generated(derivatives.MsgPlaceOco)],
  ["/keel.derivatives.v1.MsgPlaceCombo", generated(derivatives.MsgPlaceCombo)],
  ["/keel.derivatives.v1.MsgSetDeadMan", generated(derivatives.MsgSetDeadMan)],
  ["/keel.derivatives.v1.MsgCreateMarket", generated(derivatives.MsgCreateMarket)],
  ["/keel.derivatives.v1.MsgUpdateMarket", generated(derivatives.MsgUpdateMarket)],
  ["/keel.derivatives.v1.MsgUpdateParams", generated(derivatives.MsgUpdateParams)],
  ["/keel.derivatives.v1.MsgListMarket", generated(derivatives.MsgListMarket)],
  ["/keel.derivatives.v1.MsgForfeitBond", generated(derivatives.MsgForfeitBond)],
  ["/keel.derivatives.v1.MsgCreateSeries", generated(derivatives.MsgCreateSeries)],
  ["/keel.derivatives.v1.MsgUpdateSeries", generated(derivatives.MsgUpdateSeries)],
  ["/keel.margin.v1.MsgDeposit", generated(margin.MsgDeposit)],
  ["/keel.margin.v1.MsgWithdraw", generated(margin.MsgWithdraw)],
  ["/keel.margin.v1.MsgTransfer", generated(margin.MsgTransfer)],
  ["/keel.margin.v1.MsgCollectFees", generated(margin.MsgCollectFees)],
  ["/keel.margin.v1.MsgUpdateParams", generated(margin.MsgUpdateParams)],
  ["/keel.margin.v1.MsgSetDynamicMargin", generated(margin.MsgSetDynamicMargin)],
  ["/keel.margin.v1.MsgSetMarginMode", generated(margin.MsgSetMarginMode)],
  ["/keel.margin.v1.MsgSetPortfolioModel", generated(margin.MsgSetPortfolioModel)],
  ["/keel.margin.v1.MsgSetWithdrawalPolicy", generated(custody.MsgSetWithdrawalPolicy)],
  ["/keel.margin.v1.MsgProposeWithdrawal", generated(custody.MsgProposeWithdrawal)],
  ["/keel.margin.v1.MsgApproveWithdrawal", generated(custody.MsgApproveWithdrawal)],
  ["/keel.margin.v1.MsgExecuteWithdrawal", generated(custody.MsgExecuteWithdrawal)],
  ["/keel.margin.v1.MsgSetTopUp", generated(custody.MsgSetTopUp)],
  ["/keel.margin.v1.MsgBidLiquidation", generated(ladder.MsgBidLiquidation)],
  ["/keel.margin.v1.MsgSetWaterfall", generated(waterfall.MsgSetWaterfall)],
  ["/keel.margin.v1.MsgSetCollateralAsset", generated(collateral.MsgSetCollateralAsset)],
  ["/keel.margin.v1.MsgAttestCollateralPrice", generated(collateral.MsgAttestCollateralPrice)],
  ["/keel.margin.v1.MsgFreezeCollateral", generated(collateral.MsgFreezeCollateral)],
  ["/keel.margin.v1.MsgAllowCollateralHolder", generated(collateral.MsgAllowCollateralHolder)],
  ["/keel.margin.v1.MsgBuyCollateral", generated(collateral.MsgBuyCollateral)],
  ["/keel.insurance.v1.MsgFund", generated(insurance.MsgFund)],
  ["/keel.insurance.v1.MsgUnderwrite", generated(insurance.MsgUnderwrite)],
  ["/keel.insurance.v1.MsgGiveNotice", generated(insurance.MsgGiveNotice)],
  ["/keel.insurance.v1.MsgSetFund", generated(insurance.MsgSetFund)],
  ["/keel.insurance.v1.MsgUpdateParams", generated(insurance.MsgUpdateParams)],
  ["/keel.oracle.v1.MsgUpdateFeeds", generated(oracle.MsgUpdateFeeds)],
  ["/keel.oracle.v1.MsgUpdateParams", generated(oracle.MsgUpdateParams)],
  ["/keel.oracle.v1.MsgUpdateSurfaces", generated(oracle.MsgUpdateSurfaces)],
  ["/keel.guard.v1.MsgUpdateGuardParams", generated(guard.MsgUpdateGuardParams)],
  ["/keel.guard.v1.MsgSetMarketRules", generated(guard.MsgSetMarketRules)],
  ["/keel.guard.v1.MsgSetWithdrawalLimits", generated(guard.MsgSetWithdrawalLimits)],
  ["/keel.guard.v1.MsgTighten", generated(guard.MsgTighten)],
  ["/keel.guard.v1.MsgLoosen", generated(guard.MsgLoosen)],
  ["/keel.vault.v1.MsgDepositToVault", generated(vault.MsgDepositToVault)],
  ["/keel.vault.v1.MsgRequestWithdrawal", generated(vault.MsgRequestWithdrawal)],
  ["/keel.vault.v1.MsgCancelWithdrawal", generated(vault.MsgCancelWithdrawal)],
  ["/keel.vault.v1.MsgSetVaultMarket", generated(vault.MsgSetVaultMarket)],
  ["/keel.vault.v1.MsgUpdateVaultParams", generated(vault.MsgUpdateVaultParams)],
];

/** A registry for `SigningStargateClient`, or for any CosmJS code: default types plus Keel's. */
export function keelRegistry(): Registry {
  return new Registry([...defaultRegistryTypes, ...keelTypes]);
}
