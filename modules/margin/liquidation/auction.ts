/**
 * The auction of what the books left: once a block and per side of a market, all clips against all bids at one price. Who came first has no meaning, a bid pays what the
 * last one pays, and where nobody bids everything goes on as if there were no auction.
 */
import type { LiquidationOffer } from "@keel/proto/gen/keel/margin/v1/ladder";
import { type AccountId, numberOf, ownerKeyOf, ownerOf } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { minimum, mulDivDown, PPM } from "../../kit/math/mul-div.ts";
import type { Claims } from "../claims.ts";
import { contained } from "../contained.ts";
import {
  isClosable,
  type MarketView,
  type ModelledMarkets,
  marketViews,
} from "../health/market-view.ts";
import type { BackstopPort, ClearingPort, MarketId, Side } from "../ports.ts";
import { assertMarketSound } from "../solvency.ts";
import type { MarginState } from "../state.ts";
import { Asked } from "./asked.ts";
import { BID_MAX, type Bids, refusedTogether, type WantedBid } from "./bids.ts";
import type { Clip, Closing, LiquidationBudget } from "./closing.ts";
import { emitAuction, emitBidFilled, emitOffer } from "./events.ts";
import { reserveDistanceTicks } from "./ladder-math.ts";
import { worstTicks } from "./liquidation-math.ts";
import type { OfferCause } from "./reasons.ts";
import { paired, rewardOf, type Strike, strike } from "./strike.ts";

const SIDES = ["sell", "buy"] as const;

export interface Auction {
  /** Of these accounts, what is still to be closed. */
  run(ctx: WriteContext, ids: readonly AccountId[], budget: LiquidationBudget): void;
  /** Takes back what is offered of accounts that are not liquidated any more. */
  forget(ctx: WriteContext, isDue: (id: AccountId) => boolean): void;
  /** Where the reserve price of an offer stands; null: it can not be sold now. */
  reserve(ctx: ReadContext, offer: LiquidationOffer, id: AccountId): bigint | null;
}

interface Offered {
  readonly id: AccountId;
  readonly clip: Clip;
  readonly reserveTicks: bigint;
}

/** A bid of the backstop stands nowhere. */
interface Bidder {
  readonly bid: WantedBid;
  readonly standing: boolean;
}

export interface AuctionParts {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly clearing: Pick<ClearingPort, "clear">;
  readonly claims: Claims;
  readonly backstop: BackstopPort;
  readonly closing: Closing;
  readonly bids: Bids;
  readonly addresses: Addresses;
  readonly name: (id: AccountId) => string;
}

function opposite(side: Side): Side {
  return side === "sell" ? "buy" : "sell";
}

export function createAuction(parts: AuctionParts): Auction {
  const { addresses, backstop, bids, claims, clearing, closing, markets, name, state } = parts;
  const { offers } = state.ladder;

  function reserveOf(
    ctx: ReadContext,
    clip: Clip,
    sinceNs: bigint,
  ): { readonly ticks: bigint; readonly cause: OfferCause } {
    const { health, side, view } = clip;
    const terms = state.params.require(ctx).ladder;
    assert(terms !== undefined, "an offer without terms");
    const { quantaPerTickLot } = view.terms;
    const cause = {
      halfSpreadTicks: mulDivDown(view.notionalPerLot, terms.halfSpreadPpm, PPM * quantaPerTickLot),
      elapsedMs: mulDivDown(ctx.header.timeNs - sinceNs, 1n, 1_000_000n),
      windowMs: terms.offerWindowMs,
      equity: health.equity,
      maintenance: health.maintenance,
    };
    const distance = reserveDistanceTicks({ worstTicks: clip.distance, ...cause });
    return { ticks: worstTicks(view, side, distance), cause };
  }

  function withdraw(
    ctx: WriteContext,
    id: AccountId,
    market: MarketId,
    known: LiquidationOffer,
  ): void {
    offers.delete(ctx, [id, market]);
    const view = marketViews(ctx, markets)(market);
    const none = {
      account: name(id),
      market: view?.terms.symbol ?? "",
      side: known.lots > 0n ? ("sell" as const) : ("buy" as const),
      lots: 0n,
      reserveTicks: 0n,
      worstTicks: 0n,
      markTicks: view?.markTicks ?? 0n,
      sinceNs: known.sinceNs,
    };
    emitOffer(ctx, none, null);
  }

  /** What is to be closed of the account here, as offered from now on; null: nothing. */
  function offer(
    ctx: WriteContext,
    id: AccountId,
    market: MarketId,
    budget: LiquidationBudget,
  ): Offered | null {
    const known = offers.get(ctx, [id, market]);
    const clip = closing.clip(ctx, id, market, budget);
    if (clip === null) {
      if (known !== undefined) withdraw(ctx, id, market, known);
      return null;
    }
    const sinceNs = known?.sinceNs ?? ctx.header.timeNs;
    const { ticks: reserveTicks, cause } = reserveOf(ctx, clip, sinceNs);
    const lots = clip.side === "sell" ? clip.lots : -clip.lots;
    if (known?.lots !== lots) {
      const owner = addresses.format(ownerOf(id));
      const subaccount = numberOf(id);
      offers.set(ctx, [id, market], { owner, subaccount, market, lots, sinceNs });
      const report = {
        account: name(id),
        market: clip.view.terms.symbol,
        side: clip.side,
        lots: clip.lots,
        reserveTicks,
        worstTicks: worstTicks(clip.view, clip.side, clip.distance),
        markTicks: clip.view.markTicks,
        sinceNs,
      };
      emitOffer(ctx, report, cause);
    }
    return { id, clip, reserveTicks };
  }

  /**
   * Who bids for these: nobody for what an account of the same owner has to give up, and nobody of whom something is closed on the other side, since what that is
   * was drawn up before.
   */
  function biddersFor(
    ctx: ReadContext,
    market: MarketId,
    side: Side,
    all: readonly Offered[],
  ): Bidder[] {
    const closed = new Set(all.map(({ id }) => id));
    const offered = all.filter(({ clip }) => clip.side === side);
    const owners = new Set(offered.map(({ id }) => ownerKeyOf(id)));
    const found: Bidder[] = bids
      .of(ctx, market, opposite(side))
      .map((bid) => ({ bid, standing: true }));
    const lots = offered.reduce((sum, { clip }) => sum + clip.lots, 0n);
    const own = backstop.ready(ctx)
      ? backstop.bid(ctx, market, side === "sell" ? lots : -lots)
      : null;
    if (own !== null && own.lots > 0n && own.ticks > 0n && own.ticks <= BID_MAX) {
      const { account, lots: most, ticks: worstTicks } = own;
      const bid = { market, side: opposite(side), account, lots: most, worstTicks, goodTilMs: 0n };
      found.push({ bid, standing: false });
    }
    return found.filter(
      ({ bid }) => !closed.has(bid.account) && !owners.has(ownerKeyOf(bid.account)),
    );
  }

  /** Bids whose accounts could not bear what they would get, nor their owners' others. */
  function refusedBy(
    ctx: ReadContext,
    view: MarketView,
    bidders: readonly Bidder[],
    done: Strike,
  ): Bidder[] {
    const taking = bidders.flatMap(({ bid: { account, side } }, i) => {
      const lots = done.bids[i] as bigint;
      return lots === 0n ? [] : [{ account, trade: { side, lots, ticks: done.ticks } }];
    });
    const refused = refusedTogether(ctx, { state, markets }, view, taking);
    return bidders.filter(({ bid }) => refused.has(bid.account));
  }

  /** A strike that everybody in it can bear; null: there is none. Each round ends it or leaves fewer bidders, of whom there are few. */
  function settleOn(
    ctx: WriteContext,
    view: MarketView,
    side: Side,
    sold: readonly Offered[],
    all: readonly Bidder[],
  ): { readonly done: Strike; readonly bidders: readonly Bidder[] } | null {
    let bidders = all;
    const clips = sold.map(({ clip, reserveTicks }) => ({ ticks: reserveTicks, lots: clip.lots }));
    for (;;) {
      const quotes = bidders.map(({ bid }) => ({ ticks: bid.worstTicks, lots: bid.lots }));
      const done = bidders.length === 0 ? null : strike(side, clips, quotes, view.markTicks);
      if (done === null) return null;
      const refused = new Set(refusedBy(ctx, view, bidders, done).map(({ bid }) => bid));
      if (refused.size === 0) return { done, bidders };
      // Where one has nothing behind it more may, one price above the other: a round for each would be a way to keep everybody else out.
      const standing = bidders.flatMap((bidder) => (bidder.standing ? [bidder.bid] : []));
      if (bidders === all) for (const bid of bids.unbacked(ctx, view, standing)) refused.add(bid);
      for (const bid of standing) if (refused.has(bid)) bids.drop(ctx, bid, "margin");
      bidders = bidders.filter(({ bid }) => !refused.has(bid));
    }
  }

  function trade(
    ctx: WriteContext,
    at: { readonly market: MarketId; readonly side: Side; readonly ticks: bigint },
    pair: { readonly from: AccountId; readonly to: AccountId; readonly lots: bigint },
  ): void {
    const own = { account: pair.from, feeQuanta: 0n, orderId: null };
    const other = { account: pair.to, feeQuanta: 0n, orderId: null };
    const sells = at.side === "sell";
    // Both sides have been judged, the bidder for all of its lots together.
    const result = clearing.clear(ctx, {
      market: at.market,
      priceTicks: at.ticks,
      lots: pair.lots,
      buyer: sells ? other : own,
      seller: sells ? own : other,
      taker: at.side,
      kind: "deleverage",
    });
    assert(result.ok, "an auction of liquidated positions was refused by the ledger");
  }

  function clear(
    ctx: WriteContext,
    at: { readonly view: MarketView; readonly side: Side },
    sold: readonly Offered[],
    settled: { readonly done: Strike; readonly bidders: readonly Bidder[] },
    budget: LiquidationBudget,
  ): void {
    const { side, view } = at;
    const { bidders, done } = settled;
    const market = view.terms.id;
    const sum = (of: readonly { readonly lots: bigint }[]): bigint =>
      of.reduce((all, { lots }) => all + lots, 0n);
    emitAuction(ctx, {
      market: view.terms.symbol,
      side,
      priceTicks: done.ticks,
      markTicks: view.markTicks,
      lots: done.lots,
      offeredLots: sum(sold.map(({ clip }) => clip)),
      bidLots: sum(bidders.map(({ bid }) => bid)),
      clips: done.clips.filter((lots) => lots > 0n).length,
      bids: done.bids.filter((lots) => lots > 0n).length,
    });
    const pairs = paired(done.clips, done.bids);
    const rewards = bidders.map(() => 0n);
    for (const [i, { clip, id }] of sold.entries()) {
      const lots = done.clips[i] as bigint;
      if (lots === 0n) continue;
      const mine = pairs.filter((pair) => pair.clip === i);
      for (const pair of mine) {
        const to = (bidders[pair.bid] as Bidder).bid.account;
        trade(ctx, { market, side, ticks: done.ticks }, { from: id, to, lots: pair.lots });
      }
      budget.notional -= lots * view.notionalPerLot;
      budget.worked = true;
      budget.closed.add(id);
      budget.asked.addBid(id, clip, lots);
      const reward = closing.settle(ctx, id, clip, { lots, source: "auction" });
      let rest = reward;
      for (const pair of mine) {
        const part = rewardOf(reward, pair.lots, lots);
        claims.give(ctx, id, (bidders[pair.bid] as Bidder).bid.account, part);
        rewards[pair.bid] = (rewards[pair.bid] as bigint) + part;
        rest -= part;
      }
      claims.pay(ctx, id, rest, "penalty", market);
    }
    for (const [i, { bid, standing }] of bidders.entries()) {
      const lots = done.bids[i] as bigint;
      if (lots === 0n) continue;
      if (standing) bids.fill(ctx, bid, lots);
      emitBidFilled(ctx, {
        account: name(bid.account),
        market: view.terms.symbol,
        side: bid.side,
        lots,
        priceTicks: done.ticks,
        reward: rewards[i] as bigint,
      });
    }
    assertMarketSound(ctx, state, market);
  }

  function hold(
    ctx: WriteContext,
    market: MarketId,
    ids: readonly AccountId[],
    budget: LiquidationBudget,
  ): void {
    const view = marketViews(ctx, markets)(market);
    if (!isClosable(view)) return;
    let left = budget.notional;
    const offered: Offered[] = [];
    for (const id of ids) {
      const one = offer(ctx, id, market, budget);
      if (one === null) continue;
      // A block's bound on all of them together.
      const lots = minimum(
        one.clip.lots,
        left > 0n ? mulDivDown(left, 1n, view.notionalPerLot) : 0n,
      );
      if (lots === 0n) continue;
      left -= lots * view.notionalPerLot;
      offered.push({ ...one, clip: { ...one.clip, lots } });
    }
    for (const side of SIDES) {
      const sold = offered.filter(({ clip }) => clip.side === side);
      if (sold.length === 0) continue;
      const settled = settleOn(ctx, view, side, sold, biddersFor(ctx, market, side, offered));
      if (settled !== null) clear(ctx, { view, side }, sold, settled, budget);
    }
  }

  return {
    run(ctx, ids, budget) {
      const { ladder } = state.params.require(ctx);
      if (ladder === undefined || ladder.offerWindowMs === 0n) return;
      const holders = new Map<MarketId, AccountId[]>();
      for (const id of ids) {
        for (const { lots, market } of state.accounts.get(ctx, id)?.positions ?? []) {
          if (lots !== 0n) holders.set(market, [...(holders.get(market) ?? []), id]);
        }
      }
      for (const market of [...holders.keys()].sort((a, b) => a - b)) {
        // In the order of accounts: it decides nothing but whose remainder is rounded up.
        const holding = [...(holders.get(market) ?? [])].sort((a, b) => (a < b ? -1 : 1));
        contained(ctx, markets, market, (step) => hold(step, market, holding, budget));
      }
    },

    forget(ctx, isDue) {
      if (offers.size(ctx) === 0) return;
      const over: (readonly [AccountId, MarketId, LiquidationOffer])[] = [];
      offers.each(ctx, ([id, market], known) => {
        const lots = state.accounts
          .get(ctx, id)
          ?.positions.find((held) => held.market === market)?.lots;
        if (!isDue(id) || (lots ?? 0n) === 0n) over.push([id, market, known]);
      });
      for (const [id, market, known] of over) withdraw(ctx, id, market, known);
    },

    reserve(ctx, known, id) {
      const budget: LiquidationBudget = {
        notional: (known.lots < 0n ? -known.lots : known.lots) * BID_MAX * BID_MAX,
        deleverages: 0,
        worked: false,
        tried: new Set(),
        throttle: null,
        closed: new Set(),
        asked: new Asked(),
        origins: new Map(),
        promised: new Map(),
      };
      const clip = closing.clip(ctx, id, known.market, budget);
      return clip === null ? null : reserveOf(ctx, clip, known.sinceNs).ticks;
    },
  };
}
