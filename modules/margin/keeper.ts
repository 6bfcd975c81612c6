/** What margin offers to the rest of the chain: the clearing ledger, collateral, health and the withdrawal gate. */
import type { Params } from "@keel/proto/gen/keel/margin/v1/types";
import type { AccountId } from "../kit/account-id.ts";
import type { Addresses } from "../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import type { Account, MarketLedger, Totals } from "./account-codec.ts";
import { createClaims } from "./claims.ts";
import { createClearAll } from "./clearing/clear-all.ts";
import { createClearAuction } from "./clearing/clear-auction.ts";
import { createClearing } from "./clearing/clearing.ts";
import { createFeeSplit } from "./clearing/fee-split.ts";
import { createSettlements } from "./clearing/settlement.ts";
import type { Collateral } from "./collateral.ts";
import { createCollateral } from "./collateral.ts";
import { createConversion } from "./collateral-assets/conversion.ts";
import { type AssetCustody, createAssetCustody } from "./collateral-assets/custody.ts";
import { type AssetSale, inventorySale } from "./collateral-assets/inventory.ts";
import { type AssetTerms, createAssetTerms } from "./collateral-assets/terms-change.ts";
import { guardedCollateral, guardedUnits } from "./custody/guard.ts";
import type { Custody } from "./custody/messages.ts";
import { createProposals } from "./custody/proposals.ts";
import { createTopUps } from "./custody/top-up.ts";
import { createEndBlock } from "./end-block.ts";
import { accountText } from "./events.ts";
import { UNGUARDED } from "./health/guarded-markets.ts";
import type { Health } from "./health/health.ts";
import { evaluate, freeCollateral } from "./health/health.ts";
import { keepingHealthy } from "./health/healthy.ts";
import type { ModelledMarkets } from "./health/market-view.ts";
import { marketViews } from "./health/market-view.ts";
import { type Surveyed, surveyAccounts } from "./health/survey.ts";
import { createLadder, type Ladder } from "./liquidation/ladder.ts";
import { createPortfolioModes, type PortfolioModes } from "./portfolio/mode.ts";
import type {
  BackstopPort,
  BankPort,
  ClearingPort,
  GuardPort,
  InsurancePort,
  MarketId,
  MarketsPort,
  PricesPort,
} from "./ports.ts";
import type { MarginState } from "./state.ts";
import {
  createAdvances,
  hasAdvance,
  NOTHING_OWED,
  owedToFunds,
  type Recoverable,
  recoverable,
} from "./waterfall/advances.ts";
import { blame, shortfallFloor } from "./waterfall/attribution.ts";
import { createRiskClasses } from "./waterfall/classes.ts";
import { createDeficits } from "./waterfall/deficits.ts";
import { createDeleveraging } from "./waterfall/deleverage.ts";
import { createEndingShares } from "./waterfall/ending-shares.ts";
import { createEndings } from "./waterfall/endings.ts";
import { createLosses } from "./waterfall/losses.ts";

/** Given at construction; `markets` may delegate to a module built later. */
export interface MarginPorts {
  readonly bank: BankPort;
  readonly markets: MarketsPort;
  readonly insurance: InsurancePort;
  readonly prices: PricesPort;
  /** May delegate to a module built later, too. */
  readonly backstop: BackstopPort;
  readonly addresses: Addresses;
  /** May delegate to a module built later, too; absent: nothing is raised or held back. */
  readonly guard?: GuardPort;
}

/** The same, with the margin model's view of the markets. */
export interface MarginParts extends MarginPorts {
  readonly markets: ModelledMarkets;
}

export interface MarginKeeper extends ClearingPort, Collateral, PortfolioModes {
  readonly ladder: Ladder;
  /** Collateral beside the settlement asset. */
  readonly assets: AssetCustody & AssetTerms & AssetSale;
  account(ctx: ReadContext, id: AccountId): Account | undefined;
  /** Equity and requirements at present marks; undefined for an unknown account. */
  health(ctx: ReadContext, id: AccountId): Health | undefined;
  readonly custody: Custody;
  /** What may leave the account now at present marks; 0 for an unknown account, and while funds get back what they have paid for it. */
  freeCollateral(ctx: ReadContext, id: AccountId): bigint;
  /** What insurance funds have paid for the account and may take back of it, quanta. */
  owedToFunds(ctx: ReadContext, id: AccountId): bigint;
  /** What the guard's limits let leave the vault now; null: there is none. */
  withdrawalRoom(ctx: ReadContext): bigint | null;
  ledger(ctx: ReadContext, market: MarketId): MarketLedger | undefined;
  totals(ctx: ReadContext): Totals;
  params(ctx: ReadContext): Params;
  /** Closes withdrawals until at least this block time. */
  gateWithdrawals(ctx: WriteContext, untilNs: bigint, reason: string): void;
  /** What accounts below zero miss, quanta. */
  pendingShortfall(ctx: ReadContext, denom: string): bigint;
  /** What accounts below zero miss, when it is enough to hold up anybody (`shortfall_floor`); 0 otherwise. */
  countedShortfall(ctx: ReadContext, denom: string): bigint;
  /** Of what the one fund has paid for accounts, how much they may give back at present prices, quanta, and its own shares with it. */
  recoverable(ctx: ReadContext, denom: string, riskClass: string): Recoverable;
  /** Opens withdrawals now; whoever asks has made sure that nobody is below zero. */
  openGate(ctx: WriteContext): void;
  /** Accounts with positions after this one, at most so many. */
  survey(
    ctx: ReadContext,
    walk: { readonly after: AccountId | null; readonly count: number; readonly nearPpm: bigint },
  ): readonly Surveyed[];
  /** Liquidation, deleveraging and the deficit queue; then the block's fees go where they belong. */
  endBlock(ctx: WriteContext): void;
}

export function createKeeper(state: MarginState, ports: MarginParts): MarginKeeper {
  const { bank, markets, insurance, backstop, addresses, prices, guard = UNGUARDED } = ports;
  const name = (id: AccountId): string => accountText(addresses, id);
  const classes = createRiskClasses(state.waterfall, markets);
  const clearing = {
    ...createClearing(state, markets, classes),
    ...createClearAll(state, markets, addresses, classes),
  };
  const collateral = createCollateral(state, bank, markets, guard);
  const units = createAssetCustody(state, bank, markets, guard);
  const claims = createClaims(state, insurance, classes);
  const losses = createLosses({ state, classes, claims, name });
  const deleveraging = createDeleveraging({ state, markets, clearing, name });
  const custody = {
    proposals: createProposals({ state, collateral, assets: units, bank, addresses }),
    topUps: createTopUps({ state, markets, collateral, name }),
  };
  const conversion = createConversion({ state, claims, name });
  const ladder = createLadder({
    ...{ state, markets, clearing, claims, losses, backstop, deleveraging, addresses, name },
    conversion,
    spared(ctx, id, views) {
      if (custody.topUps.restore(ctx, id)) return true;
      blame(ctx, state, id, views);
      return false;
    },
  });
  const deficits = createDeficits({ state, markets, losses, addresses });
  const shared = { state, markets, claims, losses, addresses, name };
  const settlements = createSettlements({ ...shared, shares: createEndingShares(shared) });
  const advances = createAdvances({ state, name, giveBack: claims.giveBack });
  const endings = createEndings({ state, markets, insurance, classes, deleveraging });
  const assets = {
    ...guardedUnits(state, units),
    ...createAssetTerms({ state, markets, bank, insurance, custody: units, addresses }),
    sale: inventorySale(state, markets),
  };
  const judge = createEndBlock({
    state,
    markets,
    ladder,
    deficits,
    settlements,
    endings,
    advances,
    proposals: custody.proposals,
    conversion,
  });
  const missing = (ctx: ReadContext, denom: string): bigint => {
    const { settlementDenom } = state.params.require(ctx);
    return denom === settlementDenom ? state.totals.require(ctx).pendingShortfall : 0n;
  };
  const splitFees = createFeeSplit({ state, collateral, insurance, addresses });
  return {
    ...clearing,
    ...createClearAuction(state, markets, classes),
    ...guardedCollateral(state, collateral),
    custody,
    ...createPortfolioModes({ state, markets, prices, name }),
    ladder,
    assets,
    account: (ctx, id) => state.accounts.get(ctx, id),
    health(ctx, id) {
      const account = state.accounts.get(ctx, id);
      return account === undefined ? undefined : evaluate(account, marketViews(ctx, markets));
    },
    freeCollateral(ctx, id) {
      const account = state.accounts.get(ctx, id);
      if (account === undefined || hasAdvance(ctx, state.waterfall, id)) return 0n;
      return freeCollateral(account, evaluate(account, marketViews(ctx, markets)));
    },
    owedToFunds: (ctx, id) => owedToFunds(ctx, state.waterfall, id),
    withdrawalRoom: (ctx) => guard.room(ctx, state.params.require(ctx).settlementDenom),
    ledger: (ctx, market) => state.ledgers.get(ctx, market),
    totals: (ctx) => state.totals.require(ctx),
    params: (ctx) => state.params.require(ctx),
    pendingShortfall: missing,
    countedShortfall(ctx, denom) {
      const quanta = missing(ctx, denom);
      return quanta >= shortfallFloor(ctx, state) ? quanta : 0n;
    },
    recoverable(ctx, denom, riskClass) {
      if (denom !== state.params.require(ctx).settlementDenom) return NOTHING_OWED;
      return recoverable(ctx, state, marketViews(ctx, markets), riskClass);
    },
    gateWithdrawals: deficits.gateWithdrawals,
    openGate: deficits.openGate,
    keepHealthy(ctx, market, change) {
      keepingHealthy(
        ctx,
        { state, markets },
        {
          code: "wouldSink",
          each: (visit) => state.active.each(ctx, visit),
          concerns: ({ positions }) =>
            positions.some(
              (held) => held.lots !== 0n && (market === null || held.market === market),
            ),
          name,
          apply: () => change(ctx),
        },
      );
    },
    survey: (ctx, walk) => surveyAccounts(ctx, state, markets, walk),
    endBlock(ctx) {
      judge(ctx);
      splitFees(ctx);
    },
  };
}
