/**
 * The clearing ledger: every fill, whoever matched it, enters through `clear`. Both parties are computed and checked before anything
 * is written, so a refusal changes nothing and needs no savepoint.
 */

import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { MONEY_LIMIT } from "../../kit/money.ts";
import type { Account, Position } from "../account-codec.ts";
import { emptyLedger } from "../account-codec.ts";
import { noteExit } from "../custody/gates.ts";
import { keepLoss, lossFault, POLICY_TEXT, type Traded } from "../custody/guard.ts";
import { marketsFault, roomFault } from "../custody/isolated.ts";
import { MARGIN_CODES, type MarginCode, refuse } from "../errors.ts";
import { evaluate, meetsInitial, noRiskier } from "../health/health.ts";
import type { MarketView, MarketViews, ModelledMarkets } from "../health/market-view.ts";
import { marketViews } from "../health/market-view.ts";
import { worstCaseLots } from "../health/requirement.ts";
import { LOTS_LIMIT } from "../limits.ts";
import { type AccountChange, besideOthers } from "../owners/beside.ts";
import { portfolioInitial } from "../portfolio/account.ts";
import { shortText } from "../portfolio/refusals.ts";
import type { ClearingPort, ClearResult, MarketId, Side, Trade, TradeParty } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { RiskClasses } from "../waterfall/classes.ts";
import {
  applyFill,
  changeLedger,
  emptyPosition,
  type FilledAccount,
  findPosition,
  inRange,
  withPosition,
} from "./fill.ts";

function refusal(refused: Side, code: MarginCode, reason: string): ClearResult {
  return { ok: false, refused, code: MARGIN_CODES[code], reason };
}

/** What `side` pays. Only the book pays rebates: nobody else's taker paid a fee that could fund one, or nobody added to the book. */
export function feeOf(trade: Trade, side: Side): bigint {
  const { feeQuanta } = side === "buy" ? trade.buyer : trade.seller;
  return trade.kind !== "order" && feeQuanta < 0n ? 0n : feeQuanta;
}

export function fillOf(
  account: Account,
  trade: Trade,
  side: Side,
  terms: { readonly value: bigint; readonly fundingIndex: bigint },
): FilledAccount {
  const party: TradeParty = side === "buy" ? trade.buyer : trade.seller;
  const buys = side === "buy";
  const released = party.release?.lots ?? 0n;
  return applyFill(account, {
    market: trade.market,
    fundingIndex: terms.fundingIndex,
    lots: buys ? trade.lots : -trade.lots,
    quote: buys ? -terms.value : terms.value,
    fee: feeOf(trade, side),
    releaseBuyLots: buys ? released : 0n,
    releaseSellLots: buys ? 0n : released,
    releaseFeeReserve: party.release?.feeReserveQuanta ?? 0n,
  });
}

/** As `after` says the account stands beside its owner's others. */
export function withOthers(filled: FilledAccount, after: Account | undefined): FilledAccount {
  return after === undefined || after === filled.account ? filled : { ...filled, account: after };
}

/** Null: admitted. Otherwise the code that refuses this party. */
export function admission(
  before: Account,
  filled: FilledAccount,
  views: MarketViews,
  marketsMax: number,
): MarginCode | null {
  if (!inRange(filled)) return "outOfRange";
  const after = filled.account;
  const room = marketsFault(before, after, marketsMax);
  if (room !== null) return room;
  const health = evaluate(after, views);
  if (meetsInitial(after, health)) return null;
  if (noRiskier(evaluate(before, views), health)) return null;
  return health.fresh ? "insufficientMargin" : "stalePrice";
}

/** Keeps the list of accounts with lots. */
export function trackActive(
  ctx: WriteContext,
  state: MarginState,
  id: AccountId,
  filled: FilledAccount,
  forced = false,
): void {
  const held = filled.before.lots !== 0n;
  const holds = filled.after.lots !== 0n;
  if (held === holds) return;
  if (!holds) noteExit(ctx, state, { id, market: filled.before.market, forced });
  if (holds) state.active.set(ctx, id, true);
  else if (filled.account.positions.every((position) => position.lots === 0n)) {
    state.active.delete(ctx, id);
  }
}

export function createClearing(
  state: MarginState,
  markets: ModelledMarkets,
  classes: Pick<RiskClasses, "noteFees">,
): Omit<ClearingPort, "clearAll" | "clearAuction" | "keepHealthy" | "portAccount" | "shareFees"> {
  function writeTrade(
    ctx: WriteContext,
    trade: Trade,
    buyer: FilledAccount,
    seller: FilledAccount,
  ): void {
    const ledger = state.ledgers.get(ctx, trade.market) ?? emptyLedger(trade.market);
    const totals = state.totals.require(ctx);
    const fees = feeOf(trade, "buy") + feeOf(trade, "sell");
    const realised = buyer.change.realised + seller.change.realised;
    const feesHeld = totals.feesHeld + fees;
    assert(feesHeld >= 0n, "rebates exceed the fees held");
    classes.noteFees(ctx, trade.market, fees);
    state.accounts.set(ctx, trade.buyer.account, buyer.account);
    state.accounts.set(ctx, trade.seller.account, seller.account);
    state.ledgers.set(ctx, trade.market, changeLedger(ledger, buyer.change, seller.change));
    if (fees !== 0n || realised !== 0n) {
      state.totals.set(ctx, {
        ...totals,
        feesHeld,
        collateral: totals.collateral + realised - fees,
      });
    }
    const forced = trade.kind === "deleverage";
    trackActive(ctx, state, trade.buyer.account, buyer, forced);
    trackActive(ctx, state, trade.seller.account, seller, forced);
  }

  function parties(
    ctx: ReadContext,
    trade: Trade,
  ): ClearResult | { readonly ok: "both"; readonly buyer: Account; readonly seller: Account } {
    const buyer = state.accounts.get(ctx, trade.buyer.account);
    if (buyer === undefined) return refusal("buy", "unknownAccount", "no such sub-account");
    const seller = state.accounts.get(ctx, trade.seller.account);
    if (seller === undefined) return refusal("sell", "unknownAccount", "no such sub-account");
    return { ok: "both", buyer, seller };
  }

  /** Terms a trade executes on. A deleveraging brings its own price and needs none of the mark. */
  function executionTerms(ctx: ReadContext, trade: Trade, view: MarketView | undefined) {
    const terms = view?.terms ?? markets.terms(ctx, trade.market);
    assert(terms !== undefined, "trade in an unknown market");
    return {
      value: trade.priceTicks * trade.lots * terms.quantaPerTickLot,
      fundingIndex: view?.fundingIndex ?? markets.fundingIndex(ctx, trade.market),
    };
  }

  return {
    clear(ctx, trade) {
      // Deleveraging closes a worthless option at its mark, which is zero.
      const priced =
        trade.priceTicks > 0n || (trade.kind === "deleverage" && trade.priceTicks === 0n);
      assert(trade.lots > 0n && priced, "a trade needs positive lots and price");
      assert(trade.buyer.account !== trade.seller.account, "a trade needs two accounts");
      const both = parties(ctx, trade);
      if (both.ok !== "both") return both;
      const views = marketViews(ctx, markets);
      const view = views(trade.market);
      if (trade.kind !== "deleverage" && view?.fresh !== true) {
        return refusal(trade.taker, "stalePrice", "the market's price is stale");
      }
      const status = view?.terms.status;
      if (status === "settling" || status === "settled") {
        return refusal(trade.taker, "marketSettling", "the market has expired");
      }
      const terms = executionTerms(ctx, trade, view);
      const buyer = fillOf(both.buyer, trade, "buy", terms);
      const seller = fillOf(both.seller, trade, "sell", terms);
      const marketsMax = state.params.require(ctx).marketsPerAccountMax;
      const buys: AccountChange = {
        id: trade.buyer.account,
        before: both.buyer,
        after: buyer.account,
      };
      const sells: AccountChange = {
        id: trade.seller.account,
        before: both.seller,
        after: seller.account,
      };
      // A deleveraging is checked by the engine that allocates it.
      const checked = trade.kind !== "deleverage";
      const beside = checked ? besideOthers(ctx, state, [buys, sells]) : null;
      const judged: Traded[] = [];
      for (const side of ["buy", "sell"] as const) {
        if (!checked) break;
        // The liquidated side (the taker) may fall short.
        if (trade.kind === "liquidation" && side === trade.taker) continue;
        const before = side === "buy" ? both.buyer : both.seller;
        const change = side === "buy" ? buys : sells;
        const filled = withOthers(side === "buy" ? buyer : seller, beside?.after(change));
        const traded = { id: change.id, before, after: filled.account };
        const code =
          admission(before, filled, views, marketsMax) ?? lossFault(ctx, state, traded, views);
        if (code !== null) {
          return refusal(side, code, `${side}er: ${reasonFor(code, filled.account, views)}`);
        }
        judged.push(traded);
      }
      const fault = beside?.fault(views) ?? null;
      if (fault !== null) {
        const side = fault.id === buys.id ? "buy" : "sell";
        return refusal(side, fault.code, `${side}er: ${fault.reason}`);
      }
      writeTrade(ctx, trade, buyer, seller);
      for (const traded of judged) keepLoss(ctx, state, traded, views);
      return { ok: true };
    },

    adjustOpenOrders(ctx, id, market, side, deltaLots, deltaFeeReserveQuanta) {
      const account = state.accounts.get(ctx, id);
      if (account === undefined) throw refuse("unknownAccount", "no such sub-account");
      const known = findPosition(account, market);
      const before = known ?? emptyPosition(market);
      // Spelled out, as everywhere where positions are made: records of one shape are read fastest.
      const after: Position = {
        market: before.market,
        lots: before.lots,
        quote: before.quote,
        fundingIndex: before.fundingIndex,
        openBuyLots: side === "buy" ? before.openBuyLots + deltaLots : before.openBuyLots,
        openSellLots: side === "sell" ? before.openSellLots + deltaLots : before.openSellLots,
      };
      const feeReserve = account.feeReserve + deltaFeeReserveQuanta;
      assert(
        after.openBuyLots >= 0n && after.openSellLots >= 0n && feeReserve >= 0n,
        "open order exposure fell below zero",
      );
      const worst = worstCaseLots(after);
      if (worst >= LOTS_LIMIT || feeReserve >= MONEY_LIMIT) {
        throw refuse("outOfRange", "open orders exceed what a position may hold");
      }
      if (known === undefined) requireRoom(ctx, account, market);
      const grew = worst > worstCaseLots(before);
      const positions = withPosition(account.positions, after);
      const { assets, collateral, elsewhere, isolated, portfolio } = account;
      const written = { collateral, feeReserve, positions, portfolio, isolated, assets, elsewhere };
      if (grew) requireSiblings(ctx, { id, before: account, after: written });
      state.accounts.set(ctx, id, written);
      if (portfolio) return deltaLots > 0n && costsMore(ctx, account, positions);
      return grew || turnsOver(ctx, after, side, deltaLots);
    },

    requireInitial(ctx, id) {
      const account = state.accounts.get(ctx, id);
      if (account === undefined) throw refuse("unknownAccount", "no such sub-account");
      const views = marketViews(ctx, markets);
      const health = evaluate(account, views);
      if (!health.fresh) throw refuse("stalePrice", "a price of this sub-account is stale");
      if (!meetsInitial(account, health)) {
        throw refuse("insufficientMargin", shortText(account, views, health));
      }
    },

    positionLots(ctx, id, market) {
      const account = state.accounts.get(ctx, id);
      return account === undefined ? 0n : (findPosition(account, market)?.lots ?? 0n);
    },

    exists: (ctx, id) => state.accounts.has(ctx, id),

    openInterestLots: (ctx, market) => state.ledgers.get(ctx, market)?.longLots ?? 0n,
  };

  function requireSiblings(ctx: ReadContext, change: AccountChange): void {
    const fault = besideOthers(ctx, state, [change])?.fault(marketViews(ctx, markets)) ?? null;
    if (fault !== null) throw refuse(fault.code, fault.reason);
  }

  /**
   * Orders on the other side of a smaller position can cost more than the position: the requirement of an option's long and short lots
   * differs.
   */
  function turnsOver(ctx: ReadContext, after: Position, side: Side, deltaLots: bigint): boolean {
    if (deltaLots <= 0n) return false;
    const turned =
      side === "buy"
        ? after.lots < 0n && after.lots + after.openBuyLots > 0n
        : after.lots > 0n && after.lots < after.openSellLots;
    return turned && markets.mark(ctx, after.market)?.losses != null;
  }

  /** An order of a portfolio may close a hedge, or be one. */
  function costsMore(ctx: ReadContext, before: Account, positions: readonly Position[]): boolean {
    const views = marketViews(ctx, markets);
    const after: Account = { ...before, positions };
    return portfolioInitial(after, views).initial > portfolioInitial(before, views).initial;
  }

  function requireRoom(ctx: ReadContext, account: Account, market: MarketId): void {
    if (markets.terms(ctx, market) === undefined) {
      throw refuse("unknownMarket", `no market with id ${market}`);
    }
    const most = state.params.require(ctx).marketsPerAccountMax;
    const fault = roomFault(account, account.positions.length + 1, most);
    if (fault === "isolatedMarket") throw refuse(fault, reasonOf(fault));
    if (fault !== null) throw refuse(fault, `expected at most ${most} markets in one sub-account`);
  }
}

/** Of who has too little: what is required, there and missing, and the scenario that binds a portfolio. */
export function reasonFor(code: MarginCode, account: Account, views: MarketViews): string {
  if (code !== "insufficientMargin") return reasonOf(code);
  return shortText(account, views, evaluate(account, views));
}

export function reasonOf(code: MarginCode): string {
  switch (code) {
    case "stalePrice":
      return "a price of this sub-account is stale";
    case "tooManyMarkets":
      return "positions in too many markets";
    case "outOfRange":
      return "the position would leave its range";
    case "unknownAccount":
      return "no such sub-account";
    case "insufficientCollateral":
      return "it has less collateral than would leave it";
    case "marketSettling":
      return "the market has expired";
    case "marketQuarantined":
      return "one of its markets is quarantined";
    case "isolatedMarket":
      return "an isolated sub-account holds one market only";
    case "policyRequired":
      return POLICY_TEXT;
    case "tradingLoss":
      return "it would give up more against the mark today than its withdrawal policy allows";
    case "siblingMargin":
      return "another sub-account of its owner would be below its initial requirement";
    case "tooManyShares":
      return "its owner holds the market in too many sub-accounts";
    case "withdrawalsGated":
      return "a market that it holds is short: nothing leaves it for the time being";
    default:
      return "equity would be below the initial requirement";
  }
}
