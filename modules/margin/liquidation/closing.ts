/**
 * Closing a part of an account's position: how much, how far from mark, what it costs, and who is paid. The book and the auction close through this, each at its
 * own price.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import {
  absolute,
  compareBigints,
  divFloor,
  divTrunc,
  maximum,
  minimum,
} from "../../kit/math/mul-div.ts";
import { parseMoney } from "../../kit/money.ts";
import type { Account, Position } from "../account-codec.ts";
import type { Claims } from "../claims.ts";
import { emptyPosition, findPosition } from "../clearing/fill.ts";
import { maintenanceHealth, positionValue } from "../health/health.ts";
import type { MarketView, MarketViews, ModelledMarkets } from "../health/market-view.ts";
import { isClosable, marketViews } from "../health/market-view.ts";
import { lotsElsewhere } from "../owners/elsewhere.ts";
import { maintenanceReleased, maintenanceShare } from "../portfolio/account.ts";
import type { BackstopPort, LossPart, MarketId, Side } from "../ports.ts";
import { assertMarketSound } from "../solvency.ts";
import type { MarginState } from "../state.ts";
import { addWeight, type Origin, SHARED_ORIGIN, splitLoss } from "../waterfall/origins.ts";
import type { Asked } from "./asked.ts";
import { emitLiquidation } from "./events.ts";
import { penaltyParts, penaltyRatePpm } from "./ladder-math.ts";
import {
  type AccountFigures,
  fillableDistanceTicks,
  limitDistanceTicks,
  lotsToClose,
  ownDistanceTicks,
  penaltyQuanta,
  worstTicks,
} from "./liquidation-math.ts";
import type { Measures } from "./measures.ts";
import type { LiquidationSource, PenaltyCause, Sizing } from "./reports.ts";
import { closingSide, type Throttle } from "./throttle.ts";

/** What one block may still do, and what it did. Mutable: one per block. */
export interface LiquidationBudget {
  notional: bigint;
  deleverages: number;
  /** Something was closed, charged or paid in this block. */
  worked: boolean;
  /** For whom the funds and the other sides have done what they can. */
  readonly tried: Set<AccountId>;
  /** Null: books are given what is wanted. */
  throttle: Throttle | null;
  /** Accounts of which something was closed. */
  readonly closed: Set<AccountId>;
  readonly asked: Asked;
  /** What classes the accounts' losses are charged to, as they stood before anything of them was closed in this block. */
  readonly origins: Map<AccountId, Origin>;
  /** What the funds will be asked for by accounts of which something was closed, and that they have not paid yet: nobody else can count on it. */
  readonly promised: Map<AccountId, readonly LossPart[]>;
}

export interface Loaded {
  readonly account: Account;
  readonly views: MarketViews;
  /** Null: a held market has no price. */
  readonly health: AccountFigures | null;
}

/** A part of a position that has to go. */
export interface Clip {
  readonly account: Account;
  readonly view: MarketView;
  readonly side: Side;
  readonly lots: bigint;
  readonly health: AccountFigures;
  /** Worst price's distance from mark, ticks. */
  readonly distance: bigint;
  readonly penalty: { readonly ratePpm: bigint; readonly cause: PenaltyCause | null };
  /** What the above was reckoned from, for who asks why. */
  readonly sizing: Sizing;
}

export interface Closing {
  load(ctx: ReadContext, id: AccountId): Loaded;
  /** Held positions, those first that release most of the maintenance requirement, then by market id. */
  order(account: Account, views: MarketViews): Position[];
  /**
   * What brings the account to its target, of this position alone; at most `lotsMax`. Null: nothing of it, or it only hedges what can be
   * closed itself.
   */
  clip(
    ctx: ReadContext,
    id: AccountId,
    market: MarketId,
    budget: LiquidationBudget,
    lotsMax?: bigint,
  ): Clip | null;
  /** Sells or buys what it can of a clip at the book; returns the lots. */
  atBook(ctx: WriteContext, id: AccountId, clip: Clip, budget: LiquidationBudget): bigint;
  /** Notes what the account misses, if something of it was closed. */
  promise(ctx: ReadContext, id: AccountId, budget: LiquidationBudget): void;
  /** Penalty, its parts and the event, after lots of a clip were traded. Returns what bidders get of it. */
  settle(ctx: WriteContext, id: AccountId, clip: Clip, done: Done): bigint;
}

export interface Done {
  readonly lots: bigint;
  readonly source: LiquidationSource;
}

export interface ClosingParts {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly claims: Claims;
  readonly backstop: BackstopPort;
  readonly measures: Measures;
  readonly name: (id: AccountId) => string;
}

export function createClosing(parts: ClosingParts): Closing {
  const { backstop, claims, markets, measures, name, state } = parts;

  function load(ctx: ReadContext, id: AccountId): Loaded {
    const account = state.accounts.get(ctx, id);
    assert(account !== undefined, "liquidation of an unknown account");
    const views = marketViews(ctx, markets);
    return { account, views, health: maintenanceHealth(account, views) };
  }

  function order(account: Account, views: MarketViews): Position[] {
    const weighed = account.positions
      .filter((position) => position.lots !== 0n)
      .map((position) => {
        const view = views(position.market);
        const weight =
          view === undefined ? 0n : maintenanceReleased(account, position, view, views);
        return { position, weight };
      });
    weighed.sort(
      (a, b) => compareBigints(b.weight, a.weight) || a.position.market - b.position.market,
    );
    return weighed.map(({ position }) => position);
  }

  /** Null: closing it would only take a hedge away, and something else can still be closed. */
  function releasedBy(
    account: Account,
    position: Position,
    view: MarketView,
    views: MarketViews,
  ): bigint | null {
    const released = maintenanceReleased(account, position, view, views);
    if (released > 0n || !account.portfolio) return released;
    const better = order(account, views).some((other) => {
      const known = views(other.market);
      return isClosable(known) && maintenanceReleased(account, other, known, views) > 0n;
    });
    return better ? null : maintenanceShare(account, position, view, views);
  }

  /** Of a clip of so many lots. */
  function penaltyOf(
    ctx: ReadContext,
    { account, health, views }: Loaded & { readonly health: AccountFigures },
    at: { readonly view: MarketView; readonly side: Side; readonly lots: bigint },
    throttle: Throttle | null,
  ): Clip["penalty"] {
    const params = state.params.require(ctx);
    const terms = params.ladder?.penalty;
    if (terms === undefined) return { ratePpm: params.liquidationPenaltyPpm, cause: null };
    const { lots, side, view } = at;
    let notional = 0n;
    for (const position of account.positions) {
      notional += absolute(position.lots) * (views(position.market)?.notionalPerLot ?? 0n);
    }
    const cause = {
      variance: measures.variance(ctx, view.terms.id),
      clip: lots * view.notionalPerLot,
      depth: throttle?.depth(view.terms.id, side) ?? 0n,
      equity: health.equity,
      notional,
      slippagePpm: params.liquidationSlippagePpm,
    };
    return { ratePpm: penaltyRatePpm(cause, terms), cause };
  }

  function clip(
    ctx: ReadContext,
    id: AccountId,
    market: MarketId,
    budget: LiquidationBudget,
    lotsMax?: bigint,
  ): Clip | null {
    const { account, views, health } = load(ctx, id);
    const view = views(market);
    const position = findPosition(account, market);
    if (health === null || view === undefined || position === undefined) return null;
    const params = state.params.require(ctx);
    const held = absolute(position.lots);
    // A slice was chosen for what it releases: as part of it, the position counts for what it stands for.
    const maintenance =
      lotsMax === undefined
        ? releasedBy(account, position, view, views)
        : maintenanceShare(account, position, view, views);
    if (maintenance === null || held === 0n) return null;
    const side = closingSide(position.lots);
    const rateFor = (lots: bigint): Clip["penalty"] =>
      penaltyOf(ctx, { account, views, health }, { view, side, lots }, budget.throttle);
    const closes = (penaltyPpm: bigint): bigint =>
      lotsToClose(
        health,
        {
          lots: held,
          quantaPerLot: view.quantaPerLot,
          notionalPerLot: view.notionalPerLot,
          maintenance,
        },
        {
          targetPpm: params.liquidationTargetPpm,
          penaltyPpm,
          slippagePpm: params.liquidationSlippagePpm,
          notionalMin: parseMoney(params.liquidationNotionalMin) ?? 0n,
        },
      );
    const first = params.ladder?.penalty?.basePpm ?? params.liquidationPenaltyPpm;
    // The penalty grows with the clip and the clip with the penalty: the second round is near enough.
    const sizedByPpm = lotsMax === undefined ? rateFor(closes(first)).ratePpm : 0n;
    const wanted = lotsMax ?? closes(sizedByPpm);
    const affordable = divFloor(maximum(budget.notional, 0n), view.notionalPerLot);
    const lots = minimum(minimum(wanted, held), affordable);
    if (lots <= 0n) return null;
    const { quantaPerTickLot } = view.terms;
    const fundsQuanta = health.equity + claims.fund(ctx, market, promisedBut(id, budget));
    const distance = limitDistanceTicks({
      fillableTicks: fillableDistanceTicks(
        health,
        { lots: held, maintenance },
        { spreadPpm: params.liquidationSpreadPpm, quantaPerTickLot },
      ),
      ownTicks: ownDistanceTicks(health, { lots: held, maintenance }, quantaPerTickLot),
      notionalTicks: divFloor(view.notionalPerLot, quantaPerTickLot),
      slippagePpm: params.liquidationSlippagePpm,
      bandPpm: view.terms.liquidationBandPpm,
      fundsQuanta,
      closingLots: lots,
      quantaPerTickLot,
    });
    const elsewhere = lotsElsewhere(account, market);
    const sizing = { params, view, held, elsewhere, released: maintenance, sizedByPpm, affordable };
    return {
      ...{ account, view, side, lots, health, distance, penalty: rateFor(lots) },
      sizing: { ...sizing, sliceLots: lotsMax ?? null, fundsQuanta },
    };
  }

  /** By class, without what the account itself may count on. */
  function promisedBut(
    id: AccountId,
    { promised }: LiquidationBudget,
  ): ReadonlyMap<string, bigint> {
    const by = new Map<string, bigint>();
    for (const [other, parts] of promised) {
      if (other === id) continue;
      for (const { amount, riskClass } of parts) addWeight(by, riskClass, amount);
    }
    return by;
  }

  function promise(
    ctx: ReadContext,
    id: AccountId,
    { closed, origins, promised }: LiquidationBudget,
  ): void {
    const missing = closed.has(id) ? -(load(ctx, id).health?.equity ?? 0n) : 0n;
    if (missing <= 0n) promised.delete(id);
    else promised.set(id, splitLoss(origins.get(id) ?? SHARED_ORIGIN, missing));
  }

  function atBook(
    ctx: WriteContext,
    id: AccountId,
    wanted: Clip,
    budget: LiquidationBudget,
  ): bigint {
    const { health, side, view } = wanted;
    const market = view.terms.id;
    const { throttle } = budget;
    const allowed = health.equity < 0n ? null : (throttle?.allowance(id, market, side) ?? null);
    const lots = allowed === null ? wanted.lots : minimum(wanted.lots, allowed);
    const limitTicks = worstTicks(view, side, wanted.distance);
    if (limitTicks <= 0n || lots === 0n) return 0n;
    const filled = markets.liquidateAtBook(ctx, { market, account: id, side, lots, limitTicks });
    assert(filled >= 0n && filled <= lots, `the book filled ${filled} of ${lots} lots`);
    budget.asked.add(id, wanted, { lots, taken: filled });
    if (filled === 0n) return 0n;
    throttle?.spend(ctx, { id, view, side, lots: filled });
    budget.notional -= filled * view.notionalPerLot;
    budget.worked = true;
    budget.closed.add(id);
    settle(ctx, id, wanted, { lots: filled, source: "book" });
    promise(ctx, id, budget);
    assertMarketSound(ctx, state, market);
    return filled;
  }

  /** To whom it goes, bidders last: what is returned is theirs, and still the account's. */
  function payPenalty(
    ctx: WriteContext,
    id: AccountId,
    market: MarketId,
    penalty: bigint,
    source: Done["source"],
  ) {
    const terms = state.params.require(ctx).ladder?.penalty;
    const purse = terms === undefined ? null : backstop.purse(ctx);
    const takes = purse !== null && purse !== id && state.accounts.has(ctx, purse);
    const paid = penaltyParts(penalty, {
      backstopPpm: terms !== undefined && takes ? terms.backstopPpm : 0n,
      keeperPpm: terms !== undefined && source === "auction" ? terms.keeperPpm : 0n,
      keeperMax: terms === undefined ? 0n : BigInt(terms.keeperMax),
    });
    claims.pay(ctx, id, paid.insurance, "penalty", market);
    if (purse !== null && paid.backstop > 0n) claims.give(ctx, id, purse, paid.backstop);
    return paid;
  }

  /** What was traded is read off the ledger: cash that changed hands. */
  function settle(ctx: WriteContext, id: AccountId, closed: Clip, done: Done): bigint {
    const { account, health } = load(ctx, id);
    assert(health !== null, "a liquidated account lost its price");
    const { view } = closed;
    const market = view.terms.id;
    const cash = cashOf(account, market, view) - cashOf(closed.account, market, view);
    const notional = absolute(cash);
    const penalty = penaltyQuanta(notional, closed.penalty.ratePpm, health.equity);
    const parts = payPenalty(ctx, id, market, penalty, done.source);
    emitLiquidation(ctx, {
      account: name(id),
      market: view.terms.symbol,
      side: closed.side,
      lots: done.lots,
      priceTicks: divTrunc(notional, done.lots * view.terms.quantaPerTickLot),
      notional,
      penalty,
      equityBefore: closed.health.equity,
      equityAfter: health.equity - penalty,
      source: done.source,
      wantedLots: closed.lots,
      markTicks: view.markTicks,
      limitTicks: worstTicks(view, closed.side, closed.distance),
      maintenanceBefore: closed.health.maintenance,
      maintenanceAfter: health.maintenance,
      penaltyPpm: closed.penalty.ratePpm,
      penaltyCause: closed.penalty.cause,
      sizing: closed.sizing,
      parts,
    });
    return parts.keeper;
  }

  /** Collateral and the position's settled quote together: what changes by the traded amount alone. */
  function cashOf(account: Account, market: number, view: MarketView): bigint {
    const position = findPosition(account, market) ?? emptyPosition(market);
    const value = position.lots === 0n ? 0n : positionValue(position, view);
    return account.collateral + value - position.lots * view.quantaPerLot;
  }

  return { load, order, clip, atBook, promise, settle };
}
