/** State layout of store "margin". Prefixes ascend and are never reused. */
import { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { Params, SettlementSweep, WithdrawalGate } from "@keel/proto/gen/keel/margin/v1/types";
import type { AccountId } from "../kit/account-id.ts";
import { accountIdKey } from "../kit/account-id.ts";
import { moduleAddress } from "../kit/addresses.ts";
import { markerValue, protoValue, u32Key, u64Value } from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";
import type { Account, Deficit, MarketLedger, Totals } from "./account-codec.ts";
import { accountValue, deficitValue, ledgerValue, totalsValue } from "./account-codec.ts";
import { touch, watched } from "./bounds/branch-watch.ts";
import { type AssetState, assetState, withJudged } from "./collateral-assets/state.ts";
import { type CustodyState, custodyState } from "./custody/state.ts";
import { type LadderState, ladderState } from "./liquidation/state.ts";
import { withOwners } from "./owners/kept.ts";
import { type OwnerState, ownerState } from "./owners/state.ts";
import type { MarketId } from "./ports.ts";
import { type VolatilityState, volatilityState } from "./volatility/state.ts";
import { type WaterfallState, waterfallState } from "./waterfall/state.ts";

/** The one account that holds the coins behind every claim: collateral, market balances, insurance, fees. */
export const COLLATERAL_VAULT: Uint8Array = moduleAddress("margin");

export interface MarginState {
  readonly params: ItemCollection<Params>;
  readonly accounts: MapCollection<AccountId, Account>;
  readonly ledgers: MapCollection<MarketId, MarketLedger>;
  readonly totals: ItemCollection<Totals>;
  /** Accounts with lots in any market: what a liquidation scan visits. */
  readonly active: MapCollection<AccountId, true>;
  readonly deficits: MapCollection<AccountId, Deficit>;
  readonly gate: ItemCollection<WithdrawalGate>;
  /** Present while expired markets are being settled. */
  readonly sweep: ItemCollection<SettlementSweep>;
  /** The markets that the present sweep settles. */
  readonly sweepMarkets: MapCollection<MarketId, true>;
  /** Accounts under water of which the book takes nothing: block time since when, ns. Only while there is a backstop. */
  readonly unfilled: MapCollection<AccountId, bigint>;
  readonly volatility: VolatilityState;
  readonly ladder: LadderState;
  /** How portfolio accounts are judged; absent: there are none. */
  readonly portfolioModel: ItemCollection<PortfolioModel>;
  readonly custody: CustodyState;
  readonly waterfall: WaterfallState;
  /** Accounts judged so. */
  readonly portfolios: MapCollection<AccountId, true>;
  /** Collateral beside the settlement asset. */
  readonly assets: AssetState;
  readonly owners: OwnerState;
}

export function marginState(schema: Schema): MarginState {
  const assets = assetState(schema);
  const owners = ownerState(schema);
  const records = schema.map(1, "accounts", accountIdKey, accountValue);
  const portfolios = schema.map(0x1c, "portfolio_accounts", accountIdKey, markerValue);
  const accounts = withOwners(records, owners, portfolios, touch);
  return {
    params: schema.item(0, "params", protoValue(Params)),
    accounts: watched(withJudged(accounts, assets)),
    ledgers: schema.map(2, "ledgers", u32Key, ledgerValue),
    totals: schema.item(3, "totals", totalsValue),
    active: schema.map(4, "active", accountIdKey, markerValue),
    deficits: schema.map(5, "deficits", accountIdKey, deficitValue),
    gate: schema.item(6, "gate", protoValue(WithdrawalGate)),
    sweep: schema.item(7, "sweep", protoValue(SettlementSweep)),
    sweepMarkets: schema.map(8, "sweep_markets", u32Key, markerValue),
    unfilled: schema.map(9, "unfilled", accountIdKey, u64Value),
    volatility: volatilityState(schema),
    ladder: ladderState(schema),
    portfolioModel: schema.item(12, "portfolio_model", protoValue(PortfolioModel)),
    custody: custodyState(schema),
    waterfall: waterfallState(schema),
    portfolios,
    assets,
    owners,
  };
}
