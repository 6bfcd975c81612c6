/**
 * For how long an account under water has found nobody. Who takes a part of what has to go sets the wait back by that part, however little of it the throttle
 * let the book be asked for: a lot now and then keeps nobody from the next rung, and who would hold it up must take at least 1 - 1/e of what has to go in
 * every wait. Who is at its maintenance requirement again has waited for nothing: whoever paid it there has put up, for good, all that it was short of, so its
 * next wait is another one.
 */

import type { Params } from "@keel/proto/gen/keel/margin/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { mulDivDown } from "../../kit/math/mul-div.ts";
import { MONEY_LIMIT } from "../../kit/money.ts";
import { isLiquidatable } from "../health/health.ts";
import { isClosable } from "../health/market-view.ts";
import { BACKSTOP_WAIT_DEFAULT_MS } from "../limits.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { Closing, LiquidationBudget } from "./closing.ts";
import type { AccountFigures } from "./liquidation-math.ts";

export interface Unfilled {
  /**
   * Once a block, after book and auction, of an account that holds these: nanoseconds, rounded down; 0 for who is not under water, or is below
   * zero.
   */
  waitedNs(
    ctx: WriteContext,
    id: AccountId,
    health: AccountFigures | null,
    held: readonly MarketId[],
    budget: LiquidationBudget,
  ): bigint;
  /** Drops what is remembered of accounts that are not to be closed. */
  forget(ctx: WriteContext, isDue: (id: AccountId) => boolean): void;
}

/** After which the backstop is asked, and then the other side. */
export function waitMs(params: Params): bigint {
  return params.backstopWaitMs || BACKSTOP_WAIT_DEFAULT_MS;
}

/** What is left of a wait when so much was taken and so much has to go yet. Rounded down. */
export function setBack(waitedNs: bigint, taken: bigint, wanted: bigint): bigint {
  return taken === 0n ? waitedNs : mulDivDown(waitedNs, wanted, wanted + taken);
}

export function createUnfilled(
  { unfilled }: MarginState,
  closing: Pick<Closing, "load" | "clip">,
): Unfilled {
  /** What has to go, each position sized alone, whatever throttle and block's bound have left of it: quanta of notional. */
  function wanted(
    ctx: ReadContext,
    id: AccountId,
    held: readonly MarketId[],
    budget: LiquidationBudget,
  ): bigint {
    const { views } = closing.load(ctx, id);
    const unbounded = { ...budget, notional: MONEY_LIMIT };
    let sum = 0n;
    for (const market of held) {
      const clip = isClosable(views(market)) ? closing.clip(ctx, id, market, unbounded) : null;
      if (clip !== null) sum += clip.lots * clip.view.notionalPerLot;
    }
    return sum;
  }

  return {
    waitedNs(ctx, id, health, held, budget) {
      const since = unfilled.get(ctx, id);
      if (health === null || health.equity < 0n || !isLiquidatable(health)) {
        if (since !== undefined) unfilled.delete(ctx, id);
        return 0n;
      }
      const now = ctx.header.timeNs;
      const taken = budget.asked.taken(id);
      let waited = now - (since ?? now);
      if (waited > 0n && taken > 0n) waited = setBack(waited, taken, wanted(ctx, id, held, budget));
      if (since !== now - waited) unfilled.set(ctx, id, now - waited);
      return waited;
    },

    forget(ctx, isDue) {
      if (unfilled.size(ctx) === 0) return;
      const over: AccountId[] = [];
      unfilled.each(ctx, (id) => {
        if (!isDue(id)) over.push(id);
      });
      for (const id of over) unfilled.delete(ctx, id);
    },
  };
}
