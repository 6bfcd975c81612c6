/**
 * The fills of an auction, all at one price, as one entry into the ledger. Every account is computed and checked before anything is written, so
 * a refusal changes nothing, and it names every account that refuses.
 */
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { type Account, emptyLedger } from "../account-codec.ts";
import { keepLoss, lossFault } from "../custody/guard.ts";
import { MARGIN_CODES, type MarginCode } from "../errors.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import { type MarketView, type MarketViews, marketViews } from "../health/market-view.ts";
import { besideOthers } from "../owners/beside.ts";
import type { AuctionFill, AuctionResult, AuctionTrade, ClearingPort } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { RiskClasses } from "../waterfall/classes.ts";
import { admission, reasonFor, reasonOf, trackActive, withOthers } from "./clearing.ts";
import { applyFill, changeLedger, type FilledAccount } from "./fill.ts";

interface Cleared {
  readonly before: Account;
  readonly fill: AuctionFill;
  readonly filled: FilledAccount;
}

interface Refusal {
  readonly code: MarginCode;
  readonly reason: string;
}

export function createClearAuction(
  state: MarginState,
  markets: ModelledMarkets,
  classes: Pick<RiskClasses, "noteFees">,
): Pick<ClearingPort, "clearAuction"> {
  function filledOf(
    ctx: ReadContext,
    fill: AuctionFill,
    trade: AuctionTrade,
    view: MarketView,
  ): Cleared | undefined {
    const before = state.accounts.get(ctx, fill.account);
    if (before === undefined) return undefined;
    const buys = fill.side === "buy";
    const value = trade.priceTicks * fill.lots * view.terms.quantaPerTickLot;
    const filled = applyFill(before, {
      market: trade.market,
      fundingIndex: view.fundingIndex,
      lots: buys ? fill.lots : -fill.lots,
      quote: buys ? -value : value,
      fee: fill.feeQuanta,
      releaseBuyLots: buys ? fill.release.lots : 0n,
      releaseSellLots: buys ? 0n : fill.release.lots,
      releaseFeeReserve: fill.release.feeReserveQuanta,
    });
    return { before, fill, filled };
  }

  /** Null: admitted. */
  function refusalOf(
    ctx: ReadContext,
    { before, fill, filled }: Cleared,
    views: MarketViews,
    marketsMax: number,
  ): Refusal | null {
    const traded = { id: fill.account, before, after: filled.account };
    const code =
      admission(before, filled, views, marketsMax) ?? lossFault(ctx, state, traded, views);
    return code === null ? null : { code, reason: reasonFor(code, filled.account, views) };
  }

  function write(
    ctx: WriteContext,
    trade: AuctionTrade,
    cleared: readonly Cleared[],
    views: MarketViews,
  ): void {
    let fees = 0n;
    let realised = 0n;
    for (const { before, fill, filled } of cleared) {
      const traded = { id: fill.account, before, after: filled.account };
      keepLoss(ctx, state, traded, views);
      state.accounts.set(ctx, fill.account, filled.account);
      trackActive(ctx, state, fill.account, filled);
      fees += fill.feeQuanta;
      realised += filled.change.realised;
    }
    const before = state.ledgers.get(ctx, trade.market) ?? emptyLedger(trade.market);
    const ledger = cleared.reduce((sum, { filled }) => changeLedger(sum, filled.change), before);
    state.ledgers.set(ctx, trade.market, ledger);
    classes.noteFees(ctx, trade.market, fees);
    if (fees === 0n && realised === 0n) return;
    const totals = state.totals.require(ctx);
    state.totals.set(ctx, {
      ...totals,
      feesHeld: totals.feesHeld + fees,
      collateral: totals.collateral + realised - fees,
    });
  }

  return {
    clearAuction(ctx, trade): AuctionResult {
      assertBalanced(trade);
      const views = marketViews(ctx, markets);
      const view = views(trade.market);
      assert(view?.fresh === true, "an auction needs a fresh mark");
      assert(view.terms.status !== "settling", "an auction in an expired market");
      const marketsMax = state.params.require(ctx).marketsPerAccountMax;
      const applied = trade.fills.map((fill) => filledOf(ctx, fill, trade, view));
      const cleared = applied.filter((one) => one !== undefined);
      const changeOf = ({ before, fill, filled }: Cleared) => {
        return { id: fill.account, before, after: filled.account };
      };
      const beside = besideOthers(ctx, state, cleared.map(changeOf));
      const refused: { account: AuctionFill["account"]; code: number; reason: string }[] = [];
      const refuse = (account: AuctionFill["account"], { code, reason }: Refusal): void => {
        refused.push({ account, code: MARGIN_CODES[code], reason });
      };
      applied.forEach((one, i) => {
        const { account } = trade.fills[i] as AuctionFill;
        const refusal =
          one === undefined
            ? { code: "unknownAccount" as const, reason: reasonOf("unknownAccount") }
            : refusalOf(ctx, standing(one, beside?.after(changeOf(one))), views, marketsMax);
        if (refusal !== null) refuse(account, refusal);
      });
      const fault = refused.length > 0 ? null : (beside?.fault(views) ?? null);
      if (fault !== null) refuse(fault.id, fault);
      if (refused.length > 0) return { ok: false, refused };
      write(ctx, trade, cleared, views);
      return { ok: true };
    },
  };
}

/** As it stands beside its owner's others. */
function standing(one: Cleared, after: Account | undefined): Cleared {
  return { ...one, filled: withOthers(one.filled, after) };
}

function assertBalanced({ fills, priceTicks }: AuctionTrade): void {
  assert(priceTicks > 0n, "an auction needs a positive price");
  const accounts = new Set<string>();
  let lots = 0n;
  for (const fill of fills) {
    assert(fill.lots > 0n && fill.feeQuanta >= 0n, "a fill of an auction needs lots and no rebate");
    assert(!accounts.has(fill.account), "an account stands on one side of an auction, once");
    accounts.add(fill.account);
    lots += fill.side === "buy" ? fill.lots : -fill.lots;
  }
  assert(lots === 0n, "as many lots are bought in an auction as sold");
}
