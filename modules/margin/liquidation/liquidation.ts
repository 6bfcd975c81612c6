/**
 * Liquidation of one account under water: its orders are cancelled, then positions are closed at the book inside a price limit, the
 * largest requirement first, only as far as needed. An account below zero whose rest the book does not take is deleveraged.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { contained } from "../contained.ts";
import { isLiquidatable } from "../health/health.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import { isClosable } from "../health/market-view.ts";
import type { MarginState } from "../state.ts";
import type { Bankruptcies } from "../waterfall/bankruptcies.ts";
import type { Losses } from "../waterfall/losses.ts";
import type { Closing, LiquidationBudget } from "./closing.ts";
import { targetEquity } from "./liquidation-math.ts";
import type { OtherSide } from "./other-side.ts";
import type { Slices } from "./slices.ts";
import type { Takeover } from "./takeover.ts";
import type { Unfilled } from "./unfilled.ts";

export interface Liquidation {
  /** The three below, one after the other. */
  liquidate(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): void;
  cancelOrders(ctx: WriteContext, id: AccountId): void;
  /** At the book. False: there is nothing to close. */
  close(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): boolean;
  /** What neither book nor bidders took: the backstop; then, after a wait, the other side; below zero insurance, then the other side. */
  finish(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): void;
}

export interface LiquidationParts {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly losses: Losses;
  readonly bankruptcies: Bankruptcies;
  readonly unfilled: Unfilled;
  readonly takeover: Takeover;
  readonly otherSide: OtherSide;
  readonly closing: Closing;
  readonly slices: Slices;
}

export function createLiquidation(parts: LiquidationParts): Liquidation {
  const { state, markets, losses, bankruptcies, closing, slices } = parts;
  const { otherSide, takeover, unfilled } = parts;
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

  function close(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): boolean {
    const start = load(ctx, id);
    const holds = start.account.positions.some(({ lots }) => lots !== 0n);
    if (!holds || start.health === null || !isLiquidatable(start.health)) return false;
    if (!budget.origins.has(id)) {
      budget.origins.set(id, losses.origin(ctx, id, start.account, start.views));
    }
    const sliced = start.account.portfolio && slices.reduce(ctx, id, budget);
    if (!sliced) closeAll(ctx, id, budget);
    // Slippage of a partial close can take the rest below zero: then all of it goes to the book before anyone is deleveraged.
    if ((load(ctx, id).health?.equity ?? 0n) < 0n) closeAll(ctx, id, budget);
    return true;
  }

  function finish(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): void {
    const { account, health, views } = load(ctx, id);
    const held = order(account, views).map(({ market }) => market);
    const waitedNs = unfilled.waitedNs(ctx, id, health, held, budget);
    takeover.run(ctx, id, held, waitedNs);
    otherSide.run(ctx, id, held, waitedNs, budget);
    const origin = budget.origins.get(id) ?? losses.origin(ctx, id, account, views);
    const last = load(ctx, id);
    const left = order(last.account, last.views).map(({ market }) => market);
    bankruptcies.resolve(ctx, id, left, origin, budget);
    budget.promised.delete(id);
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
