/**
 * For how long an account under water has found neither a fill nor a bidder. Who takes a part of what the book is asked for sets the wait back by that
 * part: a lot now and then keeps nobody from the next rung.
 */
import type { Params } from "@keel/proto/gen/keel/margin/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { mulDivDown } from "../../kit/math/mul-div.ts";
import { isLiquidatable } from "../health/health.ts";
import { BACKSTOP_WAIT_DEFAULT_MS } from "../limits.ts";
import type { MarginState } from "../state.ts";
import type { Asked } from "./asked.ts";
import type { AccountFigures } from "./liquidation-math.ts";

export interface Unfilled {
  /** Once a block, after book and auction: nanoseconds, rounded down; 0 for who is not under water, or is below zero. */
  waitedNs(ctx: WriteContext, id: AccountId, health: AccountFigures | null, asked: Asked): bigint;
  /** Drops what is remembered of accounts that are not to be closed. */
  forget(ctx: WriteContext, isDue: (id: AccountId) => boolean): void;
}

/** After which the backstop is asked, and then the other side. */
export function waitMs(params: Params): bigint {
  return params.backstopWaitMs || BACKSTOP_WAIT_DEFAULT_MS;
}

/** What is left of a wait in which a part was taken: of what was asked for, or all when nothing was. Rounded down. */
export function setBack(
  waitedNs: bigint,
  sums: { readonly asked: bigint; readonly left: bigint; readonly taken: bigint },
): bigint {
  if (sums.asked === 0n) return sums.taken > 0n ? 0n : waitedNs;
  return mulDivDown(waitedNs, sums.left, sums.asked);
}

export function createUnfilled({ unfilled }: MarginState): Unfilled {
  return {
    waitedNs(ctx, id, health, asked) {
      const since = unfilled.get(ctx, id);
      if (health === null || health.equity < 0n || !isLiquidatable(health)) {
        if (since !== undefined) unfilled.delete(ctx, id);
        return 0n;
      }
      const now = ctx.header.timeNs;
      const waited = setBack(now - (since ?? now), asked.sums(id));
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
