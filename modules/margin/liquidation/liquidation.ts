/**
 * Liquidation of one account under water: its orders are cancelled, then positions are closed at the book inside a price limit, the
 * largest requirement first, only as far as needed. An account below zero whose rest the book does not take is deleveraged.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { absolute, compareBigints, divFloor, divTrunc, maximum } from "../../kit/math/mul-div.ts";
import type { Account, Position } from "../account-codec.ts";
import type { Claims } from "../claims.ts";
import { contained } from "../contained.ts";
import type { Deleveraging } from "../deleverage.ts";
import { emitDeficitCovered, emitLiquidation } from "../events.ts";
import { emptyPosition, findPosition } from "../fill.ts";
import { isLiquidatable, maintenanceHealth, positionValue } from "../health.ts";
import type { MarketView, MarketViews, ModelledMarkets } from "../market-view.ts";
import { isClosable, marketViews } from "../market-view.ts";
import { parseMoney } from "../money.ts";
import { maintenanceReleased, maintenanceShare } from "../portfolio/account.ts";
import { assertMarketSound } from "../solvency.ts";
import type { MarginState } from "../state.ts";
import {
  fillableDistanceTicks,
  limitDistanceTicks,
  lotsToClose,
  penaltyQuanta,
  targetEquity,
} from "./liquidation-math.ts";
import type { Takeover } from "./takeover.ts";

/** What one block may still do. Mutable: one per block. */
export interface LiquidationBudget {
  notional: bigint;
  deleverages: number;
  /** Something was closed, charged or paid in this block. */
  worked: boolean;
}

export interface Liquidation {
  liquidate(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): void;
}

export interface LiquidationParts {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly claims: Claims;
  readonly deleveraging: Deleveraging;
  readonly takeover: Takeover;
  readonly name: (id: AccountId) => string;
}

/** An option's band can reach past zero: a sale is then at one tick or more. */
function worstTicks(view: MarketView, side: "buy" | "sell", distance: bigint): bigint {
  if (side === "buy") return view.markTicks + distance;
  const limit = view.markTicks - distance;
  return view.losses !== null && limit < 1n ? 1n : limit;
}

export function createLiquidation(parts: LiquidationParts): Liquidation {
  const { state, markets, claims, deleveraging, takeover, name } = parts;

  function load(ctx: WriteContext, id: AccountId) {
    const account = state.accounts.get(ctx, id);
    assert(account !== undefined, "liquidation of an unknown account");
    const views = marketViews(ctx, markets);
    const health = maintenanceHealth(account, views);
    return { account, views, health };
  }

  /** Held positions, those first that release most of the maintenance requirement, then by market id. */
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

  function closeAtBook(
    ctx: WriteContext,
    id: AccountId,
    market: number,
    budget: LiquidationBudget,
  ): void {
    const { account, views, health } = load(ctx, id);
    const view = views(market);
    const position = findPosition(account, market);
    if (health === null || view === undefined || position === undefined) return;
    const params = state.params.require(ctx);
    const held = absolute(position.lots);
    const maintenance = releasedBy(account, position, view, views);
    if (maintenance === null) return;
    const wanted = lotsToClose(
      health,
      {
        lots: held,
        quantaPerLot: view.quantaPerLot,
        notionalPerLot: view.notionalPerLot,
        maintenance,
      },
      {
        targetPpm: params.liquidationTargetPpm,
        penaltyPpm: params.liquidationPenaltyPpm,
        slippagePpm: params.liquidationSlippagePpm,
        notionalMin: parseMoney(params.liquidationNotionalMin) ?? 0n,
      },
    );
    const affordable = divFloor(maximum(budget.notional, 0n), view.notionalPerLot);
    const lots = wanted < affordable ? wanted : affordable;
    if (lots <= 0n) return;
    const quantaPerTickLot = view.terms.quantaPerTickLot;
    const distance = limitDistanceTicks({
      fillableTicks: fillableDistanceTicks(
        health,
        { lots: held, maintenance },
        { spreadPpm: params.liquidationSpreadPpm, quantaPerTickLot },
      ),
      notionalTicks: divFloor(view.notionalPerLot, quantaPerTickLot),
      slippagePpm: params.liquidationSlippagePpm,
      bandPpm: view.terms.liquidationBandPpm,
      fundsQuanta: health.equity + claims.fund(ctx),
      closingLots: lots,
      quantaPerTickLot,
    });
    const side = position.lots > 0n ? "sell" : "buy";
    const limitTicks = worstTicks(view, side, distance);
    if (limitTicks <= 0n) return;
    const filled = markets.liquidateAtBook(ctx, { market, account: id, side, lots, limitTicks });
    assert(filled >= 0n && filled <= lots, `the book filled ${filled} of ${lots} lots`);
    if (filled === 0n) return;
    budget.notional -= filled * view.notionalPerLot;
    budget.worked = true;
    settle(ctx, id, { before: account, view, filled, side, equityBefore: health.equity });
    assertMarketSound(ctx, state, market);
  }

  /** One pass over the positions; stops as soon as the account is back at its target. */
  function closeAll(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): void {
    const target = state.params.require(ctx).liquidationTargetPpm;
    const start = load(ctx, id);
    for (const { market } of order(start.account, start.views)) {
      const { views, health } = load(ctx, id);
      if (health === null || health.equity >= targetEquity(health.maintenance, target)) return;
      if (!isClosable(views(market))) continue;
      contained(ctx, markets, market, (step) => closeAtBook(step, id, market, budget));
    }
  }

  /** Penalty and event after the book has filled. What was traded is read off the ledger: cash that changed hands. */
  function settle(
    ctx: WriteContext,
    id: AccountId,
    close: {
      readonly before: Account;
      readonly view: MarketView;
      readonly filled: bigint;
      readonly side: "buy" | "sell";
      readonly equityBefore: bigint;
    },
  ): void {
    const { account, health } = load(ctx, id);
    assert(health !== null, "a liquidated account lost its price");
    const { view, filled } = close;
    const market = view.terms.id;
    const cash = cashOf(account, market, view) - cashOf(close.before, market, view);
    const notional = absolute(cash);
    const rate = state.params.require(ctx).liquidationPenaltyPpm;
    const penalty = penaltyQuanta(notional, rate, health.equity);
    claims.pay(ctx, id, penalty, "penalty");
    emitLiquidation(ctx, {
      account: name(id),
      market: view.terms.symbol,
      side: close.side,
      lots: filled,
      priceTicks: divTrunc(notional, filled * view.terms.quantaPerTickLot),
      notional,
      penalty,
      equityBefore: close.equityBefore,
      equityAfter: health.equity - penalty,
    });
  }

  /** Collateral and the position's settled quote together: what changes by the traded amount alone. */
  function cashOf(account: Account, market: number, view: MarketView): bigint {
    const position = findPosition(account, market) ?? emptyPosition(market);
    const value = position.lots === 0n ? 0n : positionValue(position, view);
    return account.collateral + value - position.lots * view.quantaPerLot;
  }

  function cancelOrders(ctx: WriteContext, id: AccountId): void {
    const account = state.accounts.get(ctx, id);
    const resting = account?.positions.filter((p) => p.openBuyLots > 0n || p.openSellLots > 0n);
    const first = resting?.[0];
    if (first === undefined) return;
    contained(ctx, markets, first.market, (step) => markets.cancelOrders(step, id, "liquidation"));
  }

  /** Below zero and still holding what the book did not take: insurance first, then the other side. */
  function resolveBankrupt(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): void {
    const { account, views, health } = load(ctx, id);
    if (health === null || health.equity >= 0n) return;
    const held = order(account, views);
    if (held.length > 0) {
      const spent = budget.deleverages <= 0 || budget.notional <= 0n;
      if (spent || !held.every((position) => isClosable(views(position.market)))) return;
    }
    const paid = claims.cover(ctx, id, -health.equity);
    if (paid > 0n) {
      budget.worked = true;
      emitDeficitCovered(ctx, name(id), paid);
    }
    for (const { market } of held) {
      budget.deleverages -= 1;
      budget.worked = true;
      contained(ctx, markets, market, (step) => {
        deleveraging.deleverage(step, id, market);
        assertMarketSound(step, state, market);
      });
    }
    const left = state.accounts.get(ctx, id);
    const flat = left?.positions.every((position) => position.lots === 0n) ?? false;
    // What rounding to whole ticks took from the other side beyond the deficit belongs to the fund, not to the bankrupt account.
    if (held.length > 0 && flat && left !== undefined && left.collateral > 0n) {
      claims.pay(ctx, id, left.collateral, "residue");
    }
  }

  return {
    liquidate(ctx, id, budget) {
      cancelOrders(ctx, id);
      const start = load(ctx, id);
      const holds = start.account.positions.some(({ lots }) => lots !== 0n);
      if (!holds || start.health === null || !isLiquidatable(start.health)) return;
      const notionalBefore = budget.notional;
      closeAll(ctx, id, budget);
      // Slippage of a partial close can take the rest below zero: then all of it goes to the book before anyone is deleveraged.
      if ((load(ctx, id).health?.equity ?? 0n) < 0n) closeAll(ctx, id, budget);
      const { account, views } = load(ctx, id);
      const held = order(account, views).map(({ market }) => market);
      takeover.run(ctx, id, held, budget.notional < notionalBefore);
      resolveBankrupt(ctx, id, budget);
    },
  };
}
