/** Bids in the liquidation auctions: what stands in state, and what is refused on the way there. */
import type { LiquidationBid } from "@keel/proto/gen/keel/margin/v1/ladder";
import { type AccountId, accountId, numberOf, ownerOf } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { parseMoney } from "../../kit/money.ts";
import type { Account } from "../account-codec.ts";
import { admission, reasonFor, withOthers } from "../clearing/clearing.ts";
import { applyFill, type FilledAccount, findPosition } from "../clearing/fill.ts";
import { risksStake } from "../custody/guard.ts";
import { type MarginCode, refuse } from "../errors.ts";
import {
  isClosable,
  type MarketView,
  type MarketViews,
  type ModelledMarkets,
  marketViews,
} from "../health/market-view.ts";
import { besideOthers } from "../owners/beside.ts";
import type { MarketId, Side } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { emitBid } from "./events.ts";
import { nowMs } from "./measures.ts";
import { sideNumber, sidePrefix } from "./state.ts";

/** Standing bids of one side of a market: the best stay. */
export const BIDS_PER_SIDE_MAX = 64;
/** Longer than any auction lasts before the backstop is asked. */
export const BID_LIFE_MAX_MS = 600_000n;
/** Prices and sizes of one bid fit the auction's arithmetic. */
export const BID_MAX: bigint = (1n << 31n) - 1n;

export interface WantedBid {
  readonly market: MarketId;
  readonly side: Side;
  readonly account: AccountId;
  readonly lots: bigint;
  readonly worstTicks: bigint;
  readonly goodTilMs: bigint;
}

export interface Bids {
  /** Replaces what the account bids on this side; lots 0 takes it back. Throws ModuleError. */
  place(ctx: WriteContext, bid: WantedBid): void;
  /** Those that stand, in the order of accounts. */
  of(ctx: ReadContext, market: MarketId, side: Side): readonly WantedBid[];
  /** Lots of it were traded. */
  fill(ctx: WriteContext, bid: WantedBid, lots: bigint): void;
  drop(ctx: WriteContext, bid: WantedBid, reason: "margin" | "expired" | "outbid" | "off"): void;
  /** Those of one market that could not be placed now: their accounts cannot bear all of them at their worst price. */
  unbacked(ctx: ReadContext, view: MarketView, standing: readonly WantedBid[]): WantedBid[];
  /** Drops those whose time is over; without an auction all. */
  prune(ctx: WriteContext): void;
}

interface BidTrade {
  readonly side: Side;
  readonly lots: bigint;
  readonly ticks: bigint;
}

/** What the trade makes of the account. */
function bidFill(account: Account, trade: BidTrade, view: MarketView): FilledAccount {
  const lots = trade.side === "buy" ? trade.lots : -trade.lots;
  return applyFill(account, {
    market: view.terms.id,
    fundingIndex: view.fundingIndex,
    lots,
    quote: -lots * trade.ticks * view.terms.quantaPerTickLot,
    fee: 0n,
    releaseBuyLots: 0n,
    releaseSellLots: 0n,
    releaseFeeReserve: 0n,
  });
}

/** Null: the account can bear the trade. `after`: as it stands beside its owner's others then, where these trade as well. */
function bidRefusal(
  ctx: ReadContext,
  state: MarginState,
  { id, before: account }: { readonly id: AccountId; readonly before: Account },
  trade: BidTrade,
  at: { readonly view: MarketView; readonly views: MarketViews; readonly marketsMax: number },
  after?: Account,
): { readonly code: MarginCode; readonly reason: string } | null {
  const { view, views } = at;
  const market = view.terms.id;
  const lots = trade.side === "buy" ? trade.lots : -trade.lots;
  const held = findPosition(account, market)?.lots ?? 0n;
  const shrinks = held > 0n ? lots < 0n && -lots <= held : lots > 0n && lots <= -held;
  if (view.terms.status === "closeOnly" && !shrinks) {
    return { code: "invalidRequest", reason: "the market takes only what makes positions smaller" };
  }
  const filled = withOthers(bidFill(account, trade, view), after);
  const traded = { id, before: account, after: filled.account };
  const code =
    admission(account, filled, views, at.marketsMax) ??
    (risksStake(ctx, state, traded, views) ? "withdrawalsGated" : null);
  return code === null ? null : { code, reason: reasonFor(code, filled.account, views) };
}

/** Of bids of one market that are filled together: whose accounts could not bear it, nor their owners' others that it grows. */
export function refusedTogether(
  ctx: ReadContext,
  parts: { readonly state: MarginState; readonly markets: ModelledMarkets },
  view: MarketView,
  taking: readonly { readonly account: AccountId; readonly trade: BidTrade }[],
): ReadonlySet<AccountId> {
  const { markets, state } = parts;
  const views = marketViews(ctx, markets);
  const at = { view, views, marketsMax: state.params.require(ctx).marketsPerAccountMax };
  const refused = new Set<AccountId>();
  const filled = taking.flatMap(({ account: id, trade }) => {
    const before = state.accounts.get(ctx, id);
    if (before === undefined) refused.add(id);
    return before === undefined
      ? []
      : [{ id, before, trade, after: bidFill(before, trade, view).account }];
  });
  const beside = besideOthers(ctx, state, filled);
  for (const one of filled)
    if (bidRefusal(ctx, state, one, one.trade, at, beside?.after(one)) !== null)
      refused.add(one.id);
  const fault = refused.size > 0 ? null : (beside?.fault(views) ?? null);
  return fault === null ? refused : new Set([fault.id]);
}

export function createBids(
  state: MarginState,
  markets: ModelledMarkets,
  addresses: Addresses,
): Bids {
  const { bids } = state.ladder;
  const keyOf = ({ account, market, side }: WantedBid) =>
    [market, sideNumber(side), account] as const;

  function report(
    ctx: WriteContext,
    bid: WantedBid,
    lots: bigint,
    reason: Parameters<typeof emitBid>[1]["reason"],
  ): void {
    emitBid(ctx, {
      account: `${addresses.format(ownerOf(bid.account))}/${numberOf(bid.account)}`,
      market: markets.terms(ctx, bid.market)?.symbol ?? "",
      side: bid.side,
      lots,
      worstTicks: bid.worstTicks,
      reason,
    });
  }

  function read(record: LiquidationBid): WantedBid {
    const { goodTilMs, lots, market, owner, side, subaccount, worstTicks } = record;
    const account = accountId(addresses.parse(owner), subaccount);
    return { account, goodTilMs, lots, market, side: side === "buy" ? "buy" : "sell", worstTicks };
  }

  function write(ctx: WriteContext, bid: WantedBid): void {
    const { goodTilMs, lots, market, side, worstTicks } = bid;
    const owner = addresses.format(ownerOf(bid.account));
    const subaccount = numberOf(bid.account);
    bids.set(ctx, keyOf(bid), { goodTilMs, lots, market, owner, side, subaccount, worstTicks });
  }

  function of(ctx: ReadContext, market: MarketId, side: Side): readonly WantedBid[] {
    const found: WantedBid[] = [];
    const now = nowMs(ctx);
    bids.eachWithPrefix(ctx, sidePrefix(market, side), (_key, record) => {
      if (record.goodTilMs > now) found.push(read(record));
    });
    return found;
  }

  function drop(
    ctx: WriteContext,
    bid: WantedBid,
    reason: "margin" | "expired" | "outbid" | "off",
  ): void {
    bids.delete(ctx, keyOf(bid));
    report(ctx, bid, 0n, reason);
  }

  function unbacked(
    ctx: ReadContext,
    view: MarketView,
    standing: readonly WantedBid[],
  ): WantedBid[] {
    const views = marketViews(ctx, markets);
    const marketsMax = state.params.require(ctx).marketsPerAccountMax;
    return standing.filter(({ account: id, lots, side, worstTicks: ticks }) => {
      const before = state.accounts.get(ctx, id);
      if (before === undefined) return true;
      const trade = { side, lots, ticks };
      const at = { view, views, marketsMax };
      return bidRefusal(ctx, state, { id, before }, trade, at) !== null;
    });
  }

  /** Makes room by those that nothing stands behind any more, or by the worst of those that stand: worse in price, then the higher account. Whatever came first. */
  function makeRoom(ctx: WriteContext, bid: WantedBid, view: MarketView): void {
    const standing = of(ctx, bid.market, bid.side);
    if (
      standing.length < BIDS_PER_SIDE_MAX ||
      standing.some(({ account }) => account === bid.account)
    )
      return;
    const gone = unbacked(ctx, view, standing);
    for (const one of gone) drop(ctx, one, "margin");
    if (gone.length > 0) return;
    const worst = [...standing].sort(compareBids)[standing.length - 1] as WantedBid;
    if (compareBids(worst, bid) <= 0) {
      throw refuse("bidsFull", `expected a bid better than ${worst.worstTicks} ticks`);
    }
    drop(ctx, worst, "outbid");
  }

  return {
    of,
    drop,
    unbacked,
    place(ctx, bid) {
      const { ladder, liquidationNotionalMin, marketsPerAccountMax } = state.params.require(ctx);
      if (ladder === undefined || ladder.offerWindowMs === 0n) {
        throw refuse("noLiquidationAuction", "liquidated positions are not offered to bidders");
      }
      const account = state.accounts.get(ctx, bid.account);
      if (account === undefined) throw refuse("unknownAccount", "no such sub-account");
      if (bid.lots === 0n) {
        if (bids.has(ctx, keyOf(bid))) bids.delete(ctx, keyOf(bid));
        report(ctx, bid, 0n, "withdrawn");
        return;
      }
      const left = bid.goodTilMs - nowMs(ctx);
      if (left <= 0n || left > BID_LIFE_MAX_MS) {
        throw refuse(
          "invalidRequest",
          `expected good_til_ms within the next ${BID_LIFE_MAX_MS} ms`,
        );
      }
      const views = marketViews(ctx, markets);
      const view = views(bid.market);
      if (!isClosable(view)) throw refuse("stalePrice", "the market does not trade now");
      // There are few places, and they go by price: none to who would take a lot to keep others out.
      const least = parseMoney(liquidationNotionalMin) ?? 0n;
      if (bid.lots * view.notionalPerLot < least) {
        throw refuse("invalidRequest", `expected a bid for ${least} quanta of notional or more`);
      }
      const trade = { side: bid.side, lots: bid.lots, ticks: bid.worstTicks };
      const at = { view, views, marketsMax: marketsPerAccountMax };
      const refusal = bidRefusal(ctx, state, { id: bid.account, before: account }, trade, at);
      if (refusal !== null) throw refuse(refusal.code, refusal.reason);
      makeRoom(ctx, bid, view);
      write(ctx, bid);
      report(ctx, bid, bid.lots, "placed");
    },
    fill(ctx, bid, lots) {
      if (lots === bid.lots) bids.delete(ctx, keyOf(bid));
      else write(ctx, { ...bid, lots: bid.lots - lots });
    },
    prune(ctx) {
      if (bids.size(ctx) === 0) return;
      const { ladder } = state.params.require(ctx);
      const off = ladder === undefined || ladder.offerWindowMs === 0n;
      const over: WantedBid[] = [];
      const now = nowMs(ctx);
      bids.each(ctx, (_key, record) => {
        if (off || record.goodTilMs <= now) over.push(read(record));
      });
      for (const bid of over) drop(ctx, bid, off ? "off" : "expired");
    },
  };
}

/** Better prices first, then by account: on one side of a market. */
export function compareBids(a: WantedBid, b: WantedBid): number {
  if (a.worstTicks !== b.worstTicks) {
    return a.worstTicks > b.worstTicks === (a.side === "buy") ? -1 : 1;
  }
  return a.account < b.account ? -1 : a.account > b.account ? 1 : 0;
}
