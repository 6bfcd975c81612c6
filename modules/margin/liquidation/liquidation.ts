/**
 * Liquidation of one account under water: its orders are cancelled, then positions are closed at the book inside a price limit, the
 * largest requirement first, only as far as needed. An account below zero whose rest the book does not take is deleveraged.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import type { Claims } from "../claims.ts";
import { contained } from "../contained.ts";
import type { Deleveraging } from "../deleverage.ts";
import { emitDeficitCovered } from "../events.ts";
import { isLiquidatable } from "../health.ts";
import type { ModelledMarkets } from "../market-view.ts";
import { isClosable } from "../market-view.ts";
import { assertMarketSound } from "../solvency.ts";
import type { MarginState } from "../state.ts";
import type { Closing, LiquidationBudget } from "./closing.ts";
import { targetEquity } from "./liquidation-math.ts";
import type { Slices } from "./slices.ts";
import type { Takeover } from "./takeover.ts";

export interface Liquidation {
  /** The three below, one after the other. */
  liquidate(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): void;
  cancelOrders(ctx: WriteContext, id: AccountId): void;
  /** At the book. False: there is nothing to close. */
  close(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): boolean;
  /** What neither book nor bidders took: the backstop, then insurance, then the other side. */
  finish(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): void;
}

export interface LiquidationParts {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly claims: Claims;
  readonly deleveraging: Deleveraging;
  readonly takeover: Takeover;
  readonly closing: Closing;
  readonly slices: Slices;
  readonly name: (id: AccountId) => string;
}

export function createLiquidation(parts: LiquidationParts): Liquidation {
  const { state, markets, claims, closing, deleveraging, slices, takeover, name } = parts;
  const { load, order } = closing;

  /** One pass over the positions; stops as soon as the account is back at its target. */
  function closeAll(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): void {
    const target = state.params.require(ctx).liquidationTargetPpm;
    const start = load(ctx, id);
    for (const { market } of order(start.account, start.views)) {
      const { views, health } = load(ctx, id);
      if (health === null || health.equity >= targetEquity(health.maintenance, target)) return;
      if (!isClosable(views(market))) continue;
      contained(ctx, markets, market, (step) => {
        const clip = closing.clip(step, id, market, budget);
        if (clip !== null) closing.atBook(step, id, clip, budget);
      });
    }
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

  function close(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): boolean {
    const start = load(ctx, id);
    const holds = start.account.positions.some(({ lots }) => lots !== 0n);
    if (!holds || start.health === null || !isLiquidatable(start.health)) return false;
    const sliced = start.account.portfolio && slices.reduce(ctx, id, budget);
    if (!sliced) closeAll(ctx, id, budget);
    // Slippage of a partial close can take the rest below zero: then all of it goes to the book before anyone is deleveraged.
    if ((load(ctx, id).health?.equity ?? 0n) < 0n) closeAll(ctx, id, budget);
    return true;
  }

  function finish(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): void {
    const { account, views } = load(ctx, id);
    const held = order(account, views).map(({ market }) => market);
    takeover.run(ctx, id, held, budget.closed.has(id));
    resolveBankrupt(ctx, id, budget);
  }

  return {
    cancelOrders,
    close,
    finish,
    liquidate(ctx, id, budget) {
      cancelOrders(ctx, id);
      if (close(ctx, id, budget)) finish(ctx, id, budget);
    },
  };
}
