/**
 * Amino JSON of Keel's messages, for Ledger and older wallets. The rule is one for all: proto field names, fields at their default
 * left out, 64-bit integers as text, enums as numbers, bytes as base64. Names are `keel/` and the message's own, with the module in
 * between where two modules share one.
 */
import { AminoTypes, createDefaultAminoConverters } from "@cosmjs/stargate";
import { base64ToBytes, bytesToBase64 } from "@keel/proto/bytes/base64";
import * as documents from "@keel/proto/gen/keel/derivatives/v1/documents";
import * as fees from "@keel/proto/gen/keel/derivatives/v1/fees";
import * as marks from "@keel/proto/gen/keel/derivatives/v1/marks";
import * as derivativesTx from "@keel/proto/gen/keel/derivatives/v1/tx";
import * as derivatives from "@keel/proto/gen/keel/derivatives/v1/types";
import * as guardTx from "@keel/proto/gen/keel/guard/v1/tx";
import * as guard from "@keel/proto/gen/keel/guard/v1/types";
import * as insuranceTx from "@keel/proto/gen/keel/insurance/v1/tx";
import * as insurance from "@keel/proto/gen/keel/insurance/v1/types";
import * as dynamic from "@keel/proto/gen/keel/margin/v1/dynamic";
import * as ladder from "@keel/proto/gen/keel/margin/v1/ladder";
import * as portfolio from "@keel/proto/gen/keel/margin/v1/portfolio";
import * as marginTx from "@keel/proto/gen/keel/margin/v1/tx";
import * as margin from "@keel/proto/gen/keel/margin/v1/types";
import * as waterfall from "@keel/proto/gen/keel/margin/v1/waterfall";
import * as feedGuard from "@keel/proto/gen/keel/oracle/v1/guard";
import * as oracleTx from "@keel/proto/gen/keel/oracle/v1/tx";
import * as oracle from "@keel/proto/gen/keel/oracle/v1/types";
import * as vaultTx from "@keel/proto/gen/keel/vault/v1/tx";
import * as vault from "@keel/proto/gen/keel/vault/v1/types";
import { collateralForms } from "./amino-collateral.ts";
import { custodyForms } from "./amino-custody.ts";
import { type Shape, shape } from "./amino-shape.ts";
import { KeelInputError } from "./errors.ts";

type Fields = Record<string, unknown>;

const terms = shape(derivatives.MarketTerms, {
  tiers: shape(derivatives.MarginTier),
  optionRisk: shape(derivatives.OptionRisk),
  auction: shape(derivatives.AuctionTerms),
  mark: shape(marks.MarkTerms),
});
const end = { maturity: shape(derivatives.Maturity) };
const dated = {
  datedFuture: shape(derivatives.DatedFuture, end),
  europeanOption: shape(derivatives.EuropeanOption, end),
  digitalOption: shape(derivatives.DigitalOption, end),
  asianOption: shape(derivatives.AsianOption, end),
};
const market = shape(derivatives.Market, {
  terms,
  linearPerpetual: shape(derivatives.LinearPerpetual),
  ...dated,
});
const series = shape(derivatives.Series, {
  terms,
  expiries: shape(derivatives.ExpiryRule),
  strikes: shape(derivatives.StrikeRule),
  ...dated,
});
const instruments = shape(derivatives.InstrumentParams, {
  openListing: shape(derivatives.OpenListing, { linearTerms: terms, optionTerms: terms }),
});

const orderDocument = shape(documents.OrderDocument);
const publicKey = shape(documents.PublicKey);
const attached = shape(derivativesTx.AttachedOrder);
/** Of an order on its own or within another message. */
const orderParts = {
  trigger: shape(derivativesTx.Trigger),
  bracket: shape(derivativesTx.Bracket, { takeProfit: attached, stopLoss: attached }),
  twap: shape(derivativesTx.Twap),
  builder: shape(fees.BuilderFee),
};
const newOrder = shape(derivativesTx.NewOrder, orderParts);

const rates = shape(portfolio.Rates);
const portfolioModel = shape(portfolio.PortfolioModel, {
  scenarios: shape(portfolio.Scenario),
  volatilityShock: shape(portfolio.VolatilityShock),
  skewShock: shape(portfolio.SkewShock),
  underlyings: shape(portfolio.UnderlyingRule),
  valueDiscount: shape(portfolio.ValueDiscount),
  addOns: shape(portfolio.AddOns, {
    linear: rates,
    shortOptions: shape(portfolio.ShortOptions, { rates }),
    deltaMinimum: shape(portfolio.DeltaMinimum, { net: rates, hedged: rates }),
    basis: shape(portfolio.BasisContingency),
    concentration: shape(portfolio.Concentration),
    liquidity: shape(portfolio.Liquidity),
    oracleWidth: shape(portfolio.OracleWidth, { factor: rates }),
  }),
  collateral: shape(portfolio.CollateralRule, { haircut: rates }),
  depeg: shape(portfolio.Depeg),
});

/** Amino name and form of each message. */
const forms: Readonly<Record<string, readonly [name: string, form: Shape]>> = {
  "/keel.margin.v1.MsgDeposit": ["keel/MsgDeposit", shape(marginTx.MsgDeposit)],
  "/keel.margin.v1.MsgWithdraw": ["keel/MsgWithdraw", shape(marginTx.MsgWithdraw)],
  "/keel.margin.v1.MsgTransfer": ["keel/MsgTransfer", shape(marginTx.MsgTransfer)],
  "/keel.margin.v1.MsgCollectFees": ["keel/MsgCollectFees", shape(marginTx.MsgCollectFees)],
  "/keel.margin.v1.MsgSetMarginMode": ["keel/MsgSetMarginMode", shape(marginTx.MsgSetMarginMode)],
  "/keel.margin.v1.MsgSetPortfolioModel": [
    "keel/MsgSetPortfolioModel",
    shape(marginTx.MsgSetPortfolioModel, { model: portfolioModel }),
  ],
  ...custodyForms,
  ...collateralForms,
  "/keel.margin.v1.MsgUpdateParams": [
    "keel/margin/MsgUpdateParams",
    shape(marginTx.MsgUpdateParams, {
      params: shape(margin.Params, {
        feeSplit: shape(margin.FeeSplit),
        ladder: shape(ladder.LadderTerms, { penalty: shape(ladder.LadderPenalty) }),
      }),
    }),
  ],
  "/keel.margin.v1.MsgBidLiquidation": ["keel/MsgBidLiquidation", shape(ladder.MsgBidLiquidation)],
  "/keel.margin.v1.MsgSetDynamicMargin": [
    "keel/MsgSetDynamicMargin",
    shape(marginTx.MsgSetDynamicMargin, {
      terms: shape(dynamic.DynamicMargin, { forward: shape(dynamic.ForwardLooking) }),
    }),
  ],
  "/keel.margin.v1.MsgSetWaterfall": [
    "keel/MsgSetWaterfall",
    shape(waterfall.MsgSetWaterfall, {
      params: shape(waterfall.WaterfallParams, {
        feeds: shape(waterfall.FeedClass),
        tail: shape(waterfall.TailTerms),
      }),
    }),
  ],
  "/keel.derivatives.v1.MsgPlaceOrder": [
    "keel/MsgPlaceOrder",
    shape(derivativesTx.MsgPlaceOrder, orderParts),
  ],
  "/keel.derivatives.v1.MsgAmendOrder": ["keel/MsgAmendOrder", shape(derivativesTx.MsgAmendOrder)],
  "/keel.derivatives.v1.MsgPlaceOco": [
    "keel/MsgPlaceOco",
    shape(derivativesTx.MsgPlaceOco, { legs: newOrder }),
  ],
  "/keel.derivatives.v1.MsgPlaceCombo": [
    "keel/MsgPlaceCombo",
    shape(derivativesTx.MsgPlaceCombo, { legs: shape(derivativesTx.ComboLeg) }),
  ],
  "/keel.derivatives.v1.MsgSetDeadMan": ["keel/MsgSetDeadMan", shape(derivativesTx.MsgSetDeadMan)],
  "/keel.derivatives.v1.MsgCancelOrder": [
    "keel/MsgCancelOrder",
    shape(derivativesTx.MsgCancelOrder),
  ],
  "/keel.derivatives.v1.MsgCancelAll": ["keel/MsgCancelAll", shape(derivativesTx.MsgCancelAll)],
  "/keel.derivatives.v1.MsgBatchOrders": [
    "keel/MsgBatchOrders",
    shape(derivativesTx.MsgBatchOrders, {
      cancels: shape(derivativesTx.OrderRef),
      orders: newOrder,
      amendments: shape(derivativesTx.Amendment),
    }),
  ],
  "/keel.derivatives.v1.MsgClearTrades": [
    "keel/MsgClearTrades",
    shape(derivativesTx.MsgClearTrades, {
      documents: shape(documents.SignedDocument, { document: orderDocument, key: publicKey }),
      trades: shape(documents.DocumentTrade),
    }),
  ],
  "/keel.derivatives.v1.MsgCancelDocuments": [
    "keel/MsgCancelDocuments",
    shape(derivativesTx.MsgCancelDocuments, { documents: orderDocument }),
  ],
  "/keel.derivatives.v1.MsgTransferPosition": [
    "keel/MsgTransferPosition",
    shape(derivativesTx.MsgTransferPosition),
  ],
  "/keel.derivatives.v1.MsgTransferSubaccount": [
    "keel/MsgTransferSubaccount",
    shape(derivativesTx.MsgTransferSubaccount),
  ],
  "/keel.derivatives.v1.MsgGrantTradingKey": [
    "keel/MsgGrantTradingKey",
    shape(derivativesTx.MsgGrantTradingKey, { key: publicKey }),
  ],
  "/keel.derivatives.v1.MsgRevokeTradingKey": [
    "keel/MsgRevokeTradingKey",
    shape(derivativesTx.MsgRevokeTradingKey),
  ],
  "/keel.derivatives.v1.MsgRegisterReferralCode": [
    "keel/MsgRegisterReferralCode",
    shape(derivativesTx.MsgRegisterReferralCode),
  ],
  "/keel.derivatives.v1.MsgSetReferrer": [
    "keel/MsgSetReferrer",
    shape(derivativesTx.MsgSetReferrer),
  ],
  "/keel.derivatives.v1.MsgApproveBuilder": [
    "keel/MsgApproveBuilder",
    shape(derivativesTx.MsgApproveBuilder),
  ],
  "/keel.derivatives.v1.MsgUpdateFeeParams": [
    "keel/MsgUpdateFeeParams",
    shape(derivativesTx.MsgUpdateFeeParams, {
      params: shape(fees.FeeParams, {
        tiers: shape(fees.FeeTier),
        actionBudget: shape(fees.ActionBudget),
      }),
    }),
  ],
  "/keel.derivatives.v1.MsgCreateMarket": [
    "keel/MsgCreateMarket",
    shape(derivativesTx.MsgCreateMarket, { market }),
  ],
  "/keel.derivatives.v1.MsgUpdateMarket": [
    "keel/MsgUpdateMarket",
    shape(derivativesTx.MsgUpdateMarket, { terms }),
  ],
  "/keel.derivatives.v1.MsgUpdateParams": [
    "keel/derivatives/MsgUpdateParams",
    shape(derivativesTx.MsgUpdateParams, { params: shape(derivatives.Params, { instruments }) }),
  ],
  "/keel.derivatives.v1.MsgListMarket": [
    "keel/MsgListMarket",
    shape(derivativesTx.MsgListMarket, { market }),
  ],
  "/keel.derivatives.v1.MsgForfeitBond": [
    "keel/MsgForfeitBond",
    shape(derivativesTx.MsgForfeitBond),
  ],
  "/keel.derivatives.v1.MsgCreateSeries": [
    "keel/MsgCreateSeries",
    shape(derivativesTx.MsgCreateSeries, { series }),
  ],
  "/keel.derivatives.v1.MsgUpdateSeries": [
    "keel/MsgUpdateSeries",
    shape(derivativesTx.MsgUpdateSeries, { series }),
  ],
  "/keel.insurance.v1.MsgFund": ["keel/MsgFund", shape(insuranceTx.MsgFund)],
  "/keel.insurance.v1.MsgUnderwrite": ["keel/MsgUnderwrite", shape(insuranceTx.MsgUnderwrite)],
  "/keel.insurance.v1.MsgGiveNotice": ["keel/MsgGiveNotice", shape(insuranceTx.MsgGiveNotice)],
  "/keel.insurance.v1.MsgSetFund": ["keel/MsgSetFund", shape(insuranceTx.MsgSetFund)],
  "/keel.insurance.v1.MsgUpdateParams": [
    "keel/insurance/MsgUpdateParams",
    shape(insuranceTx.MsgUpdateParams, { params: shape(insurance.Params) }),
  ],
  "/keel.oracle.v1.MsgUpdateFeeds": [
    "keel/MsgUpdateFeeds",
    shape(oracleTx.MsgUpdateFeeds, {
      feeds: shape(oracle.Feed, { guard: shape(feedGuard.FeedGuard) }),
    }),
  ],
  "/keel.oracle.v1.MsgUpdateSurfaces": [
    "keel/MsgUpdateSurfaces",
    shape(oracleTx.MsgUpdateSurfaces, { surfaces: shape(oracle.Surface) }),
  ],
  "/keel.oracle.v1.MsgUpdateParams": [
    "keel/oracle/MsgUpdateParams",
    shape(oracleTx.MsgUpdateParams, { params: shape(oracle.Params) }),
  ],
  "/keel.guard.v1.MsgUpdateGuardParams": [
    "keel/MsgUpdateGuardParams",
    shape(guardTx.MsgUpdateGuardParams, {
      params: shape(guard.Params, { outage: shape(guard.OutageRule) }),
    }),
  ],
  "/keel.guard.v1.MsgSetMarketRules": [
    "keel/MsgSetMarketRules",
    shape(guardTx.MsgSetMarketRules, {
      rules: shape(guard.MarketRules, {
        ranges: shape(guard.PriceRange),
        openInterest: shape(guard.OpenInterestRule, { pace: shape(guard.Pace) }),
        margin: shape(guard.MarginRule, { pace: shape(guard.Pace) }),
      }),
    }),
  ],
  "/keel.guard.v1.MsgSetWithdrawalLimits": [
    "keel/MsgSetWithdrawalLimits",
    shape(guardTx.MsgSetWithdrawalLimits, { limits: shape(guard.WithdrawalLimit) }),
  ],
  "/keel.guard.v1.MsgTighten": ["keel/MsgTighten", shape(guardTx.MsgTighten)],
  "/keel.guard.v1.MsgLoosen": ["keel/MsgLoosen", shape(guardTx.MsgLoosen)],
  "/keel.vault.v1.MsgDepositToVault": ["keel/MsgDepositToVault", shape(vaultTx.MsgDepositToVault)],
  "/keel.vault.v1.MsgRequestWithdrawal": [
    "keel/MsgRequestWithdrawal",
    shape(vaultTx.MsgRequestWithdrawal),
  ],
  "/keel.vault.v1.MsgCancelWithdrawal": [
    "keel/MsgCancelWithdrawal",
    shape(vaultTx.MsgCancelWithdrawal),
  ],
  "/keel.vault.v1.MsgSetVaultMarket": [
    "keel/MsgSetVaultMarket",
    shape(vaultTx.MsgSetVaultMarket, { terms: shape(vault.VaultMarketTerms) }),
  ],
  "/keel.vault.v1.MsgUpdateVaultParams": [
    "keel/MsgUpdateVaultParams",
    shape(vaultTx.MsgUpdateVaultParams, { params: shape(vault.Params) }),
  ],
};

/** Converters of Keel's messages, to be mixed with others'. */
export function createKeelAminoConverters(): Record<
  string,
  {
    readonly aminoType: string;
    readonly toAmino: (value: object) => object;
    readonly fromAmino: (value: object) => object;
  }
> {
  return Object.fromEntries(
    Object.entries(forms).map(([typeUrl, [aminoType, form]]) => [
      typeUrl,
      {
        aminoType,
        toAmino: (value: object) => toAmino(value as Fields),
        fromAmino: (value: object) => fromAmino(value as Fields, form),
      },
    ]),
  );
}

/** The default Cosmos converters and Keel's. */
export function keelAminoTypes(): AminoTypes {
  return new AminoTypes({ ...createDefaultAminoConverters(), ...createKeelAminoConverters() });
}

/** "rate8hPpm" is the proto field `rate_8h_ppm`. */
function protoName(key: string): string {
  return key.replace(/[A-Z]|(?<=[a-z])[0-9]/g, (found) => `_${found.toLowerCase()}`);
}

function toAmino(message: Fields): Fields {
  const fields: Fields = {};
  for (const [key, value] of Object.entries(message)) {
    const written = toAminoValue(value);
    if (written !== undefined) fields[protoName(key)] = written;
  }
  return fields;
}

/** Undefined for a default, which is left out. */
function toAminoValue(value: unknown): unknown {
  if (value === undefined || value === null || value === "" || value === 0 || value === false)
    return undefined;
  if (typeof value === "bigint") return value === 0n ? undefined : value.toString();
  if (value instanceof Uint8Array) return value.length === 0 ? undefined : bytesToBase64(value);
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(toAminoItem);
  return typeof value === "object" ? toAmino(value as Fields) : value;
}

/** List items are written even at their default: leaving one out would shift the others. */
function toAminoItem(item: unknown): unknown {
  return typeof item === "object" ? toAmino(item as Fields) : item;
}

function fromAmino(fields: Fields, { create, nested = {} }: Shape): object {
  const message = create() as Fields;
  const names = new Map(Object.keys(message).map((key) => [protoName(key), key]));
  for (const [name, value] of Object.entries(fields)) {
    const key = names.get(name);
    if (key === undefined)
      throw new KeelInputError("invalid-option", name, "expected a field of the message");
    const inner = nested[key];
    if (inner === undefined) message[key] = fromAminoValue(name, value, message[key]);
    else if (Array.isArray(value))
      message[key] = value.map((item) => fromAmino(item as Fields, inner));
    else message[key] = fromAmino(value as Fields, inner);
  }
  return message;
}

/** `empty` is the field's default, which tells its type. */
function fromAminoValue(name: string, value: unknown, empty: unknown): unknown {
  if (typeof empty === "bigint" && typeof value === "string" && /^-?[0-9]{1,20}$/.test(value))
    return BigInt(value);
  if (empty instanceof Uint8Array && typeof value === "string") return base64ToBytes(value);
  if (Array.isArray(empty) !== Array.isArray(value))
    throw new KeelInputError("invalid-option", name, "expected a list where there is one");
  if (typeof value === typeof empty) return value;
  throw new KeelInputError("invalid-option", name, `expected a ${typeof empty}`);
}
