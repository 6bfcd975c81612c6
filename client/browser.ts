/** What the browser bundle holds: the whole library in one module. In a workspace import the single files instead. */
export { createKeelAminoConverters, keelAminoTypes } from "./amino.ts";
export {
  collectFees,
  createMarket,
  createSeries,
  forfeitBond,
  fundInsurance,
  loosen,
  setDynamicMargin,
  setInsuranceFund,
  setMarketRules,
  setPortfolioModel,
  setVaultMarket,
  setWaterfall,
  setWithdrawalLimits,
  updateDerivativesParams,
  updateFeeds,
  updateFeeParams,
  updateGuardParams,
  updateInsuranceParams,
  updateMarginParams,
  updateMarket,
  updateOracleParams,
  updateSeries,
  updateSurfaces,
  updateVaultParams,
} from "./authority.ts";
export {
  bonds,
  derivativesParams,
  listMarket,
  optionChain,
  series,
  settlementPrices,
} from "./chains.ts";
export {
  allowCollateralHolder,
  attestCollateralPrice,
  buyCollateral,
  collateralAssets,
  collateralHolders,
  freezeCollateral,
  setCollateralAsset,
} from "./collateral-assets.ts";
export { type Cosigner, executeTogether } from "./cosign.ts";
export {
  approveWithdrawal,
  custody,
  executeWithdrawal,
  marketSolvency,
  proposeWithdrawal,
  rejectWithdrawal,
  setTopUp,
  setWithdrawalPolicy,
} from "./custody.ts";
export { type Amount, formatMoney, roundToStep, timesStep, toQuanta } from "./decimal.ts";
export {
  documentHash,
  documentText,
  orderDocument,
  signDocument,
  walletSigned,
} from "./documents.ts";
export {
  KeelConnectionError,
  KeelInputError,
  KeelQueryError,
  KeelTxError,
} from "./errors.ts";
export { explain } from "./explain.ts";
export { requestFaucet } from "./faucet.ts";
export {
  approveBuilder,
  builderApprovals,
  feeParams,
  referralOwner,
  registerReferralCode,
  setReferrer,
  traderStanding,
} from "./fees.ts";
export { batchFinal, cancelFinal, placeFinal } from "./final-orders.ts";
export {
  guardMoves,
  guardRules,
  restrictions,
  tighten,
  tightenMessage,
  withdrawalLimits,
} from "./guard.ts";
export { candles, fills, fundingHistory, trades } from "./history.ts";
export { impliedVolatility, optionPrice } from "./implied-volatility.ts";
export {
  giveInsuranceNotice,
  insuranceState,
  underwriteInsurance,
  underwriterState,
} from "./insurance.ts";
export { KeelClient } from "./keel-client.ts";
export { KeelLightError, LightClient } from "./light.ts";
export {
  bidLiquidation,
  liquidationBidMessage,
  liquidationFlow,
  liquidationOffers,
} from "./liquidations.ts";
export { LiveBook } from "./live-book.ts";
export { MarketStream } from "./market-stream.ts";
export { markParts, priceWatch, twap, validatorStandings } from "./oracle.ts";
export { awaitEnd, type OrderEnd } from "./order-end.ts";
export { bookOrders, findOrder } from "./order-lookup.ts";
export {
  marginModeMessage,
  portfolioModel,
  requirement,
  setMarginMode,
} from "./portfolio-margin.ts";
export { methods } from "./queries.ts";
export { keelRegistry, keelTypes } from "./registry.ts";
export { KeelSigningClient } from "./signing-client.ts";
export { fitSsvi, surfaceVote } from "./ssvi-fit.ts";
export { accountGreeks, greeks, smile, surface, surfaces } from "./surfaces.ts";
export { TradingKey } from "./trading-key.ts";
export {
  cancelVaultWithdrawal,
  depositToVault,
  requestVaultWithdrawal,
  vaultMarkets,
  vaultQuotes,
  vaultShares,
  vaultState,
  vaultWithdrawals,
} from "./vault.ts";
export { walletFromMnemonic, walletsFromMnemonic } from "./wallet.ts";
export {
  deleverageRanks,
  fundTargets,
  marketEndings,
  resilience,
  waterfallParams,
} from "./waterfall.ts";
