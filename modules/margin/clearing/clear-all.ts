/**
 * Several trades, and collateral that goes with them, as one: applied in order to copies of the accounts, every touched account checked once
 * at the end, then written. A refusal changes nothing and needs no savepoint. Also: a whole sub-account under another name.
 */

import type { AccountId } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { absolute } from "../../kit/math/mul-div.ts";
import { MONEY_LIMIT } from "../../kit/money.ts";
import type { Account, MarketLedger } from "../account-codec.ts";
import { EMPTY_ACCOUNT, emptyLedger } from "../account-codec.ts";
import {
  gatedMarket,
  gatedText,
  hasLossToBear,
  LOSS_TO_BEAR_TEXT,
  noteExit,
  requireUngated,
} from "../custody/gates.ts";
import { hasPolicy, keepLoss, lossFault } from "../custody/guard.ts";
import { marketsFault } from "../custody/isolated.ts";
import { spendPort } from "../custody/proposals.ts";
import { MARGIN_CODES, type MarginCode, refuse } from "../errors.ts";
import { evaluate, meetsInitial, noRiskier } from "../health/health.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import {
  holdsBack,
  type MarketView,
  type MarketViews,
  marketViews,
} from "../health/market-view.ts";
import { besideOthers } from "../owners/beside.ts";
import type { ClearAllResult, ClearingPort, CollateralMove, MarketId, Trade } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { RiskClasses } from "../waterfall/classes.ts";
import { feeOf, fillOf, reasonFor, reasonOf } from "./clearing.ts";
import { changeLedger, findPosition, inRange } from "./fill.ts";

interface Touched {
  /** undefined: made by collateral that came in. */
  readonly before: Account | undefined;
  after: Account;
  /** It gave collateral away, so being no riskier than before is not enough. */
  gave: boolean;
}

/** What a batch does, before any of it is written. */
interface Batch {
  readonly accounts: Map<AccountId, Touched>;
  readonly ledgers: Map<MarketId, MarketLedger>;
  fees: bigint;
  realised: bigint;
}

class Refused extends Error {
  readonly refused: AccountId;
  readonly refusalCode: MarginCode;
  readonly reason: string;

  constructor(refused: AccountId, code: MarginCode, reason: string = reasonOf(code)) {
    super(code);
    this.refused = refused;
    this.refusalCode = code;
    this.reason = reason;
  }
}

export function createClearAll(
  state: MarginState,
  markets: ModelledMarkets,
  addresses: Addresses,
  classes: Pick<RiskClasses, "noteFees">,
): Pick<ClearingPort, "clearAll" | "portAccount"> {
  function touch(ctx: ReadContext, batch: Batch, id: AccountId, create: boolean): Touched {
    let touched = batch.accounts.get(id);
    if (touched === undefined) {
      const before = state.accounts.get(ctx, id);
      if (before === undefined && !create) throw new Refused(id, "unknownAccount");
      touched = { before, after: before ?? EMPTY_ACCOUNT, gave: false };
      batch.accounts.set(id, touched);
    }
    return touched;
  }

  /** Before the trades, so that the receiving account is there for them. */
  function move(ctx: ReadContext, batch: Batch, { from, to, quanta }: CollateralMove): void {
    assert(quanta > 0n && from !== to, "collateral moves between two accounts");
    const giver = touch(ctx, batch, from, false);
    if (hasPolicy(ctx, state.custody, from)) throw new Refused(from, "policyRequired");
    const gated = gatedMarket(ctx, state.custody, from, giver.after);
    if (gated !== null) {
      throw new Refused(from, "withdrawalsGated", gatedText(ctx, state.custody, gated));
    }
    if (hasLossToBear(ctx, state, from)) {
      throw new Refused(from, "withdrawalsGated", LOSS_TO_BEAR_TEXT);
    }
    const taker = touch(ctx, batch, to, true);
    giver.after = { ...giver.after, collateral: giver.after.collateral - quanta };
    giver.gave = true;
    taker.after = { ...taker.after, collateral: taker.after.collateral + quanta };
    if (absolute(taker.after.collateral) >= MONEY_LIMIT) throw new Refused(to, "outOfRange");
  }

  function apply(ctx: ReadContext, batch: Batch, trade: Trade, views: MarketViews): void {
    // A worthless option changes hands at its mark, which is zero.
    const priced = trade.priceTicks > 0n || (trade.kind === "transfer" && trade.priceTicks === 0n);
    assert(trade.lots > 0n && priced, "a trade needs positive lots and price");
    assert(trade.buyer.account !== trade.seller.account, "a trade needs two accounts");
    const view = views(trade.market);
    if (view?.fresh !== true) {
      throw new Refused((trade.taker === "buy" ? trade.buyer : trade.seller).account, "stalePrice");
    }
    if (view.terms.status === "settling" || view.terms.status === "settled") {
      throw new Refused(
        (trade.taker === "buy" ? trade.buyer : trade.seller).account,
        "marketSettling",
      );
    }
    const terms = { value: valueAt(trade, view), fundingIndex: view.fundingIndex };
    let ledger =
      batch.ledgers.get(trade.market) ??
      state.ledgers.get(ctx, trade.market) ??
      emptyLedger(trade.market);
    for (const side of ["buy", "sell"] as const) {
      const id = (side === "buy" ? trade.buyer : trade.seller).account;
      const touched = touch(ctx, batch, id, false);
      const filled = fillOf(touched.after, trade, side, terms);
      if (!inRange(filled)) throw new Refused(id, "outOfRange");
      touched.after = filled.account;
      ledger = changeLedger(ledger, filled.change);
      batch.realised += filled.change.realised;
      batch.fees += feeOf(trade, side);
    }
    batch.ledgers.set(trade.market, ledger);
  }

  function admit(ctx: ReadContext, batch: Batch, views: MarketViews): void {
    const { marketsPerAccountMax } = state.params.require(ctx);
    const changes = [...batch.accounts].map(([id, { before, after }]) => ({ id, before, after }));
    const beside = besideOthers(ctx, state, changes);
    for (const change of changes) {
      const { id, before } = change;
      const after = beside?.after(change) ?? change.after;
      const gave = batch.accounts.get(id)?.gave === true;
      const known = before ?? EMPTY_ACCOUNT;
      const room = marketsFault(known, after, marketsPerAccountMax);
      if (room !== null) throw new Refused(id, room);
      const loss = lossFault(ctx, state, { id, before: known, after }, views);
      if (loss !== null) throw new Refused(id, loss);
      if (gave) requireSpared(ctx, id, after, views);
      const health = evaluate(after, views);
      if (meetsInitial(after, health)) continue;
      if (!gave && noRiskier(evaluate(known, views), health)) continue;
      const code = health.fresh ? "insufficientMargin" : "stalePrice";
      throw new Refused(id, code, reasonFor(code, after, views));
    }
    const fault = beside?.fault(views) ?? null;
    if (fault !== null) throw new Refused(fault.id, fault.code, fault.reason);
  }

  /** As for a withdrawal: cash only, never a profit that is still open, and not past a quarantined market. */
  function requireSpared(
    ctx: ReadContext,
    id: AccountId,
    after: Account,
    views: MarketViews,
  ): void {
    if (after.collateral < 0n) throw new Refused(id, "insufficientCollateral");
    if (after.assets.length > 0 && evaluate(after, views).cash < 0n) {
      throw new Refused(id, "insufficientCollateral");
    }
    if (isQuarantined(ctx, after)) throw new Refused(id, "marketQuarantined");
    if (holdsBack(after.positions, views)) throw new Refused(id, "stalePrice");
  }

  function isSettling(ctx: ReadContext, market: number): boolean {
    return markets.terms(ctx, market)?.status === "settling";
  }

  function isQuarantined(ctx: ReadContext, account: Account): boolean {
    return account.positions.some(
      ({ market }) => markets.terms(ctx, market)?.status === "quarantined",
    );
  }

  function write(ctx: WriteContext, batch: Batch, views: MarketViews): void {
    let added = 0n;
    for (const [id, { before, after }] of batch.accounts) {
      keepLoss(ctx, state, { id, before: before ?? EMPTY_ACCOUNT, after }, views);
      for (const { lots, market } of before?.positions ?? []) {
        const left = lots !== 0n && (findPosition(after, market)?.lots ?? 0n) === 0n;
        if (left) noteExit(ctx, state, { id, market });
      }
      const { assets, collateral, positions } = after;
      const empty = collateral === 0n && positions.length === 0 && assets.length === 0;
      // Who has part of a loss to bear still owes it.
      const gone = empty && !state.waterfall.shares.has(ctx, id);
      if (before === undefined) added += 1n;
      if (gone) added -= 1n;
      if (gone && after.portfolio) state.portfolios.delete(ctx, id);
      if (gone) state.accounts.delete(ctx, id);
      else state.accounts.set(ctx, id, after);
      const held = before !== undefined && holdsLots(before);
      const holds = holdsLots(after);
      if (holds && !held) state.active.set(ctx, id, true);
      if (held && !holds) state.active.delete(ctx, id);
    }
    for (const [market, ledger] of batch.ledgers) state.ledgers.set(ctx, market, ledger);
    const totals = state.totals.require(ctx);
    const feesHeld = totals.feesHeld + batch.fees;
    assert(feesHeld >= 0n, "rebates exceed the fees held");
    state.totals.set(ctx, {
      ...totals,
      feesHeld,
      collateral: totals.collateral + batch.realised - batch.fees,
      accounts: totals.accounts + added,
    });
  }

  return {
    clearAll(ctx, trades, moves): ClearAllResult {
      const batch: Batch = { accounts: new Map(), ledgers: new Map(), fees: 0n, realised: 0n };
      const views = marketViews(ctx, markets);
      try {
        for (const one of moves) move(ctx, batch, one);
        for (const trade of trades) apply(ctx, batch, trade, views);
        admit(ctx, batch, views);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const { refused, refusalCode, reason } = error;
        const code = MARGIN_CODES[refusalCode];
        return { ok: false, refused, code, reason };
      }
      write(ctx, batch, views);
      for (const trade of trades) {
        classes.noteFees(ctx, trade.market, feeOf(trade, "buy") + feeOf(trade, "sell"));
      }
      return { ok: true };
    },

    portAccount(ctx, from, to) {
      const account = state.accounts.get(ctx, from);
      if (account === undefined) throw refuse("unknownAccount", "no such sub-account");
      assert(!state.accounts.has(ctx, to), "a sub-account is ported to an unused one");
      assert(
        account.feeReserve === 0n &&
          account.positions.every((one) => one.openBuyLots === 0n && one.openSellLots === 0n),
        "a sub-account is ported without open orders",
      );
      // Its new owner may have one already.
      if (account.portfolio)
        throw refuse("secondPortfolio", "the sub-account is in portfolio mode");
      // An asset has its own list of holders and caps per owner.
      if (account.assets.length > 0) {
        throw refuse("insufficientCollateral", "the sub-account holds collateral assets");
      }
      if (isQuarantined(ctx, account)) {
        throw refuse("marketQuarantined", "a market of this sub-account is quarantined");
      }
      // The pass over accounts goes by their names: under another one, a position could be missed.
      if (account.positions.some(({ market }) => isSettling(ctx, market))) {
        throw refuse("marketSettling", reasonOf("marketSettling"));
      }
      const views = marketViews(ctx, markets);
      if (holdsBack(account.positions, views)) {
        throw refuse("stalePrice", reasonOf("stalePrice"));
      }
      const leaves = { id: from, before: account, after: EMPTY_ACCOUNT };
      const arrives = { id: to, before: undefined, after: account };
      const beside = besideOthers(ctx, state, [leaves, arrives]);
      const moved = beside?.after(arrives) ?? account;
      const health = evaluate(moved, views);
      if (!meetsInitial(moved, health)) {
        const code = health.fresh ? "insufficientMargin" : "stalePrice";
        throw refuse(code, reasonFor(code, moved, views));
      }
      const fault = beside?.fault(views) ?? null;
      if (fault !== null) throw refuse(fault.code, fault.reason);
      requireUngated(ctx, state, from);
      spendPort(ctx, state.custody, from, to, addresses);
      state.accounts.delete(ctx, from);
      state.accounts.set(ctx, to, account);
      if (!holdsLots(account)) return;
      state.active.delete(ctx, from);
      state.active.set(ctx, to, true);
    },
  };
}

/** A transferred position is valued at mark itself, so that neither side gains; everything else at its price. */
function valueAt(trade: Trade, view: MarketView): bigint {
  if (trade.kind === "transfer") return trade.lots * view.quantaPerLot;
  return trade.priceTicks * trade.lots * view.terms.quantaPerTickLot;
}

function holdsLots({ positions }: Account): boolean {
  return positions.some((position) => position.lots !== 0n);
}
