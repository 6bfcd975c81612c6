/** One call for every message of the authority (and anyone's gift to the insurance fund). The signer must be the account that the chain names. */
import type { EncodeObject } from "@cosmjs/proto-signing";
import type { FeeParams } from "@keel/proto/gen/keel/derivatives/v1/fees";
import {
  MsgCreateMarketResponse,
  MsgCreateSeriesResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type {
  Params as DerivativesParams,
  Market,
  MarketStatus,
  MarketTerms,
  Series,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { MsgLoosenResponse } from "@keel/proto/gen/keel/guard/v1/tx";
import type {
  Params as GuardParams,
  MarketRules,
  RestrictionSource,
  WithdrawalLimit,
} from "@keel/proto/gen/keel/guard/v1/types";
import { MsgFundResponse } from "@keel/proto/gen/keel/insurance/v1/tx";
import type { Params as InsuranceParams } from "@keel/proto/gen/keel/insurance/v1/types";
import type { DynamicMargin } from "@keel/proto/gen/keel/margin/v1/dynamic";
import type { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import type { Params as MarginParams } from "@keel/proto/gen/keel/margin/v1/types";
import type { WaterfallParams } from "@keel/proto/gen/keel/margin/v1/waterfall";
import type { Feed, Params as OracleParams, Surface } from "@keel/proto/gen/keel/oracle/v1/types";
import type { VaultMarketTerms, Params as VaultParams } from "@keel/proto/gen/keel/vault/v1/types";
import { type Amount, toQuanta } from "./decimal.ts";
import type { WithTx } from "./outcomes.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { SubmitOptions } from "./submitter.ts";
import { responseOf, type TxOutcome } from "./tx-result.ts";
import { integer } from "./views.ts";

function send(
  client: KeelSigningClient,
  typeUrl: string,
  value: Readonly<Record<string, unknown>>,
  options: SubmitOptions,
): Promise<TxOutcome> {
  const message: EncodeObject = { typeUrl, value: { authority: client.address, ...value } };
  return client.execute([message], options);
}

/** Lists a market; the chain gives it its id. */
export async function createMarket(
  client: KeelSigningClient,
  market: Market,
  options: SubmitOptions = {},
): Promise<WithTx<{ readonly id: number }>> {
  const tx = await send(client, "/keel.derivatives.v1.MsgCreateMarket", { market }, options);
  return { id: responseOf(tx, 0, MsgCreateMarketResponse).id, tx };
}

/** Another status, or other terms: given ones replace all of them. Settling, without terms, delists a perpetual that is close-only. */
export async function updateMarket(
  client: KeelSigningClient,
  market: string,
  change: { readonly status?: MarketStatus; readonly terms?: MarketTerms },
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const value = { market, status: change.status ?? 0, terms: change.terms };
  return await send(client, "/keel.derivatives.v1.MsgUpdateMarket", value, options);
}

export async function createSeries(
  client: KeelSigningClient,
  series: Series,
  options: SubmitOptions = {},
): Promise<WithTx<{ readonly id: number }>> {
  const tx = await send(client, "/keel.derivatives.v1.MsgCreateSeries", { series }, options);
  return { id: responseOf(tx, 0, MsgCreateSeriesResponse).id, tx };
}

export async function updateSeries(
  client: KeelSigningClient,
  series: Series,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.derivatives.v1.MsgUpdateSeries", { series }, options);
}

export async function forfeitBond(
  client: KeelSigningClient,
  market: string,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.derivatives.v1.MsgForfeitBond", { market }, options);
}

export async function updateDerivativesParams(
  client: KeelSigningClient,
  params: DerivativesParams,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.derivatives.v1.MsgUpdateParams", { params }, options);
}

export async function updateMarginParams(
  client: KeelSigningClient,
  params: MarginParams,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.margin.v1.MsgUpdateParams", { params }, options);
}

export async function updateInsuranceParams(
  client: KeelSigningClient,
  params: InsuranceParams,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.insurance.v1.MsgUpdateParams", { params }, options);
}

export async function updateOracleParams(
  client: KeelSigningClient,
  params: OracleParams,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.oracle.v1.MsgUpdateParams", { params }, options);
}

/** Adds feeds, or replaces those with the same id. */
export async function updateFeeds(
  client: KeelSigningClient,
  feeds: readonly Feed[],
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.oracle.v1.MsgUpdateFeeds", { feeds }, options);
}

/** Adds volatility surfaces, or replaces those with the same id. */
export async function updateSurfaces(
  client: KeelSigningClient,
  surfaces: readonly Surface[],
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.oracle.v1.MsgUpdateSurfaces", { surfaces }, options);
}

/** Fee tiers, referral and builder bounds, the action budget. */
export async function updateFeeParams(
  client: KeelSigningClient,
  params: FeeParams,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.derivatives.v1.MsgUpdateFeeParams", { params }, options);
}

/** Lets the vault quote in a market, on these terms. */
export async function setVaultMarket(
  client: KeelSigningClient,
  market: string,
  terms: VaultMarketTerms,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.vault.v1.MsgSetVaultMarket", { market, terms }, options);
}

export async function updateVaultParams(
  client: KeelSigningClient,
  params: VaultParams,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.vault.v1.MsgUpdateVaultParams", { params }, options);
}

/** Parameters of the circuit breakers. */
export async function updateGuardParams(
  client: KeelSigningClient,
  params: GuardParams,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.guard.v1.MsgUpdateGuardParams", { params }, options);
}

/** Price ranges and controllers of a market; null takes all of them away. */
export async function setMarketRules(
  client: KeelSigningClient,
  market: string,
  rules: MarketRules | null,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const value = { market, ...(rules === null ? {} : { rules }) };
  return await send(client, "/keel.guard.v1.MsgSetMarketRules", value, options);
}

/** How much of a denom may leave the collateral vault, window by window; none: any amount. */
export async function setWithdrawalLimits(
  client: KeelSigningClient,
  denom: string,
  limits: readonly WithdrawalLimit[],
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const value = { denom, limits };
  return await send(client, "/keel.guard.v1.MsgSetWithdrawalLimits", value, options);
}

/** Ends restrictions early: of one market, or without a symbol those on all; of one source, or of all but controllers. */
export async function loosen(
  client: KeelSigningClient,
  what: {
    readonly market?: string;
    readonly source?: RestrictionSource;
    readonly openWithdrawals?: boolean;
  },
  options: SubmitOptions = {},
): Promise<WithTx<{ readonly ended: number }>> {
  const { market = "", openWithdrawals = false, source = 0 } = what;
  const value = { market, source, openWithdrawals };
  const tx = await send(client, "/keel.guard.v1.MsgLoosen", value, options);
  return { ended: responseOf(tx, 0, MsgLoosenResponse).ended, tx };
}

/** Terms on which margin of the feed's markets follows its volatility; null turns that off. */
export async function setDynamicMargin(
  client: KeelSigningClient,
  feedId: number,
  terms: Omit<DynamicMargin, "feedId"> | null,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const value = { feedId, ...(terms === null ? {} : { terms: { ...terms, feedId } }) };
  return await send(client, "/keel.margin.v1.MsgSetDynamicMargin", value, options);
}

/** Sets the portfolio-margin model, or without one removes it. */
export async function setPortfolioModel(
  client: KeelSigningClient,
  model: PortfolioModel | undefined,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.margin.v1.MsgSetPortfolioModel", { model }, options);
}

/** Who bears losses, and in which order; without parameters one fund for all markets. */
export async function setWaterfall(
  client: KeelSigningClient,
  params: WaterfallParams | undefined,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await send(client, "/keel.margin.v1.MsgSetWaterfall", { params }, options);
}

/** Opens the fund of a risk class, or changes what losses of other classes may take of it in 30 days. */
export async function setInsuranceFund(
  client: KeelSigningClient,
  fund: { readonly riskClass: string; readonly assessablePpm: number; readonly denom?: string },
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const { riskClass, assessablePpm } = fund;
  const denom = fund.denom ?? (await client.chain.settlementDenom());
  const value = { denom, riskClass, assessablePpm };
  return await send(client, "/keel.insurance.v1.MsgSetFund", value, options);
}

/** Pays collected fees out. */
export async function collectFees(
  client: KeelSigningClient,
  recipient: string,
  amount: Amount,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const value = { recipient, amount: toQuanta("amount", amount).toString() };
  return await send(client, "/keel.margin.v1.MsgCollectFees", value, options);
}

/** Pays into the insurance fund, for good; answers its balance in quanta. Anyone may. */
export async function fundInsurance(
  client: KeelSigningClient,
  amount: Amount,
  options: SubmitOptions & { readonly denom?: string; readonly riskClass?: string } = {},
): Promise<WithTx<{ readonly balance: bigint }>> {
  const denom = options.denom ?? (await client.chain.settlementDenom());
  const { riskClass = "" } = options;
  const quanta = toQuanta("amount", amount).toString();
  const value = { sender: client.address, denom, amount: quanta, riskClass };
  const tx = await client.execute([{ typeUrl: "/keel.insurance.v1.MsgFund", value }], options);
  return { balance: integer("balance", responseOf(tx, 0, MsgFundResponse).balance), tx };
}
