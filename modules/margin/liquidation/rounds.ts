/**
 * A block's liquidations. Without a ladder each account is closed from beginning to end, one after the other. With one, who is due is known
 * first; then all orders are cancelled, the books' flow is shared out, everyone is closed at the book, what is left is auctioned, and what is left then goes
 * to the backstop, insurance and the other side.
 */
import type { LadderTerms } from "@keel/proto/gen/keel/margin/v1/ladder";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { contained } from "../contained.ts";
import type { MarketViews, ModelledMarkets } from "../health/market-view.ts";
import { isClosable } from "../health/market-view.ts";
import { JUDGED_PER_TURN } from "../limits.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { Auction } from "./auction.ts";
import type { Bids } from "./bids.ts";
import type { Closing, LiquidationBudget } from "./closing.ts";
import { createDue, type Sick } from "./due.ts";
import { emitDue } from "./events.ts";
import type { Liquidation } from "./liquidation.ts";
import type { Measures } from "./measures.ts";
import { type Closer, createThrottle } from "./throttle.ts";
import { turnsOf } from "./turns.ts";
import type { Unfilled } from "./unfilled.ts";

export interface Rounds {
  /** `sick` in order of urgency; what is remembered of others is forgotten. Returns those who had a turn. */
  run(
    ctx: WriteContext,
    sick: readonly Sick[],
    views: MarketViews,
    budget: LiquidationBudget,
  ): readonly Sick[];
}

export interface RoundsParts {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly measures: Measures;
  readonly closing: Closing;
  readonly liquidation: Liquidation;
  readonly auction: Auction;
  readonly bids: Bids;
  readonly unfilled: Unfilled;
  readonly name: (id: AccountId) => string;
  /** Before anything is closed of an account. True: it has been helped otherwise. */
  readonly spared: (ctx: WriteContext, id: AccountId, views: MarketViews) => boolean;
}

export function createRounds(parts: RoundsParts): Rounds {
  const { auction, bids, closing, liquidation, markets, measures, name, state } = parts;
  const { spared, unfilled } = parts;

  /** What the account would close, of each position alone. Of a portfolio any part of it may be in the best slice. */
  function closerOf(ctx: WriteContext, one: Sick, budget: LiquidationBudget): Closer {
    const { account, views } = closing.load(ctx, one.id);
    const wanted: { market: MarketId; lots: bigint }[] = [];
    for (const { lots, market } of account.positions) {
      if (lots === 0n || !isClosable(views(market))) continue;
      if (account.portfolio) {
        wanted.push({ market, lots });
        continue;
      }
      const clip = closing.clip(ctx, one.id, market, budget);
      if (clip !== null) wanted.push({ market, lots: lots > 0n ? clip.lots : -clip.lots });
    }
    return { ...one, wanted };
  }

  function climb(
    ctx: WriteContext,
    due: readonly Sick[],
    views: MarketViews,
    budget: LiquidationBudget,
    terms: LadderTerms,
  ): void {
    for (const { id, market } of due)
      contained(ctx, markets, market, (step) => liquidation.cancelOrders(step, id));
    const closers: Closer[] = [];
    for (const one of due)
      contained(ctx, markets, one.market, (step) => {
        closers.push(closerOf(step, one, budget));
      });
    budget.throttle = createThrottle(ctx, { state, markets, measures }, terms, closers, views);
    const left: Sick[] = [];
    for (const one of due) {
      contained(ctx, markets, one.market, (step) => {
        if (liquidation.close(step, one.id, budget)) left.push(one);
      });
    }
    auction.run(
      ctx,
      left.map(({ id }) => id),
      budget,
    );
    for (const { id, market } of left)
      contained(ctx, markets, market, (step) => liquidation.finish(step, id, budget));
  }

  return {
    run(ctx, sick, views, budget) {
      const { ladder, liquidationsPerBlockMax: most } = state.params.require(ctx);
      bids.prune(ctx);
      const due = createDue(ctx, parts, ladder, sick, views, most * JUDGED_PER_TURN);
      const isDue = (one: Sick): boolean => due.judge(one).reason !== null;
      const turns = turnsOf(sick, most, ctx.header.height, isDue);
      const helped = (one: Sick): boolean => {
        let isSpared = false;
        contained(ctx, markets, one.market, (step) => {
          isSpared = spared(step, one.id, views);
        });
        return isSpared;
      };
      if (ladder === undefined) {
        for (const one of turns) {
          contained(ctx, markets, one.market, (step) => {
            if (!spared(step, one.id, views)) liquidation.liquidate(step, one.id, budget);
          });
        }
      } else {
        const now = turns.filter((one) => !helped(one));
        for (const one of now) {
          const { averages, reason } = due.judge(one);
          if (reason === null) continue;
          emitDue(ctx, { account: name(one.id), reason, marks: one, averages });
        }
        if (now.length > 0) climb(ctx, now, views, budget, ladder);
      }
      auction.forget(ctx, ladder === undefined ? () => false : due.isDue);
      unfilled.forget(ctx, due.isDue);
      return turns;
    },
  };
}
