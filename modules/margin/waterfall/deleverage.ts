/**
 * Auto-deleveraging: a position that nobody else takes is closed against the most leveraged accounts on the other side. Of a bankrupt account at
 * the price that brings it to zero, capped near mark; of one that is only under water at the worst price that it was offered at, which is the other side's
 * gain. Counterparties never go below zero by it.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { absolute, maximum, minimum, mulDivDown, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import { findPosition } from "../clearing/fill.ts";
import { emitDeleverage } from "../events.ts";
import { maintenanceHealth } from "../health/health.ts";
import type { MarketView, MarketViews, ModelledMarkets } from "../health/market-view.ts";
import { marketViews } from "../health/market-view.ts";
import { DELEVERAGE_ROUNDS_MAX } from "../limits.ts";
import {
  type AccountFigures,
  bankruptcyDistanceTicks,
  worstTicks,
} from "../liquidation/liquidation-math.ts";
import { maintenanceShare } from "../portfolio/account.ts";
import type { ClearingPort, MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { type Burden, knownLosses, shortfallFloor, splitByMarket } from "./attribution.ts";
import type { Allocation, Counterparty, Level } from "./deleverage-math.ts";
import { allocateDeleveraging } from "./deleverage-math.ts";
import { emitDeleverageRound } from "./events.ts";
import { capOf, partiesOf, spared } from "./parties.ts";
import type { Wait } from "./reports.ts";
import { type Side, sideOf } from "./side-books.ts";

export interface Deleveraging {
  /** The account has lots in the market, one of the burden's, and the price that brings it to what stays lies within the band. */
  bearable(
    ctx: ReadContext,
    id: AccountId,
    market: MarketId,
    burden: Burden,
    views: MarketViews,
  ): boolean;
  /** The other side can take all of it, however many that takes. */
  canBear(ctx: ReadContext, id: AccountId, market: MarketId, burden: Burden): boolean;
  /**
   * Closes the account's position in the market as far as the other side can take it; returns the lots closed, what that side lost by it, and in how many rounds. What nobody can bear is
   * closed at mark, or left open where it is going to end the market: closed, its counterparties would leave with all that they have gained. `unasked`: there were not
   * rounds enough for all, and the rest is for the next block.
   */
  deleverage(
    ctx: WriteContext,
    id: AccountId,
    market: MarketId,
    burden: Burden,
    roundsMax: number,
  ): {
    readonly lots: bigint;
    readonly lost: bigint;
    readonly rounds: number;
    readonly unasked: boolean;
  };
  /**
   * Closes lots of an account that is not below zero at the worst price, so far (ticks, not negative) on the other side's better side of the mark, that book and bidders
   * were offered; returns the lots closed, and in how many rounds.
   */
  relieve(
    ctx: WriteContext,
    id: AccountId,
    market: MarketId,
    offer: { readonly lots: bigint; readonly distance: bigint; readonly wait: Wait },
  ): { readonly lots: bigint; readonly rounds: number };
}

interface Round {
  readonly parties: readonly Counterparty<AccountId>[];
  readonly scope: "unhedged" | "all";
  /** Of all on the side. */
  readonly sideLots: bigint;
  readonly accounts: number;
}

interface Terms {
  /** The price that brings the account to zero lies beyond the band. */
  readonly beyond: boolean;
  readonly view: MarketView;
  readonly long: boolean;
  readonly priceTicks: bigint;
  /** What a counterparty loses against mark per lot it closes; 0 where it gains. */
  readonly lossPerLot: bigint;
  /** Null: the account is bankrupt. */
  readonly wait: Wait | null;
}

/** How far the price may leave the mark: an option's may fall to zero, and rise by the cap however small it is. */
function roomTicks(view: MarketView, long: boolean, cap: bigint): bigint {
  if (view.losses === null) return view.markTicks - 1n;
  return long ? cap : view.markTicks;
}

export function createDeleveraging(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly clearing: Pick<ClearingPort, "clear">;
  readonly name: (id: AccountId) => string;
}): Deleveraging {
  const { state, markets, clearing, name } = parts;

  /** What the positions that are closed have to bear: without what belongs to the others, and what these require. */
  function toBear(
    account: Account,
    health: AccountFigures,
    { markets: closing, stuck }: Burden,
    views: MarketViews,
  ): AccountFigures {
    let { maintenance } = health;
    for (const position of account.positions) {
      const view = views(position.market);
      if (position.lots === 0n || view === undefined || closing.includes(position.market)) continue;
      maintenance -= maintenanceShare(account, position, view, views);
    }
    return { equity: minimum(health.equity + stuck, 0n), maintenance: maximum(maintenance, 0n) };
  }

  function termsOf(
    ctx: ReadContext,
    id: AccountId,
    market: MarketId,
    views: MarketViews,
    burden: Burden,
  ): (Terms & { readonly lots: bigint }) | null {
    const account = state.accounts.get(ctx, id);
    const position = account === undefined ? undefined : findPosition(account, market);
    const view = views(market);
    if (account === undefined || position === undefined || view === undefined) return null;
    const health = maintenanceHealth(account, views);
    const lots = absolute(position.lots);
    if (health === null || lots === 0n) return null;
    const quantaPerTickLot = view.terms.quantaPerTickLot;
    const maintenance = maintenanceShare(account, position, view, views);
    const { deleverageBandPpm } = state.params.require(ctx);
    const cap = mulDivDown(view.notionalPerLot, deleverageBandPpm, PPM * quantaPerTickLot);
    const figures = toBear(account, health, burden, views);
    const wanted = bankruptcyDistanceTicks(figures, { lots, maintenance }, quantaPerTickLot);
    const long = position.lots > 0n;
    const distance = minimum(minimum(wanted, cap), roomTicks(view, long, cap));
    return {
      view,
      beyond: wanted > distance,
      long,
      lots,
      priceTicks: long ? view.markTicks + distance : view.markTicks - distance,
      lossPerLot: distance * quantaPerTickLot,
      wait: null,
    };
  }

  /** What the account misses in the market is going to end it. */
  function endsMarket(
    ctx: ReadContext,
    id: AccountId,
    market: MarketId,
    views: MarketViews,
  ): boolean {
    if (state.params.require(ctx).marketSettlement === undefined) return false;
    const account = state.accounts.get(ctx, id);
    const equity = account === undefined ? 0n : (maintenanceHealth(account, views)?.equity ?? 0n);
    if (equity >= 0n) return false;
    const parts = splitByMarket(-equity, knownLosses(ctx, state, id));
    const missing = parts.find((part) => part.market === market)?.amount ?? 0n;
    return missing > 0n && missing >= shortfallFloor(ctx, state);
  }

  function sideAgainst(ctx: ReadContext, { long, view }: Terms, views: MarketViews): Side {
    const { hedgesLast = false } = state.waterfall.params.get(ctx) ?? {};
    return sideOf(ctx, { state, markets }, views, { view, long: !long, hedgesLast });
  }

  /** Whom a round may close, and the scope: hedges are left alone as long as anything else is there; a share of each position while that is enough. */
  function candidates(ctx: ReadContext, terms: Terms, views: MarketViews, needed: bigint): Round {
    const { hedgesLast = false, deleverageSharePpm = 0 } = state.waterfall.params.get(ctx) ?? {};
    const side = sideAgainst(ctx, terms, views);
    let scope: Round["scope"] = hedgesLast ? "unhedged" : "all";
    let parties = partiesOf(side.ranked(scope), terms.lossPerLot);
    if (hedgesLast && parties.length === 0) {
      scope = "all";
      parties = partiesOf(side.ranked(scope), terms.lossPerLot);
    }
    parties = spared(parties, needed, deleverageSharePpm);
    return { parties, scope, sideLots: side.lots, accounts: side.accounts };
  }

  /** Returns what the counterparty lost by it. */
  function execute(
    ctx: WriteContext,
    id: AccountId,
    part: { readonly id: AccountId; readonly lots: bigint; readonly proRataLots: bigint },
    terms: Terms,
    views: MarketViews,
  ): bigint {
    const { view, long, priceTicks } = terms;
    const own = { account: id, feeQuanta: 0n, orderId: null };
    const other = { account: part.id, feeQuanta: 0n, orderId: null };
    const before = equityOf(ctx, part.id, views);
    const result = clearing.clear(ctx, {
      market: view.terms.id,
      priceTicks,
      lots: part.lots,
      buyer: long ? other : own,
      seller: long ? own : other,
      taker: long ? "sell" : "buy",
      kind: "deleverage",
    });
    assert(result.ok, "a deleveraging was refused by the ledger");
    emitDeleverage(ctx, {
      account: name(id),
      counterparty: name(part.id),
      market: view.terms.symbol,
      side: long ? "sell" : "buy",
      lots: part.lots,
      priceTicks,
      markTicks: view.markTicks,
      notional: part.lots * priceTicks * view.terms.quantaPerTickLot,
      proRataLots: part.proRataLots,
      wait: terms.wait,
    });
    return before - equityOf(ctx, part.id, views);
  }

  function equityOf(ctx: ReadContext, id: AccountId, views: MarketViews): bigint {
    const account = state.accounts.get(ctx, id);
    const health = account === undefined ? null : maintenanceHealth(account, views);
    assert(health !== null, "a counterparty cannot be valued");
    return health.equity;
  }

  /** Closes up to `lots` at one price. A new round follows only when equity, a cap or hedges bounded someone's part, or one has not room for all. `asked`: nobody is left who could bear more. */
  function closeRounds(
    ctx: WriteContext,
    id: AccountId,
    terms: Terms,
    views: MarketViews,
    lots: bigint,
    roundsMax: number = DELEVERAGE_ROUNDS_MAX,
  ): {
    readonly left: bigint;
    readonly lost: bigint;
    readonly asked: boolean;
    readonly rounds: number;
  } {
    let left = lots;
    let lost = 0n;
    let asked = false;
    let rounds = 0;
    for (; rounds < roundsMax && left > 0n; rounds++) {
      const round = candidates(ctx, terms, views, left);
      asked = round.parties.length === 0;
      if (asked) break;
      const { parts, level } = allocateDeleveraging(round.parties, left);
      const closed = parts.reduce((sum, part) => sum + part.lots, 0n);
      const held = new Map(round.parties.map((party) => [party.id, party.lots]));
      let loss = 0n;
      for (const part of parts) {
        const own = held.get(part.id) ?? part.lots;
        const proRataLots = mulDivDown(own, minimum(left, round.sideLots), round.sideLots);
        loss += execute(ctx, id, { ...part, proRataLots }, terms, views);
      }
      report(ctx, id, terms, { round, parts, level, needed: left, closed, loss, held });
      left -= closed;
      lost += loss;
    }
    return { left, lost, asked, rounds };
  }

  function report(
    ctx: WriteContext,
    id: AccountId,
    terms: Terms,
    done: {
      readonly round: Round;
      readonly parts: readonly Allocation<AccountId>[];
      readonly level: Level | null;
      readonly needed: bigint;
      readonly closed: bigint;
      readonly loss: bigint;
      readonly held: ReadonlyMap<AccountId, bigint>;
    },
  ): void {
    const { round, parts, level, closed } = done;
    const { view, long } = terms;
    let largestSharePpm = 0n;
    let squares = 0n;
    for (const { id: other, lots } of parts) {
      squares += lots * lots;
      const share = mulDivUp(lots, PPM, done.held.get(other) ?? lots);
      largestSharePpm = maximum(largestSharePpm, share);
    }
    emitDeleverageRound(ctx, {
      account: name(id),
      market: view.terms.symbol,
      side: long ? "sell" : "buy",
      neededLots: done.needed,
      closedLots: closed,
      priceTicks: terms.priceTicks,
      markTicks: view.markTicks,
      levelPpm: level === null ? null : leveragePpm(level, view),
      sideLots: round.sideLots,
      accounts: round.accounts,
      accountsClosed: parts.length,
      largestSharePpm,
      concentrationPpm: mulDivDown(squares, PPM, closed * closed),
      scope: round.scope,
      loss: done.loss,
      wait: terms.wait,
    });
  }

  return {
    bearable(ctx, id, market, burden, views) {
      const terms = termsOf(ctx, id, market, views, burden);
      return terms !== null && !terms.beyond;
    },

    canBear(ctx, id, market, burden) {
      const views = marketViews(ctx, markets);
      const terms = termsOf(ctx, id, market, views, burden);
      if (terms === null) return false;
      let left = terms.lots;
      for (const { equity, lots } of sideAgainst(ctx, terms, views).each()) {
        left -= capOf(lots, equity, terms.lossPerLot);
        if (left <= 0n) return true;
      }
      return false;
    },

    deleverage(ctx, id, market, burden, roundsMax) {
      const none = { lots: 0n, lost: 0n, rounds: 0, unasked: false };
      const views = marketViews(ctx, markets);
      const terms = termsOf(ctx, id, market, views, burden);
      if (terms === null) return none;
      // Not in the block that finds it: first it must be known whether all of the market's losses can be borne so.
      const waits = terms.beyond || !state.deficits.has(ctx, id);
      if (waits && endsMarket(ctx, id, market, views)) return none;
      const borne = closeRounds(ctx, id, terms, views, terms.lots, roundsMax);
      let { left, lost, rounds } = borne;
      // Where there were not rounds enough to ask everybody, the rest is asked in the next block: a crowd of small accounts in front spares nobody behind it.
      const asked = borne.asked && terms.lossPerLot > 0n;
      if (left > 0n && asked && !endsMarket(ctx, id, market, views)) {
        // Nobody else can bear a loss: the rest is closed at mark, which takes the risk off; the cash missing goes to the queue.
        const atMark = { ...terms, priceTicks: terms.view.markTicks, lossPerLot: 0n };
        const more = closeRounds(ctx, id, atMark, views, left);
        left = more.left;
        lost += more.lost;
        rounds += more.rounds;
      }
      return { lots: terms.lots - left, lost, rounds, unasked: left > 0n && !borne.asked };
    },

    relieve(ctx, id, market, { distance, lots, wait }) {
      const views = marketViews(ctx, markets);
      const terms = termsOf(ctx, id, market, views, { markets: [market], stuck: 0n });
      if (terms === null) return { lots: 0n, rounds: 0 };
      assert(distance >= 0n && lots <= terms.lots, `${lots} lots at ${distance} from mark`);
      const { long, view } = terms;
      const worst = maximum(worstTicks(view, long ? "sell" : "buy", distance), 1n);
      // An option marked at less than a tick is given away: nobody is made to pay more than the mark.
      const priceTicks = long ? minimum(worst, view.markTicks) : worst;
      const offered = { ...terms, priceTicks, lossPerLot: 0n, wait };
      const { left, rounds } = closeRounds(ctx, id, offered, views, lots);
      return { lots: lots - left, rounds };
    },
  };
}

/** Notional per equity, rounded up. */
export function leveragePpm({ lots, equity }: Level, view: MarketView): bigint {
  return mulDivUp(lots * view.notionalPerLot, PPM, equity);
}
